"""sObject trees: records with their children in one call, all or none."""


def record(kind, ref, children=None, **fields):
    """One record of a tree, with children by relationship name."""
    nested = {name: {"records": records} for name, records in (children or {}).items()}
    return {"attributes": {"type": kind, "referenceId": ref}, **fields, **nested}


def send(call, kind, *records):
    """Post trees."""
    return call("POST", f"composite/tree/{kind}", json={"records": records})


def count(call, kind):
    """How many rows an object has."""
    return call("GET", "query", params={"q": f"SELECT COUNT() FROM {kind}"}).json()["totalSize"]


def test_a_tree_is_saved_level_by_level(call):
    """201, an id for each reference, roots before children, children linked to their parents."""
    trees = [
        record(
            "Account", "a1", {"Contacts": [record("Contact", "c1", LastName="Reed"), record("Contact", "c2", LastName="Ash")]}, Name="One"
        ),
        record("Account", "a2", {"Contacts": [record("Contact", "c3", LastName="Elm")]}, Name="Two"),
    ]
    reply = send(call, "Account", *trees)
    assert (reply.status_code, reply.json()["hasErrors"]) == (201, False)
    assert [one["referenceId"] for one in reply.json()["results"]] == ["a1", "a2", "c1", "c2", "c3"]
    ids = {one["referenceId"]: one["id"] for one in reply.json()["results"]}
    rows = call("GET", "query", params={"q": "SELECT Id, AccountId FROM Contact"}).json()["records"]
    assert {row["Id"]: row["AccountId"] for row in rows} == {ids["c1"]: ids["a1"], ids["c2"]: ids["a1"], ids["c3"]: ids["a2"]}


def test_one_error_saves_none_and_names_its_record_alone(call):
    """400 with the reference and the errors of the guilty records only."""
    trees = [record("Account", "a1", {"Contacts": [record("Contact", "c1"), record("Contact", "c2", LastName="Ash")]}, Name="One")]
    reply = send(call, "Account", *trees)
    assert (reply.status_code, reply.json()["hasErrors"]) == (400, True)
    ((bad,),) = [reply.json()["results"]]
    assert (bad["referenceId"], bad["errors"][0]["statusCode"], bad["errors"][0]["fields"]) == (
        "c1",
        "REQUIRED_FIELD_MISSING",
        ["LastName"],
    )
    assert (count(call, "Account"), count(call, "Contact")) == (0, 0)


def test_every_instance_of_a_doubled_reference_is_told(call):
    """Nothing is saved, and the reference stands there twice."""
    reply = send(call, "Account", record("Account", "a", Name="One"), record("Account", "a", Name="Two"))
    assert ([one["referenceId"] for one in reply.json()["results"]], count(call, "Account")) == (["a", "a"], 0)


def test_records_name_their_type_and_a_reference(call):
    """Both are required, and roots are of the type in the URL."""
    for bad in ({"Name": "x"}, record("Contact", "a", LastName="x"), {"attributes": {"type": "Account"}, "Name": "x"}):
        assert send(call, "Account", bad).status_code == 400
    assert send(call, "None__c", record("None__c", "a")).status_code == 404


def test_the_limits_of_trees_are_kept(call):
    """200 records, five levels."""
    assert send(call, "Account", *[record("Account", f"a{number}", Name="x") for number in range(201)]).status_code == 400
    deep = record("Account", "a6", Name="x")
    for level in range(5, 0, -1):
        deep = record("Account", f"a{level}", {"ChildAccounts": [deep]}, Name="x")
    assert send(call, "Account", deep).status_code == 400
    assert send(call, "Account", deep["ChildAccounts"]["records"][0]).status_code == 201
    assert count(call, "Account") == 5
