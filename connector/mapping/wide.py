"""Tables of a bulk query → columns of the Snapshot's two long frames, installments and payments, without a loop over rows.

Must not decide anything. Invariant: the same org read by REST (``columns``) and in bulk gives the same cells; a row that cannot be read
is refused by the record's id and the field.
"""

from collections.abc import Mapping as MappingOf

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from connector.core.books import midnight
from connector.core.words import Outcome
from connector.mapping.org import Mapping
from connector.mapping.wide_cells import (
    Bools,
    Cells,
    Days,
    Instants,
    Objects,
    cells_of_days,
    cells_of_flags,
    cells_of_moments,
    cells_of_numbers,
    cells_of_text,
    day_of,
    words,
)

Columns = dict[str, pd.api.extensions.ExtensionArray]


def installments(mapping: Mapping, cells: Cells) -> Columns:
    """Columns of ``installments``."""
    one = mapping.installments
    currencies, processors = currencies_of(mapping, cells), cells.text(one.processor)
    times, none = cells.counts(one.times_failed)
    due = due_on(mapping, cells)
    claim_kinds: MappingOf[str, str] = one.claim_kinds
    elsewhere = words(processors, lambda name: mapping.processor(name).retries == "other")
    return {
        "id": cells_of_text(cells.text("Id")),
        "payer": cells_of_text(cells.first(payer.link for payer in mapping.payers)),
        "amount_minor": cells_of_numbers(cells.money(one.amount, currencies)),
        "currency": _words(currencies),
        "due_on": cells_of_days(due),
        "product": _words(cells.text(one.product)),
        "claim_kind": cells_of_text(words(cells.text(one.claim_kind), lambda kind: claim_kinds.get(kind or "", kind))),
        "payment_method": _words(cells.text(one.payment_method)),
        "scheme": cells_of_text(words(cells.text(one.payment_method), lambda method: mapping.schemes.get(method or ""))),
        "status": cells_of_text(statuses(mapping, cells)),
        "credential": cells_of_text(cells.text(one.credential)),
        "mandate": cells_of_text(cells.text(one.mandate)),
        "processor": _words(processors),
        "retried_elsewhere": cells_of_flags(elsewhere.astype(np.bool_)),
        "retry_stamp": cells_of_text(cells.text(one.retry.stamp if one.retry else None)),
        "times_failed": cells_of_numbers(times, none),
        "last_failed_on": cells_of_days(cells.days(one.last_failed_on)),
        "last_reason_code": _words(cells.text(one.last_reason_code)),
    }


def payments(mapping: Mapping, cells: Cells) -> Columns:
    """Columns of ``payments`` for money that moved: negative with a reason code is reversed, without one refunded."""
    one = mapping.payments
    currencies, codes = currencies_of(mapping, cells), cells.text(one.reason_code)
    minor = cells.money(one.amount, currencies)
    at, known = paid_at(mapping, cells)
    coded = ~np.asarray(pc.is_null(codes).to_numpy()).astype(np.bool_)
    outcome = np.where(minor >= 0, Outcome.COLLECTED.value, np.where(coded, Outcome.REVERSED.value, Outcome.REFUNDED.value))
    told = words(cells.text(one.payer_initiated), lambda value: value not in (None, "false"))
    length = len(minor)
    nothing = pa.chunked_array([pa.nulls(length, pa.string())])
    return {
        "id": cells_of_text(cells.text("Id")),
        "payer": cells_of_text(whose_payment(mapping, cells)),
        "installment": cells_of_text(cells.text(one.installment)),
        "amount_minor": cells_of_numbers(minor),
        "currency": _words(currencies),
        "at": cells_of_moments(at),
        "outcome": cells_of_text(outcome.astype(object)),
        "scheme": cells_of_text(words(cells.text(one.payment_method), lambda method: mapping.schemes.get(method or ""))),
        "code_set": cells_of_text(nothing),
        "reason_code": _words(codes),
        "reason_country": cells_of_text(nothing),
        "advice_code": cells_of_text(nothing),
        "payer_initiated": cells_of_flags(told.astype(np.bool_) & known),
        "reference": cells_of_text(cells.text(one.reference)),
    }


def currencies_of(mapping: Mapping, cells: Cells) -> pa.ChunkedArray:
    """The currency of each row; the creditor's where it has none."""
    return pc.fill_null(cells.text(mapping.installments.currency), mapping.creditor.currency)


def statuses(mapping: Mapping, cells: Cells) -> Objects:
    """Statuses in the model's words."""
    known: MappingOf[str, str] = mapping.installments.statuses
    return words(cells.text(mapping.installments.status), lambda status: known.get(status or "", status))


def due_on(mapping: Mapping, cells: Cells) -> Days:
    """Original due dates; an installment without one is refused."""
    names = mapping.installments.due_on
    found = cells.days(names[0])
    for name in names[1:]:
        empty = np.isnat(found)
        if not empty.any():
            break
        found = np.where(empty, cells.days(name, empty), found)
    for row in np.flatnonzero(np.isnat(found)).tolist():
        cells.missing(row, names[0], "a due date")
    return found


def paid_at(mapping: Mapping, cells: Cells) -> tuple[Instants, Bools]:
    """When money moved: the known time, else the midnight its day begins with at the creditor's; and where the time is known."""
    one = mapping.payments
    at, on = cells.moments(one.at), cells.days(one.on)
    known: Bools = ~np.isnat(at)
    dated = ~np.isnat(on)
    if dated.any():
        first = on[dated].min()
        place = (on - first).astype(np.int64)
        days = np.flatnonzero(np.bincount(place[dated]))
        begins = np.full(days[-1] + 1, np.datetime64("NaT"), dtype="datetime64[us]")
        begins[days] = [_begins(mapping, first + day) for day in days]
        at = np.where(known | ~dated, at, begins[np.where(dated, place, 0)])
    return at, known


def whose_payment(mapping: Mapping, cells: Cells) -> pa.ChunkedArray:
    """The payer of the installment it is on; only money on none belongs to whom it names itself."""
    one, links = mapping.payments, [payer.link for payer in mapping.payers]
    by_installment = cells.first(f"{one.installment_relation}.{link}" for link in links)
    return pc.if_else(pc.is_null(cells.text(one.installment)), cells.first(links), by_installment)


def _begins(mapping: Mapping, day: np.datetime64) -> np.datetime64:
    found = day_of(day)
    return np.datetime64("NaT") if found is None else np.datetime64(midnight(found, mapping.creditor.zone).replace(tzinfo=None), "us")


def _words(found: pa.ChunkedArray) -> pd.api.extensions.ExtensionArray:
    """A column with few different texts: each is one object in memory."""
    return cells_of_text(words(found, lambda value: value))
