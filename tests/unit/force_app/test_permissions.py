"""Permission sets give what the connector reads and writes and what people work with, and nothing more."""

import inspect
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.core.changes import Change
from connector.core.words import Kind
from connector.mapping import findings, outcomes, own, queries, touched, write
from connector.mapping.org import load_mapping
from connector.pipeline import parked, run_record
from connector.salesforce.ids import full_id
from tests.support.org_side import fields, formulas, grants

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONTACT, ACCOUNT = full_id("003000000000001AAA"), full_id("001000000000001AAA")
OURS = (own.POSITION, own.FOLLOW_UP, own.ATTEMPT, own.HOLD, own.PROMISE, own.PLAN, own.RUN)
PAYERS = frozenset({"Account__c", "Contact__c"})
COMPOUND = {
    "MailingCountry": "MailingAddress",
    "MailingState": "MailingAddress",
    "BillingCountry": "BillingAddress",
    "BillingState": "BillingAddress",
}
"""Parts of an address are granted by the address."""
ALWAYS_SEEN = {
    "Id", "Name", "OwnerId", "Status", "Priority", "TaskSubtype", "CompletedDateTime", "IsClosed", "IsDeleted", "CreatedDate", "SystemModstamp",
    "CurrencyIsoCode", "DeveloperName", "IsActive", "Username",
}  # fmt: skip
"""Required and system fields have no field security: a permission set may not name them."""
ELSEWHERE = {"Group", "User"}
"""Setup objects, which every user of the API may read."""


@pytest.fixture(scope="module")
def mapping():
    """The shipped mapping."""
    return load_mapping(ROOT / "mappings", "findock")[0]


@pytest.fixture(scope="module")
def read(mapping):
    """Every field the connector reads, as ``Object.Field``, taken from the queries themselves."""
    asked = [
        *queries.for_payers(mapping, [CONTACT, ACCOUNT], NOW),
        *queries.for_payers(mapping, None, NOW),
        *queries.everyone(mapping, NOW),
        *queries.come_due(mapping, NOW),
        *queries.fallen_due(mapping, NOW, NOW),
        *queries.known_installments(mapping, [CONTACT], ["reference"]),
        *queries.known_money(mapping, [CONTACT], ["key"]),
        *queries.newest_money(mapping),
        queries.parked_attempts(mapping),
        queries.calls_given(NOW, NOW),
        queries.changed(mapping, own.HOLD, [CONTACT]),
        *touched.touched(mapping, NOW, owing=True),
        *(one for question in findings.questions(mapping, NOW) for one in (question.count, question.newest)),
        queries.failures_by_day(),
    ]
    texts = [one.soql for one in asked] + list(queries.polls(mapping).values())
    return {name for soql in texts for name in named(soql)}


def named(soql: str) -> set[str]:
    """Fields that one query names, through lookups and in subqueries too."""
    soql = re.sub(r"'(?:[^'\\]|\\.)*'|\{since\}|\d{4}-\S+", " ", soql)
    found = set()
    while inner := re.search(r"\((SELECT [^()]*)\)", soql):
        found |= named(inner[1])
        soql = soql.replace(inner[0], " ")
    sobject = re.search(r"\bFROM (\w+)", soql)[1]
    soql = re.sub(r"\bFROM \w+", " ", soql)
    for path in re.findall(r"\b[A-Za-z]\w*(?:\.\w+)*", soql):
        where, names = sobject, path.split(".")
        for step in names[:-1]:
            found.add(f"{where}.{step.removesuffix('__r')}__c")
            where = re.sub("__r$", "__c", step)
        if names[-1].endswith("__c") or (where == sobject and re.fullmatch(r"(?:[A-Z][a-z]+){1,6}|\w+Id", names[-1])):
            found.add(f"{where}.{names[-1]}")
    return found


def of(sobject: str, names: set[str]) -> set[str]:
    """Custom fields of one object out of ``Object.Field`` names."""
    return {name.removeprefix(f"{sobject}.") for name in names if name.startswith(f"{sobject}.") and name.endswith("__c")}


def literals(*functions: object) -> set[str]:
    """Field names that stand in the source of functions or modules."""
    return {name for one in functions for name in re.findall(r'"(\w+__c)"', inspect.getsource(one))}


