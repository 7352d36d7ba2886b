"""What the commands show people: plain lines, and tables on a terminal.

Must not decide, wire or end a process. Invariant: in a pipe every row is one line, its cells parted by tabs and never cut;
nothing that comes from an org is read as markup.
"""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from connector.core import money
from connector.core.conditions import Fact
from connector.core.policy import FACTS
from connector.pipeline.sweep import Sweep
from connector.report.lines import compared, matter

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)


def say(text: str) -> None:
    """Print one line."""
    out.print(text, highlight=False, markup=False)


def complain(text: str, colour: str = "red") -> None:
    """Print one line on stderr."""
    err.print(text, style=colour, markup=False, highlight=False)


def show_supposed(supposed: Sequence[str]) -> None:
    """Say what was supposed."""
    if supposed:
        say(f"Supposing {', '.join(supposed)}:")


def show_decision(result: dict[str, object], *, why: str | None = None) -> None:
    """Show a decision as ``decide`` prints it."""
    if "error" in result:
        complain(str(result["error"]))
        return
    arrears: dict[str, dict[str, str]] = result["arrears"]  # type: ignore[assignment]
    amount = ", ".join(f"{amount} {currency}" for currency, amount in arrears["amount"].items())
    say(f"{result['payer']}: {arrears['status']}, " + (f"{amount} overdue since {arrears['since']}" if amount else "nothing overdue"))
    if why:
        say(why)
    rows = [
        (
            _moment(one["at"]),
            str(one["kind"]),
            " ".join(str(one[name]) for name in ("tone", "channel") if one[name]),
            " ".join(one["reasons"]),
        )
        for one in result["follow_ups"]  # type: ignore[attr-defined]
    ]
    rows += [
        (_moment(one["until"]) if one["until"] else "until over", f"not {one['kind']}", "", ", ".join(one["reasons"]))
        for one in result["withheld"]  # type: ignore[attr-defined]
    ]
    show_rows(("when", "what", "how", "why"), rows)


def show_rows(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table on a terminal; in a pipe a line for each row, its cells parted by tabs and never cut."""
    if not out.is_terminal:
        sys.stdout.writelines("\t".join(row) + "\n" for row in rows)  # the console would turn tabs into blanks
        return
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=heading not in ("why", "withheld"))
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    out.print(table)


def _moment(at: object) -> str:
    """Show an instant to people: in the time zone it was written in."""
    return f"{datetime.fromisoformat(str(at)):%a %d %b %Y %H:%M}"


def show_sweep(found: Sweep, *, dry: bool, report: Path | None = None) -> None:
    """Show what became of everyone."""
    rows = []
    for one in found.decisions:
        first = one.follow_ups[0] if one.follow_ups else None
        withheld = ", ".join(sorted({reason for item in one.withheld for reason in item.reasons}))
        what, at = (first.kind.value, first.at.strftime("%a %d %b %H:%M")) if first else ("-", "-")
        rows.append((one.payer, one.arrears.status.value, what, at, withheld or "-", one.why))
    if rows:
        show_rows(("payer", "status", "next", "when", "withheld", "why"), rows)
    tally = found.tally
    statuses = ", ".join(f"{share.payers} {status}" for status, share in sorted(tally.statuses.items())) or "nobody"
    overdue = ", ".join(f"{money.text(minor, currency)} {currency}" for currency, minor in sorted(tally.overdue.amounts.items()) if minor)
    written = ", ".join(f"{count} {sobject}" for sobject, count in sorted(tally.inserted.items()))
    done = "Nothing was written (dry run)" if dry else f"{found.changes} changes" + (f", new: {written}" if written else "")
    for line in (
        f"Looked at {found.payers} payers ({statuses}); overdue: {overdue or 'nothing'}.",
        f"{tally.follow_ups} follow-ups are next, {tally.withheld_in_all} withheld. {done}.",
        f"Put aside: {len(found.parked)} payers. Rows missing: {len(found.missing)} payers.",
    ):
        say(line)
    if found.told is not None:
        for line in (compared(found.told), *(f"For a person: {matter(one)}" for one in found.told.matters)):
            if line:
                say(line)
    if report is not None:
        say(f"Report: {report}")


def show_facts(*, as_json: bool) -> None:
    """Tell what each fact means that a policy may ask about."""
    if as_json:
        told_of = {one.name: {"kind": one.kind.value, "meaning": one.meaning, "words": list(one.words)} for one in FACTS.values()}
        sys.stdout.write(json.dumps(told_of) + "\n")
        return
    show_rows(("fact", "kind", "meaning"), [(one.name, one.kind.value, _meaning(one)) for one in FACTS.values()])


def _meaning(fact: Fact) -> str:
    return fact.meaning + (f" ({', '.join(fact.words)})" if fact.words else "")
