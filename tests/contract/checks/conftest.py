"""An org with FinDock as an admin sets it up, one mistake at a time, and ``dunwell check`` against it."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from connector import settings
from connector.business import read_business
from connector.checks.problems import Findings
from connector.cli import checked
from sandbox.org.clock import Clock
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.server import Box, Setup
from sandbox.worlds import findock
from sandbox.worlds.findock.staff import PERMISSIONS, hire

ROOT = Path(__file__).parents[3]
MONDAY = datetime.fromisoformat("2026-03-02T09:00:00+01:00")


@dataclass(frozen=True)
class Place:
    """One org, and a folder for what belongs to one check."""

    box: Box
    folder: Path

    def mapping(self, old: str, new: str, count: int = 1) -> int:
        """Write ``new`` for ``old`` in the mapping; the line where it first stands."""
        copied = self.folder / "mappings"
        if not copied.exists():
            shutil.copytree(ROOT / "mappings", copied)
        file = copied / "findock.yaml"
        text = file.read_text(encoding="utf-8")
        assert old in text, f"the mapping has no {old!r}"
        file.write_text(text.replace(old, new, count), encoding="utf-8")
        return text[: text.index(old)].count("\n") + 1

    def settings(self, **more: str) -> dict[str, str]:
        """What leads to this org."""
        own = {"DUNWELL_MAPPINGS_DIR": str(self.folder / "mappings")} if (self.folder / "mappings").exists() else {}
        return {
            "DUNWELL_LOGIN_URL": self.box.instance_url, "DUNWELL_CLIENT_ID": self.box.client_id, "DUNWELL_USERNAME": self.box.username,
            "DUNWELL_KEY_FILE": str(self.box.key_file), "DUNWELL_STORE_URL": f"sqlite:///{self.folder / 'store.db'}",
            "DUNWELL_CLOCK_URL": f"{self.box.admin_url}/clock", **own, **more,
        }  # fmt: skip

    def check(self, **more: str) -> checked.Checked:
        """``dunwell check``."""
        loaded = settings.load(self.settings(**more), env_file=None)
        return checked.check(loaded, read_business(loaded))

    def found(self, **more: str) -> Findings:
        """What it found."""
        return self.check(**more).found

    def problems(self, **more: str) -> list[str]:
        """The lines an admin sees."""
        return [str(one) for one in self.found(**more).problems]


@contextmanager
def org_of(folders: list[Path]) -> Iterator[Box]:
    """An org of these folders of DX source, with its people and without payers."""

    def make(setup: Setup, log: object) -> Org:
        org = Org(load_schema(folders), Clock(setup.now), events=log)
        hire(org)
        return org

    with Box(Setup(now=MONDAY), make) as box:
        yield box


@pytest.fixture(scope="module")
def orderly() -> Iterator[Box]:
    """An org in which all is in order."""
    with org_of(findock.DX) as box:
        yield box


@pytest.fixture
def place(orderly, tmp_path) -> Iterator[Place]:
    """That org, for a mistake in a mapping, in settings or in data; access, users and faults are as before afterwards."""
    yield Place(orderly, tmp_path)
    orderly.run(orderly.platform.faults.clear)
    orderly.run(lambda: orderly.org.set_access(orderly.integration.id, permission_sets=PERMISSIONS))


@pytest.fixture
def mistaken(tmp_path) -> Iterator[Callable[..., Place]]:
    """An org with other metadata: ``mistaken(file, old, new)`` edits the source, ``new`` None takes it away; ``added`` are new files."""
    opened = []

    def make(pattern: str, old: str = "", new: str | None = None, added: Mapping[str, str] | None = None) -> Place:
        source = tmp_path / "source"
        for at, folder in enumerate(findock.DX):
            shutil.copytree(folder, source / str(at))
        for path, text in (added or {}).items():
            (source / "0" / "default" / path).write_text(text, encoding="utf-8")
        paths = sorted(source.glob(f"**/{pattern}"))
        assert paths, f"no {pattern} in the source"
        for path in paths:
            if new is None:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            else:
                text = path.read_text(encoding="utf-8")
                assert old in text, f"{path.name} has no {old!r}"
                path.write_text(text.replace(old, new, 1), encoding="utf-8")
        box = org_of([source / str(at) for at in range(len(findock.DX))])
        opened.append(box)
        return Place(box.__enter__(), tmp_path)

    yield make
    for box in opened:
        box.__exit__(None, None, None)
