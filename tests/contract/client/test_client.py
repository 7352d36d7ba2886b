"""The client against a local org: what it promises holds over real HTTP, on good days and on bad ones."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connector.errors import ConfigError, DunwellError, PermanentError, TransientError
from connector.salesforce.auth import Credentials, TokenSource
from connector.salesforce.client import AmbiguousWrite, Org, Saved
from sandbox.server import Box
from tests.contract.client.conftest import admin


def fault(box: Box, kind: str, **settings: object) -> None:
    """Arm one fault."""
    admin(box, "/faults", {"kind": kind, **settings})


def accounts(count: int, prefix: str) -> list[tuple[str, dict[str, object]]]:
    """Rows to insert, told apart by their names."""
    return [("Account", {"Name": f"{prefix} {number:04d}"}) for number in range(count)]


def named(org: Org, prefix: str) -> list[object]:
    """The names in the org that begin so."""
    return [row["Name"] for row in org.query(f"SELECT Name FROM Account WHERE Name LIKE '{prefix} %' ORDER BY Name")]


def ids(saved: list[Saved]) -> list[str]:
    """The ids of rows that must all have been written."""
    assert [one for one in saved if not one.ok] == []
    return [str(one.id) for one in saved]


@pytest.mark.parametrize("method", ["jwt", "client_credentials", "token"])
def test_every_way_in_leads_to_the_same_org_and_user(box: Box, connect: Callable[..., Org], credentials: Credentials, method: str):
    """Key pair, secret or a given token: the identity is the integration user's."""
    given = replace(
        credentials,
        method=method,
        client_secret=box.client_secret,
        access_token=box.token() if method == "token" else "",
        instance_url=box.instance_url,
    )
    client = connect(given)
    client.verify(box.org.org_id)
    assert client.userinfo().preferred_username == box.username
    assert client.org_id == box.org.org_id


def test_a_wrong_secret_or_user_is_a_configuration_error(connect: Callable[..., Org], credentials: Credentials):
    """The org's refusal reaches the admin as advice."""
    for wrong in (replace(credentials, client_id="unknown"), replace(credentials, username="nobody@example.com")):
        with pytest.raises(ConfigError):
            connect(wrong).query("SELECT Id FROM Account")


def test_the_wrong_org_is_never_used(org: Org):
    """The pinned organization id is compared with the one the token belongs to."""
    with pytest.raises(ConfigError, match="set up"):
        org.verify("00D000000000009EAA")


def test_rows_go_in_and_come_out_in_order_and_exactly(org: Org):
    """Amounts, times and text survive the way in and out; paging at seven rows a page loses none."""
    amounts = [Decimal("12345678901.25") + number for number in range(30)]
    rows = [("Dunwell_Attempt__c", {"Dunwell_Key__c": f"exact-{place:04d}", "Amount__c": amount}) for place, amount in enumerate(amounts)]
    made = ids(org.insert(rows))
    found = org.query(
        "SELECT Id, Amount__c, CreatedDate FROM Dunwell_Attempt__c WHERE Dunwell_Key__c LIKE 'exact-%' ORDER BY Dunwell_Key__c"
    )
    assert [row["Id"] for row in found] == made
    assert [row["Amount__c"] for row in found] == amounts
    assert all("attributes" not in row for row in found)
    assert str(found[0]["CreatedDate"]).startswith("2026-03-02T09:00:00")


def test_several_paged_queries_share_calls(org: Org):
    """Three queries of four pages each, and one of none, cost four calls and not thirteen."""
    ids(org.insert(accounts(26, "Bundle")))
    soql = "SELECT Name FROM Account WHERE Name LIKE 'Bundle %' ORDER BY Name"
    org.query("SELECT Id FROM Organization LIMIT 1")
    before = org.calls
    first, second, none, third = org.query_many([soql, f"{soql} DESC", "SELECT Name FROM Account WHERE Name = 'nobody'", soql])
    assert (len(first), none) == (26, [])
    assert second == first[::-1]
    assert third == first
    assert org.calls - before == 4


def test_a_thousand_rows_and_their_changes_cost_three_calls(org: Org):
    """Five collections of two hundred in one composite call, inserts and updates alike, and both mixed."""
    before = org.calls
    made = ids(org.insert(accounts(1000, "Many")))
    changed = org.update([("Account", record_id, {"Description": f"row {place}"}) for place, record_id in enumerate(made)])
    assert ids(changed) == made
    inserted, updated = org.write(accounts(3, "Mixed"), [("Account", made[7], {"Description": "again"})], serial=True)
    assert (len(ids(inserted)), ids(updated)) == (3, [made[7]])
    assert org.calls - before == 3
    [row] = org.query(f"SELECT Description FROM Account WHERE Id = '{made[7]}'")
    assert row["Description"] == "again"


