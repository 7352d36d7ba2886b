"""Tables of a bulk query → the numbers that tell who needs a look, and whose row each row is.

Must not judge. Invariant: a row that cannot be read makes its payer refused, by the same words as anywhere; a row of nobody counts for
nobody.
"""

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from connector.core.failures import FAILED_STATUSES
from connector.core.quiet import Book, Claims, Moves
from connector.core.settle import SETTLED
from connector.core.words import InstallmentStatus, Outcome
from connector.mapping import wide
from connector.mapping.org import Mapping
from connector.mapping.wide_cells import Bools, Cells, Ints, coded, codes_of, one_array, places, words


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """What ``quiet`` works with, and what was refused: payer (number) → why."""

    book: Book
    refused: MappingOf[int, str]


def numbers(mapping: Mapping, tables: MappingOf[str, pa.Table], payers: pa.Array) -> Numbers:
    """Read the long tables for ``payers`` (ids); a payer is its place among them."""
    reader = _Reader(mapping, payers, one_array(tables["installments"].column("Id")))
    claims = reader.claims(Cells(tables["installments"]))
    payments = reader.payments(Cells(tables["payments"]), claims.owner)
    return Numbers(Book(claims, payments, reader.attempts(Cells(tables["attempts"]))), reader.refused)


@dataclass(slots=True)
class _Reader:
    mapping: Mapping
    payers: pa.Array
    installments: pa.Array
    """Ids, in the order of their table."""
    refused: dict[int, str] = field(default_factory=dict)
    currencies: dict[str, int] = field(default_factory=dict)
    """The same number for a currency in every table."""

    def claims(self, cells: Cells) -> Claims:
        mapping, names = self.mapping, self.mapping.installments
        owner = places(cells.first(payer.link for payer in mapping.payers), self.payers)
        currency = wide.currencies_of(mapping, cells)
        times, no_count = cells.counts(names.times_failed)
        due_on = wide.due_on(mapping, cells)
        amount = cells.money(names.amount, currency)
        last_failed_on = cells.days(names.last_failed_on)
        self._tell(cells, owner)
        return Claims(
            owner=owner,
            amount=amount,
            currency=self._numbered(currency),
            settled=_standing(mapping, cells, SETTLED),
            cancelled=_standing(mapping, cells, (InstallmentStatus.CANCELLED,)),
            failed=(times > 0) | (~np.isnat(last_failed_on) & no_count),
            failed_on=last_failed_on.astype("datetime64[us]"),
            troubled=_standing(mapping, cells, FAILED_STATUSES),
            due_on=due_on.astype("datetime64[us]"),
        )

    def payments(self, cells: Cells, owner: Ints) -> Moves:
        """``owner``: the payer of each installment, who is the payer of what is on it; only for the rest the links are looked up."""
        names = self.mapping.payments
        claim, currency = places(cells.text(names.installment), self.installments), wide.currencies_of(self.mapping, cells)
        payer = owner[claim] if len(owner) else np.full(len(claim), -1, dtype=np.int64)
        rest = claim < 0
        if rest.any():
            payer[rest] = places(wide.whose_payment(self.mapping, Cells(cells.table.filter(pa.array(rest)))), self.payers)
        amount = cells.money(names.amount, currency)
        at, _ = wide.paid_at(self.mapping, cells)
        self._tell(cells, payer)
        return Moves(claim, payer, at, amount, self._numbered(currency), codes_of(cells.text(names.reference)))

    def attempts(self, cells: Cells) -> Moves:
        """One whose time cannot be read is of an unknown time here; whose it is, is looked at and told why."""
        payer = places(cells.first(one.own_link for one in self.mapping.payers), self.payers)
        at = cells.moments("Occurred_At__c")
        plain = words(cells.text("Outcome__c"), lambda outcome: outcome in (Outcome.FAILED, Outcome.REJECTED)).astype(np.bool_)
        return Moves(places(cells.text("Installment_Id__c"), self.installments), payer, at, plain=plain & ~np.isnat(at))

    def _tell(self, cells: Cells, owner: Ints) -> None:
        for row, why in sorted(cells.refused.items()):
            if owner[row] >= 0:
                self.refused.setdefault(int(owner[row]), why)

    def _numbered(self, found: pa.ChunkedArray) -> Ints:
        codes, values = coded(found)
        if not len(codes):
            return codes
        return np.array([self.currencies.setdefault(one, len(self.currencies)) for one in values], dtype=np.int64)[codes]


def _standing(mapping: Mapping, cells: Cells, wanted: tuple[InstallmentStatus, ...]) -> Bools:
    """Whether the status of each installment is one of ``wanted``."""
    names = mapping.installments
    meant: MappingOf[str, str] = names.statuses
    return words(cells.text(names.status), lambda status: meant.get(status or "", status) in wanted).astype(np.bool_)
