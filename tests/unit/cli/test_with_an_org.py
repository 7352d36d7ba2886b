"""The commands against a local org: what they answer, what they write, and what they leave alone."""

import json

import pytest

from connector.salesforce.ids import full_id
from connector.store import Store
from tests.unit.cli.conftest import MONDAY

SUMMARY = {"payers", "changes", "follow_ups", "withheld", "parked", "missing", "statuses", "overdue", "records", "api_calls"}


def test_check_says_that_all_is_in_order(dunwell, connected, local_org):
    """The org is named, and so is what was looked at."""
    done = dunwell("check", "--json", **connected)
    assert (done.status, done.err) == (0, "")
    found = json.loads(done.out)
    looked_at, calls = found.pop("looked_at"), found.pop("api_calls")
    assert "Tasks go to Dunwell_Admins, Dunwell_Credit_Managers, Dunwell_Specialists" in looked_at
    assert 0 < calls < 10
    in_order = {
        "ok": True,
        "org": local_org.box.org.org_id,
        "mapping": "findock",
        "policy": "default",
        "mode": "live",
        "problems": [],
        "doubts": [],
    }
    assert found == in_order
    people = dunwell("check", **connected).out.splitlines()
    assert people[0].startswith(f"All in order: org {local_org.box.org.org_id}, ")
    assert len(people) == 1 + len(looked_at)


