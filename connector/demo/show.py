"""What the demo prints: readable at a glance on a terminal, plain in a pipe.

Must not read the org. Invariant: everything printed comes from what was told.
"""

from datetime import datetime, tzinfo
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from connector.demo.play import Told
from connector.demo.stage import ORG_FILE


def show(told: Told, console: Console) -> None:
    """Print who was looked at, what was decided, when, why, what was withheld and what was written."""
    zone = told.ended_at.tzinfo
    table = Table(title="What happened to whom", expand=True, show_lines=True)
    for heading, ratio in (("who", 4), ("because of", 3), ("decided", 4), ("first at", 2), ("withheld", 3), ("why", 9)):
        table.add_column(heading, ratio=ratio, overflow="fold")
    for one in told.verdicts:
        who = Text.assemble((one.story.name, "bold red" if one.faults else "bold"), "\n", one.payer_name)
        table.add_row(
            who,
            one.reason_category or "-",
            ", ".join(one.follow_ups) or "nothing",
            _local(one.next_at, zone),
            ", ".join(one.withheld) or "-",
            one.why,
        )
    if console.is_terminal:
        console.print(table)
    else:
        for one in told.verdicts:
            mark = "NOT TOLD" if one.faults else "told"
            console.print(
                f"{one.story.name} [{mark}] {one.payer_name}: {one.reason_category or '-'} -> {', '.join(one.follow_ups) or 'nothing'} (first {_local(one.next_at, zone)}); withheld: {', '.join(one.withheld) or '-'}; {one.why}",
                highlight=False,
                markup=False,
            )
    written = ", ".join(f"{count} {name}" for name, count in told.records.items() if count)
    states = ", ".join(f"{count} {status}" for status, count in told.statuses.items())
    overdue = ", ".join(f"{amount} {currency}" for currency, amount in told.overdue.items()) or "nothing"
    for line in (
        f"Looked at {told.payers} payers ({states}); overdue: {overdue}.",
        f"Heard {told.events} events; wrote {written}.",
        f"Made twice: {told.duplicates}. Changed by a second pass: {told.second_pass_changes}. API calls: {told.api_calls}. {told.seconds:.0f} seconds.",
    ):
        console.print(line, highlight=False, markup=False)


def how_to_look(told: Told, keep: Path) -> str:
    """Say how a person looks at the org that the demo left behind."""
    words = f".venv/bin/python -m sandbox --world {told.world} --store {keep / ORG_FILE} --now {told.ended_at.isoformat()}"
    return f"To look at the org as it was left: {words}, then open the page it names in a browser."


def _local(at: str | None, zone: tzinfo | None) -> str:
    return datetime.fromisoformat(at).astimezone(zone).strftime("%a %d %b %H:%M") if at else "-"
