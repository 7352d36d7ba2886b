"""The report of a pass as a page: one file that asks nothing of any network, for wide and narrow windows, in light and in dark.

Must not put anything into the page but through the template, which escapes it. Invariant: only a plot's drawing, whose texts are
escaped by matplotlib, is taken as markup.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from connector.core.reconciliation import Matter, Reconciliation, many
from connector.report import tables, words
from connector.report.plots import Plot, age, reason, status, trend

LINKED = 25
"""Records under one heading that are shown as links; the JSON beside the page names more."""
_RECORD = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True, slots=True)
class Section:
    """A table with its title, and maybe a plot beside it."""

    name: str
    title: str
    note: str
    table: tables.Table
    plot: Plot | None = None

    @property
    def drawing(self) -> Markup | None:
        """The plot as markup."""
        return Markup(self.plot.svg) if self.plot else None  # noqa: S704 - our own drawing, its texts escaped by matplotlib


def render(one: Reconciliation, instance_url: str) -> str:
    """Give the page. ``instance_url`` is the org's address, under which a record has its id."""
    template = _ENVIRONMENT.get_template("page.html.jinja")
    return template.render(
        run=one,
        title=f"Reconciliation of {words.day_and_time(one.started_at)}",
        summary=_summary(one),
        tiles=_tiles(one),
        matters=[_matter(matter) for matter in one.matters],
        sections=[section for section in _sections(one) if section.table.rows],
        before=one.before and one.before.at and words.day_and_time(one.before.at.astimezone(one.started_at.tzinfo)),
        trend=Section("trend", "The last passes", "", tables.trend(one), trend(one)),
        figures=[f"{words.number(value)} {words.FIGURES.get(name, name)}" for name, value in one.figures.items()],
        link=_linked(instance_url),
        duration=words.duration(one.seconds),
    )


def _linked(instance_url: str) -> Callable[[str], str | None]:
    """Give the address of a record, None for what is no record's id."""

    def link(record: str) -> str | None:
        known = instance_url.startswith(("https://", "http://")) and _RECORD.fullmatch(record)
        return f"{instance_url}/{record}" if known else None

    return link


def _summary(one: Reconciliation) -> str:
    """Give the pass in two sentences."""
    needed, written = one.point.matters, many(one.tally.changes, "record")
    done = {
        "live": f"{written} made or changed.",
        "shadow": f"Shadow mode: {written} made, none that anybody notices.",
        "dry run": "A dry run: nothing was written.",
    }
    asks = f"{many(needed, 'matter')} for a person." if needed else "Nothing needs a person."
    looked_at = f"{many(one.tally.payers, 'payer')} looked at, {words.number(one.tally.in_arrears)} of them in arrears, on hold or watched."
    return f"{looked_at} {done[one.mode]} {asks}"


def _tiles(one: Reconciliation) -> list[dict[str, object]]:
    """Give the main figures, each with how far it moved."""
    now, needed = one.tally, one.point.matters
    last, needed_then = (one.before.last, one.before.matters) if one.before else (now, needed)
    owed = words.amounts(now.overdue.amounts) or ("nothing",)
    return [
        _tile("Overdue", owed, words.changes(now.overdue.amounts, last.overdue.amounts)),
        _tile("Payers not Clear", (words.number(now.in_arrears),), words.change(now.in_arrears, last.in_arrears)),
        _tile("For a person", (words.number(needed),), words.change(needed, needed_then), "needs"),
        _tile("Records written", (words.number(now.changes),), words.change(now.changes, last.changes)),
        _tile("Payers", (words.number(now.payers),), words.change(now.payers, last.payers)),
    ]


def _tile(name: str, lines: tuple[str, ...], moved: tuple[str, ...], leads_to: str = "") -> dict[str, object]:
    return {"name": name, "lines": lines, "moved": moved, "leads_to": leads_to}


def _matter(one: Matter) -> dict[str, object]:
    shown = one.records[:LINKED]
    return {"kind": one.kind, "words": one.words, "records": shown, "more": one.count - len(shown) if shown else 0}


def _sections(one: Reconciliation) -> list[Section]:
    tally, last = one.tally, one.before.last if one.before else None
    planned, withheld = (last.planned, last.withheld) if last else (None, None)
    return [
        Section("status", "By status", "Each payer stands under one status, with what they owe overdue.", tables.by_status(one), status(one)),
        Section("age", "By age", "Days past the original due date, by installment: a payer may stand in several rows.", tables.by_age(one), age(one)),
        Section(
            "reason", "By reason", "Why each open installment failed last. Causes that only specialists may read are one row, Do not contact.",
            tables.by_reason(one), reason(one),
        ),
        Section("changed", "What changed", "Records that this pass wrote.", tables.written(one)),
        Section("new", "New follow-ups", "Planned by this pass for the first time.", tables.by_count("Kind", tally.made, None)),
        Section("next", "What comes next", "The next step of each course, new or standing.", tables.by_count("Kind", tally.planned, planned)),
        Section(
            "withheld", "Withheld", "What the policy wanted and something forbade, maybe for several reasons.",
            tables.by_count("Reason", tally.withheld, withheld),
        ),
    ]  # fmt: skip
