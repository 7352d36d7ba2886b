"""What a refused row of an upsert tells: UpsertResult always says whether the record would have been created."""

TYPE = {"attributes": {"type": "Thing__c"}}


def upsert(call, *records, all_or_none=False):
    """Upsert things by key, as rows of one call."""
    body = {"allOrNone": all_or_none, "records": [TYPE | record for record in records]}
    return call("PATCH", "composite/sobjects/Thing__c/Key__c", json=body).json()


def test_a_refused_row_says_whether_it_was_new(call):
    """A key nobody has would have been created, a key somebody has would not; ``created`` comes last."""
    call.create("Thing__c", Name="old", Key__c="old")
    results = upsert(call, {"Key__c": "new", "OwnerId": "nonsense"}, {"Key__c": "old", "OwnerId": "nonsense"})
    assert [(row["success"], row["created"]) for row in results] == [(False, True), (False, False)]
    assert [list(row)[-1] for row in results] == ["created", "created"]


def test_rows_rolled_back_with_others_say_it_too(call):
    """With allOrNone the good rows keep what they were about to be."""
    call.create("Thing__c", Name="old", Key__c="old")
    results = upsert(call, {"Key__c": "a"}, {"Key__c": "old"}, {"Key__c": "b", "OwnerId": "nonsense"}, all_or_none=True)
    assert [(row["success"], row["created"]) for row in results] == [(False, True), (False, False), (False, True)]


def test_a_key_several_records_have_is_not_new(call):
    """An ambiguous external id is refused, and nothing would have been created."""
    for name in ("one", "two"):
        call.create("Thing__c", Name=name, Ref__c="same")
    body = {"records": [TYPE | {"Ref__c": "same", "Name": "x"}]}
    (row,) = call("PATCH", "composite/sobjects/Thing__c/Ref__c", json=body).json()
    assert (row["success"], row["created"]) == (False, False)
