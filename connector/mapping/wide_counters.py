"""Tables of a bulk query → installments that say another open amount than their payments, by numbers alone.

Must not decide which is right. Invariant: nothing that ``findings.counted`` would compare and find uneven is left out; what was read at two
moments may be named wrongly, so whoever is told has the few that are named read again.
"""

from collections.abc import Mapping as MappingOf
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connector.core.quiet import Book
from connector.mapping import wide
from connector.mapping.org import Mapping
from connector.mapping.wide_cells import Cells


def uneven(mapping: Mapping, tables: MappingOf[str, pa.Table], book: Book, since: date) -> list[str]:
    """Ids of those due ``since`` or later; none where the mapping names no open amount."""
    name, money = mapping.findings.open_amount, book.payments.amount
    if name is None or money is None:
        return []
    table, claims = tables["installments"], book.claims
    cells = Cells(table)
    said = cells.text(name)
    filled = pa.table({"Id": table.column("Id"), name: pc.coalesce(said, pa.scalar("0"))})
    still_open = Cells(filled).money(name, wide.currencies_of(mapping, cells))
    on_one = book.payments.claim >= 0
    codes = Cells(tables["payments"]).text(mapping.payments.reason_code)
    refunds = on_one & (money < 0) & np.asarray(pc.is_null(codes).to_numpy()).astype(np.bool_)
    paid = np.bincount(book.payments.claim[on_one], weights=money[on_one], minlength=len(claims.amount)).astype(np.int64)
    refunded = np.bincount(book.payments.claim[refunds], minlength=len(claims.amount)) > 0
    compared = np.asarray(pc.is_valid(said).to_numpy()).astype(np.bool_) & (claims.amount > 0) & ~refunded & ~claims.cancelled
    compared &= claims.due_on >= np.datetime64(since)
    differ = compared & (still_open != np.maximum(claims.amount - paid, 0))
    found: list[str] = table.column("Id").filter(pa.array(differ)).to_pylist()
    return found