def test_each_row_stands_alone_and_mixed_types_keep_their_places(org: Org):
    """One bad row among good ones of several types is reported in its place, and the others are written."""
    saved = org.insert([("Account", {"Name": "Alone 1"}), ("Case", {"Subject": "Alone"}), ("Account", {}), ("Case", {"Nowhere__c": 1})])
    assert [one.ok for one in saved] == [True, True, False, False]
    assert saved[2].code == "REQUIRED_FIELD_MISSING"
    assert str(saved[0].id).startswith("001")
    assert str(saved[1].id).startswith("500")


def test_a_key_that_exists_names_the_record_that_has_it(org: Org):
    """Insert once: the second insert of a key is refused and says which record is already there."""
    row = ("Task", {"Subject": "Call", "Dunwell_Key__c": "call-0001"})
    [first] = org.insert([row])
    [second] = org.insert([row])
    assert first.ok
    assert (second.code, str(second.duplicate_of)[:15]) == ("DUPLICATE_VALUE", str(first.id)[:15])


def test_a_write_whose_answer_is_lost_is_not_repeated_and_can_be_read_back(box: Box, connect: Callable[..., Org], credentials: Credentials):
    """The org committed and never answered: one error, one record."""
    client = connect(credentials, timeout=0.5)
    client.count("SELECT COUNT() FROM Account")
    fault(box, "timeout_after_commit", path="composite", seconds=1)
    with pytest.raises(AmbiguousWrite) as caught:
        client.insert(accounts(2, "Lost"))
    assert caught.value.saved == (None, None)
    admin(box, "/faults", method="DELETE")
    assert named(client, "Lost") == ["Lost 0000", "Lost 0001"]


def test_a_dropped_connection_is_ambiguous_for_a_write_and_repeated_for_a_read(box: Box, org: Org):
    """Nobody can tell a request that was dropped from an answer that was."""
    org.count("SELECT COUNT() FROM Account")
    fault(box, "drop", path="composite")
    with pytest.raises(AmbiguousWrite):
        org.insert(accounts(1, "Dropped"))
    fault(box, "drop", path="query")
    assert named(org, "Dropped") == []


def test_locked_rows_are_sent_again_alone(box: Box, org: Org):
    """Two rows meet a lock; all are written, none twice."""
    fault(box, "row_lock", count=2)
    ids(org.insert(accounts(5, "Locked")))
    assert len(named(org, "Locked")) == 5


def test_a_maintenance_page_is_ridden_out(box: Box, org: Org):
    """Two 503s with html, and both reading and writing go on."""
    fault(box, "http_status", status=503, body="<html>maintenance</html>", count=2)
    assert isinstance(org.count("SELECT COUNT() FROM Account"), int)
    fault(box, "http_status", status=503, body="<html>maintenance</html>", count=2)
    ids(org.insert(accounts(1, "Maintained")))
    assert named(org, "Maintained") == ["Maintained 0000"]


def test_an_org_that_stays_away_is_transient(box: Box, org: Org):
    """After a few attempts the caller is told to come back."""
    fault(box, "http_status", status=503, body="<html>maintenance</html>", count=None)
    with pytest.raises(TransientError):
        org.count("SELECT COUNT() FROM Account")


def test_nobody_listening_is_transient_also_for_a_write(connect: Callable[..., Org], credentials: Credentials, box: Box):
    """A refused connection sent nothing, so nothing is ambiguous."""
    given = replace(credentials, method="token", access_token=box.token(), instance_url="http://localhost:9")
    with pytest.raises(TransientError) as caught:
        connect(given).insert(accounts(1, "Nowhere"))
    assert not isinstance(caught.value, AmbiguousWrite)


def test_an_expired_token_is_renewed_unnoticed_and_once_for_all_threads(box: Box, org: Org):
    """Tokens die under six busy threads: no call fails, and the logins stay few."""
    org.count("SELECT COUNT() FROM Account")
    admin(box, "/tokens/expire", {})
    admin(box, "/stats/reset", {})
    failures: list[DunwellError] = []

    def work() -> None:
        try:
            for _ in range(5):
                org.query("SELECT Id FROM Account LIMIT 3")
        except DunwellError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert box.run(box.platform.usage.snapshot)["by_path"].get("POST /services/oauth2/token", 1) == 1


