"""A small org with something to look at: debts of people and companies, letters that were sent, tasks, and hostile texts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sandbox.org.clock import Clock
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.server import Setup
from sandbox.streaming.log import EventLog

NOW = datetime(2026, 3, 30, 7, 30, tzinfo=UTC)
"""A Monday, half past nine in Amsterdam: the day after the clocks went forward there."""
SCRIPT = "<script>document.title = 'taken over'</script>"
HOSTILE = f"{SCRIPT}\u202e{{{{ 7 * 7 }}}}" + "<img src=x onerror=alert(1)>" * 1000
DEBTS = 120

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n<{tag} xmlns="http://soap.sforce.com/2006/04/metadata">{body}</{tag}>\n'
_STATUS = "".join(
    f"<value><fullName>{name}</fullName><default>false</default><label>{label}</label></value>"
    for name, label in (("open", "Open"), ("late", "Very Late"), ("done", "Settled"))
)
_FIELDS = {
    "Amount__c": "<label>Amount</label><precision>16</precision><scale>2</scale><type>Currency</type>",
    "Fee__c": "<label>Fee</label><precision>16</precision><scale>2</scale><type>Number</type>",
    "Fee_Currency__c": "<label>Fee Currency</label><length>3</length><type>Text</type>",
    "Due__c": "<label>Due</label><type>Date</type>",
    "Seen_At__c": "<label>Seen At</label><type>DateTime</type>",
    "Sent__c": "<label>Sent</label><defaultValue>false</defaultValue><type>Checkbox</type>",
    "Status__c": f"<label>Status</label><type>Picklist</type><valueSet><restricted>true</restricted><valueSetDefinition>{_STATUS}</valueSetDefinition></valueSet>",
    "Person__c": "<label>Person</label><referenceTo>Contact</referenceTo><relationshipName>Debts</relationshipName><type>Lookup</type>",
    "Company__c": "<label>Company</label><referenceTo>Account</referenceTo><relationshipName>Debts</relationshipName><type>Lookup</type>",
    "Because__c": "<label>Because</label><length>40</length><type>Text</type>",
    "Reason__c": "<label>Reason</label><length>32768</length><type>LongTextArea</type><visibleLines>3</visibleLines>",
    "Link__c": "<label>Link</label><type>Url</type>",
    "Others__c": "<label>Others</label><length>32768</length><type>LongTextArea</type><visibleLines>3</visibleLines>",
    "Key__c": "<label>Key</label><externalId>true</externalId><length>40</length><type>Text</type>",
}
_COLUMNS = ("NAME", "Person__c", "Company__c", "Due__c", "Status__c", "Amount__c")


def _filter(field: str, operation: str, value: str) -> str:
    return f"<filters><field>{field}</field><operation>{operation}</operation><value>{value}</value></filters>"


_VIEWS = {
    "All": ("All", _COLUMNS, ""),
    "Late": ("Very Late", (*_COLUMNS, "NO_SUCH_TOKEN"), _filter("Status__c", "equals", "late")),
    "Odd": ("Odd", _COLUMNS, _filter("NO_SUCH_TOKEN", "equals", "1")),
}

PAGE = """
title: Example Lender
tabs: [Debt__c, Task, Contact, Account]
search: {Contact: [Name], Account: [Name], Debt__c: [Name, Key__c]}
money: {Debt__c.Fee__c: Fee_Currency__c}
words: {Debt__c.Because__c: {quiet: it is too late in the day, hold: a hold stands}}
tones: {Debt__c.Status__c: {open: note, late: bad, done: good}}
home:
  - {show: counts, title: Open tasks, of: Task, where: IsClosed = false, rows: Owner.Name, columns: Priority, empty: No task is open.}
  - {show: counts, title: What is owed, of: Debt__c, rows: Status__c, columns: CurrencyIsoCode, sums: Amount__c, order: [late], view: All}
  - show: table
    title: Highest debts
    of: Debt__c
    columns: [Name, {label: Payer, first: [Person__c, Company__c]}, Due__c, Amount__c]
    order: Amount__c DESC NULLS LAST
    limit: 5
    view: Late
  - {show: latest, title: Last seen, of: Debt__c, columns: [Seen_At__c, Reason__c], order: Seen_At__c DESC NULLS LAST}
  - {show: table, title: Nothing to see, of: Debt__c, where: Amount__c < -5, columns: [Name], empty: No debt is below nothing.}
  - {show: table, title: Mistaken, of: Debt__c, columns: [No_Such_Field__c]}
payers:
  Contact: {facts: [Email], flags: [{field: DoNotCall, when: true, say: Do not call, tone: bad}]}
  Account: {facts: [Phone]}
