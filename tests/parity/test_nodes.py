"""What is absent skips a test on anybody's machine and fails it in CI."""

import pytest

from tests.parity import nodes


def test_absence_is_a_reason_to_skip(monkeypatch):
    """The reason says what is missing and how to get it."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-client is not installed; `make parity` installs it"):
        nodes.package("no-such-client")


def test_absence_fails_in_ci(monkeypatch):
    """CI installs everything, so a skip there would hide that nothing was tried."""
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(nodes, "_find_node", lambda: None)
    with pytest.raises(pytest.fail.Exception, match="no Node 22 or newer"):
        nodes.node()


def test_an_old_node_is_no_node(monkeypatch, tmp_path):
    """A Node older than the clients need is passed over."""
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v20.20.2\n")
    old.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda _name: str(old))
    monkeypatch.setattr(nodes, "_BROUGHT", tmp_path / "none")
    assert nodes._find_node.__wrapped__() is None
