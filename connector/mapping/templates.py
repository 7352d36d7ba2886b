"""Message texts: plain-text templates that admins edit → subject and body in the payer's language.

Must not decide what is said to whom. Invariant: a template can only print the values it is given; one that
names another value, or is not well formed, is refused when it is loaded, with its file and line.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from connector.core.policy import Policy
from connector.core.words import CONTACT_KINDS
from connector.errors import ConfigError, PermanentError

FALLBACK = "en"
_GAPS = re.compile(r"\n{3,}")
ALWAYS = ("coming_debit", "confirm", "partial_payment")
"""Templates the judgement itself asks for, whatever the policy."""
MONTHS: Mapping[str, tuple[str, ...]] = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
    "nl": ("januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"),
    "de": ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"),
}
DECIMAL_COMMAS = frozenset({"nl", "de"})
"""Languages in which cents stand behind a comma."""
FREE_ADVICE: Mapping[str, str] = {
    "GB": "MoneyHelper, www.moneyhelper.org.uk",
    "IE": "MABS, www.mabs.ie",
    "NL": "Geldfit, www.geldfit.nl",
    "BE": "your local CPAS/OCMW",
    "DE": "Schuldnerberatung, www.meine-schulden.de",
    "AT": "Schuldenberatung, www.schuldenberatung.at",
    "US": "the National Foundation for Credit Counseling, www.nfcc.org",
    "AU": "the National Debt Helpline, ndh.org.au",
}
"""Where a person finds free and independent advice about money, by country (the services' own public sites)."""


@dataclass(frozen=True, slots=True)
class Values:
    """Everything a template may print. Amounts are texts with their currency."""

    payer_name: str
    amount: str
    due_on: date | None = None
    pay_link: str | None = None
    retry_on: date | None = None
    creditor_name: str = ""
    installments: int = 1
    free_advice: str | None = None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What a payer reads."""

    subject: str
    body: str
    language: str


class Templates:
    """Templates of one folder, by language and name. The first line of each is ``Subject: ...``."""

    def __init__(self, sources: Mapping[tuple[str, str], str]) -> None:
        """``sources``: (language, name) → text; checked by ``load_templates``."""
        self._environment = _environment()
        self._compiled = {place: self._environment.from_string(text) for place, text in sources.items()}

    def has(self, name: str) -> bool:
        """Tell whether the template exists in the language everything falls back to."""
        return (FALLBACK, name) in self._compiled

    def render(self, name: str, language: str | None, values: Values) -> Message:
        """Give a message in ``language`` (``nl``, ``nl-BE``), in English where it is not there.

        Raises:
            PermanentError: no such template, or it cannot be rendered with these values.

        """
        spoken = next((one for one in _languages(language) if (one, name) in self._compiled), None)
        if spoken is None:
            raise PermanentError(f"there is no template '{name}'")
        try:
            known = {**_plain(values), "amount": amount(values.amount, spoken), "day": lambda when: day(when, spoken)}
            text = self._compiled[spoken, name].render(known)
        except (TemplateError, TypeError, ValueError) as error:
            raise PermanentError(f"template '{spoken}/{name}' cannot be rendered: {error}") from error
        head, _, body = _GAPS.sub("\n\n", text.strip()).partition("\n")
        return Message(head.removeprefix("Subject:").strip(), body.strip() + "\n", spoken)


def day(when: date, language: str) -> str:
    """A date as people write it in ``language``."""
    months = MONTHS.get(language, MONTHS[FALLBACK])
    return f"{when.day}{'.' if language == 'de' else ''} {months[when.month - 1]} {when.year}"


def amount(text: str, language: str) -> str:
    """An amount as people write it in ``language``."""
    return text.replace(".", ",") if language in DECIMAL_COMMAS else text


def load_templates(folder: Path, policies: Iterable[Policy] = ()) -> Templates:
    """Read ``<language>/<name>.txt`` of a folder, and see that every template a policy names is there in English.

    Raises:
        ConfigError: every fault at once, each ``file:line: what``.

    """
    problems: list[str] = []
    sources: dict[tuple[str, str], str] = {}
    for path in sorted(folder.glob("*/*.txt")):
        place, name = (path.parent.name, path.stem), f"{folder.name}/{path.parent.name}/{path.name}"
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            problems.append(f"{name}:1: cannot be read as UTF-8 text")
            continue
        problems += [f"{name}:{line}: {what}" for line, what in _faults(text)]
        sources[place] = text
    for wanted in sorted({*ALWAYS, *(name for policy in policies for name in names_in(policy))}):
        if (FALLBACK, wanted) not in sources:
            close = get_close_matches(wanted, [name for language, name in sources if language == FALLBACK], n=1)
            meant = f"; did you mean '{close[0]}'?" if close else ""
            problems.append(f"{folder.name}/{FALLBACK}/{wanted}.txt:1: the policy asks for this template and it is not there{meant}")
    if problems:
        raise ConfigError(problems)
    return Templates(sources)


def names_in(policy: Policy) -> set[str]:
    """Give the templates a policy asks for."""
    steps = [step for ladder in policy.ladders.values() for step in ladder.steps]
    tasks = [task for row in policy.rows for task in row.tasks] + [task for step in steps for task in step.also]
    asked = [(step.kind, step.template) for step in steps] + [(task.kind, task.template) for task in tasks]
    return {template for kind, template in asked if template and kind in CONTACT_KINDS}


def _faults(text: str) -> list[tuple[int, str]]:
    try:
        tree = _environment().parse(text)
    except TemplateSyntaxError as error:
        return [(error.lineno, f"not a template: {error.message}")]
    found = [] if text.startswith("Subject:") else [(1, "the first line must be 'Subject: ...'")]
    known = [*(one.name for one in fields(Values)), "day"]
    for name in sorted(meta.find_undeclared_variables(tree) - set(known)):
        line = next((at for at, one in enumerate(text.splitlines(), 1) if name in one), 1)
        close = get_close_matches(name, known, n=1)
        found.append((line, f"'{name}' is no value{f'; did you mean {close[0]!r}?' if close else ''}"))
    return found


def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,  # plain text; a channel that sends HTML escapes it itself
        lstrip_blocks=True,
    )


def _languages(language: str | None) -> list[str]:
    given = (language or FALLBACK).replace("_", "-").lower()
    return [given, given.partition("-")[0], FALLBACK]


def _plain(values: Values) -> dict[str, object]:
    return {one.name: getattr(values, one.name) for one in fields(values)}
