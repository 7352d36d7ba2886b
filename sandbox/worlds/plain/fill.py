"""Fills an org with this world: clients, what they are charged with, bills and payments, cases.

Must not decide what happens later: stories do. Invariant: the same number of payers, months, seed and time give the same
world, and rows are written in the order in which they point at each other.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import chain
from random import Random

from sandbox.org import User
from sandbox.org.org import Org
from sandbox.worlds.making import Row, audit, chance_of, no_iban, portions
from sandbox.worlds.plain.bills import Course
from sandbox.worlds.plain.clients import HISTORY_MONTHS, LARGE, LARGE_HISTORY_MONTHS, Claim, Client, from_story, invented
from sandbox.worlds.plain.staff import hire
from sandbox.worlds.plain.stories import read_book

CROWD = 2000
"""Clients made at a time."""
TALK = ("Lesson moved, please confirm", "Wrong child on the invoice", "How do I cancel?", "New address")
Anchors = Mapping[tuple[int, str], Row]
"""A client's number and a claim's label → the lookups its bills carry."""


def build(org: Org, *, payers: int, seed: int, months: int | None = None) -> None:
    """Fill `org` as of its clock: the clients of the stories first, made-up ones up to `payers` beside them.

    months: how long the made-up ones have been billed; by default 12, and fewer in a large world.
    """
    book = read_book()
    today = org.clock.now().astimezone(book.zone).date()
    history = months if months is not None else HISTORY_MONTHS if payers <= LARGE else LARGE_HISTORY_MONTHS
    stories = [from_story(number, story, today) for number, story in enumerate(book.stories, 1)]
    users = hire(org)
    everyone = chain(stories, invented(range(len(stories) + 1, payers + 1), seed, today, history))
    for crowd in portions(everyone, CROWD):
        ids = _load_clients(org, crowd)
        anchors = _load_arrangements(org, crowd, ids, today)
        _load_bills(org, crowd, anchors, today, seed)
        org.bulk_load(
            "Case", [row for one in crowd for row in _cases(one, ids[one.number], users, today, chance_of(seed, one.number, "cases"))]
        )


def _load_clients(org: Org, clients: list[Client]) -> dict[int, str]:
    companies = [one for one in clients if one.kind == "company"]
    persons = [one for one in clients if one.kind == "person"]
    rows = [{"Name": one.company, "Billing_Email__c": f"accounts{one.number}@example.com", **one.facts()} for one in companies]
    ids = {one.number: record for one, record in zip(companies, org.bulk_load("Account", rows), strict=True)}
    families = org.bulk_load("Account", [{"Name": f"{one.last_name} family"} for one in persons])
    people = [
        {
            "FirstName": one.first_name,
            "LastName": one.last_name,
            "AccountId": family,
            "Email": f"client{one.number}@example.com",
            "MobilePhone": one.facts()["Phone"],
            **one.facts(),
        }
        for one, family in zip(persons, families, strict=True)
    ]
    return ids | {one.number: record for one, record in zip(persons, org.bulk_load("Contact", people), strict=True)}


def _load_arrangements(org: Org, clients: list[Client], ids: Mapping[int, str], today: date) -> Anchors:
    claims = [(client, claim) for client in clients for claim in client.claims]
    charged = [(client, claim) for client, claim in claims if claim.method != "Bank Transfer"]
    made = org.bulk_load("Billing_Arrangement__c", [_arrangement(*each, ids, today) for each in charged])
    found = {(client.number, claim.label): record for (client, claim), record in zip(charged, made, strict=True)}
    return {
        (client.number, claim.label): {client.link: ids[client.number], "Billing_Arrangement__c": found.get((client.number, claim.label))}
        for client, claim in claims
    }


def _arrangement(client: Client, claim: Claim, ids: Mapping[int, str], today: date) -> Row:
    row: Row = {
        client.link: ids[client.number],
        "Method__c": claim.method,
        "Reference__c": f"TIDE-{client.number:06d}{claim.label.upper()}",
        "Signed_On__c": client.since.isoformat(),
        "Holder__c": client.name,
        "Collection_Day__c": claim.day,
        **audit(client.since, client.since),
    }
    if claim.method == "Card":
        return row | {"Card_Last_Digits__c": f"{client.number % 10000:04d}", "Card_Expires_On__c": f"{today.year + 2}-12-31"}
    return row | {"IBAN__c": no_iban(client.country, f"TEST{client.number:014d}")}


def _load_bills(org: Org, clients: list[Client], anchors: Anchors, today: date, seed: int) -> None:
    bills = [
        (bill, anchors[client.number, claim.label], client.link)
        for client in clients
        for claim in client.claims
        for bill in Course(client, claim, today, chance_of("plain", seed, client.number, "bills", claim.label)).bills()
    ]
    receivables = org.bulk_load("Receivable__c", [bill.row | anchor for bill, anchor, _ in bills])
    org.bulk_load(
        "Payment__c",
        [
            payment | {link: anchor[link], "Receivable__c": receivable}
            for (bill, anchor, link), receivable in zip(bills, receivables, strict=True)
            for payment in bill.payments
        ],
    )


def _cases(client: Client, client_id: str, users: Mapping[str, User], today: date, chance: Random) -> Iterator[Row]:
    """Make the cases of a story; of other clients one in ten asked something once."""
    link = "ContactId" if client.kind == "person" else "AccountId"
    for case in client.story.cases if client.story else ():
        yield {
            link: client_id,
            "Type": case.type,
            "Subject": case.subject,
            "Status": "Working",
            "OwnerId": users[case.owner].id,
            **audit(case.opened_on, case.opened_on),
        }
    if client.story is None and chance.random() < 0.1:
        asked_on = today - timedelta(days=chance.randint(5, 200))
        answered_on = asked_on + timedelta(days=chance.randint(0, 4))
        yield {
            link: client_id,
            "Type": "Other",
            "Subject": chance.choice(TALK),
            "Status": "Closed",
            "OwnerId": users[chance.choice(("case_owner", "case_owner_2"))].id,
            **audit(asked_on, answered_on),
        }
