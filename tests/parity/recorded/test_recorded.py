"""What our org answers is held against recorded answers of real ones, field by field."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import requests

from tests.parity.conftest import ADMIN
from tests.parity.recorded.facts import FACTS

ROOT = "/services/data/v66.0"


def differences(pattern, value, at="$"):
    """Where a value is not as its pattern says."""
    if isinstance(pattern, dict) and isinstance(value, dict):
        found = [f"{at}: keys {sorted(value)} instead of {sorted(pattern)}"] if {*pattern} != {*value} else []
        return found + [one for key in pattern.keys() & value.keys() for one in differences(pattern[key], value[key], f"{at}.{key}")]
    if isinstance(pattern, list) and isinstance(value, list):
        each = [pattern[0]] * len(value) if pattern[1:] == [...] else pattern
        if len(each) != len(value):
            return [f"{at}: {len(value)} elements instead of {len(each)}"]
        return [
            one for place, (inner, own) in enumerate(zip(each, value, strict=True)) for one in differences(inner, own, f"{at}[{place}]")
        ]
    if isinstance(pattern, re.Pattern):
        fits = isinstance(value, str) and pattern.fullmatch(value)
    elif isinstance(pattern, type):
        fits = isinstance(value, pattern) and not (pattern is int and isinstance(value, bool))
    else:
        fits = pattern == value and isinstance(value, type(pattern))
    return [] if fits else [f"{at}: {value!r} instead of {pattern!r}"]


@pytest.fixture(scope="module")
def client(org):
    """A session of an administrator."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {org.token(ADMIN)}"
        yield session


@pytest.fixture(scope="module")
def words(org, client):
    """Records and times that stand in requests."""

    def make(kind, **fields):
        return client.post(f"{org.instance_url}{ROOT}/sobjects/{kind}", json=fields, timeout=10).json()["id"]

    for _ in range(2):
        make("cpm__Payment__c", cpm__External_ID__c="recorded-twice")
    now = datetime.now(UTC).replace(microsecond=0)
    window = (now - timedelta(hours=1), now + timedelta(minutes=2))
    return {
        "{account}": make("Account", Name="Recorded"),
        "{window}": "start={:%Y-%m-%dT%H:%M:%SZ}&end={:%Y-%m-%dT%H:%M:%SZ}".format(*window),
    }


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.what)
def test_an_answer_is_as_recorded(org, client, words, fact):
    """Status, keys, codes and words are those of the recording."""

    def filled(text):
        for word, value in words.items():
            text = text.replace(word, value)
        return text

    body = None if fact.body is None else filled(json.dumps(fact.body))
    headers = {"Content-Type": "application/json", **fact.headers}
    client.get(f"{org.instance_url}{ROOT}/sobjects/Account/{words['{account}']}", timeout=10)
    url = f"{org.instance_url}/services/data/v{fact.version}/{filled(fact.path)}"
    reply = client.request(fact.method, url, data=body, headers=headers, timeout=10)
    answer = reply.json() if "json" in reply.headers["Content-Type"] else reply.text
    assert (reply.status_code, differences(fact.pattern, answer)) == (fact.status, [])


def test_a_difference_is_seen():
    """The comparison itself fails where a key, a type, a text or a length is another one."""
    pattern = {"a": [int, ...], "b": re.compile("x+"), "c": None}
    assert differences(pattern, {"a": [1, 2], "b": "xx", "c": None}) == []
    for wrong in ({"a": [1]}, {"a": [True], "b": "x", "c": None}, {"a": [], "b": "y", "c": None}, {"a": [], "b": "x", "c": 0}):
        assert differences(pattern, wrong)
    assert differences([1, 2], [1])
