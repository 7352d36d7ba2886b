"""The page to look at, in Chromium: what is read, where links lead, whether it fits and can be read by everybody."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from sandbox.server import Box, Setup
from tests.support.debts import NOW, PAGE, People, org_maker, write_dx

CONTRAST = """() => {
  const parse = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a] };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = one => { for (; one; one = one.parentElement) { const c = parse(getComputedStyle(one).backgroundColor); if (c[3] === 1) return c } };
  const poor = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !one.getClientRects().length) continue;
    const [a, b] = [light(parse(getComputedStyle(one).color)), light(ground(one))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) poor.add(`${one.className || one.tagName}: ${walker.currentNode.textContent.trim().slice(0, 40)}`);
  }
  return [...poor];
}"""


@pytest.fixture(scope="module")
def people() -> list[People]:
    """Give where the org says who is in it."""
    return []


@pytest.fixture(scope="module")
def box(people: list[People], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Give the small org, served."""
    folder = tmp_path_factory.mktemp("org")
    page = folder / "page.yaml"
    page.write_text(PAGE, encoding="utf-8")
    with Box(Setup(now=NOW, page=page), org_maker(write_dx(folder / "dx"), people)) as served:
        yield served


def test_from_home_to_a_list_to_a_payer(window) -> None:
    """One finds the way from what is owed to who owes it by links alone, and every page fits its window."""
    page = window.page
    window.open("/")
    expect(page).to_have_title("Today · Example Lender")
    expect(page.get_by_role("heading", name="What is owed")).to_be_visible()
    assert window.overflow <= 0
    window.picture("home")
    page.get_by_role("link", name="Debts: Very Late").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Debts")
    expect(page.get_by_text("Status is late")).to_be_visible()
    expect(page.get_by_role("table").get_by_text("£ 12,345.50")).to_be_visible()
    assert window.overflow <= 0
    window.picture("list")
    page.get_by_role("link", name="Ada Exampleby").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ada Exampleby")
    for said in ("Do not call", "Call Ada", "29 Mar 2026, 11:05"):
        expect(page.get_by_text(said).first).to_be_visible()
    assert window.overflow <= 0
    window.picture("payer")


def test_words_are_found_by_keyboard(window) -> None:
    """Without a mouse, the first stop leads past the navigation, and the search can be typed into."""
    page = window.page
    window.open("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_role("searchbox").fill("exampleby")
    page.keyboard.press("Enter")
    expect(page.get_by_role("table").get_by_role("link", name="Ada Exampleby")).to_be_visible()


def test_long_words_are_folded_until_they_are_asked_for(window, people) -> None:
    """A text of thousands of characters is one line until somebody opens it, and then it fits."""
    page = window.page
    window.open(f"/page/record/{people[0].late}")
    whole = page.locator("details .whole").first
    expect(whole).to_be_hidden()
    page.locator("details.long summary").first.click()
    expect(whole).to_be_visible()
    expect(whole).to_contain_text("characters in all")
    assert window.overflow <= 0


def test_hostile_values_do_nothing(window, people) -> None:
    """A script in a name, a subject or a reason is read, not run."""
    for path in ("/page/list/Contact", "/page/list/Task", f"/page/record/{people[0].person}", f"/page/record/{people[0].script}"):
        window.open(path)
        assert window.page.title().endswith("Example Lender")
        assert window.page.locator("script, img, iframe").count() == 0
        assert window.overflow <= 0
    expect(window.page.get_by_role("heading", level=1)).to_contain_text("<script>")


def test_every_word_can_be_read(window, people) -> None:
    """Text stands out from its ground as WCAG 2.2 asks (4.5 to 1), in light and in dark."""
    records = [f"/page/record/{each}" for each in (people[0].person, people[0].late)]
    for path in ("/", "/page/list/Debt__c/Late", *records, "/page/search?q=ada", "/page/search?q=zzz", "/page/objects"):
        window.open(path)
        assert window.page.evaluate(CONTRAST) == [], path
