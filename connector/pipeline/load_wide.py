"""Load, for everyone at once: the same queries in bulk, and of their rows only those of payers who need a look become frames.

Must not write. Invariants: a payer loaded here has the same Snapshot and View, cell by cell, as one loaded by REST (``load``); whoever
is left out as quiet would be decided with nothing to do; a record that cannot be read makes its payer unreadable and nobody else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from connector.core.cells import dates, texts
from connector.core.frames import SCHEMA, Run, Snapshot, frame, table
from connector.core.quiet import quiet
from connector.errors import PermanentError
from connector.mapping import own, queries, read, wide, wide_csv, wide_ledger
from connector.mapping.findings import compared_since
from connector.mapping.org import Mapping as OrgMapping
from connector.mapping.wide_cells import Bools, Cells, Ints, places
from connector.mapping.wide_counters import uneven
from connector.pipeline.load import UNSEEN, Loaded, facts_of, missing_rows, runs_of
from connector.pipeline.ports import BulkAccess, OrgAccess, Record
from connector.pipeline.views import SHOWN, made, show
from connector.salesforce.bulk_query import Asked, Page

LONG = ("installments", "payments")
OWN = ("attempts", "follow_ups", "positions", "holds", "promises", "plans")
CHECKBOXES = ("IsClosed", "IsDeleted", "Payer_Initiated__c")


@dataclass(frozen=True, slots=True, eq=False)
class Everyone:
    """The org's facts of one moment, as tables of text; ``payers`` are those who need a look, the ``quiet`` ones are only counted."""

    mapping: OrgMapping
    payers: Sequence[str]
    """Ids, sorted."""
    quiet: int
    unreadable: Mapping[str, str]
    tables: Mapping[str, pa.Table]
    whose: Mapping[str, Ints]
    """For each row of the long tables, the place of its payer in ``payers``; -1 = none of them."""
    runs: tuple[Run, ...] | None
    rows: Mapping[str, int]
    """Object → how many of its records were read."""
    uneven: Sequence[str] = ()
    """Installments that may say another open amount than their payments."""

    @property
    def seen(self) -> int:
        """How many payers there are."""
        return len(self.payers) + len(self.unreadable) + self.quiet

    def loaded(self, org: OrgAccess, start: int, end: int) -> Loaded:
        """The payers from place ``start`` to ``end``, as if they had been loaded alone."""
        payers = self.payers[start:end]
        ids = pa.array(payers, pa.string())
        found: dict[str, list[Record]] = {"installments": [], "payments": []}
        flags = checkboxes(self.mapping)
        for name, one in self.tables.items():
            if name not in LONG:
                found[name] = wide_csv.records(wide_csv.having(one, links_of(self.mapping, name), ids), flags)
        unreadable: dict[str, str] = {}
        rows, about = facts_of(self.mapping, found, payers)
        attempts = _readable(self.mapping, found["attempts"], read.attempt_row, unreadable)
        rows["promises"] = _readable(self.mapping, found["promises"], read.promise_row, unreadable)
        cells = {name: Cells(self._rows(name, start, end)) for name in LONG}
        long = {
            "installments": table("installments", wide.installments(self.mapping, cells["installments"])),
            "payments": table("payments", wide.payments(self.mapping, cells["payments"])),
        }
        if attempts:
            long["payments"] = pd.concat([long["payments"], frame("payments", attempts)], ignore_index=True)
        shown: dict[str, list[object]] = {name: [*texts(long["installments"], name)] for name in SHOWN}
        views = show(self.mapping, found, payers, shown)
        made(self.mapping, found, rows)
        missing_rows(org, self.mapping, views, rows, shown["id"])
        frames = long | {name: frame(name, rows.get(name, ())) for name in SCHEMA if name not in LONG}
        known = texts(long["installments"], "id")
        links = zip(known, cells["installments"].text(self.mapping.installments.pay_link).to_pylist(), strict=True)
        loaded = Loaded(
            Snapshot(**frames, runs=self.runs, return_ratio=(), stale=False, outages=frozenset()),
            views,
            about,
            {str(one): on for one, on in zip(known, dates(long["installments"], "due_on"), strict=True) if on},
            {str(one): link for one, link in links if link},
            unreadable,
        )
        return loaded.only([one for one in payers if one not in unreadable]) if unreadable else loaded

    def _rows(self, name: str, start: int, end: int) -> pa.Table:
        whose = self.whose[name]
        return self.tables[name].filter(pa.array((whose >= start) & (whose < end)))