@pytest.mark.parametrize(
    ("wrong", "status", "told"),
    [
        ({"DUNWELL_ORG_ID": "00D000000000001EAA"}, 2, "check DUNWELL_LOGIN_URL"),
        ({"DUNWELL_CLIENT_ID": "nobody"}, 2, "check the consumer key"),
        ({"DUNWELL_KEY_FILE": "missing.pem"}, 2, "the private key file cannot be read"),
        ({"DUNWELL_POLICY": "harsh"}, 2, "there is no policy 'harsh'; there are: default"),
        ({"DUNWELL_MAPPING": "none"}, 2, "none.yaml"),
        ({"DUNWELL_STORE_URL": "somewhere"}, 2, "the store URL is not one"),
        ({"DUNWELL_LOGIN_URL": "http://localhost:1"}, 1, "cannot be reached"),
        ({"DUNWELL_CLOCK_URL": "http://example.com/clock"}, 2, "DUNWELL_CLOCK_URL"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_check_says_what_is_wrong_and_what_to_do(dunwell, connected, wrong, status, told):
    """Each way to be set up wrongly has its own words; 2 asks the admin to act, 1 asks for patience."""
    done = dunwell("check", **{**connected, **wrong})
    assert (done.status, done.out) == (status, "")
    assert told in done.err


def test_a_key_others_can_read_is_refused(dunwell, connected, tmp_path, local_org):
    """A private key lying open is not used."""
    key = tmp_path / "open.pem"
    key.write_bytes(local_org.box.key_file.read_bytes())
    key.chmod(0o644)
    done = dunwell("check", **{**connected, "DUNWELL_KEY_FILE": str(key)})
    assert (done.status, "chmod 600" in done.err) == (2, True)


def test_explain_says_what_would_be_done_and_writes_nothing(dunwell, connected, local_org):
    """One payer's decision with its reasons, for programs and for people, and the org as it was."""
    payer = local_org.fail("new-customer-first-payment")
    before = len(local_org.commits)
    found = json.loads(dunwell("explain", payer, "--json", **connected).out)
    assert set(found) == {"payer", "arrears", "follow_ups", "withheld", "policy"}
    assert (found["payer"], found["arrears"]["status"], found["arrears"]["amount"]) == (payer, "In Arrears", {"EUR": "55.00"})
    assert "remind" in [one["kind"] for one in found["follow_ups"]]
    people = dunwell("explain", payer[:15], **connected)
    assert (people.status, people.err) == (0, "")
    assert people.out.startswith(f"{payer}: In Arrears, 55.00 EUR overdue since 2026-03-02\n")
    assert local_org.touched(before) == set()


def test_explain_of_nobody_is_said_in_words(dunwell, connected):
    """An id without a record, and one of another object, are no defects."""
    for record in ("003000000000001AAA", "500000000000001AAA"):
        done = dunwell("explain", record, **connected)
        assert (done.status, done.out) == (1, "")
        assert f"{record}: the payer's record cannot be read" in done.err


def test_a_dry_run_writes_nothing(dunwell, connected, local_org):
    """Everyone is looked at, the follow-ups are counted, and neither the org nor the next pass sees a trace of it."""
    payer = local_org.fail("partial-payment")
    before = len(local_org.commits)
    done = dunwell("reconcile", "--dry-run", "--json", **connected)
    found = json.loads(done.out)
    assert (done.status, done.err, set(found)) == (0, "", SUMMARY)
    assert (found["payers"], found["changes"], found["records"]) == (40, 0, {})
    assert found["follow_ups"] > 0
    people = dunwell("reconcile", "--dry-run", **connected)
    assert payer in people.out
    assert "Nothing was written (dry run)." in people.out
    assert local_org.touched(before) == set()
    assert json.loads(dunwell("status", "--json", **connected).out)["later"] == 0


def test_a_second_pass_changes_nothing(dunwell, connected, local_org):
    """What the first pass wrote is recognised by the second: only its run record is new."""
    local_org.fail("fourth-this-year")
    first = json.loads(dunwell("reconcile", "--json", **connected).out)
    assert first["changes"] > 0
    assert first["records"]["Dunwell_Follow_Up__c"] > 0
    before = len(local_org.commits)
    second = json.loads(dunwell("reconcile", "--json", **connected).out)
    assert (second["changes"], second["records"]) == (0, {})
    assert local_org.touched(before) <= {"Dunwell_Run__c"}


def test_shadow_mode_shows_no_task_and_no_flag(dunwell, connected, local_org):
    """The switch that stops all writing: follow-ups marked so, nothing a colleague or a payer would notice."""
    local_org.fail("held")
    before = len(local_org.commits)
    done = dunwell("reconcile", "--json", DUNWELL_MODE="shadow", **connected)
    assert done.status == 0
    assert local_org.touched(before) <= {"Dunwell_Follow_Up__c"}


def test_the_pass_stops_when_most_payers_have_vanished(dunwell, connected):
    """Half of the payers invisible means lost permissions, not happy customers; --yes goes on."""
    with Store.open(connected["DUNWELL_STORE_URL"]) as store:
        store.set_value("sweep:seen", '{"payers": 100, "rows": {}}')
    done = dunwell("reconcile", **connected)
    assert (done.status, done.out) == (1, "")
    assert "only 40 payers are visible, 100 were last time" in done.err
    assert dunwell("reconcile", "--dry-run", "--yes", "--json", **connected).status == 0


def test_status_and_unpark_need_no_look_at_the_payers(dunwell, connected):
    """What was put aside is shown with its reason, taken up again, and then waits to be treated."""
    payer, other = full_id("003000000000001"), full_id("003000000000002")
    with Store.open(connected["DUNWELL_STORE_URL"]) as store:
        store.mark_due([payer, other], at=MONDAY, why="event")
        store.park(store.lease_due(MONDAY, 10, 60), MONDAY, "the record is locked by an approval")
    unreachable = {**connected, "DUNWELL_LOGIN_URL": "http://localhost:1"}
    shown = dunwell("status", **unreachable)
    assert (shown.status, shown.err) == (0, "")
    assert f"{payer}: the record is locked by an approval" in shown.out
    assert "oldest due at    -" in shown.out
    assert json.loads(dunwell("status", "--json", **unreachable).out)["parked_payers"] == 2
    assert dunwell("unpark", payer[:15], **connected).out == "1 taken up again\n"
    assert dunwell("unpark", **connected).out == "1 taken up again\n"
    after = json.loads(dunwell("status", "--json", **unreachable).out)
    assert (after["parked_payers"], after["due_now"], after["parked"]) == (0, 2, {})


def test_a_file_of_settings_works_as_the_environment_does(dunwell, connected, tmp_path):
    """A ``.env`` beside the command is read, as config.example.env says."""
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in connected.items()))
    (tmp_path / ".env").chmod(0o600)
    assert dunwell("check").status == 0
