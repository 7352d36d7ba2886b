"""A headless Chromium, and pages to look at with it."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from sandbox.server import Box

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_LEFT = "net::ERR_ABORTED"
"""How a request fails that was under way when the page was left."""
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Give a running Chromium; without one, tests are skipped on a desk and fail in CI.

    It ends with its module: Playwright's loop runs in the very thread of the tests, and while it does nobody else's can.
    """
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI has to install Chromium, and there is none on PATH")
        pytest.skip("there is no Chromium on PATH: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=_ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Window:
    """A window of some width, what went wrong in it, and where its pictures go."""

    page: Page
    base: str
    pictures: Path
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to an address of the org."""
        self.page.goto(self.base + path, wait_until="load")

    def picture(self, name: str) -> Path:
        """Keep what is shown as a picture."""
        path = self.pictures / f"{name}.png"
        self.page.screenshot(path=path, full_page=True)
        assert path.stat().st_size > 10_000
        return path

    @property
    def overflow(self) -> int:
        """How many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def watch(page: Page, base: str, pictures: Path) -> Window:
    """Look at a page through a window that takes down every complaint of the browser."""
    window = Window(page, base, pictures)
    page.on("console", lambda message: window.complaints.append(message.text))
    page.on("pageerror", lambda error: window.complaints.append(str(error)))
    page.on("requestfailed", lambda request: None if request.failure == _LEFT else window.complaints.append(f"failed: {request.url}"))
    page.on("request", lambda request: None if request.url.startswith(base) else window.complaints.append(f"went to {request.url}"))
    page.on("dialog", lambda dialog: (window.complaints.append(dialog.message), dialog.dismiss()))
    return window


@pytest.fixture(params=[(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")], ids=lambda param: f"{param[0]}-{param[1]}")
def window(request: pytest.FixtureRequest, chromium: Browser, box: Box, tmp_path: Path) -> Iterator[Window]:
    """Give a window of each width in each colour scheme; nothing may be complained of in it."""
    width, scheme = request.param
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    looked = watch(context.new_page(), box.instance_url, tmp_path)
    yield looked
    context.close()
    assert not looked.complaints
