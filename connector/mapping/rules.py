"""``mappings/rules/*.yaml`` → the packs of scheme and country rules.

Must not weigh a rule. Invariant: every pack names its source and since when it holds; unknown keys are refused, all
problems of both files at once.
"""

from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from connector.core.rules import CountryRules, Rules, SchemeLimit
from connector.core.words import Scheme
from connector.errors import ConfigError
from connector.mapping.source import read, validate

Count = Annotated[int, Field(ge=1, le=1000)]
Days = Annotated[int, Field(ge=0, le=730)]
Text = Annotated[str, Field(min_length=4)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Code = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    source: Text
    """Where the rule stands, and where it was read."""
    effective: Day
    """Date or year the source speaks of."""


class SchemeFile(_Strict):
    """One scheme."""

    collects: bool = True
    """Whether the creditor can pull money at all."""
    attempts_24h: Count | None = None
    """Declined attempts of one credential and amount within 24 hours."""
    attempts_30d: Count | None = None
    """Declined attempts of one credential and amount within 30 days."""
    presentments_180d: Count | None = None
    """Presentments of one installment within 180 days, the first included."""
    within_days: Count | None = None
    """Days after the original date within which it may be presented again."""
    within_one_month: bool = False
    """As within_days, counted as one calendar month."""
    same_amount: bool = False
    """Presented again only for the amount of the first time."""
    notice_days: Days = 0
    """Calendar days between telling the payer date and amount and the debit."""
    notice_business_days: Days = 0
    """The same in business days."""
    mandate_lapse_months: Count | None = None
    """Months without a collection after which a mandate is no longer valid."""


class CountryFile(_Strict):
    """One country, or one part of it."""

    names: list[str] = []
    """How people write a part of a country."""
    reminder_gap_days: Days = 0
    """Least days between a reminder and a firm or final one."""
    calls_per_week: Count | None = None
    """Most calls in seven days, where fewer than the policy's."""
    breathing_space_days: Count | None = None
    """How long a breathing space lasts; a person is asked when one without an end is older."""


class SchemesFile(BaseModel):
    """``schemes.yaml``."""

    model_config = ConfigDict(extra="forbid")

    schemes: dict[Scheme, SchemeFile]
    """Every scheme and what it forbids."""
    ratios: dict[str, Annotated[float, Field(gt=0, le=1)]] = {}
    """Class of returns → the share of them at which nothing is tried again."""


class CountriesFile(BaseModel):
    """``countries.yaml``."""

    model_config = ConfigDict(extra="forbid")

    countries: dict[Code, CountryFile]
    """Countries, and parts of them as ISO 3166-2 codes."""


def _country(one: CountryFile) -> CountryRules:
    return CountryRules(**{**one.model_dump(), "names": tuple(name.casefold() for name in one.names)})


def load_rules(folder: Path) -> Rules:
    """Read both files of ``folder``.

    Raises:
        ConfigError: every fault at once, each ``file:line: what, did you mean``; a scheme without limits is one.

    """
    problems: list[str] = []
    schemes, countries = SchemesFile(schemes={}), CountriesFile(countries={})
    try:
        source = read(folder / "schemes.yaml")
        schemes = validate(source, SchemesFile)
        absent = [scheme for scheme in Scheme if scheme not in schemes.schemes]
        problems += [source.problem(("schemes",), f"no limits for {scheme}; every scheme needs them") for scheme in absent]
    except ConfigError as error:
        problems += error.problems
    try:
        countries = validate(read(folder / "countries.yaml"), CountriesFile)
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(problems)
    return Rules(
        MappingProxyType({scheme: SchemeLimit(**one.model_dump()) for scheme, one in schemes.schemes.items()}),
        MappingProxyType({code: _country(one) for code, one in countries.countries.items()}),
        MappingProxyType(dict(schemes.ratios)),
    )