def everyone(bulk: BulkAccess, mapping: OrgMapping, now: datetime) -> Everyone:
    """Download what the pipeline reads, for everyone, and tell who needs a look.

    Raises:
        TransientError: the org does not answer; nothing was changed.

    """
    asked = queries.for_payers(mapping, None, now)
    runs = [one for one in asked if one.name == "runs"]
    asked = [one for one in asked if one.name != "runs"]
    pages = [wide_csv.Pages() for _ in asked]

    def parse(place: int, page: Page) -> pa.Table:
        if page.first:
            pages[place] = wide_csv.Pages()
        return pages[place].table(page.body, page.rows)

    parts = bulk.download([Asked(one.soql, one.all_rows) for one in asked], parse)
    tables = {one.name: wide_csv.whole(part) for one, part in zip(asked, parts, strict=True)}
    answers = bulk.query_many([one.soql for one in runs]) if runs else [[]]
    return _sorted_out(mapping, tables, runs_of(mapping, {"runs": list(answers[0])}), now)


def _sorted_out(mapping: OrgMapping, tables: dict[str, pa.Table], runs: tuple[Run, ...] | None, now: datetime) -> Everyone:
    ids = _universe(mapping, tables)
    numbers = wide_ledger.numbers(mapping, tables, ids)
    seen = pa.concat_arrays(
        [one for name in _payer_tables(mapping) for one in tables[name].column("Id").chunks] or [pa.array([], pa.string())]
    )
    hidden: Bools = places(pa.chunked_array([ids]), seen) < 0
    told = ids.to_pylist()
    unreadable = {told[one]: why for one, why in numbers.refused.items()} | {told[one]: UNSEEN for one in np.flatnonzero(hidden).tolist()}
    calm = quiet(numbers.book, len(ids), now, mapping.creditor.zone)
    calm[_pinned(mapping, tables, ids)] = False
    out = hidden.copy()
    out[list(numbers.refused)] = True
    wanted = np.flatnonzero(~calm & ~out)
    chosen = ids.take(pa.array(wanted))
    renumbered = np.full(len(ids) + 1, -1, dtype=np.int64)
    renumbered[wanted] = np.arange(len(wanted))
    whose = {"installments": renumbered[numbers.book.claims.owner], "payments": renumbered[numbers.book.payments.payer]}
    kept = {}
    for name, one in tables.items():
        if name in LONG:
            kept[name] = one.filter(pa.array(whose[name] >= 0))
            whose[name] = whose[name][whose[name] >= 0]
        else:
            kept[name] = wide_csv.having(one, links_of(mapping, name), chosen)
    rows = {mapping.installments.object: len(tables["installments"]), mapping.payments.object: len(tables["payments"])}
    differing = uneven(mapping, tables, numbers.book, compared_since(mapping, now))
    return Everyone(mapping, chosen.to_pylist(), int((calm & ~out).sum()), unreadable, kept, whose, runs, rows, differing)


def _universe(mapping: OrgMapping, tables: Mapping[str, pa.Table]) -> pa.Array:
    """Ids of everyone with an installment or a Position, sorted."""
    owing = Cells(tables["installments"]).first(one.link for one in mapping.payers)
    flagged = Cells(tables["positions"]).first(one.own_link for one in mapping.payers)
    found = pc.drop_null(pc.unique(pa.chunked_array([*owing.chunks, *flagged.chunks], pa.string())))
    return found.take(pc.sort_indices(found))


def _pinned(mapping: OrgMapping, tables: Mapping[str, pa.Table], ids: pa.Array) -> Ints:
    """Places of payers of whom the org shows anything of ours: their records are compared, whatever the numbers say."""
    shown = [
        Cells(tables[name]).first(one.own_link for one in mapping.payers)
        for name in ("follow_ups", "positions", "holds", "promises", "plans")
    ]
    tasks = Cells(tables["tasks"])
    told_of = pc.or_(pc.is_valid(tasks.text(own.KEY)), pc.is_valid(tasks.text(own.CALL_OUTCOME)))
    ours = tasks.first(["WhoId", "WhatId"]).filter(told_of)
    found = np.concatenate([places(one, ids) for one in (*shown, ours)])
    return np.unique(found[found >= 0])


def links_of(mapping: OrgMapping, name: str) -> list[str]:
    """Columns that say whose a row of the table ``name`` is."""
    if name in OWN:
        return [one.own_link for one in mapping.payers]
    if name == "tasks":
        return ["WhoId", "WhatId"]
    return [one.case_link for one in mapping.payers] if name == "cases" else ["Id"]


def checkboxes(mapping: OrgMapping) -> set[str]:
    """Fields of the smaller tables that hold yes or no."""
    named = (
        name
        for one in mapping.payers
        for name in (one.fields.allow_sms, one.fields.allow_call, one.fields.email_opted_out, one.fields.vulnerable)
    )
    return {*CHECKBOXES, *(name for name in named if name)}


def _payer_tables(mapping: OrgMapping) -> list[str]:
    return [f"payers:{one.object}" for one in mapping.payers]


def _readable(
    mapping: OrgMapping, records: Sequence[Record], reader: Callable[[OrgMapping, Record], read.Row], unreadable: dict[str, str]
) -> list[read.Row]:
    """Rows of what can be read; who owns the rest is told why."""
    good = []
    for record in records:
        try:
            good.append(reader(mapping, record))
        except PermanentError as error:
            unreadable[read.payer_of(mapping, record, own_links=True) or ""] = str(error)
    return good
