"""What schemes and countries forbid, as typed data: limits on trying again, gaps, calls.

Must not know payers or dates, and must not read files (``mapping/rules.py`` does). Invariant: where a scheme or a
country is not known, the strictest of all that are known holds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from connector.core.words import Scheme


@dataclass(frozen=True, slots=True)
class SchemeLimit:
    """Limits of one scheme. None = the scheme sets none. ``effective``: date or year the source speaks of."""

    source: str = ""
    effective: str = ""
    collects: bool = True
    """Whether the creditor can pull money at all."""
    attempts_24h: int | None = None
    """Declined attempts of one credential and amount within 24 hours."""
    attempts_30d: int | None = None
    """Declined attempts of one credential and amount within 30 days."""
    presentments_180d: int | None = None
    """Presentments of one installment within 180 days, the first included."""
    within_days: int | None = None
    """Days after the original date within which it may be presented again."""
    within_one_month: bool = False
    """As ``within_days``, counted as one calendar month."""
    same_amount: bool = False
    """Presented again only for the amount of the first time: not after a partial payment or a credit."""
    notice_days: int = 0
    """Calendar days between telling the payer date and amount and the debit."""
    notice_business_days: int = 0
    mandate_lapse_months: int | None = None
    """Months without a collection after which a mandate is no longer valid."""

    @property
    def needs_notice(self) -> bool:
        """Tell whether a debit has to be announced."""
        return self.notice_days > 0 or self.notice_business_days > 0


@dataclass(frozen=True, slots=True)
class CountryRules:
    """What one country (ISO 3166-1 alpha-2) or one part of it (ISO 3166-2) asks of creditors."""

    source: str = ""
    effective: str = ""
    names: tuple[str, ...] = ()
    """How people write a part of a country, in lower case."""
    reminder_gap_days: int = 0
    """Least days between a reminder and a firm or final one."""
    calls_per_week: int | None = None
    """Most calls in seven days, where fewer than the policy's."""
    breathing_space_days: int | None = None
    """How long a breathing space lasts from the register's notice; a person is asked when one without an end is older."""


SCHEMES_OF: Mapping[str, frozenset[Scheme]] = MappingProxyType(
    {
        **{scheme.value: frozenset({scheme}) for scheme in Scheme},
        "sepa": frozenset({Scheme.SEPA_CORE, Scheme.SEPA_B2B}),
        "nacha": frozenset({Scheme.ACH}),
    }
)
"""Which schemes a return ratio is about, by the name it is given under."""


def _least(values: Iterable[int | None]) -> int | None:
    return min((value for value in values if value is not None), default=None)


def strictest_scheme(limits: Iterable[SchemeLimit]) -> SchemeLimit:
    """Give the limits that satisfy every scheme of ``limits`` from which money can be pulled."""
    pulled = [limit for limit in limits if limit.collects]
    return SchemeLimit(
        source="unknown scheme: the strictest of all",
        attempts_24h=_least(limit.attempts_24h for limit in pulled),
        attempts_30d=_least(limit.attempts_30d for limit in pulled),
        presentments_180d=_least(limit.presentments_180d for limit in pulled),
        within_days=_least(limit.within_days for limit in pulled),
        within_one_month=any(limit.within_one_month for limit in pulled),
        same_amount=any(limit.same_amount for limit in pulled),
        notice_days=max((limit.notice_days for limit in pulled), default=0),
        notice_business_days=max((limit.notice_business_days for limit in pulled), default=0),
        mandate_lapse_months=_least(limit.mandate_lapse_months for limit in pulled),
    )


def strictest_country(rules: Iterable[CountryRules]) -> CountryRules:
    """Give the rules that satisfy every country of ``rules``."""
    known = list(rules)
    return CountryRules(
        source="unknown country: the strictest of all",
        reminder_gap_days=max((one.reminder_gap_days for one in known), default=0),
        calls_per_week=_least(one.calls_per_week for one in known),
        breathing_space_days=max((one.breathing_space_days for one in known if one.breathing_space_days is not None), default=None),
    )


@dataclass(frozen=True)
class Rules:
    """All packs. ``countries`` by ``NL`` or ``GB-SCT``; ``ratios``: class of returns → share at which nothing is tried again."""

    schemes: Mapping[Scheme, SchemeLimit] = field(default_factory=lambda: MappingProxyType({}))
    countries: Mapping[str, CountryRules] = field(default_factory=lambda: MappingProxyType({}))
    ratios: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def _strictest_scheme(self) -> SchemeLimit:
        return strictest_scheme(self.schemes.values())

    @cached_property
    def _strictest_country(self) -> CountryRules:
        return strictest_country(self.countries.values())

    def scheme(self, scheme: Scheme | None) -> SchemeLimit:
        """Give the limits of ``scheme``; of an unknown one the strictest."""
        found = self.schemes.get(scheme) if scheme is not None else None
        return found or self._strictest_scheme

    def country(self, country: str | None, region: str | None = None) -> CountryRules:
        """Give the rules where a payer lives.

        Args:
            country: ISO 3166-1 alpha-2, or None: the strictest of all.
            region: second part of an ISO 3166-2 code, or the part's name; None: the strictest of the country's parts.

        """
        if country is None:
            return self._strictest_country
        return self._places[country, region] if (country, region) in self._places else self._place(country, region)

    @cached_property
    def _places(self) -> dict[tuple[str, str | None], CountryRules]:
        return {}

    def _place(self, country: str, region: str | None) -> CountryRules:
        own = self.countries.get(country, CountryRules())
        parts = {name: one for name, one in self.countries.items() if name.startswith(f"{country}-")}
        if region is not None:
            word = region.strip().casefold()
            parts = {name: one for name, one in parts.items() if name.casefold() == f"{country}-{word}".casefold() or word in one.names}
        found = strictest_country([own, *parts.values()]) if parts else own
        self._places[country, region] = found
        return found

    def over_ratio(self, scheme: Scheme | None, ratios: Mapping[str, float]) -> bool:
        """Tell whether returns of ``scheme`` have reached the level at which the bank complains.

        ``ratios``: ``<class>``, ``<whose>`` or ``<whose>.<class>`` → share; class one of ``self.ratios``, otherwise the overall
        one is meant. A scheme's share is about that scheme; any other's (a creditor identifier) about everything.
        """
        for name, share in ratios.items():
            whose, _, kind = name.casefold().rpartition(".")
            if kind not in self.ratios:
                whose, kind = name.casefold(), "overall"
            about = SCHEMES_OF.get(whose.partition(".")[0])
            if share >= self.ratios.get(kind, 1.1) and (about is None or scheme in about):
                return True
        return False
