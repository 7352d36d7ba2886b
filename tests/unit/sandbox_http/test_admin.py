"""The admin port and the lifetime of an org: clock, statistics, people, visibility, the command."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from sandbox.options import Options
from sandbox.org.clock import Clock
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.server import Box, Setup
from sandbox.usage import HOUR, RollingCount, label
from sandbox.worlds.opening import WorldError


def test_the_clock_stands_still_until_moved(admin, call):
    """Record timestamps follow the org's clock."""
    assert admin("/clock") == {"now": "2026-03-02T08:00:00+00:00", "frozen": True, "speed": 0.0}
    admin("/clock", {"now": "2026-04-01T10:00:00+02:00"})
    assert admin("/clock", {"advance_seconds": 60})["now"] == "2026-04-01T08:01:00+00:00"
    record_id = call.create("Account", Name="a")
    assert call("GET", f"sobjects/Account/{record_id}").json()["LastModifiedDate"] == "2026-04-01T08:01:00.000+0000"


def test_the_clock_may_run_at_a_speed():
    """Real without a start, standing still with one, and running on from any moment at any speed but backwards."""
    real = [100.0]
    clock = Clock(datetime(2026, 3, 2, 8, tzinfo=UTC), monotonic=lambda: real[0])
    real[0] += 5
    assert (clock.now(), clock.frozen) == (datetime(2026, 3, 2, 8, tzinfo=UTC), True)
    clock.run(60)
    real[0] += 2
    assert (clock.now(), clock.frozen, clock.speed) == (datetime(2026, 3, 2, 8, 2, tzinfo=UTC), False, 60)
    clock.advance(30)
    real[0] += 1
    assert clock.now() == datetime(2026, 3, 2, 8, 3, 30, tzinfo=UTC)
    clock.run(0)
    real[0] += 100
    assert clock.now() == datetime(2026, 3, 2, 8, 3, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="backwards"):
        clock.run(-1)
    assert (Clock().frozen, Clock().speed) == (False, 1.0)


def test_the_admin_port_lets_time_run_and_stop(admin):
    """POST /clock takes a speed; 0 freezes the clock where it is."""
    assert admin("/clock", {"speed": 3600.0})["frozen"] is False
    stopped = admin("/clock", {"speed": 0})
    assert stopped["now"] >= "2026-03-02T08:00:00+00:00"
    assert admin("/clock") == stopped


def test_a_time_without_an_offset_is_refused(box):
    """Naive times are nobody's times."""
    assert requests.post(f"{box.admin_url}/clock", json={"now": "2026-04-01T10:00:00"}, timeout=10).status_code == 400


def test_a_driver_may_act_as_anyone(box, admin, call):
    """A token is issued for any user, and records say who made them."""
    issued = admin("/tokens/issue", {"username": "package@sandbox.example"})
    call.session.headers["Authorization"] = f"Bearer {issued['access_token']}"
    assert call("GET", "/services/oauth2/userinfo").json()["user_id"] == issued["user_id"]
    assert {user["username"] for user in admin("/users")} >= {box.username, "admin@sandbox.example", "package@sandbox.example"}
    reply = requests.post(f"{box.admin_url}/tokens/issue", json={"username": "nobody@sandbox.example"}, timeout=10)
    assert reply.status_code == 400


def test_hidden_records_are_silently_absent(call, admin):
    """What a user may not see is not there for them, until it is shown again."""
    record_id = call.create("Account", Name="a")
    issued = admin("/tokens/issue", {})
    mine = {"Authorization": f"Bearer {issued['access_token']}"}
    who = {"sobject": "Account", "ids": [record_id], "username": "admin@sandbox.example"}
    admin("/hide", who)
    assert call("GET", "query", params={"q": "SELECT Id FROM Account"}).json()["totalSize"] == 0
    admin("/unhide", who)
    assert call("GET", "query", params={"q": "SELECT Id FROM Account"}).json()["totalSize"] == 1
    assert call("GET", "limits", headers=mine).status_code == 200


