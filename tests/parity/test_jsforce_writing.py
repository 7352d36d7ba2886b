"""jsforce writes one record, many, and whole graphs, and is refused in the platform's words."""

import pytest


@pytest.fixture(scope="module")
def seen(jsforce):
    """What jsforce wrote, in one go."""
    return jsforce("writing")


def test_a_record_lives_and_dies(seen):
    """Create, update, read, delete; then it is gone for all but queries that ask for deleted rows."""
    one = seen["single"]
    saved = {"id": one["made"]["id"], "success": True, "errors": []}
    assert one["made"] == one["changed"] == one["gone"] == saved
    assert (one["read"]["Name"], one["read"]["FirstName"]) == ("Two Parity", "Two")
    assert one["after"]["code"] in {"ENTITY_IS_DELETED", "NOT_FOUND"}
    assert [row["IsDeleted"] for row in one["deleted"]] == [True]
    assert seen["find"] == 0


def test_a_collection_saves_what_it_can(seen):
    """Without allOrNone each record has its own fate, told by statusCode, in order."""
    results = seen["collections"]["many"]
    assert [one["success"] for one in results] == [True, True, False]
    assert results[2]["errors"] == [
        {"statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [LastName]", "fields": ["LastName"]}
    ]
    assert [one["success"] for one in seen["collections"]["updated"]] == [True, False]
    assert [row["LastName"] for row in seen["collections"]["retrieved"]] == ["A", "B"]


def test_a_collection_saves_all_or_none(seen):
    """With allOrNone the good record says why it was not kept."""
    results = seen["collections"]["all"]["answer"]
    assert [one["errors"][0]["statusCode"] for one in results] == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]


def test_more_than_two_hundred_go_in_several_calls(seen):
    """250 records are made and 252 deleted by as many calls as that needs."""
    assert seen["collections"]["large"] == [250, True]
    assert seen["collections"]["deleted"] == [252, True]


def test_an_upsert_creates_once(seen):
    """The same external id creates, then updates, alone and in a collection; an unknown field is no resource."""
    upserts = seen["upserts"]
    assert (upserts["created"]["created"], upserts["updated"]["created"]) == (True, False)
    assert upserts["created"]["id"] == upserts["updated"]["id"] == upserts["several"][0]["id"]
    assert [one.get("created") for one in upserts["several"][:2]] == [False, True]
    assert upserts["unknown_field"]["message"] == "Provided external ID field does not exist or is not accessible: Nonsense__c"
    assert upserts["by_get"]["Id"] == upserts["several"][1]["id"]


def test_a_composite_passes_references_on(seen):
    """A later request uses the id an earlier one made."""
    company, person, look = seen["composite"]["compositeResponse"]
    assert (company["httpStatusCode"], person["httpStatusCode"], look["httpStatusCode"]) == (201, 201, 200)
    assert look["body"]["AccountId"] == company["body"]["id"]


def test_a_composite_is_rolled_back_whole(seen):
    """With allOrNone one refusal undoes what came before it."""
    company, person = seen["rolled_back"]["compositeResponse"]
    assert company["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert person["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert seen["left"] == 0


@pytest.mark.parametrize("what", ["batch", "graph", "tree"])
def test_what_is_not_served_is_refused_as_no_resource(seen, what):
    """Either it works or the platform's own error says that it is not there; nothing in between."""
    found = seen[what]
    if found["refused"]:
        assert found["code"] == "NOT_FOUND"
        return
    answer = found["answer"]
    match what:
        case "batch":
            assert (answer["hasErrors"], [one["statusCode"] for one in answer["results"]]) == (True, [200, 404])
        case "graph":
            (graph,) = answer["graphs"]
            assert (graph["graphId"], graph["isSuccessful"]) == ("one", True)
            assert graph["graphResponse"]["compositeResponse"][0]["httpStatusCode"] == 201
        case "tree":
            assert (answer["hasErrors"], [one["referenceId"] for one in answer["results"]]) == (False, ["a", "c"])


@pytest.mark.parametrize(
    ("what", "code", "fields", "words"),
    [
        ("required", "REQUIRED_FIELD_MISSING", ["Name"], "Required fields are missing: [Name]"),
        ("too_long", "STRING_TOO_LONG", ["Name"], "(max length=255)"),
        ("unknown_field", "INVALID_FIELD", None, "No such column 'Nonsense__c' on sobject of type Account"),
        ("picklist", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Status__c"], "bad value for restricted picklist field: Nonsense"),
        ("duplicate", "DUPLICATE_VALUE", None, "duplicate value found: Dunwell_Key__c duplicates value on record with id: "),
        ("malformed_id", "MALFORMED_ID", ["AccountId"], "id value of incorrect type"),
        ("not_found", "NOT_FOUND", None, "The requested resource does not exist"),
        ("deleted", "ENTITY_IS_DELETED", None, "entity is deleted"),
        ("json", "JSON_PARSER_ERROR", None, ""),
        ("method", "METHOD_NOT_ALLOWED", None, ""),
    ],
)
def test_a_refusal_says_what_is_wrong(seen, what, code, fields, words):
    """Code, message and the fields to blame reach the caller."""
    refused = seen["errors"][what]
    assert refused["refused"]
    assert (refused["name"], refused["code"]) == (code, code)
    assert (refused.get("fields") or None) == fields
    assert words in refused["message"]


def test_a_duplicate_names_the_record_there_is(seen):
    """The id in the message is that of the record already holding the value."""
    assert seen["errors"]["duplicate_of"][:15] in seen["errors"]["duplicate"]["message"]
