"""The worlds in which the story can be told: each is a mapping and the few names that only the people in it use.

Must not act. Invariant: what a mapping says is taken from the mapping, so that a story goes by the very names the daemon goes by.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from connector.demo.people import Record
from connector.errors import ConfigError
from connector.mapping.extending import SHIPPED
from connector.mapping.org import Mapping as OrgMapping
from connector.mapping.org import load_mapping
from connector.mapping.source import meant

ROOT = Path(__file__).resolve().parents[2]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """What people and the package use in a world, and Dunwell does not."""

    story_label: str
    """Field of an installment that names its story and month."""
    told_by: str
    """Field by which a provider names an installment."""
    agreement: tuple[str, str]
    """Object that allows to collect, and the lookup to it."""
    under_way: tuple[str, ...]
    """Statuses of installments of which something is still to be heard."""
    failed: Callable[[str], Record]
    """What the package writes on an installment that failed with this code."""
    by_link: Callable[[str], Record]
    """What the package writes on a payment made by pay link in this currency."""
    repeated: tuple[str, ...] = ()
    """Fields that a payment has from its installment, besides the payer and the currency."""


NAMES: Mapping[str, Names] = {
    "findock": Names(
        story_label="cpm__External_ID__c",
        told_by="cpm__Final_Payment_Reference__c",
        agreement=("cpm__Mandate__c", "cpm__Mandate__c"),
        under_way=("New", "Outstanding", "Pending Processing"),
        failed=lambda code: {"cpm__Status__c": "Failed", "cpm__Last_ReasonCode_Received__c": code},
        by_link=lambda currency: {
            "cpm__Payment_Processor__c": "PaymentHub-Mollie",
            "cpm__Payment_Method__c": "iDEAL" if currency == "EUR" else "CreditCard",
            "cpm__Reason_for_Mutation__c": "Collection",
        },
        repeated=("cpm__Payment_Processor__c", "cpm__Payment_Method__c"),
    ),
    "plain": Names(
        story_label="Invoice_Number__c",
        told_by="Invoice_Number__c",
        agreement=("Billing_Arrangement__c", "Billing_Arrangement__c"),
        under_way=("Open", "In Collection"),
        failed=lambda code: {"Status__c": "Returned", "Return_Code__c": code},
        by_link=lambda _currency: {"Method__c": "Payment Link", "Kind__c": "Received"},
    ),
}


@dataclass(frozen=True, slots=True)
class World:
    """One world by the names of its org."""

    name: str
    mapping: OrgMapping
    names: Names

    @property
    def stories(self) -> Path:
        """The file that tells its stories."""
        return ROOT / "sandbox" / "worlds" / self.name / "stories.yaml"

    @property
    def bill(self) -> str:
        """Object of the installments."""
        return self.mapping.installments.object

    @property
    def money(self) -> str:
        """Object of the payments."""
        return self.mapping.payments.object

    @property
    def due_on(self) -> str:
        """Field of the original due date."""
        return self.mapping.installments.due_on[0]

    def fields(self) -> str:
        """What is read of an installment."""
        one = self.mapping.installments
        wanted = (
            "Id",
            self.names.story_label,
            self.names.told_by,
            self.names.agreement[1],
            one.amount,
            one.currency,
            one.processor,
            one.payment_method,
            self.due_on,
        )
        return ", ".join(dict.fromkeys([*(name for name in wanted if name), *self.links, *self.names.repeated]))  # fmt: skip

    @property
    def links(self) -> tuple[str, ...]:
        """Lookups to the payer."""
        return tuple(one.link for one in self.mapping.payers)

    def payer(self, record: Row) -> str:
        """Whose installment it is."""
        return next((str(record[link]) for link in self.links if record[link]), "")

    def currency(self, record: Row) -> str:
        """Currency of an installment."""
        return str(record.get(self.mapping.installments.currency or "") or self.mapping.creditor.currency)

    def processor(self, record: Row) -> str:
        """Who moves the money of an installment."""
        return str(record.get(self.mapping.installments.processor or "") or "")

    def scheme(self, record: Row) -> str | None:
        """By which scheme an installment is collected."""
        return self.mapping.schemes.get(str(record.get(self.mapping.installments.payment_method or "")))

    def is_collected(self, record: Row) -> bool:
        """Tell whether something is collected: of the others nothing is heard unless the payer acts."""
        return self.mapping.processor(self.processor(record)).retries == "dunwell"

    def is_booked_by_dunwell(self, record: Row) -> bool:
        """Tell whether nobody books the money unless Dunwell does."""
        return self.mapping.processor(self.processor(record)).records_money == "dunwell"

    def outcome(self, record: Row, outcome: str, occurred_at: datetime, reference: str) -> Record:
        """A ``Payment_Outcome__e`` about an installment, as a provider would publish it."""
        return {
            "Version__c": "1", "Provider__c": self.processor(record), "Provider_Reference__c": reference, "Installment__c": record["Id"], "Outcome__c": outcome,
            "Amount__c": float(record[self.mapping.installments.amount]), "Currency__c": self.currency(record),
            "Occurred_At__c": occurred_at.isoformat(timespec="milliseconds"), "Scheme__c": self.scheme(record),
        }  # fmt: skip

    def belongs(self, record: Row) -> Record:
        """What a payment has from its installment."""
        names = [*self.links, *([self.mapping.installments.currency] if self.mapping.installments.currency else []), *self.names.repeated]
        return {self.mapping.payments.installment: record["Id"], **{name: record[name] for name in names}}

    def paid(self, record: Row, amount: object, on: date, reference: str) -> Record:
        """A payment on an installment."""
        one = self.mapping.payments
        return {**self.belongs(record), one.amount: float(str(amount)), one.on: on.isoformat(), one.reference: reference}

    def paid_by_link(self, record: Row, amount: object, at: datetime, reference: str) -> Record:
        """A payment that the payer made by pay link."""
        one, on = self.mapping.payments, at.astimezone(self.mapping.creditor.zone).date()
        known = {one.at: at.isoformat(timespec="milliseconds"), one.payer_initiated: True}
        told = {name: value for name, value in known.items() if name}
        return {**self.paid(record, amount, on, reference), **told, **self.names.by_link(self.currency(record))}


def world(name: str) -> World:
    """Give a world by its name.

    Raises:
        ConfigError: the story is not told there.

    """
    if name not in NAMES:
        raise ConfigError(f"there is no world '{name}' to tell the story in{meant(name, list(NAMES))}; there are: {', '.join(NAMES)}")
    return World(name, load_mapping(SHIPPED, name)[0], NAMES[name])