@pytest.fixture(scope="module")
def written():
    """Fields the connector writes, by object of ours."""
    agreement = write.agreement(Change("update", "promise", CONTACT, {"state": "kept"}, id=CONTACT))
    return {
        own.POSITION: {*write._POSITION.values(), "Amount__c", own.KEY, *PAYERS},
        own.FOLLOW_UP: {*write._FOLLOW_UP.values(), "Amount__c", "Shadow__c", own.KEY, *PAYERS},
        own.HOLD: {*write._HOLD.values(), own.KEY, *PAYERS},
        own.ATTEMPT: {*literals(outcomes.attempt_record, parked), own.KEY, *PAYERS} - {"Installment__c"},
        own.RUN: {*literals(run_record), own.KEY},
        own.PROMISE: set(agreement),
        own.PLAN: set(agreement),
    }


@pytest.mark.parametrize("sobject", OURS)
def test_the_daemon_sees_and_edits_the_fields_of_ours_that_it_needs(sobject, read, written):
    """Field security of our own objects is exactly what the queries name and the writes fill, and what the org works out of that."""
    granted = {name: edit for name, edit in grants("Dunwell_Integration").fields.items() if name.startswith(f"{sobject}.")}
    needed = of(sobject, read) | written[sobject] | formulas(sobject)
    assert {name.partition(".")[2] for name in granted} == needed
    assert {name.partition(".")[2] for name, edit in granted.items() if edit} == written[sobject]


def test_the_daemon_may_do_to_objects_what_it_does(mapping):
    """It makes and changes what it keeps, changes what people agree, and only reads the rest; it deletes nothing."""
    rights = grants("Dunwell_Integration").objects
    read_all = {"allowRead", "viewAllRecords"}
    keeps = {*read_all, "allowCreate", "allowEdit"}
    assert dict(rights) == {
        own.POSITION: keeps,
        own.FOLLOW_UP: keeps,
        own.ATTEMPT: keeps,
        own.RUN: keeps - {"allowEdit"},
        own.HOLD: keeps - {"allowEdit"},
        own.PROMISE: {*read_all, "allowEdit"},
        own.PLAN: {*read_all, "allowEdit"},
        "Account": {*read_all, "allowEdit"},
        "Contact": {*read_all, "allowEdit"},
        "Case": read_all,
        own.OUTCOME_EVENT: {"allowRead"},
        own.DECIDED_EVENT: {"allowRead", "allowCreate"},
    }
    assert grants("Dunwell_Integration").users == {"ActivitiesAccess", "ApiEnabled", "EditTask", "ViewRoles", "ViewSetup"}
    assert {one.flag for one in mapping.payers} == {"Dunwell_Position__c"}


def test_the_daemon_sees_of_standard_objects_what_it_asks_for(read, mapping):
    """Payers, cases and Tasks: the fields of the queries, of the Tasks it makes and of the flag, nothing else of a person."""
    standard = {"Account", "Contact", "Case", "Task"}
    asked = {name for name in read if name.partition(".")[0] in standard and name.partition(".")[2] not in ALWAYS_SEEN}
    tasks = {"Task.Subject", "Task.Description", "Task.ActivityDate", "Task.WhoId", "Task.WhatId", f"Task.{own.KEY}"}
    shipped = fields(packages=False)
    needed = tasks | {
        f"{sobject}.{COMPOUND.get(name, name)}"
        for sobject, _, name in (one.partition(".") for one in asked)
        if not name.endswith("__c") or name in shipped.get(sobject, ())
    }
    needed |= {f"{one.object}.{name}" for one in mapping.payers for name in formulas(one.object)}
    granted = {name: edit for name, edit in grants("Dunwell_Integration").fields.items() if name.partition(".")[0] in standard}
    assert set(granted) == needed
    assert {name for name, edit in granted.items() if edit} == tasks | {f"{one.object}.{one.flag}" for one in mapping.payers}


def test_every_field_that_is_read_is_granted_somewhere(read):
    """Nothing is invisible: what the queries name is in one of the permission sets that the daemon's user has."""
    granted = {
        name for one in ("Dunwell_Integration", "Dunwell_FinDock", "Northwind_Payer_Facts") for name in grants(one).fields
    } | ELSEWHERE
    missing = {
        one
        for one in read
        if one.partition(".")[2] not in ALWAYS_SEEN | set(COMPOUND) and one not in granted and one.partition(".")[0] not in ELSEWHERE
    }
    assert missing == set()


