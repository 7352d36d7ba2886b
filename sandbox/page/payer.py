"""A payer's page: who they are, where they stand, what happened and what is coming, all in one place.

Must not write. What it shows is the world's layout; it only knows that some objects' records are payers and that other
records point at them. Invariant: every entry of the timeline leads to its record, and has a time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby

from sandbox.org.errors import OrgError
from sandbox.org.schema import ObjectType
from sandbox.page.desk import Desk, Found, places, record_href
from sandbox.page.filters import quoted
from sandbox.page.home import Refused
from sandbox.page.layout import Card as CardLayout
from sandbox.page.layout import Entry as EntryLayout
from sandbox.page.layout import Flag, Payer, Source
from sandbox.page.tables import Table, panel
from sandbox.page.values import EMPTY, Shown, parse_moment

_SHOWN = 60
_BY_MONTH = timedelta(days=92)
Facts = tuple[tuple[str, Shown], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """Something that stands out."""

    title: str
    heading: str
    href: str
    amount: Shown
    facts: Facts
    text: Shown
    tone: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the timeline."""

    at: datetime
    when: Shown
    label: str
    title: str
    href: str
    facts: Facts
    text: Shown
    tone: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """The entries of one month, or of a year that is longer ago."""

    label: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class PayerPage:
    """Everything on the page."""

    one: ObjectType
    id: str
    name: str
    facts: Facts
    flags: tuple[tuple[str, str], ...]
    cards: tuple[Card, ...]
    calm: tuple[str, ...]
    coming: tuple[Entry, ...]
    past: tuple[Stretch, ...]
    cut: bool
    panels: tuple[Table | Refused, ...]
    problems: tuple[str, ...]


def payer_page(desk: Desk, one: ObjectType, record_id: str) -> PayerPage | None:
    """Make the page of a payer, None when there is no such record. Raises OrgError or UnknownFieldError."""
    layout = desk.layout.payers[one.name]
    named = one.name_field.name if one.name_field is not None else "Id"
    payer = desk.one(one, record_id, [named, *layout.facts, *(flag.field for flag in layout.flags)])
    if payer is None:
        return None
    problems: list[str] = []
    cards, calm = _cards(desk, payer, problems)
    entries = _timeline(desk, payer, problems)
    now = desk.now()
    coming = [each for each in entries if each.at > now]
    past = [each for each in entries if each.at <= now]
    return PayerPage(
        one,
        payer.id,
        payer.show(named).text,
        _facts(desk, payer, layout.facts),
        tuple(_flags(payer, layout)),
        tuple(cards),
        tuple(calm),
        tuple(reversed(coming)),
        tuple(Stretch(label, tuple(group)) for label, group in groupby(past[:_SHOWN], lambda each: _stretch(each.at, now))),
        len(past) > _SHOWN,
        tuple(_panels(desk, payer)),
        tuple(problems),
    )


def _stretch(at: datetime, now: datetime) -> str:
    """Name the stretch of time an entry falls into: months first, years further back."""
    edge = now - _BY_MONTH
    if at > edge:
        return f"{at:%B %Y}"
    return f"Before that in {at:%Y}" if at.year == edge.year else f"{at:%Y}"


def _facts(desk: Desk, found: Found, paths: Iterable[str]) -> Facts:
    shown = [(desk.label(found.type, path), found.show(path)) for path in paths]
    return tuple((label, value) for label, value in shown if not value.empty)


def _flags(payer: Found, layout: Payer) -> Iterable[tuple[str, str]]:
    return ((flag.say, flag.tone) for flag in layout.flags if _raised(payer, flag))


def _raised(payer: Found, flag: Flag) -> bool:
    value = payer.value(flag.field)
    return value is flag.when if isinstance(flag.when, bool) else str(value) == flag.when


def _of_payer(desk: Desk, source: Source, payer: Found) -> str | None:
    """Give the condition that picks the payer's records, None when no lookup of the source leads to this kind of payer."""
    one = desk.type(source.of)
    for name in source.via:
        field = desk.column(one, name).field
        if payer.type.name in field.reference_to:
            mine = f"{name} = {quoted(payer.id)}"
            return f"{mine} AND ({source.where})" if source.where else mine
    return None


def _read(desk: Desk, source: Source, payer: Found, paths: Iterable[str], problems: list[str]) -> list[Found]:
    try:
        where = _of_payer(desk, source, payer)
        if where is None:
            return []
        return desk.rows(desk.type(source.of), paths, where=where, order=source.order, limit=source.limit)
    except (OrgError, LookupError) as problem:
        problems.append(f"{source.of}: {problem}")
        return []


def _cards(desk: Desk, payer: Found, problems: list[str]) -> tuple[list[Card], list[str]]:
    cards, calm = [], []
    for layout in desk.layout.cards:
        optional = [path for path in (layout.amount, layout.text, layout.tone_of) if path]
        found = _read(desk, layout, payer, [*layout.facts, *optional, *places(layout.title, layout.heading)], problems)
        cards += [_card(desk, each, layout) for each in found]
        if not found and layout.empty:
            calm.append(layout.empty)
    return cards, calm


def _card(desk: Desk, found: Found, layout: CardLayout) -> Card:
    return Card(
        found.fill(layout.title),
        found.fill(layout.heading),
        record_href(found.id),
        found.show(layout.amount) if layout.amount else EMPTY,
        _facts(desk, found, layout.facts),
        found.show(layout.text) if layout.text else EMPTY,
        _tone(found, layout),
    )


def _tone(found: Found, layout: CardLayout | EntryLayout) -> str:
    return (found.show(layout.tone_of).tone if layout.tone_of else "") or layout.tone


def _timeline(desk: Desk, payer: Found, problems: list[str]) -> list[Entry]:
    """Gather the entries of all sources, newest first."""
    entries: list[Entry] = []
    for layout in desk.layout.timeline:
        optional = [path for path in (layout.text, layout.tone_of) if path]
        found = _read(desk, layout, payer, [*layout.at, *layout.facts, *optional, *places(layout.title)], problems)
        entries += [entry for each in found if (entry := _entry(desk, each, layout)) is not None]
    return sorted(entries, key=lambda each: (each.at, each.href), reverse=True)


def _entry(desk: Desk, found: Found, layout: EntryLayout) -> Entry | None:
    filled = next((path for path in layout.at if found.value(path)), None)
    if filled is None:
        return None
    written = str(found.value(filled))
    exact = parse_moment(written)
    at = exact.astimezone(desk.zone) if exact else datetime.combine(date.fromisoformat(written), time(), desk.zone)
    title = found.fill(layout.title) or layout.label
    facts = _facts(desk, found, layout.facts)
    text = found.show(layout.text) if layout.text else EMPTY
    return Entry(at, found.show(filled), layout.label, title, record_href(found.id), facts, text, _tone(found, layout))


def _panels(desk: Desk, payer: Found) -> Iterable[Table | Refused]:
    for layout in desk.layout.panels:
        try:
            where = _of_payer(desk, layout.model_copy(update={"where": ""}), payer)
            if where is None:
                continue
            lookup = where.partition(" ")[0]
            view = f"/{layout.view}" if layout.view else ""
            yield panel(desk, layout, where, f"/page/list/{layout.of}{view}?is.{lookup}={payer.id}")
        except (OrgError, LookupError) as problem:
            yield Refused(layout.title, str(problem))
