"""Our reading of SOQL is held against soql-parser-js: on public queries, on labelled ones and on thousands that are made."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.org.errors import OrgError
from sandbox.org.soql.parse import parse
from tests.parity.nodes import node, package
from tests.parity.soql.labelled import INVALID, VALID
from tests.parity.soql.statements import statements

CORPUS = Path(__file__).parents[4] / "shared" / "data" / "soql" / "queries.json"
SEED = 7
PAIRS = 2000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What we say to a statement: taken, or refused at a place with words."""

    soql: str
    taken: bool
    at: int = 0
    words: str = ""

    @property
    def before(self) -> str:
        """The statement up to the place."""
        return self.soql[: self.at].rstrip()

    @property
    def rest(self) -> str:
        """The statement from the place on."""
        return self.soql[self.at :]


def ours(soql: str) -> Verdict:
    """Let our parser judge a statement of one line or more."""
    try:
        parse(soql)
    except OrgError as error:
        place = re.search(r"ERROR at Row:(\d+):Column:(\d+)\n(.*)", error.message)
        if place is None:
            return Verdict(soql, taken=False, words=error.message)
        lines = soql.split("\n")[: int(place[1]) - 1]
        return Verdict(soql, taken=False, at=sum(len(each) + 1 for each in lines) + int(place[2]) - 1, words=place[3])
    return Verdict(soql, taken=True)


@pytest.fixture(scope="module")
def theirs() -> Callable[[Sequence[str]], list[bool]]:
    """Let soql-parser-js judge statements, all in one process."""
    package("@jetstreamapp/soql-parser-js")
    command = [str(node()), str(Path(__file__).with_name("valid.mjs"))]

    def judge(found: Sequence[str]) -> list[bool]:
        given = "".join(f"{json.dumps(each)}\n" for each in found)
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120, check=True)  # noqa: S603 - our own script
        return [line == "true" for line in done.stdout.split()]

    return judge


_CALL = re.compile(r"\w+ ?\($")
_WORD_TAKEN = re.compile(r"unexpected token: '[\w.]+'")
LOOSER: tuple[tuple[str, Callable[[Verdict], object]], ...] = (
    ("a function takes a field, not nothing", lambda it: _CALL.search(it.before) and it.rest.startswith(")")),
    ("a function takes a field, not a literal", lambda it: _CALL.search(it.before) and re.match(r"['\d]", it.rest)),
    ("IN takes a list", lambda it: it.before.endswith("IN") and it.rest.startswith("'")),
    ("LIKE takes one pattern, not a list", lambda it: it.before.upper().endswith("LIKE") and it.rest.startswith("(")),
    ("a list of data categories stands in parentheses", lambda it: "DATA CATEGORY" in it.before and it.rest.startswith(",")),
    ("AND and OR are not mixed without parentheses", lambda it: re.match(r"(and|or)\b", it.rest, re.IGNORECASE)),
    ("a backslash escapes only what may be escaped", lambda it: "Illegal character sequence" in it.words),
    ("a reserved word is no alias", lambda it: it.words == f"unexpected token: '{it.rest[:5]}'" and it.rest[:5].lower() == "group"),
    ("an alias is one word", lambda it: re.match(r"\w+\.\w", it.rest) and re.search(r"[\w)]$", it.before)),
    ("COUNT() stands alone", lambda it: re.search(r"COUNT ?\( ?\)$", it.before, re.IGNORECASE)),
    (
        "conditions are joined by AND or OR",
        lambda it: re.match(r"\(|not\b|\w", it.rest, re.IGNORECASE) and re.search(r"[\w')]$", it.before),
    ),
)
"""Why we refuse what soql-parser-js takes. The first reason that fits counts."""

STRICTER = {
    "USING SCOPE": "scopes are names: the platform checks them, not the grammar (later versions of soql-parser-js agree)",
}
"""Why we take what soql-parser-js 6.3.1 refuses."""


KNOWN = {
    "labelled": {
        "AND and OR are not mixed without parentheses": 2,
        "IN takes a list": 1,
        "LIKE takes one pattern, not a list": 1,
        "a backslash escapes only what may be escaped": 1,
        "a function takes a field, not nothing": 1,
        "an alias is one word": 1,
        "conditions are joined by AND or OR": 1,
    },
    "public": {"scopes are names: the platform checks them, not the grammar (later versions of soql-parser-js agree)": 3},
    "made": {
        "LIKE takes one pattern, not a list": 1,
        "a function takes a field, not a literal": 3,
        "a function takes a field, not nothing": 21,
        "a list of data categories stands in parentheses": 1,
        "a reserved word is no alias": 3,
        "an alias is one word": 5,
        "conditions are joined by AND or OR": 1,
    },
}
"""How often each reason is met, for the statements as they are: another number is a new difference."""


def reason(verdict: Verdict) -> str:
    """Tell why we and soql-parser-js differ on a statement, or give the statement when there is no known reason."""
    if verdict.taken:
        return next((why for part, why in STRICTER.items() if part in verdict.soql.upper()), f"WE TAKE {verdict.soql}")
    return next((why for why, fits in LOOSER if fits(verdict)), f"WE REFUSE {verdict.soql} ({verdict.words})")


def differences(found: Sequence[str], judged: Sequence[bool]) -> dict[str, int]:
    """Count the reasons for which the two parsers differ."""
    assert len(judged) == len(found)
    verdicts = [ours(each) for each in found]
    return dict(Counter(reason(one) for one, other in zip(verdicts, judged, strict=True) if one.taken != other))


def test_valid_statements_are_taken_and_invalid_ones_refused():
    """Our parser agrees with the reference on every labelled statement."""
    assert [each for each in VALID if not ours(each).taken] == []
    assert [each for each in INVALID if ours(each).taken] == []


def test_labelled_statements_are_judged_alike_but_for_known_reasons(theirs):
    """Where soql-parser-js differs from the reference is written down."""
    found = [*VALID, *INVALID]
    assert differences(found, theirs(found)) == KNOWN["labelled"]


def test_public_queries_are_judged_alike_but_for_known_reasons(theirs):
    """What people really write is taken or refused by both."""
    if not CORPUS.exists():
        pytest.skip("the collection of public queries is not on this machine")
    found = [each["query"] for each in json.loads(CORPUS.read_text(encoding="utf-8"))]
    assert differences(found, theirs(found)) == KNOWN["public"]


def test_made_statements_are_judged_alike_but_for_known_reasons(theirs):
    """Thousands of statements, half of them spoilt, find no difference that is not written down; the valid half is taken."""
    made = list(statements(SEED, PAIRS))
    found = [soql for soql, _ in made]
    assert [soql for soql, valid in made if valid and not ours(soql).taken] == []
    judged = theirs(found)
    assert judged.count(False) > PAIRS // 2
    assert differences(found, judged) == KNOWN["made"]