cards:
  - of: Debt__c
    via: [Person__c, Company__c]
    where: Status__c = 'late'
    title: Very late
    heading: "{Status__c}"
    amount: Amount__c
    facts: [Due__c, Fee__c]
    text: Reason__c
    tone_of: Status__c
    empty: Nothing is very late.
timeline:
  - {of: Task, via: [WhoId, WhatId], label: Task, at: [CompletedDateTime, CreatedDate], title: "{Subject}", facts: [Status, OwnerId], text: Description}
  - {of: Debt__c, via: [Person__c, Company__c], label: Letter, at: [Seen_At__c], title: "{Status__c}: {Because__c}", facts: [Amount__c, Others__c], tone: wait}
panels:
  - {title: Debts, of: Debt__c, via: [Person__c, Company__c], columns: [Name, Due__c, Status__c, Amount__c], order: Due__c ASC NULLS LAST, limit: 3, view: All, empty: No debt.}
"""


def _write(path: Path, tag: str, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_XML.format(tag=tag, body=body), encoding="utf-8")


def write_dx(root: Path) -> Path:
    """Write the org's source; return its folder."""
    name = "<nameField><displayFormat>D-{0000}</displayFormat><label>Debt No</label><type>AutoNumber</type></nameField>"
    labels = "<label>Debt</label><pluralLabel>Debts</pluralLabel><sharingModel>ReadWrite</sharingModel>"
    debt = root / "objects" / "Debt__c"
    _write(debt / "Debt__c.object-meta.xml", "CustomObject", labels + name)
    for field, body in _FIELDS.items():
        _write(debt / "fields" / f"{field}.field-meta.xml", "CustomField", f"<fullName>{field}</fullName>{body}")
    for view, (label, columns, filters) in _VIEWS.items():
        shown = "".join(f"<columns>{column}</columns>" for column in columns)
        body = f"<fullName>{view}</fullName>{shown}<filterScope>Everything</filterScope>{filters}<label>{label}</label>"
        _write(debt / "listViews" / f"{view}.listView-meta.xml", "ListView", body)
    return root


@dataclass(frozen=True, slots=True)
class People:
    """Ids of who and what is in the org."""

    person: str
    company: str
    calm: str
    script: str
    late: str


def fill(org: Org) -> People:
    """Put everybody and everything into an empty org."""
    person, calm, script = org.bulk_load(
        "Contact",
        [
            {"FirstName": "Ada", "LastName": "Exampleby", "Email": "ada@example.com", "DoNotCall": True},
            {"FirstName": "Carl", "LastName": "Calmfield"},
            {"FirstName": "Sly", "LastName": SCRIPT},
        ],
    )
    company = org.bulk_load("Account", [{"Name": "O'Sample & 100% Sons Ltd"}])[0]
    org.bulk_load(
        "Debt__c",
        [
            {
                "Amount__c": 10 + number,
                "CurrencyIsoCode": "EUR",
                "Status__c": "open",
                "Due__c": f"2026-0{number % 3 + 1}-15",
                "Company__c": company,
                "Key__c": f"KEY-{number:04d}",
            }
            for number in range(DEBTS - 2)
        ],
    )
    late, _ = org.bulk_load(
        "Debt__c",
        [
            {
                "Amount__c": 12345.5,
                "CurrencyIsoCode": "GBP",
                "Status__c": "late",
                "Due__c": "2026-01-31",
                "Seen_At__c": "2026-03-29T09:05:00Z",
                "Because__c": "quiet;hold",
                "Reason__c": HOSTILE,
                "Link__c": "javascript:alert(1)",
                "Others__c": f"{person} {company}",
                "Fee__c": 7.5,
                "Fee_Currency__c": "EUR",
                "Person__c": person,
                "Key__c": "100%_sure",
            },
            {"Amount__c": -3, "CurrencyIsoCode": "EUR", "Status__c": "done", "Seen_At__c": "2026-05-01T08:00:00Z", "Person__c": script},
        ],
    )
    session = org.system
    for priority, subject in (("High", "Call Ada"), ("Normal", "Write to Ada"), ("Normal", SCRIPT)):
        org.create("Task", {"Subject": subject, "Priority": priority, "WhoId": person, "Description": HOSTILE[:30_000]}, session=session)
    return People(person, company, calm, script, late)


def org_maker(dx: Path, people: list[People]) -> Callable[[Setup, EventLog], Org]:
    """Give what makes the org for a Box; who is in it is added to `people`."""

    def make(setup: Setup, log: EventLog) -> Org:
        org = Org(load_schema([dx]), Clock(setup.now), events=log)
        people.append(fill(org))
        return org

    return make