def test_a_dead_token_without_renewal_tells_the_admin(box: Box, connect: Callable[..., Org], credentials: Credentials):
    """The access-token method cannot heal by itself."""
    client = connect(replace(credentials, method="token", access_token=box.token(), instance_url=box.instance_url))
    client.count("SELECT COUNT() FROM Account")
    admin(box, "/tokens/revoke", {})
    with pytest.raises(ConfigError, match="set a new one"):
        client.count("SELECT COUNT() FROM Account")


def test_a_token_endpoint_that_fails_twice_recovers(box: Box, credentials: Credentials):
    """Two failures of the login server do not kill the source."""
    fault(box, "http_status", path="oauth2/token", status=503, body="<html>", count=2)
    tokens = TokenSource(credentials, sleep=lambda _: None)
    assert tokens.current().access_token


def test_the_daily_allowance_is_shared(box: Box, connect: Callable[..., Org], credentials: Credentials):
    """Below the reserve the client stops by itself; when the org says it is used up, it stops too."""
    client = connect(credentials)
    client.count("SELECT COUNT() FROM Account")
    assert client.budget.usage is not None
    admin(box, "/usage", {"api_calls": 90_000})
    client.count("SELECT COUNT() FROM Account")
    before = client.calls
    with pytest.raises(TransientError) as caught:
        client.count("SELECT COUNT() FROM Account")
    assert caught.value.retry_after is not None
    assert client.calls == before
    greedy = connect(credentials, reserve_percent=0)
    admin(box, "/usage", {"api_calls": 100_000})
    with pytest.raises(TransientError) as caught:
        greedy.count("SELECT COUNT() FROM Account")
    assert caught.value.retry_after == 900


def test_a_field_nobody_has_is_named(org: Org):
    """A query for a missing field is the admin's to mend; a broken one is nobody's."""
    with pytest.raises(ConfigError, match="no field Nowhere__c on Account"):
        org.query("SELECT Nowhere__c FROM Account")
    with pytest.raises(ConfigError, match="Nowhere__c"):
        org.query("SELECT Id FROM Nowhere__c")
    with pytest.raises(PermanentError):
        org.query("SELECT FROM WHERE")


def test_a_long_list_of_ids_can_be_asked_for(org: Org):
    """Eight hundred ids do not fit an address and are still one query."""
    [made] = ids(org.insert(accounts(1, "Long")))
    wanted = ",".join([f"'001{number:012d}AAA'" for number in range(800)] + [f"'{made}'"])
    assert [row["Name"] for row in org.query(f"SELECT Name FROM Account WHERE Id IN ({wanted})")] == ["Long 0000"]


def test_records_are_read_by_id_in_the_order_asked_for(org: Org):
    """What does not exist is None in its place."""
    first, second = ids(org.insert(accounts(2, "Fetched")))
    found = org.retrieve("Account", [second, "001000000000999AAA", first], ["Name"])
    assert [row["Name"] if row else None for row in found] == ["Fetched 0001", None, "Fetched 0000"]


def test_deleted_rows_are_seen_only_when_asked_for(box: Box, org: Org):
    """QueryAll sees what a person has put in the bin; a plain query does not."""
    [made] = ids(org.insert(accounts(1, "Binned")))
    [admin_user] = [user for user in box.org.users.values() if user.is_admin][:1]

    def delete() -> None:
        from sandbox.org.types import Session

        box.org.delete("Account", made, session=Session(user_id=admin_user.id))

    box.run(delete)
    soql = "SELECT Id, IsDeleted FROM Account WHERE Name = 'Binned 0000'"
    seen, all_seen = org.query_many([soql, soql], all_rows=[False, True])
    assert seen == []
    assert all_seen == [{"Id": made, "IsDeleted": True}]


def test_an_object_is_described_with_what_may_be_done(org: Org):
    """Fields, picklists and references of Task; an unknown object is None."""
    found = org.describe_many(["Task", "Nowhere__c"])
    task = found["Task"]
    assert task is not None
    assert task.fields["Dunwell_Key__c"].unique
    assert "Not Started" in task.fields["Status"].values
    assert "Account" in task.fields["WhatId"].reference_to
    assert found["Nowhere__c"] is None


def test_limits_and_events_can_be_asked_for_and_published(box: Box, org: Org):
    """Published events carry our name and their uuid comes back."""
    assert org.limits()["DailyApiRequests"].max == 100_000
    described = org.describe("Follow_Up_Decided__e")
    values: dict[str, object] = {}
    for name, field in described.fields.items():
        if field.required:
            values[name] = datetime(2026, 3, 2, tzinfo=UTC) if field.type == "datetime" else "x"
    [saved] = org.publish("Follow_Up_Decided__e", [values])
    assert saved.ok, saved
    assert saved.message
    assert len(box.run(lambda: box.log.since("/event/Follow_Up_Decided__e", -2))) == 1
