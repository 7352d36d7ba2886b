"""The pages themselves, over HTTP."""

import re
from pathlib import Path

import pytest
import requests

from sandbox.server import Box, Setup
from tests.support.debts import DEBTS, NOW, SCRIPT, org_maker


def words(page: str) -> str:
    """Give what a page says, without its markup."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_home_shows_whose_org_it_is_and_its_own_time(visit) -> None:
    """The clock is the org's, in its time zone, and says when it stands still."""
    page = words(visit("/"))
    assert "Example Lender" in page
    assert "Monday 30 Mar 2026, 09:30 Europe/Amsterdam, clock stands still" in page


def test_home_counts_by_two_fields_and_adds_up_by_currency(visit) -> None:
    """Amounts of two currencies are never one sum, and each number leads to its records."""
    page = visit("/")
    text = words(page)
    assert "Open tasks Open tasks Assigned To High Normal All Sandbox Administrator 1 2 3" in text
    assert "£ 12,345.50" in text
    assert f"{DEBTS - 2} € {sum(10 + each for each in range(DEBTS - 2)):,}.00" in text
    assert 'href="/page/list/Debt__c/All?is.Status__c=late&amp;is.CurrencyIsoCode=GBP"' in page
    assert text.index("Very Late") < text.index("Open 118")


def test_home_says_what_is_empty_and_what_cannot_be_shown(visit) -> None:
    """An empty block says so, and a block that is wrong spoils no other."""
    page = words(visit("/"))
    assert "Nothing to see No debt is below nothing." in page
    assert "Mistaken This cannot be shown: Debt__c has no field No_Such_Field__c" in page


def test_a_list_view_shows_its_columns_filters_and_count(visit) -> None:
    """What is shown is what the metadata declares; a column that is not known is named."""
    page = words(visit("/page/list/Debt__c/Late"))
    assert "Only where Status is late" in page
    assert "D-0119 Ada Exampleby" in page
    assert "1-1 of 1" in page.replace("\N{EN DASH}", "-")
    assert "Columns that are not known here: NO_SUCH_TOKEN." in page


def test_a_list_view_that_is_not_understood_shows_no_rows(visit) -> None:
    """Rows that a filter might have left out are not shown."""
    page = words(visit("/page/list/Debt__c/Odd"))
    assert "This list view cannot be shown: it filters by NO_SUCH_TOKEN" in page
    assert "D-0" not in page


def test_lists_are_sorted_and_paged(visit) -> None:
    """The pages of a sorted list show every record once, in order."""
    seen: list[str] = []
    path: str | None = "/page/list/Debt__c/All?sort=-Amount__c"
    while path:
        page = visit(path)
        assert 'aria-sort="descending"' in page
        seen += re.findall(r'<td class="[^"]*" data-label="Debt No"><a [^>]*>(D-\d+)', page)
        following = re.search(r'<a href="([^"]*)" rel="next"', page)
        path = f"/page/list/Debt__c/All{following[1].replace('&amp;', '&')}" if following else None
    assert len(seen) == len(set(seen)) == DEBTS
    assert seen[:2] == ["D-0119", "D-0118"]
    assert seen[-1] == "D-0120"


@pytest.mark.parametrize(
    "query", ["sort=Nothing__c", "page=9999", "page=-1", "page=x", "sort=Id;DROP", "page=" + "9" * 5000, "page=%C2%B2"]
)
def test_an_odd_address_of_a_list_still_shows_it(visit, query: str) -> None:
    """What an address asks for and there is not is passed over."""
    assert "D-0" in visit(f"/page/list/Debt__c/All?{query}")


def test_a_list_may_be_narrowed_by_an_address(visit) -> None:
    """Numbers lead to their records this way, and a lookup is named by its record."""
    page = words(visit(f"/page/list/Debt__c?is.Person__c={visit.people.person}"))
    assert "Person is Ada Exampleby" in page
    assert "of 1" in page


def test_an_object_without_list_views_has_one_of_everything(visit) -> None:
    """There is nothing one cannot look at."""
    assert "Ada Exampleby" in words(visit("/page/list/Contact"))


