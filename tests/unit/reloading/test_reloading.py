"""Changed files are taken up when they are right and still; wrong ones leave what was in force."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from connector.errors import ConfigError
from connector.reloading import EVERY, Reloading


class SetClock:
    """A clock that stands where it was set."""

    def __init__(self):
        self.time = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def now(self):
        """Where it was set."""
        return self.time


@pytest.fixture
def clock():
    """Give a clock that stands."""
    return SetClock()


@pytest.fixture
def files(tmp_path):
    """Give a folder with one policy and something that is none of ours."""
    (tmp_path / "policies").mkdir()
    write(tmp_path, "good 1")
    return tmp_path


def write(folder, text):
    """Change the policy; each change has a time of its own."""
    path = folder / "policies" / "default.yaml"
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text)
    os.utime(path, ns=(before + 1_000_000_000, before + 1_000_000_000))


@pytest.fixture
def reloading(files, clock):
    """Reading takes the policy's text, and refuses bad ones."""
    reads = []

    def read(_kept):
        reads.append(1)
        text = (files / "policies" / "default.yaml").read_text()
        if text.startswith("bad"):
            raise ConfigError(["default.yaml:1: unknown word", "default.yaml:2: another"])
        return text

    found = Reloading(files, "good 1", read, clock)
    found.reads = reads
    return found


def looks(reloading, clock, times=1):
    """Look so often, each time when it is due."""
    for _ in range(times):
        clock.time += EVERY
        found = reloading()
    return found


def test_unchanged_files_are_not_read(reloading, clock):
    """Looking costs no reading."""
    assert reloading() == "good 1"
    assert looks(reloading, clock, 3) == "good 1"
    assert reloading.reads == []


def test_a_change_is_in_force_once_it_is_still(reloading, clock, files):
    """Not at the first sight of it: an editor may still be writing."""
    reloading()
    write(files, "good 2")
    assert looks(reloading, clock) == "good 1"
    write(files, "good 3")
    assert looks(reloading, clock) == "good 1"
    assert looks(reloading, clock) == "good 3"
    assert len(reloading.reads) == 1


def test_it_is_looked_at_now_and_then_only(reloading, clock, files):
    """Between two looks nobody touches the disk; a clock that was set back counts as time for a look."""
    reloading()
    write(files, "good 2")
    clock.time += EVERY - timedelta(milliseconds=1)
    for _ in range(5):
        assert reloading() == "good 1"
    clock.time -= timedelta(hours=1)
    reloading()
    assert looks(reloading, clock) == "good 2"


def test_a_wrong_change_keeps_what_was_and_is_told_once(reloading, clock, files, capsys):
    """The log names the first fault and how many there are; the next right change is taken up."""
    reloading()
    write(files, "bad")
    assert looks(reloading, clock, 5) == "good 1"
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(one["event"], one["count"]) for one in told] == [("config.refused", 2)]
    assert len(reloading.reads) == 1
    write(files, "good 2")
    assert looks(reloading, clock, 2) == "good 2"


def test_new_and_deleted_files_count_and_strange_ones_do_not(reloading, clock, files):
    """An admin's own table beside ours is a change; an editor's backup is none."""
    reloading()
    (files / "notes~").write_text("x")
    looks(reloading, clock, 3)
    assert reloading.reads == []
    (files / "own_reasons.csv").write_text("x")
    looks(reloading, clock, 3)
    assert len(reloading.reads) == 1
    (files / "own_reasons.csv").unlink()
    looks(reloading, clock, 3)
    assert len(reloading.reads) == 2
