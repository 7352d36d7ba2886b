"""A small schema of standard objects and one package, as pure values."""

from pathlib import Path

import pytest

from sandbox.org.metadata import load_schema
from sandbox.org.schema import Schema
from tests.unit.sandbox_http.conftest import write_dx


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Schema:
    """Standard objects and the test package."""
    return load_schema([write_dx(tmp_path_factory.mktemp("package"))])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file for a log."""
    return tmp_path / "org.db.events"
