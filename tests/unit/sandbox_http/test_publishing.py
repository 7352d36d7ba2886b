"""Platform events over REST: what is checked, what is rolled back, and what their schemas say."""

import pytest


def published(admin, event):
    """The payloads in the log."""
    return [one["payload"] for one in admin(f"/events?channel=/event/{event}")]


def test_an_event_is_queued_with_its_uuid(call, admin):
    """201 with a non-empty errors array, whose message is the uuid that subscribers see."""
    reply = call("POST", "sobjects/Outcome__e", json={"Reference__c": "r", "Amount__c": "12.10"})
    body = reply.json()
    (row,) = admin("/events?channel=/event/Outcome__e")
    assert (reply.status_code, body["success"], body["id"][:3]) == (201, True, "e01")
    assert body["errors"] == [{"statusCode": "OPERATION_ENQUEUED", "message": row["event_uuid"], "fields": []}]
    assert (row["payload"]["Amount__c"], row["payload"]["CreatedDate"]) == (12.1, "2026-03-02T08:00:00.000Z")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "REQUIRED_FIELD_MISSING"),
        ({"Text__c": "too long"}, "STRING_TOO_LONG"),
        ({"Text__c": "x", "No_Such__c": 1}, "INVALID_FIELD"),
    ],
)
def test_an_event_that_does_not_fit_its_definition_is_refused(call, admin, fields, code):
    """Nothing is published."""
    reply = call("POST", "sobjects/Alarm__e", json=fields)
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, code)
    assert published(admin, "Alarm__e") == []


@pytest.mark.parametrize("path", ["composite/sobjects", "composite"])
def test_a_rollback_keeps_what_was_published_at_once(call, admin, path):
    """PublishImmediately does not wait for the transaction, PublishAfterCommit goes with it."""
    bodies = [("Outcome__e", {"Reference__c": "r"}), ("Alarm__e", {"Text__c": "now"}), ("Thing__c", {"No_Such__c": 1})]
    if path == "composite":
        parts = [
            {"method": "POST", "url": f"/services/data/v66.0/sobjects/{name}", "referenceId": f"r{number}", "body": body}
            for number, (name, body) in enumerate(bodies)
        ]
        sent = {"allOrNone": True, "compositeRequest": parts}
    else:
        sent = {"allOrNone": True, "records": [{"attributes": {"type": name}, **body} for name, body in bodies]}
    assert call("POST", path, json=sent).status_code == 200
    assert published(admin, "Outcome__e") == []
    assert [one["Text__c"] for one in published(admin, "Alarm__e")] == ["now"]


def test_events_are_published_by_collections_one_by_one(call, admin):
    """Without allOrNone the good ones are published, in order."""
    records = [{"attributes": {"type": "Alarm__e"}, "Text__c": text} for text in ("a", "too long", "b")]
    results = call("POST", "composite/sobjects", json={"records": records}).json()
    assert [result["success"] for result in results] == [True, False, True]
    assert [one["Text__c"] for one in published(admin, "Alarm__e")] == ["a", "b"]


def test_more_events_than_the_hour_allows_are_refused(call, admin):
    """LIMIT_EXCEEDED until the hour is over, and the limit is told by /limits."""
    admin("/settings", {"publish_limit": 1})
    assert call("POST", "sobjects/Outcome__e", json={}).status_code == 201
    refused = call("POST", "sobjects/Outcome__e", json={})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")
    assert call("GET", "limits").json()["HourlyPublishedPlatformEvents"] == {"Max": 1, "Remaining": 0}
    admin("/clock", {"advance_seconds": 3600})
    assert call("POST", "sobjects/Outcome__e", json={}).status_code == 201


def test_events_are_no_records(call):
    """They can be neither read, changed, deleted nor queried."""
    path = "sobjects/Outcome__e/e01000000000001AAA"
    replies = [call("GET", path), call("PATCH", path, json={}), call("DELETE", path)]
    replies.append(call("GET", "query", params={"q": "SELECT Id FROM Outcome__e"}))
    assert {reply.status_code for reply in replies} <= {400, 404}
    assert all(reply.json()[0]["errorCode"] for reply in replies)


def test_the_schema_of_an_event_is_found_by_name_and_by_id(call, box):
    """The id in a message leads to its definition, in either form."""
    call("POST", "sobjects/Outcome__e", json={"Reference__c": "r"})
    (event,) = box.run(lambda: box.log.since("/event/Outcome__e", -2))
    compact = call("GET", f"event/eventSchema/{event.schema_id}", params={"payloadFormat": "COMPACT"}).json()
    assert [field["name"] for field in compact["fields"]] == ["CreatedDate", "CreatedById", "Amount__c", "Reference__c"]
    assert compact["uuid"] == event.schema_id
    by_name = call("GET", "sobjects/Outcome__e/eventSchema")
    assert (by_name.status_code, by_name.json()["type"]) == (200, "expanded-record")
    assert call("GET", "sobjects/CaseChangeEvent/eventSchema?payloadFormat=COMPACT").json()["name"] == "CaseChangeEvent"


@pytest.mark.parametrize(("path", "status"), [("event/eventSchema/x", 404), ("sobjects/Outcome__e/eventSchema?payloadFormat=XML", 400)])
def test_no_other_schema_is_made_up(call, path, status):
    """Unknown ids are not found, unknown formats are bad requests."""
    assert call("GET", path).status_code == status
