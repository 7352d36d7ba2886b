"""What an org shows of Dunwell's work, in a form that two runs can be compared by: no ids of records made, no times.

Must not judge. Invariant: equal pictures mean that an admin could not tell the two orgs apart.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.support.stage import Stage
from tests.support.town import Town

Picture = dict[str, list[tuple[object, ...]]]
_OWNED = "Contact__c, Account__c"
_READ = {
    "Dunwell_Attempt__c": f"Dunwell_Key__c, {_OWNED}, Status__c, Parked_Because__c, Outcome__c, Amount__c, Currency__c, Scheme__c, Reason_Code__c, Category__c, Installment_Id__c, Provider_Reference__c",
    "Dunwell_Follow_Up__c": f"Dunwell_Key__c, {_OWNED}, Kind__c, Level__c, Status__c, Withheld__c, Channel__c, Tone__c, Template__c, Amount__c, Currency__c, Priority__c, Cause__c, Installments__c, Rule__c",
    "Dunwell_Position__c": f"Dunwell_Key__c, {_OWNED}, Status__c, Amount__c, Currency__c, Since__c, Level__c, Failures_12m__c, Next_Kind__c, Installments__c",
    "Dunwell_Hold__c": f"Dunwell_Key__c, {_OWNED}, Cause__c, Installments__c, From__c, Until__c",
    "cpm__Payment__c": "Dunwell_Key__c, cpm__Contact__c, cpm__Account__c, cpm__Installment__c, cpm__Amount__c, CurrencyIsoCode, cpm__Payment_Reference__c",
    "cpm__Installment__c": "Id, cpm__Status__c, cpm__Due_Date__c, Dunwell_Retry_Key__c, cpm__Amount_Open__c",
    "Task": "Dunwell_Key__c, WhoId, WhatId, Subject, Description, Status, Priority, IsDeleted, Owner.Name",
}
_TIME = re.compile(r"\d\d:\d\d on \w+ \d+ \w+ \d{4}")
UNIQUE = ("Dunwell_Attempt__c", "Dunwell_Follow_Up__c", "Dunwell_Position__c", "Dunwell_Hold__c", "Task")


def picture(stage: Stage) -> Picture:
    """Take it."""
    found: Picture = {}
    names = {record: name for name, record in stage.town.payers.items()}
    for sobject, fields in _READ.items():
        rows = stage.query(f"SELECT {fields} FROM {sobject}", all_rows=True)
        found[sobject] = sorted((_plain(row, names) for row in rows), key=str)
    linked = stage.query("SELECT Dunwell_Key__c, Task_Id__c FROM Dunwell_Follow_Up__c WHERE Task_Id__c != null")
    keys = {row["Id"]: row["Dunwell_Key__c"] for row in stage.query("SELECT Id, Dunwell_Key__c FROM Task", all_rows=True)}
    found["links"] = sorted((row["Dunwell_Key__c"], keys.get(row["Task_Id__c"])) for row in linked)
    found["flags"] = _flags(stage, stage.town)
    return found


def _flags(stage: Stage, town: Town) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for name, record in sorted(town.payers.items()):
        sobject = town.link(name)
        (row,) = stage.query(f"SELECT Arrears_Status__c, Arrears_Amount__c, Dunwell_Position__c FROM {sobject} WHERE Id = '{record}'")
        found.append((name, row["Arrears_Status__c"], row["Arrears_Amount__c"], row["Dunwell_Position__c"] is not None))
    return found


def differences(wanted: Picture, found: Picture) -> list[str]:
    """What is only in one of two pictures, in words; none = they are equal."""
    told = []
    for name in sorted(wanted):
        before, now = Counter(map(str, wanted[name])), Counter(map(str, found[name]))
        told += [f"{name}: missing {one[:200]}" for one in sorted((before - now).elements())]
        told += [f"{name}: unwanted {one[:200]}" for one in sorted((now - before).elements())]
    return told


def made_twice(stage: Stage) -> list[str]:
    """Keys that more than one record carries, recycle bin included, and money booked twice under one reference."""
    found = []
    for sobject in (*UNIQUE, "cpm__Payment__c"):
        rows = stage.query(f"SELECT Dunwell_Key__c FROM {sobject} WHERE Dunwell_Key__c != null", all_rows=True)
        found += [f"{sobject} {key}" for key, count in Counter(str(row["Dunwell_Key__c"]) for row in rows).items() if count > 1]
    money = stage.query("SELECT cpm__Installment__c, cpm__Payment_Reference__c, cpm__Amount__c FROM cpm__Payment__c")
    booked = Counter((row["cpm__Installment__c"], row["cpm__Payment_Reference__c"], row["cpm__Amount__c"]) for row in money)
    return found + [f"money {one}" for one, count in booked.items() if count > 1]


def _plain(row: Mapping[str, Any], names: Mapping[str, str]) -> tuple[object, ...]:
    found: list[object] = []
    for field, value in row.items():
        if field == "attributes":
            continue
        found.append(
            value["Name"] if isinstance(value, dict) else _TIME.sub("TIME", names.get(value, value)) if isinstance(value, str) else value
        )
    return tuple(found)
