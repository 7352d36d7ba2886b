"""The big Account: a housing association that pays for every flat it owns, on one contract each.

Must not decide anything of its own: months come from findock's course of events. Invariant: exactly as many installments,
payments, cases and Tasks point at it as were asked for.
"""

from dataclasses import replace
from datetime import date, time, timedelta
from itertools import count

from sandbox.org.org import Org
from sandbox.worlds.findock.fill import settle
from sandbox.worlds.findock.months import Course
from sandbox.worlds.findock.payers import HISTORY_MONTHS, Claim, Spec
from sandbox.worlds.findock.rails import SEPA
from sandbox.worlds.findock.staff import COLLEAGUES
from sandbox.worlds.findock.stories import read_book
from sandbox.worlds.making import Row, audit, chance_of, first_month, portions

HUB = "Proefdam Housing Association BV"
"""Name of the big Account."""
NUMBER = 900_001
"""Its number as a payer, out of the way of all others."""
MONEY_SHARE = 0.9
"""How much of what is below it is installments and payments; the rest is cases and Tasks."""
SINCE = date(2009, 4, 1)


def settle_hub(org: Org, *, children: int, seed: int) -> str:
    """Load the big Account and all below it; gives its id."""
    today = org.clock.now().astimezone(read_book().zone).date()
    users = {one.role: user for one in COLLEAGUES if (user := org.user_by_name(one.username)) is not None}
    hub = _with_flats(int(children * MONEY_SHARE), seed, today)
    account = settle(org, [hub], users, today, seed)[NUMBER]
    rest = children - _below(org, account)
    owners = [users["case_owner"].id, users["case_owner_2"].id]
    dates = [today - timedelta(days=number % 700 + 3) for number in range(rest)]
    for some in portions(enumerate(dates[: rest // 2]), 5000):
        org.bulk_load("Case", [_case(number, on, owners) | {"AccountId": account} for number, on in some])
    for some in portions(enumerate(dates[rest // 2 :]), 5000):
        org.bulk_load("Task", [_task(number, on, owners) | {"WhatId": account} for number, on in some])
    return account


def _with_flats(wanted: int, seed: int, today: date) -> Spec:
    """Make the payer with as many contracts as give at most so many installments and payments."""
    hub = Spec(
        number=NUMBER,
        kind="company",
        first_name="",
        last_name="",
        company=HUB,
        country="NL",
        customer_since=SINCE,
        segment="business",
        preferred_channel="email",
        allow_sms=False,
        allow_call=True,
        opted_out=False,
        habit_weekday=3,
        habit_time=time(10, 0),
        failing=0.03,
        claims=(),
    )
    flats: list[Claim] = []
    made = 0
    for number in count(1):
        flat = Claim(
            f"f{number}",
            "Green electricity",
            "debt",
            4200 + number % 7 * 350,
            SEPA,
            number % 28 + 1,
            first_month(SINCE, today, HISTORY_MONTHS),
        )
        made += sum(1 + len(month.payments) for month in Course(hub, flat, today, chance_of(seed, NUMBER, "months", flat.label)).months())
        if made > wanted:
            break
        flats.append(flat)
    return replace(hub, claims=tuple(flats))


def _below(org: Org, account: str) -> int:
    """Count what points at it already."""
    places = (("cpm__Installment__c", "cpm__Account__c"), ("cpm__Payment__c", "cpm__Account__c"), ("Case", "AccountId"))
    soql = (f"SELECT COUNT() FROM {sobject} WHERE {lookup} = '{account}'" for sobject, lookup in places)
    return sum(org.query(each, user_id=org.admin.id).total_size for each in soql)


def _case(number: int, on: date, owners: list[str]) -> Row:
    closed: Row = {"Status": "Closed", "ClosedDate": audit(on, on)["CreatedDate"]} if number % 20 else {"Status": "Working"}
    return {"Type": "Question", "Subject": f"Flat {number + 1}: meter reading", "OwnerId": owners[number % 2], **audit(on, on), **closed}


def _task(number: int, on: date, owners: list[str]) -> Row:
    done: Row = {"Status": "Completed"} if number % 20 else {}
    return {"Subject": f"Flat {number + 1}: call back", "ActivityDate": on, "OwnerId": owners[number % 2], **audit(on, on), **done}
