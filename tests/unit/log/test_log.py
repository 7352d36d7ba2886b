"""Log lines use listed words only, and the runbook knows every one that needs a person."""

import ast
import io
import json
import logging
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import structlog

from connector import log
from connector.errors import PermanentError, TransientError

ROOT = Path(__file__).parents[3]
WORDS = r"[a-z]+(_[a-z]+)*"


@pytest.fixture(autouse=True)
def put_back():
    """Logging is the process's: each test gives it back as it found it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    log.get("any")
    before = structlog.get_config()
    yield
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)
    structlog.configure(**before)
    structlog.contextvars.clear_contextvars()


def written(*, json_lines=True, level="info", strict=False):
    """Configure and return where lines go."""
    stream = io.StringIO()
    log.configure(level, json=json_lines, strict=strict, stream=stream)
    return stream


def only(stream):
    """The one line written."""
    [line] = stream.getvalue().splitlines()
    return json.loads(line)


def test_a_line_is_one_json_object_with_its_name_level_time_and_source():
    """Whoever collects the lines can rely on four words."""
    stream = written()
    log.get("stream").info("stream.connected", channel="/data/CaseChangeEvent")
    line = only(stream)
    assert datetime.fromisoformat(line.pop("at")).tzinfo is not None
    assert line == {"event": "stream.connected", "level": "info", "source": "stream", "channel": "/data/CaseChangeEvent"}


def test_in_production_an_unlisted_name_is_written_and_flagged():
    """A line is never lost because somebody forgot to list it."""
    stream = written()
    log.get("x").info("moon.rose", payer="003")
    line = only(stream)
    assert (line["event"], line["payer"], line["unlisted"]) == ("moon.rose", "003", ["event"])


def test_in_production_an_unlisted_key_is_named_and_its_value_left_out():
    """What nobody allowed may be a name or an IBAN."""
    stream = written()
    log.get("x").info("payer.treated", payer="003", iban="NL00TEST0000000000")
    assert "NL00TEST" not in stream.getvalue()
    assert only(stream)["unlisted"] == ["key iban"]


def test_a_payload_is_never_written_even_under_a_listed_key():
    """Ids, words, counts and times only: no mapping, object or nested list."""
    stream = written()
    log.get("x").info("payer.treated", payer={"name": "Example"}, rows=[["Example"]], record=object())
    line = only(stream)
    assert "Example" not in stream.getvalue()
    assert line["unlisted"] == ["value of payer", "value of rows", "value of record"]


def test_the_listed_level_wins():
    """An operator filters by level, so an event has one."""
    stream = written()
    log.get("x").info("payer.parked", payer="003")
    assert only(stream)["level"] == "error"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda logger: logger.info("moon.rose"),
        lambda logger: logger.info("payer.parked"),
        lambda logger: logger.info("payer.treated", iban="NL00TEST0000000000"),
        lambda logger: logger.info("payer.treated", payer={"name": "Example"}),
    ],
)
def test_until_configured_an_unlisted_word_raises(wrong):
    """In tests a missing line in the table is found at once."""
    structlog.reset_defaults()
    with pytest.raises(log.UnlistedError):
        wrong(log.get("x"))


def test_values_are_written_plainly():
    """Times with their offset, amounts as text, sets in order, floats short."""
    stream = written()
    at = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    log.get("x").info("payer.treated", next_at=at, share=Decimal("0.10"), kinds={"retry", "notify"}, seconds=0.123456, payers=True)
    line = only(stream)
    assert (line["next_at"], line["share"], line["kinds"], line["seconds"]) == (
        "2026-03-02T08:00:00+00:00",
        "0.10",
        ["notify", "retry"],
        0.123,
    )


def test_an_exception_is_written_as_its_class():
    """Its text may repeat the value that caused it."""
    stream = written()
    log.get("x").error("payer.parked", payer="003", error=ValueError("NL00TEST0000000000"))
    assert only(stream)["error"] == "ValueError"
    assert "NL00TEST" not in stream.getvalue()


def test_what_is_bound_to_the_context_is_on_every_line():
    """A batch id is bound once and found on all its lines."""
    stream = written()
    with structlog.contextvars.bound_contextvars(batch_id="b1"):
        log.get("x").info("payer.treated", payer="003")
    assert only(stream)["batch_id"] == "b1"


def test_lines_under_the_level_are_left_out():
    """An operator may ask for warnings and errors only."""
    stream = written(level="warning")
    log.get("x").info("payer.treated")
    assert stream.getvalue() == ""
    with pytest.raises(ValueError, match="loud"):
        log.configure("loud")


def test_a_terminal_gets_readable_lines():
    """JSON is for machines."""
    stream = written(json_lines=False)
    log.get("x").info("payer.treated", payer="003")
    assert "payer.treated" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_a_library_is_repeated_without_its_words():
    """Libraries put URLs and payloads into their messages."""
    stream = written()
    logging.getLogger("urllib3.pool").error("GET https://example.com/?token=secret", exc_info=RuntimeError("secret"))
    logging.getLogger("urllib3.pool").info("not even this")
    line = only(stream)
    assert "secret" not in stream.getvalue()
    assert (line["event"], line["logger"], line["state"], line["error"]) == ("library.reported", "urllib3.pool", "error", "RuntimeError")


def test_configuring_twice_repeats_no_line():
    """A reload sets logging up again."""
    written()
    stream = written()
    logging.getLogger("urllib3").error("once")
    only(stream)


def test_of_an_exception_its_class_and_place_are_told_and_only_our_own_text():
    """Other exceptions repeat the value that caused them."""

    def told(error):
        try:
            raise error
        except type(error) as caught:
            return log.fault(caught)

    ours = told(TransientError("the org does not answer"))
    assert (ours["error"], ours["detail"]) == ("TransientError", "the org does not answer")
    theirs = told(ValueError("NL00TEST0000000000"))
    assert set(theirs) == {"error", "where"}
    assert log.fault(PermanentError("never raised")) == {"error": "PermanentError", "detail": "never raised"}


def test_every_event_is_a_noun_and_a_past_participle_listed_once():
    """Names are noun.verb_past, so that they sort by what they are about."""
    names = [event.name for event in log.TABLE]
    assert len(names) == len(set(names)) == len(log.EVENTS)
    assert all(re.fullmatch(rf"{WORDS}\.{WORDS}", name) or name == "mode.shadow" for name in names)
    assert {event.level for event in log.TABLE} <= {"info", "warning", "error"}
    assert all(event.meaning.endswith(".") for event in log.TABLE)


def test_every_warning_and_error_has_its_section_in_the_runbook_and_nothing_else_has():
    """Warning means it heals, error means a person acts: the runbook says how, for each."""
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    sections = re.findall(r"^### `([^`]+)`", runbook, re.MULTILINE)
    assert sections == sorted(sections)
    assert set(sections) == {event.name for event in log.TABLE if event.level != "info"}
    for name, body in zip(sections, re.split(r"^### `[^`]+`.*$", runbook, flags=re.MULTILINE)[1:], strict=True):
        for part in ("**Means**", "**Heals**", "**Do**"):
            assert part in body, f"{name} does not say {part}"


def test_the_runbook_says_the_same_level_as_the_table():
    """A section that calls an error a warning sends nobody."""
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    assert dict(re.findall(r"^### `([^`]+)` \((\w+)\)$", runbook, re.MULTILINE)) == {
        event.name: event.level for event in log.TABLE if event.level != "info"
    }


def test_every_line_in_the_code_uses_listed_words():
    """Found by reading the source, so also on paths that no test takes."""
    faults = [fault for folder in ("connector", "jobs") for file in sorted((ROOT / folder).rglob("*.py")) for fault in _faults(file)]
    assert faults == []


def _faults(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        name, method = node.args[0], node.func.attr
        if method not in ("debug", "info", "warning", "error") or not isinstance(name, ast.Constant):
            continue
        place = f"{file.relative_to(ROOT)}:{node.lineno} {name.value}"
        if name.value not in log.EVENTS:
            yield f"{place}: not in TABLE"
        elif log.LEVELS[name.value] != method:
            yield f"{place}: level {method}, listed as {log.LEVELS[name.value]}"
        yield from (f"{place}: key {word.arg} is not in KEYS" for word in node.keywords if word.arg and word.arg not in log.KEYS)
