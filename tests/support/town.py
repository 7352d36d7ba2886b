"""A small town of payers in an org with FinDock: who lives there is written by the test, the rest is the world's own.

Must not know HTTP or the daemon. Invariant: the same neighbours at the same time give the same records with the same ids,
so that two runs can be compared.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from random import Random
from zoneinfo import ZoneInfo

from sandbox.org import Session
from sandbox.org.clock import Clock
from sandbox.org.metadata import load_schema
from sandbox.org.org import ORG_ID, Org
from sandbox.server import Setup
from sandbox.streaming.log import EventLog
from sandbox.worlds import findock
from sandbox.worlds.findock.months import Course
from sandbox.worlds.findock.payers import Claim, Spec
from sandbox.worlds.findock.rails import BACS, CARD, LANGUAGE, SEPA, TIME_ZONE
from sandbox.worlds.findock.schedules import schedules
from sandbox.worlds.findock.staff import hire

NINE = datetime.fromisoformat("2026-03-02T09:00:00+01:00")
"""A Monday; all claims are due on it and under way."""
RAILS = {"card": CARD, "sepa": SEPA, "bacs": BACS}
SCHEMES = {CARD.processor: "card", SEPA.processor: "sepa_core", BACS.processor: "bacs"}


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One payer with one monthly claim, due on the second; everything before this month was collected in time."""

    name: str
    rail: str = "card"
    kind: str = "person"
    country: str = "NL"
    amount: str = "40.00"
    since: date = date(2019, 5, 1)
    complains: bool = False
    """A complaint of theirs is open."""


@dataclass(frozen=True, slots=True)
class Town:
    """Who is who, by name."""

    payers: Mapping[str, str]
    """Name → record id."""
    bills: Mapping[str, Sequence[Mapping[str, object]]]
    """Name → installments, oldest first, the one of this month last but any of next month left out."""
    users: Mapping[str, str]

    def bill(self, name: str, back: int = 0) -> Mapping[str, object]:
        """The installment of this month, or of ``back`` months ago."""
        return self.bills[name][-1 - back]

    def bill_id(self, name: str, back: int = 0) -> str:
        """Its id."""
        return str(self.bill(name, back)["Id"])

    def link(self, name: str) -> str:
        """The word in Dunwell's lookups to this payer: Contact or Account."""
        return "Contact" if self.payers[name].startswith("003") else "Account"


def founded(neighbours: Sequence[Neighbour], keep: list[Town], org_id: str = ORG_ID) -> Callable[[Setup, EventLog], Org]:
    """Give a maker of the org for ``sandbox.server.Box``; it leaves the Town in ``keep``."""

    def make(setup: Setup, log: EventLog) -> Org:
        org = Org(load_schema(findock.DX), Clock(setup.now), events=log, org_id=org_id)
        keep.append(_fill(org, neighbours))
        findock.automate(org)
        return org

    return make


def _fill(org: Org, neighbours: Sequence[Neighbour]) -> Town:
    today = org.clock.now().astimezone(findock_zone()).date()
    users = hire(org)
    org.bulk_load("cpm__Payment_Schedule__c", list(schedules(today)))
    payers, bills = {}, {}
    for number, one in enumerate(neighbours, 1):
        payers[one.name] = _payer(org, number, one)
        _months(org, _spec(number, one), payers[one.name], today)
        if one.complains:
            link = "ContactId" if one.kind == "person" else "AccountId"
            org.bulk_load(
                "Case",
                [
                    {
                        link: payers[one.name],
                        "Type": "Complaint",
                        "Subject": "Meter reading",
                        "Status": "Working",
                        "OwnerId": users["case_owner"].id,
                    }
                ],
            )
        bills[one.name] = _bills(org, payers[one.name], today)
    return Town(payers, bills, {name: user.id for name, user in users.items()})


def findock_zone() -> ZoneInfo:
    """The creditor's time zone."""
    return ZoneInfo("Europe/Amsterdam")


