"""No test of the client reaches a network: every reply is one the test gave."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import responses

from tests.unit.salesforce.build import PRIVATE_PEM


@pytest.fixture(autouse=True)
def _answers() -> Iterator[None]:
    responses.start()
    yield
    responses.stop(allow_assert=False)
    responses.reset()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A private key that only its owner can read."""
    path = tmp_path / "key.pem"
    path.write_text(PRIVATE_PEM)
    path.chmod(0o600)
    return path
