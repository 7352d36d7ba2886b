"""Builders for ledger tests: a payer, installments, payments, and the Position they come to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from connector.core.frames import Run, Snapshot, snapshot
from connector.core.ledger import assess
from connector.core.model import Position, Reason
from connector.core.words import Category

AMSTERDAM = "Europe/Amsterdam"
NOW = datetime(2026, 3, 20, 9, 0, tzinfo=ZoneInfo(AMSTERDAM))
Row = dict[str, object]

_CODES = {
    "AM04": (Category.INSUFFICIENT_FUNDS, "yes"),
    "MS03": (Category.REFUSED, "ask"),
    "TM01": (Category.TECHNICAL, "yes"),
    "AM05": (Category.CREDITOR_ERROR, "no"),
    "03": (Category.REFUSED, "no"),
}


class Table:
    """A catalogue of five codes; all others are unknown. ``MS03`` may be retried in Germany."""

    def resolve(self, code_set: str | None, code: str | None, scheme: str | None, country: str | None) -> Reason:  # noqa: ARG002 - the table is one for all
        """The reason of ``code``."""
        category, retry = _CODES.get(code or "", (Category.UNKNOWN, "no"))
        if (code, country) == ("MS03", "DE"):
            retry = "yes"
        if code == "25":
            return Reason("mastercard_advice", "25", Category.REFUSED, "yes", wait_hours=24)
        return Reason(code_set or "", code or "", category, retry)


def at(day: str, clock: str = "03:00") -> datetime:
    """A time of 2026 in Amsterdam: ``at("01-05")``, ``at("2025-01-05", "18:30")``."""
    whole = day if len(day) == 10 else f"2026-{day}"
    return datetime.fromisoformat(f"{whole}T{clock}").replace(tzinfo=ZoneInfo(AMSTERDAM))


def day(text: str) -> str:
    """A date of 2026: ``01-05``; a whole one stays as it is."""
    return text if len(text) == 10 else f"2026-{text}"


def claim(identifier: str = "jan", due: str | None = "01-05", amount: int = 4000, **other: object) -> Row:
    """An installment of 40.00 EUR."""
    return {"id": identifier, "payer": "p", "amount_minor": amount, "currency": "EUR", "due_on": due and day(due), **other}


def paid(
    identifier: str, outcome: str, when: datetime | None, installment: str | None = "jan", amount: int | None = 4000, **other: object
) -> Row:
    """A row of payments."""
    row: Row = {"id": identifier, "payer": "p", "installment": installment, "amount_minor": amount, "currency": "EUR", "at": when}
    return {**row, "outcome": outcome, **other}


def snap(
    installments: Sequence[Row] = (), payments: Sequence[Row] = (), *, runs: tuple[Run, ...] | None = None, **other: Sequence[Row]
) -> Snapshot:
    """A snapshot of payer ``p`` (or of those given as ``payers``)."""
    rows: Mapping[str, Sequence[Row]] = {"payers": [{"id": "p"}], "installments": installments, "payments": payments, **other}
    return snapshot(rows, runs=runs)


def position(installments: Sequence[Row] = (), payments: Sequence[Row] = (), now: datetime = NOW, **other: Sequence[Row]) -> Position:
    """The Position of payer ``p``."""
    return assess(snap(installments, payments, **other), Table(), now, AMSTERDAM)["p"]


def owed(found: Position) -> dict[str, int]:
    """What is overdue, as a dictionary."""
    return dict(found.overdue)