def test_the_package_set_gives_what_is_read_and_edits_what_a_retry_and_a_payment_write(mapping, read):
    """In FinDock the daemon changes three fields of an installment and fills the payments it records; the rest it reads."""
    retry, money = mapping.installments.retry, mapping.payments
    wanted = {f"{mapping.installments.object}.{one}" for one in (retry.status, retry.due_on, retry.stamp)}
    links = [one.link for one in mapping.payers]
    names = (
        money.key,
        money.installment,
        *links,
        money.amount,
        money.on,
        money.reference,
        money.reason_code,
        money.payment_method,
        money.processor,
    )
    wanted |= {f"{money.object}.{one}" for one in names if one}
    held = grants("Dunwell_FinDock")
    assert {name for name, edit in held.fields.items() if edit} == wanted
    packaged = {name for name in read if name.startswith("cpm__") and name.endswith("__c")}
    assert set(held.fields) == wanted | packaged - set(grants("Northwind_Payer_Facts").fields)
    assert set(held.objects) == {name.partition(".")[0] for name in held.fields}
    changed = {sobject: rights & {"allowCreate", "allowEdit", "allowDelete"} for sobject, rights in held.objects.items()}
    assert {sobject: rights for sobject, rights in changed.items() if rights} == {
        mapping.installments.object: {"allowEdit"},
        money.object: {"allowCreate"},
    }


@pytest.mark.parametrize("name", ["Dunwell_Credit_Manager", "Dunwell_Specialist", "Dunwell_Read_Only"])
def test_people_see_every_field_but_what_is_sensitive(name):
    """Whoever works with arrears sees all of it; causes, evidence and raw reasons are for specialists alone."""
    sensitive = {f"{own.FOLLOW_UP}.Cause__c", f"{own.HOLD}.Evidence__c"}
    sensitive |= {f"{own.ATTEMPT}.{one}" for one in ("Category__c", "Reason_Code__c", "Reason_Text__c")}
    causes = {f"{own.HOLD}.Cause__c"} if name == "Dunwell_Read_Only" else set()
    every = {f"{sobject}.{one}" for sobject in (*OURS, "Account", "Contact", "Task") for one in fields(packages=False)[sobject]}
    hidden = set() if name == "Dunwell_Specialist" else sensitive | causes
    people_need_no_key = {f"{one}.{own.KEY}" for one in (own.HOLD, own.PROMISE, own.PLAN)}
    assert set(grants(name).fields) == every - hidden - people_need_no_key


def test_people_edit_what_their_actions_fill():
    """Holds, promises and plans are theirs; of follow-ups the status and when it was done; of Tasks what came of a call."""
    for name in ("Dunwell_Credit_Manager", "Dunwell_Specialist"):
        edited = {field for field, edit in grants(name).fields.items() if edit}
        theirs = {
            f"{sobject}.{one}"
            for sobject in (own.HOLD, own.PROMISE, own.PLAN)
            for one in fields(packages=False)[sobject] - formulas(sobject) - {own.KEY}
        }
        theirs |= {
            f"{own.FOLLOW_UP}.Status__c",
            f"{own.FOLLOW_UP}.Done_At__c",
            f"{own.ATTEMPT}.Installment_Id__c",
            f"Task.{own.CALL_OUTCOME}",
        }
        assert edited == theirs - (set() if name == "Dunwell_Specialist" else {f"{own.HOLD}.Evidence__c"})


def test_who_reads_only_changes_nothing():
    """The read-only set holds no right to make, change or delete, and none to see all records."""
    held = grants("Dunwell_Read_Only")
    assert not any(held.fields.values())
    assert {right for rights in held.objects.values() for right in rights} == {"allowRead"}


def test_a_query_is_read_whole():
    """Lookups, subqueries and conditions are counted; values are not."""
    soql = "SELECT Id, A__c, B__r.C__c FROM X__c WHERE D__c IN ('E__c') AND Id IN (SELECT F__c FROM Y__c)"
    assert {"X__c.A__c", "X__c.B__c", "B__c.C__c", "X__c.D__c", "Y__c.F__c"} <= named(soql)
    assert not {name for name in named(soql) if "E__c" in name}
    assert Kind.CALL == "call"
