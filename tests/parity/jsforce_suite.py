"""Serves the org that jsforce's own test suite wants, to be run by hand: ``python -m tests.parity.jsforce_suite``.

Prints what to set for the suite (``SF_LOGIN_URL``, ``SF_ACCESS_TOKEN``) and serves until interrupted. How to get and run the
suite, and what passes, is told in ``sandbox/README.md``; it is in jsforce's repository only, and none of it is here. Two objects
are the suite's own by name; beside them there is what a scratch org has as sample data.
"""

import sys
import tempfile
import threading
from datetime import timedelta
from pathlib import Path

from sandbox.org.clock import Clock
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.server import Box, Setup
from sandbox.streaming.log import EventLog

PORT = 8900
ADMIN = "admin@sandbox.example"
BIG_ROWS = 25_005
"""The suite's own set-up loads 5,001 rows five times."""
_XMLNS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
_NUMBERED = "<nameField><displayFormat>{00000000}</displayFormat><label>#</label><type>AutoNumber</type></nameField>"
_NAMED = "<nameField><label>Name</label><type>Text</type></nameField>"
_KEY = "<externalId>true</externalId><length>50</length><type>Text</type><unique>false</unique>"


def write_dx(root: Path) -> Path:
    """A table with many rows, and one with an external id that several records may share."""
    for name, name_field, fields in (("BigTable", _NUMBERED, {}), ("UpsertTable", _NAMED, {"ExtId": _KEY})):
        folder = root / "objects" / f"{name}__c"
        (folder / "fields").mkdir(parents=True)
        more = f"<pluralLabel>{name}</pluralLabel><deploymentStatus>Deployed</deploymentStatus><sharingModel>ReadWrite</sharingModel>"
        text = f"<CustomObject {_XMLNS}><label>{name}</label>{name_field}{more}</CustomObject>"
        (folder / f"{name}__c.object-meta.xml").write_text(text)
        for field, kind in fields.items():
            xml = f"<CustomField {_XMLNS}><fullName>{field}__c</fullName><label>{field}</label>{kind}</CustomField>"
            (folder / "fields" / f"{field}__c.field-meta.xml").write_text(xml)
    return root


def make_org(setup: Setup, log: EventLog) -> Org:
    """An org with accounts, contacts and opportunities to look at, and the rows of the big table."""
    with tempfile.TemporaryDirectory() as folder:
        org = Org(load_schema([write_dx(Path(folder))]), Clock(setup.now), events=log)
    today = org.clock.now().date()
    accounts = org.bulk_load("Account", [{"Name": f"Sample Company {number}"} for number in range(8)])
    people = [{"FirstName": "Sam", "LastName": f"Sample {number}", "AccountId": accounts[number % 8]} for number in range(24)]
    org.bulk_load("Contact", people)
    deals = [
        {
            "Name": f"Deal {number}",
            "AccountId": accounts[number % 8],
            "StageName": "Prospecting",
            "CloseDate": (today + timedelta(days=number)).isoformat(),
        }
        for number in range(32)
    ]
    org.bulk_load("Opportunity", deals)
    org.bulk_load("BigTable__c", [{} for _ in range(BIG_ROWS)])
    return org


def main() -> None:
    """Serve until interrupted."""
    with Box(Setup(port=PORT), make_org) as box:
        sys.stdout.write(f"export SF_LOGIN_URL={box.instance_url} SF_ACCESS_TOKEN='{box.token(ADMIN)}'\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
