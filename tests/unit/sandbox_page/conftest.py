"""The page of a small org, served in a thread."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from sandbox.server import Box, Setup
from tests.support.debts import NOW, PAGE, People, org_maker, write_dx


@dataclass
class Visitor:
    """A browser without eyes."""

    box: Box
    people: People
    session: requests.Session

    def __call__(self, path: str, status: int = 200) -> str:
        """Open a page and give its text."""
        reply = self.session.get(self.box.instance_url + path, timeout=10)
        assert reply.status_code == status, (path, reply.status_code, reply.text)
        return reply.text


@pytest.fixture(scope="session")
def dx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the small org's source, written once."""
    return write_dx(tmp_path_factory.mktemp("dx"))


@pytest.fixture(scope="module")
def visit(dx: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """Give a visitor of the small org; no test changes it."""
    page = tmp_path_factory.mktemp("page") / "page.yaml"
    page.write_text(PAGE, encoding="utf-8")
    people: list[People] = []
    with Box(Setup(now=NOW, page=page), org_maker(dx, people)) as box, requests.Session() as session:
        yield Visitor(box, people[0], session)
