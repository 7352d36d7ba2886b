"""The record and the report of a pass against a local org: what a credit manager finds there the morning after."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from zoneinfo import ZoneInfo

import pytest
import requests

import sandbox
from connector import app as wiring
from connector.core.reconciliation import kept, read
from connector.core.tally import Listed, Tally
from connector.errors import ConfigError, PermanentError
from connector.mapping import own
from connector.pipeline.ports import Allowance
from connector.pipeline.run_record import PART, REFUSED, TOUCHED, conclude
from connector.pipeline.safety import PassStoppedError
from connector.pipeline.sweep import sweep
from connector.settings import load

NOW = datetime(2026, 3, 2, 9, tzinfo=ZoneInfo("Europe/Amsterdam"))
PAYERS = 60


@pytest.fixture(scope="module")
def box():
    """Serve one small world; each test has a store of its own, and asks only for runs of its own."""
    with sandbox.serve(world="findock", payers=PAYERS, seed=4, now=NOW) as served:
        yield served


def settings(box, folder, **more):
    """Settings that lead to it."""
    return load(
        {
            "DUNWELL_LOGIN_URL": box.instance_url, "DUNWELL_CLIENT_ID": box.client_id, "DUNWELL_USERNAME": box.username,
            "DUNWELL_KEY_FILE": str(box.key_file), "DUNWELL_CLOCK_URL": f"{box.admin_url}/clock", "DUNWELL_STORE_URL": f"sqlite:///{folder}/store.db", **more,
        },
        env_file=None,
    )  # fmt: skip


@pytest.fixture
def app(box, tmp_path):
    """Wire the product against it, a minute after whatever was before."""
    advance(box)
    with wiring.opened(settings(box, tmp_path)) as opened:
        yield opened
    requests.delete(f"{box.admin_url}/faults", timeout=10).raise_for_status()


def advance(box, seconds=60):
    """Let time pass: each pass has a moment of its own."""
    requests.post(f"{box.admin_url}/clock", json={"advance_seconds": seconds}, timeout=10).raise_for_status()


def recorded(app, one):
    """What the org says of a pass."""
    names = (
        "Mode__c, Scope__c, Payers__c, In_Arrears__c, For_A_Person__c, Changes__c, Follow_Ups__c, Withheld__c, Parked__c, Missing__c, Duration_Seconds__c,"
        " Started_At__c, Ended_At__c, Amounts__c, Needs_Person__c, Compared__c, Report__c"
    )
    at = one.started_at.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    rows = app.org.query(f"SELECT {names} FROM {own.RUN} WHERE Started_At__c = {at[:23]}Z")
    return [{name: row[name] for name in names.split(", ")} for row in rows]


def test_the_record_tells_what_was_found_and_done(app):
    """Counts, amounts, statuses, ages, reasons and what needs a person, in words that a person reads."""
    found = sweep(app.context, batch_payers=200)
    (row,) = recorded(app, found.told)
    assert (row["Mode__c"], row["Scope__c"], row["Payers__c"], row["Parked__c"]) == ("live", "everyone", PAYERS, 0)
    assert row["In_Arrears__c"] == found.tally.in_arrears > 0
    assert row["Changes__c"] == found.changes
    positions = app.org.query(f"SELECT Status__c, Amount__c, Currency__c FROM {own.POSITION}")
    owed = sum(float(one["Amount__c"]) for one in positions if one["Currency__c"] == "EUR")
    assert f"{owed:,.2f} EUR" in row["Amounts__c"]
    for heading in ("By status: ", "By age: ", "By reason: ", "Next: "):
        assert f"\n{heading}" in row["Report__c"]
    assert row["For_A_Person__c"] == sum(one.count for one in found.told.matters)
    assert row["Compared__c"] is None


def test_the_org_is_told_the_same_sums_as_its_positions_hold(app):
    """What the tally says by status is what the flags say, payer by payer."""
    found = sweep(app.context, batch_payers=200)
    rows = app.org.query(f"SELECT Status__c, Contact__c, Account__c FROM {own.POSITION} WHERE Status__c != 'Clear'")
    flagged = {}
    for row in rows:
        flagged.setdefault(row["Status__c"], set()).add(row["Contact__c"] or row["Account__c"])
    tallied = {status: share.payers for status, share in found.tally.statuses.items() if status != "Clear"}
    assert tallied == {status: len(payers) for status, payers in flagged.items()}


def test_the_next_record_compares_itself_with_the_last(app, box):
    """A second pass finds nothing moved, and says since when."""
    first = sweep(app.context, batch_payers=200).told
    until = app.clock.now() + timedelta(seconds=60)
    advance(box)
    app.clock.wait_until(until, Event())
    second = sweep(app.context, batch_payers=200).told
    assert second.before.last == first.tally
    assert second.tally.overdue == first.tally.overdue
    assert [point.at for point in second.trend] == [first.started_at, second.started_at]
    (row,) = recorded(app, second)
    assert row["Compared__c"].startswith("Compared with Mon 2 Mar 2026, 09:")


def test_by_bulk_the_same_is_told_as_by_rest(app):
    """However everyone is read, the tally is the same but for what was written."""
    narrow, wide = (sweep(app.context, batch_payers=200, dry=True, wide=wide).tally for wide in (False, True))
    assert narrow.overdue.amounts
    assert narrow == wide


def test_a_dry_run_is_told_and_leaves_no_trace(app):
    """It compares itself, and neither the org nor the next pass knows of it."""
    told = sweep(app.context, batch_payers=200, dry=True).told
    assert (told.mode, recorded(app, told), app.store.values("run:")) == ("dry run", [], {})


def test_shadow_mode_compares_itself_with_shadow_mode(app):
    """What is only decided is not compared with what is done, and makes no record."""
    told = sweep(replace(app.context, shadow=True), batch_payers=200).told
    assert (told.mode, recorded(app, told)) == ("shadow", [])
    assert set(app.store.values("run:")) == {"run:shadow"}


@pytest.mark.parametrize("left", ["{", '{"version": 99}', ""])
def test_a_memory_that_cannot_be_read_costs_only_the_comparison(app, left):
    """A store of another version, or a damaged one, stops no pass."""
    app.store.set_value("run:live", left)
    found = sweep(app.context, batch_payers=200)
    assert found.told.before is None
    assert read(app.store.get_value("run:live")).last == found.tally


def test_a_pass_over_the_touched_compares_itself_with_nothing(app):
    """Other payers, other sums: it says whom it was about, and the next pass over everyone knows nothing of it."""
    sweep(app.context, batch_payers=200)
    before = app.store.get_value("run:live")
    reports = []
    found = sweep(replace(app.context, report=reports.append), batch_payers=200, only_recent=True)
    assert (found.told.scope, found.told.before, reports, app.store.get_value("run:live")) == (TOUCHED, None, [], before)


def test_a_pass_that_was_cut_short_is_recorded_as_a_part(app):
    """Hours or calls used up: what was done is told, and is no yardstick for the next."""
    calls = iter([None, *[0] * 100])
    short = replace(app.context, allowance=Allowance(calls=lambda: next(calls)))
    with pytest.raises(PassStoppedError):
        sweep(short, batch_payers=20)
    rows = app.org.query(f"SELECT Scope__c FROM {own.RUN} WHERE Scope__c = '{PART}'")
    assert len(rows) == 1
    assert app.store.values("run:") == {}


def test_a_pass_that_was_refused_says_why(app):
    """A safety stop is told in the org, where a credit manager looks, and is no yardstick for the next pass."""
    app.store.set_value("sweep:seen", '{"payers": 100000, "rows": {}}')
    with pytest.raises(PermanentError, match="visible") as refused:
        sweep(app.context, batch_payers=200)
    (row,) = app.org.query(f"SELECT Needs_Person__c, For_A_Person__c FROM {own.RUN} WHERE Scope__c = '{REFUSED}'")
    assert row == {"Needs_Person__c": str(refused.value), "For_A_Person__c": 1} | {name: row[name] for name in row if name == "attributes"}
    assert app.store.values("run:") == {}


def test_refused_rows_are_parked_and_the_record_says_so(tmp_path):
    """Of those whose records the org refuses, the reason and the ids stand in the record; the rest landed."""
    fault = {"kind": "bulk_partial", "sobject": own.FOLLOW_UP, "share": 0.5, "code": "FIELD_CUSTOM_VALIDATION_EXCEPTION"}
    with sandbox.serve(world="findock", payers=100, seed=3, now=NOW) as fresh:
        advance(fresh, 3600)  # what is in it counts as untouched from then on
        requests.post(f"{fresh.admin_url}/faults", json=fault, timeout=10).raise_for_status()
        with wiring.opened(settings(fresh, tmp_path)) as app:
            app.context.bulk._bulk_rows = 3
            found = sweep(app.context, batch_payers=200, wide=True)
            (row,) = recorded(app, found.told)
    assert found.parked
    assert row["Parked__c"] == len(found.parked)
    assert f"{len(found.parked)} payer" in row["Needs_Person__c"]
    assert "the org refused a Dunwell_Follow_Up__c with FIELD_CUSTOM_VALIDATION_EXCEPTION" in row["Needs_Person__c"]
    assert min(found.parked) in row["Needs_Person__c"]


def test_a_record_of_very_many_troubles_fits_its_field(app):
    """A long text in the org has an end; a pass with a thousand kinds of trouble is recorded all the same."""
    tally = Tally(payers=1)
    tally.parked = {f"reason {number} {'x' * 60}": Listed(1, ("003000000000001AAA",)) for number in range(1000)}
    told = conclude(app.context, tally, app.clock.now(), scope=TOUCHED, dry=False, calls=0)
    (row,) = recorded(app, told)
    assert 30_000 < len(row["Needs_Person__c"]) <= 32_000


def test_every_pass_over_everyone_leaves_a_report_where_the_settings_say(box, tmp_path):
    """A page and a JSON file, with links into this org; nothing is written where no folder is named."""
    advance(box)
    folder = tmp_path / "reports"
    with (
        pytest.raises(ConfigError, match="DUNWELL_REPORTS_DIR: no such directory"),
        wiring.opened(settings(box, tmp_path, DUNWELL_REPORTS_DIR=str(folder))),
    ):
        pass  # pragma: no cover - it is refused before
    folder.mkdir()
    with wiring.opened(settings(box, tmp_path, DUNWELL_REPORTS_DIR=str(folder))) as app:
        found = sweep(app.context, batch_payers=200)
    page, data = sorted(folder.iterdir())
    assert [page.suffix, data.suffix] == [".html", ".json"]
    told = json.loads(data.read_text(encoding="utf-8"))
    assert (told["payers"], told["run"]["instance_url"]) == (found.payers, box.instance_url)
    records = [record for one in told["needs_person"] for record in one["records"]]
    assert all(f"{box.instance_url}/{record}" in page.read_text(encoding="utf-8") for record in records[:5])


def test_nobody_is_named_in_a_report(app, tmp_path):
    """Ids alone: no name of anybody in the org stands in either file."""
    told = sweep(app.context, batch_payers=200, dry=True).told
    page = wiring.reports(tmp_path / "mine", app.tokens).write(told)
    text = page.read_text(encoding="utf-8") + page.with_suffix(".json").read_text(encoding="utf-8")
    names = {row["LastName"] for row in app.org.query("SELECT LastName FROM Contact WHERE LastName != null")}
    assert names
    assert [name for name in names if name in text] == []
    assert kept(told)
