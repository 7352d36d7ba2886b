"""Fills an org with this world: people, payers, months of installments and payments, cases, holds, runs.

Must not decide what happens later: stories do. Payers are made and written a crowd at a time, so that a world of any size
fits into little memory. Invariant: the same number of payers, months, seed and time give the same world, and rows are
written in the order in which they point at each other.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from random import Random

from sandbox.org import User
from sandbox.org.org import Org
from sandbox.org.values import stamp
from sandbox.worlds.findock.months import Course
from sandbox.worlds.findock.payers import Claim, Spec, from_story, invented, usual_months
from sandbox.worlds.findock.rails import CARD, CURRENCY
from sandbox.worlds.findock.schedules import schedules
from sandbox.worlds.findock.staff import hire
from sandbox.worlds.findock.stories import read_book
from sandbox.worlds.making import Row, audit, chance_of, no_iban, portions

TALK = (
    ("Question", "Question about the monthly amount"),
    ("Change of details", "New address"),
    ("Change of details", "New bank account, please confirm"),
    ("Complaint", "The invoice was sent twice"),
    ("Complaint", "Nobody called me back"),
    ("Moving house", "Moving at the end of the month"),
)


CROWD = 5000
"""Payers made at a time."""
COMPANY = 500
"""Payers whose months are made at a time."""


def build(org: Org, *, payers: int, seed: int, months: int | None = None, parts: int = 1) -> None:
    """Fill `org` as of its clock: the payers of the stories first, made-up ones up to `payers` beside them.

    There are never fewer payers than the stories need. months: how long the made-up ones have been paying; the default is
    24, and fewer in a large world. parts: in how many payments, and in one less by turns, their money of a month comes.
    Raises ValueError for less than one of either.
    """
    if months is not None and months < 1:
        raise ValueError("a payer needs at least one month of history")
    if parts < 1:
        raise ValueError("money comes in at least one payment")
    book = read_book()
    today = org.clock.now().astimezone(book.zone).date()
    history = months if months is not None else usual_months(payers)
    stories = [from_story(number, story, today) for number, story in enumerate(book.stories, 1)]
    users = hire(org)
    org.bulk_load("cpm__Payment_Schedule__c", list(schedules(today)))
    everyone = chain(stories, invented(range(len(stories) + 1, payers + 1), seed, today, history, parts))
    for crowd in portions(everyone, CROWD):
        settle(org, crowd, users, today, seed)


def settle(org: Org, specs: list[Spec], users: Mapping[str, User], today: date, seed: int) -> dict[int, str]:
    """Load payers with all that is theirs; gives their ids by number."""
    ids = _load_payers(org, specs)
    anchors = _load_arrangements(org, specs, ids, today)
    for some in portions(specs, COMPANY):
        _load_months(org, some, anchors, today, seed)
    org.bulk_load(
        "Case", [row for one in specs for row in _cases(one, ids[one.number], users, today, chance_of(seed, one.number, "cases"))]
    )
    org.bulk_load(
        "Dunwell_Hold__c", [row for one in specs for row in _holds(one, ids[one.number], today, chance_of(seed, one.number, "holds"))]
    )
    return ids


def _load_payers(org: Org, specs: list[Spec]) -> dict[int, str]:
    """Companies are Accounts; persons are Contacts, each in a household Account of their own. Gives ids by number."""
    ids: dict[int, str] = {}
    companies = [one for one in specs if one.kind == "company"]
    persons = [one for one in specs if one.kind == "person"]
    made = org.bulk_load(
        "Account", [{"Name": one.company, "Email__c": f"office{one.number}@example.com", **one.facts()} for one in companies]
    )
    ids |= {one.number: record for one, record in zip(companies, made, strict=True)}
    households = org.bulk_load("Account", [{"Name": f"{one.last_name} household"} for one in persons])
    rows = [
        {
            "FirstName": one.first_name,
            "LastName": one.last_name,
            "AccountId": household,
            "Email": f"payer{one.number}@example.com",
            "MobilePhone": one.facts()["Phone"],
            "HasOptedOutOfEmail": one.opted_out,
            **one.facts(),
        }
        for one, household in zip(persons, households, strict=True)
    ]
    return ids | {one.number: record for one, record in zip(persons, org.bulk_load("Contact", rows), strict=True)}


Arrangement = tuple[int, str]
"""A payer's number and a claim's label."""


def _load_arrangements(org: Org, specs: list[Spec], ids: Mapping[int, str], today: date) -> dict[Arrangement, Row]:
    """Load profiles, mandates and recurring payments. Gives, for each claim, the lookups its installments carry."""
    claims = [(spec, claim) for spec in specs for claim in spec.claims]
    profiles = org.bulk_load("cpm__Payment_Profile__c", [_profile(spec, claim, ids, today) for spec, claim in claims])
    debited = [index for index, (_, claim) in enumerate(claims) if claim.rail is not CARD]
    mandates = dict(
        zip(debited, org.bulk_load("cpm__Mandate__c", [_mandate(*claims[index], profiles[index]) for index in debited]), strict=True)
    )
    anchors: list[Row] = [
        {
            f"cpm__{spec.sobject}__c": ids[spec.number],
            "cpm__Payment_Profile__c": profiles[index],
            "cpm__Mandate__c": mandates.get(index),
        }
        for index, (spec, _) in enumerate(claims)
    ]
    recurring = org.bulk_load(
        "cpm__Recurring_Payment__c", [_recurring(spec, claim, today) | anchors[index] for index, (spec, claim) in enumerate(claims)]
    )
    return {
        (spec.number, claim.label): anchors[index] | {"cpm__Recurring_Payment__c": recurring[index]}
        for index, (spec, claim) in enumerate(claims)
    }


def _profile(spec: Spec, claim: Claim, ids: Mapping[int, str], today: date) -> Row:
    name = f"{spec.number:06d}{claim.label.upper()}"
    row: Row = {
        f"cpm__{spec.sobject}__c": ids[spec.number],
        "cpm__Active__c": True,
        "cpm__Holder_Name__c": spec.name,
        "cpm__Country__c": spec.country,
        "cpm__Unique_Identifier__c": f"PROFILE-{name}",
    }
    if claim.rail is CARD:
        row |= {
            "cpm__Brand__c": "Testcard",
            "cpm__Expiration_Date__c": f"{spec.number % 12 + 1:02d}",
            "cpm__Expiration_Year__c": str(today.year + 2),
        }
        return row | {"cpm__Funding_Type__c": ("Debit", "Credit")[spec.number % 2]}
    return row | {"cpm__IBAN__c": no_iban(spec.country, f"TEST{spec.number:010d}"), "cpm__Bank_Name__c": "Example Bank"}


def _mandate(spec: Spec, claim: Claim, profile: str) -> Row:
    name = f"NW-{spec.number:06d}{claim.label.upper()}"
    return {
        "cpm__Payment_Profile__c": profile,
        "cpm__Active__c": True,
        "cpm__Status__c": "Success",
        "cpm__Type__c": "Recurring",
        "cpm__Reference__c": name,
        "cpm__Unique_Mandate_Id__c": name,
        "cpm__Date_Signed__c": spec.customer_since.isoformat(),
        "cpm__Payment_Processor__c": claim.rail.processor,
        "cpm__Target__c": claim.rail.target,
    }


def _recurring(spec: Spec, claim: Claim, today: date) -> Row:
    this = today.replace(day=claim.day)
    following = this if this > today else (today.replace(day=1) + timedelta(days=32)).replace(day=claim.day)
    return {
        "cpm__Active__c": True,
        "cpm__Status__c": "Valid",
        "cpm__Amount__c": claim.amount_minor / 100,
        "CurrencyIsoCode": CURRENCY[spec.country],
        "cpm__Frequency__c": "Monthly",
        "cpm__Collection_Day_of_Month__c": str(claim.day),
        "cpm__Start_Date__c": claim.first.replace(day=claim.day).isoformat(),
        "cpm__Next_Collection_Date__c": following.isoformat(),
        "cpm__Payment_Method__c": claim.rail.method,
        "cpm__Payment_Processor__c": claim.rail.processor,
        "cpm__Target__c": claim.rail.target,
    }


def _load_months(org: Org, specs: list[Spec], anchors: Mapping[Arrangement, Row], today: date, seed: int) -> None:
    months = [
        (month, anchors[spec.number, claim.label])
        for spec in specs
        for claim in spec.claims
        for month in Course(spec, claim, today, chance_of(seed, spec.number, "months", claim.label)).months()
    ]
    installments = org.bulk_load("cpm__Installment__c", [month.installment | anchor for month, anchor in months])
    org.bulk_load(
        "cpm__Payment__c",
        [
            payment | anchor | {"cpm__Installment__c": installment}
            for (month, anchor), installment in zip(months, installments, strict=True)
            for payment in month.payments
        ],
    )


def _cases(spec: Spec, payer_id: str, users: Mapping[str, User], today: date, chance: Random) -> Iterator[Row]:
    """Make the cases of a story; of other payers one in seven has one, mostly long closed."""
    link = "ContactId" if spec.kind == "person" else "AccountId"
    for case in spec.story.cases if spec.story else ():
        yield {
            link: payer_id,
            "Type": case.type,
            "Subject": case.subject,
            "Status": "Working",
            "Priority": "Medium",
            "OwnerId": users[case.owner].id,
            **audit(case.opened_on, case.opened_on),
        }
    if spec.story or chance.random() > 0.15:
        return
    kind, subject = chance.choice(TALK)
    closed = chance.random() < 0.85
    opened_on = today - timedelta(days=chance.randint(40, 500) if closed else chance.randint(1, 20))
    ended_on = opened_on + timedelta(days=chance.randint(1, 25)) if closed else opened_on
    row: Row = {link: payer_id, "Type": kind, "Subject": subject, "Priority": "Medium", **audit(opened_on, ended_on)}
    row |= {"OwnerId": users[chance.choice(("case_owner", "case_owner_2"))].id, "Status": "Closed" if closed else "Working"}
    yield row | ({"ClosedDate": stamp(datetime.combine(ended_on, time(15, 0), UTC))} if closed else {})


def _holds(spec: Spec, payer_id: str, today: date, chance: Random) -> Iterator[Row]:
    """Make holds of payers outside the stories: few, of several causes, some released."""
    if spec.story or chance.random() > 0.03:
        return
    cause = chance.choice(("breathing_space", "manual", "vulnerable", "complaint"))
    begun_on = today - timedelta(days=chance.randint(3, 20))
    row: Row = {f"{spec.sobject}__c": payer_id, "Cause__c": cause, "From__c": begun_on.isoformat(), **audit(begun_on, begun_on)}
    if cause in {"breathing_space", "manual"}:
        row["Until__c"] = (begun_on + timedelta(days=60 if cause == "breathing_space" else 28)).isoformat()
    elif chance.random() < 0.4:
        row["Released_At__c"] = stamp(datetime.combine(today - timedelta(days=1), time(14, 0), UTC))
    yield row