def test_a_payer_shows_flags_position_timeline_and_debts(visit) -> None:
    """One page says who they are, where they stand and what happened, the newest first."""
    page = visit(f"/page/record/{visit.people.person}")
    text = words(page)
    for said in ("Ada Exampleby", "ada@example.com", "Do not call", "Very late", "£ 12,345.50", "31 Jan 2026", "€ 7.50"):
        assert said in text, said
    assert "Very Late: it is too late in the day, a hold stands" in text
    assert text.index("Call Ada") < text.index("it is too late in the day")
    assert "29 Mar 2026, 11:05" in text
    assert f'<a href="/page/record/{visit.people.company}">O&#39;Sample &amp; 100% Sons Ltd</a>' in page


def test_what_is_to_come_stands_before_what_was(visit) -> None:
    """An entry later than the org's clock is coming up."""
    assert "Coming up Letter Settled: 1 May 2026, 10:00" in words(visit(f"/page/record/{visit.people.script}"))


def test_a_calm_payer_is_told_to_be_calm(visit) -> None:
    """Nothing to show is said in words."""
    page = words(visit(f"/page/record/{visit.people.calm}"))
    for said in ("Nothing is very late.", "Nothing has happened here yet.", "No debt."):
        assert said in page


def test_a_record_shows_all_fields_and_what_points_at_it(visit) -> None:
    """Every field is there, filled or named as empty, and related records by their relationships."""
    page = words(visit(f"/page/record/{visit.people.late}"))
    assert "Amount £ 12,345.50" in page
    assert "Company" in page
    person = words(visit(f"/page/record/{visit.people.person}/fields"))
    assert "Debts" in person
    assert "D-0119" in person
    assert "Tasks" in person
    assert "Nothing in:" in person


@pytest.mark.parametrize(
    ("asked", "found"), [("exampleby", "Ada Exampleby"), ("key-0007", "D-0008"), ("100%_s", "D-0119"), ("o'sam", "O&#39;Sample")]
)
def test_records_are_found_by_name_and_reference(visit, asked: str, found: str) -> None:
    """Search ignores case, and letters that mean something to the query stand for themselves."""
    page = visit("/page/search?q=" + requests.utils.quote(asked))
    assert found in page
    assert "D-0001<" not in page


def test_very_large_objects_are_not_sorted_nor_looked_through(visit, monkeypatch) -> None:
    """What would hold up the org is left out, and the page says so."""
    monkeypatch.setattr("sandbox.page.desk.BIG", DEBTS - 1)
    page = visit("/page/list/Debt__c/All?sort=-Amount__c")
    assert "There are too many Debts to sort them" in page
    assert "sort=" not in page
    found = words(visit("/page/search?q=key-0007"))
    assert "D-0008" in found
    assert "There are many Debts: they were searched by Key." in found
    assert "Nothing has" in visit("/page/search?q=D-0008")


@pytest.mark.parametrize(
    ("asked", "said"),
    [("\x00\x00", "at least two characters"), ("x", "at least two characters"), ("", "at least two characters"), ("zz%zz", "Nothing has")],
)
def test_a_search_that_finds_nothing_says_so(visit, asked: str, said: str) -> None:
    """A wildcard is no wildcard."""
    assert said in visit("/page/search?q=" + requests.utils.quote(asked))


def test_the_id_of_a_record_leads_to_it(visit) -> None:
    """Who has an id from a log needs no search."""
    assert "<h1>Ada Exampleby" in visit(f"/page/search?q={visit.people.person[:15]}")


def test_hostile_values_are_text(visit) -> None:
    """Nothing that stands in a record becomes part of the page, and 30,000 characters of it are not sent."""
    people = visit.people
    for path in (
        "/",
        "/page/list/Task",
        "/page/list/Contact",
        f"/page/record/{people.person}",
        f"/page/record/{people.late}",
        f"/page/record/{people.script}",
    ):
        page = visit(path)
        assert "<script" not in page
        assert "<img" not in page
        assert 'href="javascript' not in page
        assert "\u202e" not in page
        assert len(page) < 60_000
    assert "&lt;script&gt;" in visit("/page/list/Task")
    assert SCRIPT not in visit("/page/search?q=" + requests.utils.quote(SCRIPT))
    assert "7 * 7" in visit(f"/page/record/{people.late}")