def _payer(org: Org, number: int, one: Neighbour) -> str:
    facts: dict[str, object] = {
        "Time_Zone__c": TIME_ZONE[one.country],
        "Language__c": LANGUAGE[one.country],
        "Preferred_Channel__c": "email",
        "Customer_Since__c": one.since.isoformat(),
        "Segment__c": "member" if one.kind == "person" else "business",
    }
    if one.kind == "company":
        (account,) = org.bulk_load("Account", [{"Name": f"{one.name} Ltd", "BillingCountry": one.country, **facts}])
        return account
    (household,) = org.bulk_load("Account", [{"Name": f"{one.name} household"}])
    person = {"FirstName": one.name, "LastName": "Voorbeeld", "AccountId": household, "Email": f"payer{number}@example.com"}
    (contact,) = org.bulk_load("Contact", [{**person, "MailingCountry": one.country, **facts}])
    return contact


def _spec(number: int, one: Neighbour) -> Spec:
    claim = Claim("", "Green electricity", "debt", int(one.amount.replace(".", "")), RAILS[one.rail], 2, date(2025, 3, 1))
    return Spec(
        number=number, kind=one.kind, first_name=one.name, last_name="Voorbeeld", company=f"{one.name} Ltd", country=one.country,
        customer_since=one.since, segment="member", preferred_channel="email", allow_sms=False, allow_call=True, opted_out=False,
        habit_weekday=2, habit_time=time(19, 30), failing=0.0, claims=(claim,),
    )  # fmt: skip


def _months(org: Org, spec: Spec, payer: str, today: date) -> None:
    link = {f"cpm__{spec.sobject}__c": payer}
    for month in Course(spec, spec.claims[0], today, Random(spec.number)).months():  # noqa: S311 - nothing is left to it
        (bill,) = org.bulk_load("cpm__Installment__c", [month.installment | link])
        org.bulk_load("cpm__Payment__c", [payment | link | {"cpm__Installment__c": bill} for payment in month.payments])


def _bills(org: Org, payer: str, today: date) -> list[Mapping[str, object]]:
    link = "cpm__Contact__c" if payer.startswith("003") else "cpm__Account__c"
    fields = "Id, cpm__Contact__c, cpm__Account__c, cpm__Amount__c, CurrencyIsoCode, cpm__Payment_Processor__c, cpm__Payment_Method__c, cpm__Generated_Payment_Reference__c, cpm__Original_Due_Date__c"
    soql = f"SELECT {fields} FROM cpm__Installment__c WHERE {link} = '{payer}' AND cpm__Original_Due_Date__c <= {today} ORDER BY cpm__Original_Due_Date__c"
    return list(org.query(soql, user_id=org.admin.id).records)


def outcome(bill: Mapping[str, object], what: str, at: datetime, reference: str, **more: object) -> dict[str, object]:
    """A ``Payment_Outcome__e`` about an installment, as a provider publishes it; ``more`` adds fields or (None) leaves some out."""
    event: dict[str, object] = {
        "Version__c": "1",
        "Provider__c": bill["cpm__Payment_Processor__c"],
        "Provider_Reference__c": reference,
        "Installment__c": bill["Id"],
        "Outcome__c": what,
        "Amount__c": bill["cpm__Amount__c"],
        "Currency__c": bill["CurrencyIsoCode"],
        "Occurred_At__c": at.isoformat(timespec="milliseconds"),
        "Scheme__c": SCHEMES[str(bill["cpm__Payment_Processor__c"])],
    }
    return {name: value for name, value in {**event, **more}.items() if value is not None}


def money(bill: Mapping[str, object], amount: float, on: date, reference: str, code: str | None = None) -> dict[str, object]:
    """A ``cpm__Payment__c`` as the package books it; negative with a ``code`` for money that was taken back."""
    return {
        "cpm__Installment__c": bill["Id"],
        "cpm__Contact__c": bill["cpm__Contact__c"],
        "cpm__Account__c": bill["cpm__Account__c"],
        "CurrencyIsoCode": bill["CurrencyIsoCode"],
        "cpm__Payment_Processor__c": bill["cpm__Payment_Processor__c"],
        "cpm__Payment_Method__c": bill["cpm__Payment_Method__c"],
        "cpm__Amount__c": amount,
        "cpm__Collection_Date__c": on.isoformat(),
        "cpm__Payment_Reference__c": reference,
        "cpm__Reason_for_Mutation__c": "Reversal" if amount < 0 else "Collection",
        "cpm__Reversal_Reason_Code__c": code,
    }


def session(town: Town, role: str) -> Session:
    """Somebody's session."""
    return Session(town.users[role])
