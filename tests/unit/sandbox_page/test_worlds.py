"""The pages of the worlds that come with the sandbox."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from sandbox.page.desk import Desk
from sandbox.page.home import Refused, home
from sandbox.page.layout import Layout
from sandbox.page.lists import list_page, list_views
from sandbox.page.payer import payer_page
from sandbox.page.record import record_page
from sandbox.server import world_layout
from sandbox.worlds.opening import Wish, known_worlds, open_org

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module", params=known_worlds())
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """Give the desk of a small world of each kind."""
    org = open_org(Wish(request.param, payers=60, seed=1, now=NOW))
    yield Desk(org, world_layout(request.param), org.admin.id)
    org.close()


def fields(layout: Layout) -> list[str]:
    """Name every field the layout gives words, tones, labels or a currency."""
    return [*layout.money, *layout.words, *layout.tones, *layout.labels]


def test_every_field_a_layout_speaks_of_is_there(desk: Desk) -> None:
    """A misspelt field would silently go without its words."""
    missing = []
    for key in fields(desk.layout):
        sobject, _, field = key.partition(".")
        one = desk.schema.get(sobject)
        if one is None or one.field(field) is None or one.name != sobject or field not in one.fields:
            missing.append(key)
    assert missing == []
    for key, path in desk.layout.money.items():
        desk.column(desk.type(key.partition(".")[0]), path)
    for name in (*desk.layout.tabs, *desk.layout.order, *desk.layout.search, *desk.layout.payers):
        assert desk.type(name).name == name


def test_every_block_of_the_first_page_can_be_shown(desk: Desk) -> None:
    """No block names what is not there, and every list it leads to exists."""
    blocks = home(desk)
    assert [each for each in blocks if isinstance(each, Refused)] == []
    for each in (*desk.layout.home, *desk.layout.panels):
        assert not each.view or any(view.name == each.view for view in list_views(desk, desk.type(each.of)))


def test_every_list_view_can_be_shown(desk: Desk) -> None:
    """Every column and filter that the metadata declares is understood."""
    for one in desk.schema.records():
        for view in list_views(desk, one):
            found = list_page(desk, one.name, view.name, {})
            assert found.notes == () or found.tally.number > len(found.table.rows), (one.name, view.name, found.notes)


def test_every_kind_of_payer_can_be_shown(desk: Desk) -> None:
    """The page of a payer leaves nothing out for a mistake in the layout."""
    for name in desk.layout.payers:
        one = desk.type(name)
        payer = desk.rows(one, [], limit=1)[0]
        page = payer_page(desk, one, payer.id)
        assert page is not None
        assert page.problems == ()
        assert [each for each in page.panels if isinstance(each, Refused)] == []


def test_every_object_s_records_can_be_shown(desk: Desk) -> None:
    """There is no record whose page cannot be made."""
    for one in desk.schema.records():
        for found in desk.rows(one, [], limit=1):
            page = record_page(desk, one, found.id)
            assert page is not None
            assert page.name
