"""Writing: few calls, each row once, every outcome in its place."""

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
import requests
import responses

from connector.errors import PermanentError, TransientError
from connector.salesforce.client import AmbiguousWrite
from connector.salesforce.collections import Row, collections_of
from tests.unit.salesforce.build import DATA, Time, composite, failed, issue, made, org, refuse, sent

COLLECTION = f"{DATA}/composite/sobjects"
BUNDLE = f"{DATA}/composite"


def body(call: responses.Call) -> dict[str, object]:
    """What a call posted; numbers with a fraction as Decimal."""
    return dict(json.loads(call.request.body or "{}", parse_float=Decimal))


def cases(count: int, sobject: str = "Case") -> list[tuple[str, Mapping[str, object]]]:
    """Rows to insert."""
    return [(sobject, {"Subject": f"{sobject} {number}"}) for number in range(count)]


def accepting() -> None:
    """An org that writes every row and answers with the subject it was given, as id."""

    def outcomes(records: list[dict[str, object]]) -> list[dict[str, object]]:
        return [{"id": str(row["Subject"]), "success": True, "errors": []} for row in records]

    def one(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps(outcomes(json.loads(request.body or "{}")["records"]))

    def many(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        entries = [
            {"body": outcomes(part["body"]["records"]), "httpHeaders": {}, "httpStatusCode": 200, "referenceId": part["referenceId"]}
            for part in json.loads(request.body or "{}")["compositeRequest"]
        ]
        return 200, {}, json.dumps({"compositeResponse": entries[::-1]})

    responses.add_callback(responses.POST, COLLECTION, callback=one)
    responses.add_callback(responses.PATCH, COLLECTION, callback=one)
    responses.add_callback(responses.POST, BUNDLE, callback=many)


def test_up_to_two_hundred_rows_go_in_one_collection():
    """One call, each row on its own feet."""
    issue()
    accepting()
    client = org()
    assert [one.id for one in client.insert(cases(200))] == [f"Case {number}" for number in range(200)]
    assert client.calls == 1
    assert body(sent("composite")[0])["allOrNone"] is False


def test_a_thousand_mixed_rows_go_in_one_call_and_come_back_in_order():
    """Five collections to a call, grouped by type, outcomes in the order given although the platform answers backwards."""
    issue()
    accepting()
    client = org()
    rows = [row for pair in zip(cases(500), cases(500, "Task"), strict=True) for row in pair]
    assert [one.id for one in client.insert(rows)] == [values["Subject"] for _, values in rows]
    assert client.calls == 1


def test_inserts_and_updates_share_a_call():
    """What is made and what is changed travel together; inserts come first."""
    issue()
    accepting()
    client = org()
    inserted, updated = client.write(cases(3), [("Case", "500000000000001AAA", {"Subject": "Changed"})])
    assert [one.id for one in inserted] == ["Case 0", "Case 1", "Case 2"]
    assert [one.id for one in updated] == ["Changed"]
    parts = body(sent("composite")[0])["compositeRequest"]
    assert [part["method"] for part in parts] == ["POST", "PATCH"]
    assert parts[1]["body"]["records"][0]["id"] == "500000000000001AAA"
    assert client.calls == 1


def test_the_standing_headers_stand_in_every_subrequest_because_they_are_not_inherited():
    """A collection inside a composite call must not run assignment rules either."""
    issue()
    accepting()
    org().write(cases(201), [])
    for part in body(sent("composite")[0])["compositeRequest"]:
        assert part["httpHeaders"]["Sforce-Auto-Assign"] == "FALSE"


@pytest.mark.parametrize("serial", [False, True])
def test_serial_writing_keeps_the_platform_from_collating(*, serial: bool):
    """Records that lock their parents end one transaction before the next begins."""
    issue()
    accepting()
    org().write(cases(201), [], serial=serial)
    assert body(sent("composite")[0])["collateSubrequests"] is not serial


def test_a_collection_never_holds_more_than_ten_types():
    """The platform refuses more type changes than that."""
    rows = [Row(place, f"T{place % 23}", None, {}) for place in range(230)]
    collections = collections_of(rows)
    assert [len({row.sobject for row in one.rows}) for one in collections] == [10, 10, 3]
    assert sorted(row.place for one in collections for row in one.rows) == list(range(230))


def test_a_duplicate_names_the_record_that_already_holds_the_key():
    """DUPLICATE_VALUE means it is already done, and by which record."""
    issue()
    duplicate = "duplicate value found: Dunwell_Key__c duplicates value on record with id: a00000000000001"
    unnamed = "duplicate value found: <unknown> duplicates value on record with id: <unknown>"
    responses.post(COLLECTION, json=[made(), failed("DUPLICATE_VALUE", duplicate), failed("DUPLICATE_VALUE", unnamed)])
    fresh, known, unknown = org().insert(cases(3))
    assert fresh.ok
    assert (known.ok, known.code, known.duplicate_of) == (False, "DUPLICATE_VALUE", "a00000000000001AAA")
    assert (unknown.code, unknown.duplicate_of) == ("DUPLICATE_VALUE", None)


def test_rows_that_meet_a_lock_are_sent_again_alone_after_a_pause():
    """Only the locked row is resent; its neighbours, already written, are not."""
    issue()
    responses.post(COLLECTION, json=[made(1), failed("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access"), made(3)])
    responses.post(COLLECTION, json=[made(2)])
    time = Time()
    saved = org(time).insert(cases(3))
    assert [one.id for one in saved] == [made(number)["id"] for number in (1, 2, 3)]
    assert body(sent("composite")[1])["records"] == [{"attributes": {"type": "Case"}, "Subject": "Case 1"}]
    assert len(time.slept) == 1
    assert time.slept[0] > 0


def test_a_row_that_stays_locked_is_given_back_as_locked():
    """Four tries, then the caller postpones it."""
    issue()
    responses.post(COLLECTION, json=[failed("UNABLE_TO_LOCK_ROW", "locked")])
    [saved] = org().insert(cases(1))
    assert (saved.ok, saved.code, saved.transient) == (False, "UNABLE_TO_LOCK_ROW", True)
    assert len(sent("composite")) == 4


def test_what_was_written_is_not_lost_when_the_org_goes_away_while_a_lock_is_waited_for():
    """The locked row is known not to be written, so its neighbours' outcomes are returned."""
    issue()
    responses.post(COLLECTION, json=[made(1), failed("UNABLE_TO_LOCK_ROW", "locked")])
    responses.post(COLLECTION, status=503, body="<html>")
    assert [one.ok for one in org().insert(cases(2))] == [True, False]


def test_after_a_lost_answer_nothing_more_is_sent_and_what_is_known_is_told():
    """Three calls, the second one's answer lost: the first is known, the third was never sent."""
    issue()
    bodies = [[made(number) for number in range(200)] for _ in range(5)]
    responses.post(BUNDLE, json=composite(*bodies))
    responses.post(BUNDLE, body=requests.ReadTimeout("slow"))
    with pytest.raises(AmbiguousWrite) as caught:
        org().insert(cases(2100))
    assert len(sent("composite")) == 2
    assert len(caught.value.saved) == 2100
    assert all(one is not None and one.ok for one in caught.value.saved[:1000])
    assert set(caught.value.saved[1000:]) == {None}


def test_a_collection_the_org_broke_down_on_is_ambiguous_for_its_rows_alone():
    """A 500 inside a composite reply leaves those rows unknown and the others known."""
    issue()
    reply = composite([made(number) for number in range(200)], [{"errorCode": "UNKNOWN_EXCEPTION", "message": "gack"}])
    reply["compositeResponse"][1]["httpStatusCode"] = 500
    responses.post(BUNDLE, json=reply)
    with pytest.raises(AmbiguousWrite) as caught:
        org().insert(cases(201))
    assert caught.value.saved[199] is not None
    assert caught.value.saved[200] is None


def test_a_collection_refused_whole_gives_every_row_that_refusal():
    """No row of it was written, and each says why."""
    issue()
    reply = composite([made(number) for number in range(200)], [{"errorCode": "INVALID_FIELD", "message": "no"}])
    reply["compositeResponse"][1]["httpStatusCode"] = 400
    responses.post(BUNDLE, json=reply)
    assert org().insert(cases(203))[200].code == "INVALID_FIELD"


def test_a_call_refused_whole_is_an_error():
    """When nothing at all was written the caller gets the verdict, not a list."""
    issue()
    responses.post(COLLECTION, **refuse(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
    with pytest.raises(TransientError):
        org().insert(cases(1))


def test_a_published_event_is_accepted_although_its_errors_are_not_empty():
    """The platform puts the EventUuid of an accepted event among the errors; only ``success`` counts."""
    issue()
    responses.post(
        COLLECTION,
        json=[
            {
                "id": "e01xx0000000001AAA",
                "success": True,
                "errors": [{"statusCode": "OPERATION_ENQUEUED", "message": "2ec0e371", "fields": []}],
            }
        ],
    )
    [saved] = org().publish("Payment_Outcome__e", [{"Reference__c": "R-1"}])
    assert (saved.ok, saved.code, saved.message) == (True, None, "2ec0e371")


def test_values_are_written_exactly():
    """Amounts digit for digit, times in UTC with milliseconds, dates plain, None as null."""
    issue()
    responses.post(COLLECTION, json=[made()])
    at = datetime(2026, 3, 2, 10, 30, tzinfo=timezone(timedelta(hours=1)))
    org().insert(
        [("X__c", {"A": Decimal("12345678901234567.80"), "B": at, "C": date(2026, 3, 2), "D": None, "E": True, "F": 3, "G": 'Zoë "x"'})]
    )
    text = (sent("composite")[0].request.body or b"").decode()
    assert '"A":12345678901234567.80,"B":"2026-03-02T09:30:00.000Z","C":"2026-03-02","D":null,"E":true,"F":3' in text
    assert json.loads(text)["records"][0]["G"] == 'Zoë "x"'


@pytest.mark.parametrize("value", [Decimal("NaN"), datetime(2026, 3, 2), float("inf"), object()])  # noqa: DTZ001 - the fault under test
def test_a_value_without_meaning_is_refused_before_anything_is_sent(value: object):
    """No NaN, no infinity and no time without a zone reaches the org."""
    issue()
    with pytest.raises(PermanentError, match="to be written"):
        org().insert([("X__c", {"A": value})])
    assert sent("composite") == []


def test_nothing_to_write_makes_no_call():
    """Nothing given, nothing sent."""
    assert org().write([], []) == ([], [])
    assert len(responses.calls) == 0