def test_statistics_count_and_start_again(call, admin):
    """Calls by path without ids, records written, then zero."""
    record_id = call.create("Account", Name="a")
    call("GET", f"sobjects/Account/{record_id}")
    stats = admin("/stats")
    assert (stats["api_calls"], stats["records_written"]) == (2, 1)
    assert stats["by_path"] == {"GET sobjects/Account/{id}": 1, "POST sobjects/Account": 1}
    assert admin("/stats/reset", {})["api_calls"] == 0


def test_settings_are_checked(box, admin):
    """An unknown setting or a senseless value is refused."""
    assert admin("/settings", {"long_poll_seconds": 5})["long_poll_seconds"] == 5
    for body in ({"long_pol_seconds": 5}, {"query_batch": 0}):
        assert requests.post(f"{box.admin_url}/settings", json=body, timeout=10).status_code == 400


def test_events_can_be_looked_at(call, admin):
    """The log of a channel, for whoever drives a demo."""
    call("POST", "sobjects/Outcome__e", json={"Reference__c": "r"})
    assert [event["payload"]["Reference__c"] for event in admin("/events?channel=/event/Outcome__e")] == ["r"]


def test_channels_can_be_looked_at(admin):
    """What there is to subscribe to, and what feeds it."""
    told = admin("/channels")
    assert sorted(told["channels"]["/event/Both__chn"]) == ["/event/Alarm__e", "/event/Outcome__e"]
    assert told["channels"]["/data/CaseChangeEvent"] == ["/data/CaseChangeEvent"]
    assert told["unknown"] == []


def test_a_replay_id_of_nobody_is_refused_at_the_admin_port_too(box):
    """400 with the reason, as for any other mistake."""
    reply = requests.get(f"{box.admin_url}/events?channel=/event/Outcome__e&since=7", timeout=10)
    assert (reply.status_code, "7" in reply.json()["error"]) == (400, True)


def test_an_org_says_that_it_is_well(box, admin):
    """The health endpoint names the instance."""
    assert admin("/health")["instance_url"] == box.instance_url


def test_an_org_that_cannot_start_says_why(make_org):
    """A port that is taken raises in the thread that asked."""
    with Box(Setup(), make_org) as box, pytest.raises(OSError, match="in use"):
        Box(Setup(port=int(box.instance_url.rpartition(":")[2])), make_org).__enter__()


def test_an_org_that_cannot_start_leaves_nothing_behind(tmp_path):
    """Neither a store nor a log of events; those of an org that was there stay."""
    with pytest.raises(WorldError), Box(Setup(world="nowhere", store=tmp_path / "org.db")):
        pass
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "org.db.events").touch()
    with pytest.raises(WorldError), Box(Setup(world="nowhere", store=tmp_path / "org.db")):
        pass
    assert [each.name for each in tmp_path.iterdir()] == ["org.db.events"]


def test_the_integration_user_of_an_org_without_a_world_has_the_sets_of_the_source_and_no_profile(tmp_path):
    """A profile in the source gives what it grants to nobody who does not hold it."""
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    for folder, ending, tag in (("profiles", "profile", "Profile"), ("permissionsets", "permissionset", "PermissionSet")):
        (tmp_path / folder).mkdir()
        body = f'{head}<{tag} xmlns="http://soap.sforce.com/2006/04/metadata"><label>{tag}</label></{tag}>'
        (tmp_path / folder / f"{tag}.{ending}-meta.xml").write_text(body)
    with Box(Setup(), lambda _setup, log: Org(load_schema([tmp_path]), Clock(), events=log)) as box:
        assert box.integration.permission_sets == ("PermissionSet",)