def test_pages_may_load_nothing_from_elsewhere_and_run_nothing(visit) -> None:
    """Every answer forbids scripts, frames, forms to elsewhere and guesses of its type."""
    for path, status in (
        ("/", 200),
        ("/page/nothing", 404),
        ("/page/files/style.css", 200),
        ("/page/search?q=" + visit.people.person, 303),
    ):
        reply = visit.session.get(visit.box.instance_url + path, timeout=10, allow_redirects=False)
        assert reply.status_code == status
        policy = reply.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_only_loopback_names_are_answered(visit) -> None:
    """A website that points its name at this machine reads nothing."""
    port = visit.box.instance_url.rpartition(":")[2]
    for host, status in (
        ("127.0.0.1:" + port, 200),
        ("[::1]:" + port, 200),
        ("LOCALHOST", 200),
        ("evil.example:" + port, 421),
        ("localhost.evil.example", 421),
    ):
        reply = visit.session.get(visit.box.instance_url, headers={"Host": host}, timeout=10)
        assert reply.status_code == status, host
        assert ("Ada" in reply.text) is (status == 200)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/page/list/Task", "/page/record/003000000000000"])
def test_nothing_can_be_changed(visit, method: str, path: str) -> None:
    """The page answers GET and HEAD only."""
    assert visit.session.request(method, visit.box.instance_url + path, timeout=10).status_code == 405
    assert visit.session.head(visit.box.instance_url + "/", timeout=10).text == ""


@pytest.mark.parametrize(
    "path",
    [
        "/page/list/Nothing__c",
        "/page/list/Debt__c/Nothing",
        "/page/record/nothing",
        "/page/record/0035e000000zzzzAAA",
        "/page/record/0035e000000zzzz/fields",
        "/page/files/site.py",
        "/page/files/..%2Fsite.py",
        "/page/x",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(visit, path: str) -> None:
    """A wrong address gives a page with a way back, and never a file of the program."""
    page = visit(path, 404)
    assert "Back to today" in page
    assert "import" not in page


def test_looking_costs_no_api_calls_and_writes_nothing(visit) -> None:
    """The page is no client of the org: usage stays, and no change is made however much is looked at."""
    before, changes = visit.box.platform.used_calls(), []
    visit.box.run(lambda: visit.box.org.on_change.append(changes.append))
    paths, seen = ["/"], set()
    while paths and len(seen) < 60:
        path = paths.pop(0)
        seen.add(path)
        found = re.findall(r'href="(/[^"]*)"', visit(path))
        paths += [each for each in dict.fromkeys(link.replace("&amp;", "&") for link in found) if each not in seen and each not in paths]
    assert len(seen) > 30
    assert not changes
    assert visit.box.platform.used_calls() == before


def test_a_world_without_a_layout_has_a_page_of_its_lists(dx: Path, tmp_path: Path) -> None:
    """Nothing has to be declared to look at an org."""
    people: list[object] = []
    with Box(Setup(now=NOW, page=tmp_path / "none.yaml"), org_maker(dx, people)) as box, requests.Session() as session:
        page = session.get(f"{box.instance_url}/", timeout=10).text
        assert '<a href="/page/list/Debt__c/Late">Very Late</a>' in page
        found = session.get(f"{box.instance_url}/page/search?q=exampleby", timeout=10).text
        assert "Ada Exampleby" in found
        assert session.get(f"{box.instance_url}/page/record/{people[0].person}", timeout=10).status_code == 200


@pytest.mark.parametrize("path", ["/", "/page/list/Debt__c", "/page/search?q=ada", "/page/objects", "/page/nothing"])
def test_pages_can_be_found_one_s_way_in(visit, path: str) -> None:
    """Each page says its language and title, has one main part and one first heading, and a way past the navigation."""
    page = visit.session.get(visit.box.instance_url + path, timeout=10).text
    assert '<html lang="en">' in page
    assert re.search(r"<title>[^<]+ · Example Lender</title>", page)
    assert page.count("<main ") == page.count("<h1") == 1
    assert page.count('href="#main"') == 1
    assert page.count("<table") == page.count("<caption")
