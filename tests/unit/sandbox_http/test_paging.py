"""Pages of queries: cursors, their number and their end; children that do not fit."""

import pytest


@pytest.fixture
def parents(call):
    """Three accounts with 4, 0 and 1 contacts."""
    ids = [call.create("Account", Name=name) for name in "abc"]
    for place, many in ((0, 4), (2, 1)):
        for number in range(many):
            call.create("Contact", LastName=f"{place}{number}", AccountId=ids[place])
    return ids


def walk(call, page):
    """All rows of a query from its first page on, and the sizes of the pages."""
    rows, sizes = [*page["records"]], [len(page["records"])]
    while not page["done"]:
        page = call("GET", page["nextRecordsUrl"]).json()
        rows += page["records"]
        sizes.append(len(page["records"]))
    return rows, sizes


@pytest.mark.usefixtures("parents")
def test_a_locator_has_eighteen_characters_and_an_offset(call, admin):
    """Of either prefix, as the option says."""
    for prefix in ("0r8", "01g"):
        admin("/settings", {"query_batch": 1, "cursor_prefix": prefix})
        url = call("GET", "queryAll", params={"q": "SELECT Id FROM Account"}).json()["nextRecordsUrl"]
        cursor, offset = url.removeprefix("/services/data/v66.0/queryAll/").split("-")
        assert (cursor[:3], len(cursor), offset) == (prefix, 18, "1")
        assert call("GET", url).status_code == 200


@pytest.mark.usefixtures("parents")
def test_children_that_do_not_fit_have_a_locator_of_their_own(call, admin):
    """A family longer than a page is cut, says how many there are, and goes on behind nextRecordsUrl."""
    admin("/settings", {"query_batch": 3})
    soql = "SELECT Id, (SELECT LastName FROM Contacts ORDER BY LastName) FROM Account ORDER BY Name"
    rows, _ = walk(call, call("GET", "query", params={"q": soql}).json())
    first = rows[0]["Contacts"]
    assert (first["totalSize"], first["done"], len(first["records"])) == (4, False, 3)
    page = call("GET", "query", params={"q": soql}).json()
    family, _ = walk(call, page["records"][0]["Contacts"])
    assert [row["LastName"] for row in family] == ["00", "01", "02", "03"]
    assert (rows[1]["Contacts"], rows[2]["Contacts"]["done"]) == (None, True)


def test_children_count_towards_the_size_of_a_page(call, parents, admin):
    """Every parent comes once, in pages that hold parents and children within the batch."""
    admin("/settings", {"query_batch": 4})
    soql = "SELECT Id, (SELECT Id FROM Contacts) FROM Account ORDER BY Name"
    rows, sizes = walk(call, call("GET", "query", params={"q": soql}).json())
    assert ([row["Id"] for row in rows], sizes) == (parents, [1, 2])


@pytest.mark.usefixtures("parents")
def test_reading_on_ends_the_cursors_of_children_before(call, admin):
    """As the page on queryMore says."""
    admin("/settings", {"query_batch": 3})
    soql = "SELECT Id, (SELECT Id FROM Contacts) FROM Account ORDER BY Name"
    page = call("GET", "query", params={"q": soql}).json()
    children = page["records"][0]["Contacts"]["nextRecordsUrl"]
    call("GET", page["nextRecordsUrl"])
    assert call("GET", children).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


@pytest.mark.usefixtures("parents")
def test_a_user_has_ten_cursors(call, admin, box):
    """The oldest is released when another is opened; other users' are not counted."""
    admin("/settings", {"query_batch": 1})
    urls = [call("GET", "query", params={"q": "SELECT Id FROM Account"}).json()["nextRecordsUrl"] for _ in range(11)]
    assert [call("GET", url).status_code for url in urls] == [400] + [200] * 10
    call.session.headers["Authorization"] = f"Bearer {box.token()}"
    assert call("GET", urls[-1]).status_code == 400


def test_a_plan_is_not_given(call):
    """An explain is refused plainly: the org has no statistics a plan could rest on."""
    reply = call("GET", "query", params={"explain": "SELECT Id FROM Account"})
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "FUNCTIONALITY_NOT_ENABLED")


def test_a_batch_size_is_held_between_200_and_2000(call, box):
    """Smaller ones count as 200."""
    box.run(lambda: box.org.bulk_load("Thing__c", [{"Name": str(number)} for number in range(201)]))
    page = call("GET", "query", params={"q": "SELECT Id FROM Thing__c"}, headers={"Sforce-Query-Options": "batchSize=5"}).json()
    assert (len(page["records"]), page["totalSize"], page["done"]) == (200, 201, False)