def test_what_is_not_carried_out_is_said(box, tmp_path):
    """Metadata that a real org would act on is listed by the admin port, with the reason."""
    (tmp_path / "Chase.flow-meta.xml").write_text("<Flow/>")
    assert requests.get(f"{box.admin_url}/ignored", timeout=10).json() == []
    with Box(Setup(), lambda _setup, log: Org(load_schema([tmp_path]), Clock(), events=log)) as other:
        (one,) = requests.get(f"{other.admin_url}/ignored", timeout=10).json()
    path = (tmp_path / "Chase.flow-meta.xml").as_posix()
    assert one == {"path": path, "kind": "flow", "changes_behaviour": True, "why": "flows do not run"}


def test_held_polls_do_not_delay_the_end(make_org):
    """Stopping answers whoever waits."""
    with Box(Setup(options=Options()), make_org) as box:
        assert box.admin_url
    assert not box.key_file.exists()


def test_paths_are_counted_without_ids():
    """Ids, keys and cursors are left out of the statistics."""
    assert label(("query", "01gSb0000000001AAA-2000")) == "query/{cursor}"
    assert label(("sobjects", "Task", "00T1")) == "sobjects/Task/{id}"
    assert label(("sobjects", "Task", "Key__c", "k")) == "sobjects/Task/Key__c/{value}"
    assert label(("composite", "sobjects")) == "composite/sobjects"


def test_a_rolling_count_forgets_after_a_day():
    """Calls of yesterday do not count any more."""
    counted = RollingCount()
    counted.add(datetime(2026, 3, 1, 8, tzinfo=UTC), 5)
    counted.add(datetime(2026, 3, 1, 20, tzinfo=UTC), 2)
    assert counted.recent(datetime(2026, 3, 2, 7, 59, tzinfo=UTC)) == 7
    assert counted.recent(datetime(2026, 3, 2, 8, tzinfo=UTC)) == 2


def test_a_rolling_count_of_an_hour_forgets_after_it():
    """Published events are allowed by the hour."""
    counted = RollingCount(HOUR)
    counted.add(datetime(2026, 3, 1, 8, tzinfo=UTC), 5)
    assert counted.recent(datetime(2026, 3, 1, 8, 59, tzinfo=UTC)) == 5
    assert counted.recent(datetime(2026, 3, 1, 9, tzinfo=UTC)) == 0


def test_the_command_prints_one_line_and_ends_on_sigterm(tmp_path):
    """Standard output holds the credentials and nothing else; the exit is clean and the key gone."""
    key = tmp_path / "key"
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "--port",
        "0",
        "--admin-port",
        "0",
        "--payers",
        "5",
        "--now",
        "2026-03-02T09:00:00+01:00",
        "--key-file",
        str(key),
    ]
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3], env=os.environ | {"PYTHONUNBUFFERED": "1"}
    ) as process:
        line = json.loads(process.stdout.readline())
        assert list(line) == ["instance_url", "admin_url", "api_version", "client_id", "client_secret", "username", "key_file", "page"]
        assert requests.get(line["admin_url"] + "/clock", timeout=10).json()["now"] == "2026-03-02T08:00:00+00:00"
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=20)
    assert (process.returncode, rest, key.exists()) == (0, "", False)


def test_the_command_says_on_stderr_what_it_does_not_carry_out(tmp_path):
    """A world whose source has a flow is served, and nobody can believe that the flow runs."""
    world = tmp_path / "quiet"
    (world / "dx").mkdir(parents=True)
    (world / "dx" / "Chase.flow-meta.xml").write_text("<Flow/>")
    (world / "__init__.py").write_text(
        "from pathlib import Path\nDX = [Path(__file__).parent / 'dx']\ndef build(org, *, payers, seed): ...\ndef automate(org): ...\n"
    )
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--admin-port", "0", "--world", str(world)]
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    ) as process:
        assert json.loads(process.stdout.readline())["instance_url"]
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    assert said == f"not carried out: {world.as_posix()}/dx/Chase.flow-meta.xml (flow): flows do not run\n"
