"""The report of a pass, in Chromium: what is read, where links lead, whether it fits and can be read by everybody."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from connector.report import Folder
from tests.browser.conftest import Window, watch
from tests.browser.test_page import CONTRAST
from tests.unit.report.sample import ORG, a_pass, record

SMALLEST = 9.0
"""Pixels; a plot's text on a phone is no smaller."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on disk, as the nightly job leaves it."""
    return Folder(tmp_path_factory.mktemp("reports"), ORG).write(a_pass())


@pytest.fixture(params=[(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")], ids=lambda param: f"{param[0]}-{param[1]}")
def window(request: pytest.FixtureRequest, chromium: Browser, report: Path, tmp_path: Path) -> Iterator[Window]:
    """The report in a window of each width in each colour scheme, off every network; nothing may be complained of in it."""
    width, scheme = request.param
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    looked = watch(context.new_page(), report.as_uri(), tmp_path)
    looked.open("")
    yield looked
    context.close()
    assert not looked.complaints


def test_a_person_reads_it_from_the_top(window: Window) -> None:
    """The main figures first, then what needs a person, with links that lead to records; the page fits its window."""
    page = window.page
    expect(page).to_have_title("Reconciliation of Wed 4 Mar 2026, 02:00")
    expect(page.get_by_text("12,747.00 EUR").first).to_be_visible()
    page.get_by_role("link", name="For a person").click()
    assert page.evaluate("location.hash") == "#needs"
    expect(page.get_by_role("link", name=record(1), exact=True)).to_have_attribute("href", f"{ORG}/{record(1)}")
    expect(page.get_by_role("link", name=record(100), exact=True)).to_be_hidden()
    page.get_by_text("The first 25").click()
    expect(page.get_by_role("link", name=record(100), exact=True)).to_be_visible()
    assert window.overflow <= 0
    window.picture("report")


def test_plots_are_named_and_drawn(window: Window) -> None:
    """A screen reader hears each plot's figures; its bars are really there, and its text is not too small on a phone."""
    for said in ("In Arrears 32", "1 to 30 days 11,747.00 EUR", "Not enough money 30", "The last 3 passes"):
        expect(window.page.get_by_role("img", name=said)).to_be_visible()
    sizes = window.page.evaluate("[...document.querySelectorAll('svg text')].map(one => one.getBoundingClientRect().height)")
    assert len(sizes) > 20
    assert min(sizes) >= SMALLEST
    wide = window.page.evaluate("[...document.querySelectorAll('#status svg path')].map(one => one.getBoundingClientRect().width)")
    assert max(wide) > 100


def test_a_plots_text_stays_within_the_plot(window: Window) -> None:
    """No label is cut off at the edge of its drawing."""
    cut = window.page.evaluate(
        """() => [...document.querySelectorAll('svg')].flatMap(svg => { const frame = svg.getBoundingClientRect();
        return [...svg.querySelectorAll('text')].filter(one => { const box = one.getBoundingClientRect();
        return box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1 }).map(one => one.textContent) })"""
    )
    assert cut == []


def test_every_word_can_be_read(window: Window) -> None:
    """Text stands out from its ground as WCAG 2.2 asks (4.5 to 1), in light and in dark."""
    window.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert window.page.evaluate(CONTRAST) == []
    colours = window.page.evaluate("[...new Set([...document.querySelectorAll('svg text')].map(one => getComputedStyle(one).fill))]")
    ink = window.page.evaluate("getComputedStyle(document.body).color")
    assert ink in colours
    assert "rgb(0, 0, 0)" not in colours
