"""simple-salesforce's bulk2 does real work against the org: insert, upsert, update, delete, query, download."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

WAIT = 0.01


class Loopback(HTTPAdapter):
    """Sends what simple-salesforce addresses to https to the local org, and nothing anywhere else."""

    def __init__(self, target):
        super().__init__()
        self._target = urlsplit(target)

    def send(self, request, **rest):
        """Send a request to the local org."""
        there = urlsplit(request.url)
        request.url = urlunsplit((self._target.scheme, self._target.netloc, there.path, there.query, ""))
        return super().send(request, **rest)


@pytest.fixture
def sf(bulk):
    """A client that is none of ours."""
    with requests.Session() as session:
        session.mount("https://", Loopback(bulk.box.instance_url))
        token = bulk.session.headers["Authorization"].removeprefix("Bearer ")
        yield Salesforce(instance="org.my.salesforce.com", session_id=token, version="66.0", session=session)


def test_rows_go_in_change_and_go_away(sf, bulk):
    """Insert, upsert, update and delete with what each reports."""
    rows = [{"Name": f"n{place}", "Key__c": f"k{place}"} for place in range(3)]
    made = sf.bulk2.Payer__c.insert(records=rows, wait=WAIT)
    assert [(one["numberRecordsTotal"], one["numberRecordsFailed"]) for one in made] == [(3, 0)]
    upserted = sf.bulk2.Payer__c.upsert(
        records=[{"Key__c": "k0", "Name": "zero"}, {"Key__c": "k9", "Name": "nine"}], external_id_field="Key__c", wait=WAIT
    )
    job_id = upserted[0]["job_id"]
    assert sf.bulk2.Payer__c.get_successful_records(job_id).count('"true"') == 1
    assert sf.bulk2.Payer__c.get_failed_records(job_id).count("\n") == 1
    assert sf.bulk2.Payer__c.get_unprocessed_records(job_id).count("\n") == 1
    ids = [one["Id"] for one in bulk.records("SELECT Id FROM Payer__c")]
    assert sf.bulk2.Payer__c.update(records=[{"Id": one, "Name": "same"} for one in ids], wait=WAIT)[0]["numberRecordsFailed"] == 0
    assert {one["Name"] for one in bulk.records("SELECT Name FROM Payer__c")} == {"same"}
    assert sf.bulk2.Payer__c.delete(records=[{"Id": one} for one in ids], wait=WAIT)[0]["numberRecordsFailed"] == 0
    assert bulk.records("SELECT Id FROM Payer__c") == []


def test_rows_come_out_over_several_locators(sf, bulk, tmp_path: Path):
    """Query in pages and download into files: every row once."""
    bulk.payers(7)
    pages = list(sf.bulk2.Payer__c.query("SELECT Key__c FROM Payer__c ORDER BY Key__c", max_records=3, wait=WAIT))
    assert [page.count("\n") - 1 for page in pages] == [3, 3, 1]
    found = sf.bulk2.Payer__c.download("SELECT Key__c FROM Payer__c ORDER BY Key__c", path=str(tmp_path), max_records=3, wait=WAIT)
    assert sum(one["number_of_records"] for one in found) == 7
    assert len([*tmp_path.iterdir()]) == 3
