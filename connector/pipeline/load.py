"""Load: the facts of a batch of payers from the org, as a Snapshot, and what the org shows of ours, as Views.

Must not write. Invariant: an installment our own flags rest on that does not come back is reported as
missing unless the recycle bin holds it: invisible is not paid.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import cast

from connector.core.changes import View
from connector.core.frames import Run, Snapshot, snapshot
from connector.core.words import ArrearsStatus
from connector.errors import PermanentError
from connector.mapping import calls, columns, queries, read
from connector.mapping.columns import Columns
from connector.mapping.org import Mapping as OrgMapping
from connector.pipeline.ports import OrgAccess, Record
from connector.pipeline.views import Rows, made, show

UNSEEN = "the payer's record cannot be read: it is deleted, merged, or the integration user may not see it"


@dataclass(frozen=True, slots=True)
class About:
    """Whom a message is to. Never logged."""

    name: str
    language: str | None
    country: str | None
    is_company: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """One batch, loaded. ``about``, ``due_on`` and ``pay_links`` serve the words of Tasks and go nowhere else."""

    snapshot: Snapshot
    views: Mapping[str, View]
    about: Mapping[str, About]
    due_on: Mapping[str, date]
    """Installment → original due date."""
    pay_links: Mapping[str, str]
    unreadable: Mapping[str, str]
    """Payer → why a record of theirs cannot be read; such a payer is parked."""

    def only(self, payers: Sequence[str]) -> "Loaded":
        """Give the same for fewer payers."""
        return replace(self, snapshot=self.snapshot.only(payers))


def load(org: OrgAccess, mapping: OrgMapping, payers: Sequence[str], now: datetime) -> Loaded:
    """Read everything about ``payers`` (at most 200) in as few calls as Composite allows.

    Raises:
        TransientError: the org does not answer; nothing was changed.

    """
    wanted = queries.for_payers(mapping, payers, now)
    answers = org.query_many([one.soql for one in wanted], all_rows=[one.all_rows for one in wanted])
    found: dict[str, list[Record]] = {one.name: list(rows) for one, rows in zip(wanted, answers, strict=True)}
    unreadable: dict[str, str] = {}
    rows, about = facts_of(mapping, found, payers)
    wide = _wide(mapping, found, rows, unreadable)
    views = show(mapping, found, payers, wide["installments"])
    made(mapping, found, rows)
    missing_rows(org, mapping, views, rows, wide["installments"]["id"])
    runs = runs_of(mapping, found)
    links = zip(*(columns.texts(found["installments"], name) for name in ("Id", mapping.installments.pay_link)), strict=True)
    pay_links = {one: link for one, link in links if one and link}
    visible = {str(row["id"]) for row in rows["payers"]}
    unreadable.update({one: UNSEEN for one in payers if one not in visible})
    if unreadable:
        for table in rows.values():
            table[:] = [row for row in table if row.get("payer", row.get("id")) not in unreadable]
        wide = {name: columns.without(one, unreadable) for name, one in wide.items()}
    known = wide["installments"]
    due_on = cast("dict[str, date]", dict(zip(known["id"], known["due_on"], strict=True)))
    return Loaded(snapshot(rows, wide, runs=runs), views, about, due_on, pay_links, unreadable)


def facts_of(mapping: OrgMapping, found: Mapping[str, list[Record]], payers: Sequence[str]) -> tuple[Rows, dict[str, About]]:
    """Rows of payers, holds and cases, and whom messages are to."""
    rows: Rows = defaultdict(list)
    about = _payers(mapping, found, rows)
    for record in found["holds"]:
        rows["holds"] += read.hold_rows(mapping, record)
    rows["holds"] += calls.stops(mapping, found["tasks"], found["holds"])
    wanted = set(payers)
    for record in found["cases"]:
        theirs = {read.text(record, one.case_link) for one in mapping.payers} & wanted
        rows["cases"] += [{**read.case_row(mapping, record), "payer": whose} for whose in sorted(theirs, key=str)]
    return rows, about


def _wide(mapping: OrgMapping, found: Mapping[str, list[Record]], rows: Rows, unreadable: dict[str, str]) -> dict[str, Columns]:
    """Columns of the long frames, and rows of promises. A record that cannot be read makes its payer unreadable."""

    def refuse(source: str) -> Callable[[Record, PermanentError], None]:
        return lambda record, error: unreadable.update({_whose(mapping, source, record): str(error)})

    wide = {
        "installments": columns.sound(columns.installments, mapping, found["installments"], refuse("installments")),
        "payments": columns.sound(columns.payments, mapping, found["payments"], refuse("payments")),
    }
    for source, reader in (("attempts", read.attempt_row), ("promises", read.promise_row)):
        good = []
        for record in found[source]:
            try:
                good.append(reader(mapping, record))
            except PermanentError as error:
                refuse(source)(record, error)
        if source == "promises":
            rows[source] += good
        else:
            wide["payments"] = columns.joined("payments", wide["payments"], good)
    return wide


def _whose(mapping: OrgMapping, source: str, record: Record) -> str:
    relation = f"{mapping.payments.installment_relation}." if source == "payments" else ""
    own_links = source in ("attempts", "promises")
    return read.payer_of(mapping, record, own_links=own_links, prefix=relation) or read.payer_of(mapping, record) or ""


def _payers(mapping: OrgMapping, found: Mapping[str, list[Record]], rows: Rows) -> dict[str, About]:
    about: dict[str, About] = {}
    plans = {read.payer_of(mapping, record, own_links=True): record for record in found["plans"]}
    for one in mapping.payers:
        for record in found.get(f"payers:{one.object}", []):
            payer = str(record["Id"])
            row = read.payer_row(one, record)
            if payer in plans:
                row |= read.plan_cells(plans[payer])
            rows["payers"].append(row)
            language, country = (None if row[name] is None else str(row[name]) for name in ("language", "country"))
            about[payer] = About(read.text(record, one.fields.name) or "", language, country, row["kind"] == "company")
    return about


def missing_rows(org: OrgAccess, mapping: OrgMapping, views: Mapping[str, View], rows: Rows, installments: Sequence[object]) -> None:
    """Note at each payer which installments their flag rests on did not come back, though nobody deleted them."""
    seen = {str(one) for one in installments}
    absent = {
        payer: ids
        for payer, view in views.items()
        if (
            ids := [
                one
                for shown in view.positions.values()
                if shown.values["status"] != ArrearsStatus.CLEAR
                for one in str(shown.values["installments"] or "").split()
                if one not in seen
            ]
        )
    }
    if not absent:
        return
    query = queries.deleted_installments(mapping, sorted({one for ids in absent.values() for one in ids}))
    (back,) = org.query_many([query.soql], all_rows=[True])
    accounted = {str(record["Id"]) for record in back}
    for row in rows["payers"]:
        hidden = [one for one in absent.get(str(row["id"]), []) if one not in accounted]
        if hidden:
            row["missing"] = " ".join(dict.fromkeys(hidden))


def runs_of(mapping: OrgMapping, found: Mapping[str, list[Record]]) -> tuple[Run, ...] | None:
    """The coming collection runs; None where the org does not collect by schedule."""
    if mapping.runs is None:
        return None
    runs = []
    for record in found["runs"]:
        method = read.text(record, mapping.runs.payment_method)
        on = read.day(record, mapping.runs.on)
        if on is not None and (mapping.runs.payment_method is None or method in mapping.schemes):
            runs.append(Run(mapping.schemes.get(method or ""), on))
    return tuple(runs)
