"""A value of a field → what a person reads: dates in the org's time zone, amounts with their currency, long texts cut.

Pure; knows neither HTML nor the org. Values may be hostile, so texts lose control characters and marks that turn the
direction of writing, and nothing longer than `LONGEST` is passed on; escaping is the templates' task.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from sandbox.org.schema import Field
from sandbox.org.types import Json

SHORT = 160
"""Characters of a text shown in one line."""
LONGEST = 4000
"""Characters of a text shown at all."""
NOTHING = "\N{EN DASH}"
_WORD = 30
_SYMBOLS = {"EUR": "€", "GBP": "£"}
_WHOLE = frozenset({"JPY", "KRW", "CLP", "ISK", "VND"})
_SPACE = "\N{NO-BREAK SPACE}"
_CONTROLS = {code: None for code in (*range(32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)) if code not in (9, 10)}


@dataclass(frozen=True, slots=True)
class Shown:
    """One value as it stands on the page. `full` is set when `text` is its beginning only; `links` follow the text."""

    text: str
    kind: str = "text"
    href: str = ""
    tone: str = ""
    full: str = ""
    iso: str = ""
    links: tuple[tuple[str, str], ...] = ()

    @property
    def unbroken(self) -> bool:
        """Whether it has a word so long that it must be broken to fit."""
        return any(len(word) > _WORD for word in self.text.split())

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return self.kind == "none"


EMPTY = Shown(NOTHING, "none")


def clean(text: str) -> str:
    """Take out what would disturb the page though it is escaped."""
    return text.translate(_CONTROLS)


def cut(text: str, length: int = SHORT) -> str:
    """Shorten a text to a length, with dots for what is missing."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def day(value: date) -> str:
    """Write a day: 2 Mar 2026."""
    return f"{value.day} {value:%b %Y}"


def moment(value: datetime) -> str:
    """Write a moment, in the time zone it has: 2 Mar 2026, 09:00."""
    return f"{day(value)}, {value:%H:%M}"


def number(value: Json, scale: int) -> str:
    """Write a number with thousands set apart. What is no number stays as it is."""
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        return clean(str(value))
    return f"{exact:,.{scale}f}".replace("-", "\N{MINUS SIGN}")


def money(value: Json, currency: str) -> str:
    """Write an amount with its currency in front."""
    return f"{_SYMBOLS.get(currency, currency)}{_SPACE}{number(value, 0 if currency in _WHOLE else 2)}".strip()


def parse_moment(value: str) -> datetime | None:
    """Read a datetime as the org writes it, or None for anything else."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def text_value(value: str, *, length: int = SHORT) -> Shown:
    """Show a text: one line of it, and the rest apart."""
    whole = clean(value).strip()
    if not whole:
        return EMPTY
    line = " ".join(whole.split())
    if len(line) <= length and "\n" not in whole:
        return Shown(line)
    full = whole if len(whole) <= LONGEST else f"{whole[:LONGEST]}…\n[cut: {len(value):,} characters in all]"
    return Shown(cut(line, length), "long", full=full)


@dataclass(frozen=True, slots=True)
class Manner:
    """How values are shown in one org: its time zone, and the words and tones its layout gives to coded values."""

    zone: ZoneInfo
    words: Mapping[str, Mapping[str, str]]
    tones: Mapping[str, Mapping[str, str]]

    def show(self, value: Json, field: Field, key: str, currency: str | None = None) -> Shown:
        """Show a value of a field; `key` is ``Object.Field``, `currency` that of an amount."""
        if value is None or value == "":
            return EMPTY
        if field.type == "boolean":
            return Shown("Yes" if value else "No")
        if currency is not None:
            return Shown(money(value, currency), "amount")
        if field.is_number:
            return Shown(number(value, field.scale) + ("%" if field.type == "percent" else ""), "number")
        if field.type in ("date", "datetime"):
            return self._time(str(value))
        if field.type == "url" and str(value).lower().startswith(("https://", "http://")):
            return Shown(cut(clean(str(value)), 60), href=clean(str(value))[:LONGEST])
        return self._coded(str(value), field, key) or text_value(str(value))

    def _time(self, value: str) -> Shown:
        if (found := parse_moment(value)) is not None:
            local = found.astimezone(self.zone)
            return Shown(moment(local), "date", iso=local.isoformat())
        try:
            return Shown(day(date.fromisoformat(value)), "date", iso=value)
        except ValueError:
            return text_value(value)

    def _coded(self, value: str, field: Field, key: str) -> Shown | None:
        """Show a value from a closed list: words of the layout, else the picklist's label; None for free text."""
        words, tone = self.words.get(key, {}), self.tones.get(key, {}).get(value, "")
        labels = {choice.value: choice.label for choice in field.choices} | dict(words)
        many = field.type == "multipicklist" or (value not in labels and ";" in value)
        parts = [part.strip() for part in value.split(";")] if many else [value]
        if not tone and labels.keys().isdisjoint(parts):
            return None
        said = ", ".join(labels.get(part, part) for part in parts if part)
        return Shown(cut(clean(said)), "pill" if tone else "text", tone=tone)
