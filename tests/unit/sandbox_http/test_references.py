"""References between subrequests: what ``@{...}`` stands for, and when it stands for nothing."""

import pytest

from sandbox.http.references import References, UnresolvedError, named


def known(version="66.0"):
    """Two replies that later requests may use."""
    references = References(version)
    references.keep("made", {"id": "001", "none": None, "Address": {"city": "Utrecht"}, "count": 3, "yes": True})
    references.keep("found", {"records": [{"Id": "003", "Tags": [["a", "b"]]}]})
    return references


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("@{made.id}", "001"),
        ("@{made.Address.city}", "Utrecht"),
        ("@{found.records[0].Id}", "003"),
        ("@{found.records[0].Tags[0][1]}", "b"),
        ("@{made.count}", 3),
        ("@{made.yes}", True),
        ("no reference", "no reference"),
        ("@{not closed", "@{not closed"),
        ("of @{made.Address.city}, @{made.count}", "of Utrecht, 3"),
    ],
)
def test_a_reference_stands_for_the_value_in_the_reply(text, value):
    """Alone it keeps the value's type, inside a text it becomes text; members and elements go as deep as one likes."""
    assert known().value(text) == value


def test_references_are_found_wherever_they_stand():
    """Objects and arrays are searched, other values left alone."""
    body = {"a": [{"b": "@{made.id}"}, 1, None], "c": {"d": "x"}}
    assert known().value(body) == {"a": [{"b": "001"}, 1, None], "c": {"d": "x"}}
    assert [*named(body)] == ["made"]


def test_a_value_in_a_url_is_quoted():
    """What a value holds cannot change where a URL leads."""
    references = References("66.0")
    references.keep("one", {"key": "a/b c?d"})
    assert references.url("/x/Key__c/@{one.key}") == "/x/Key__c/a%2Fb%20c%3Fd"


@pytest.mark.parametrize("text", ["@{other.id}", "@{made.Id}", "@{made.id.more}", "@{found.records[1].Id}", "@{found.records.Id}"])
def test_what_is_not_there_is_never_sent(text):
    """An unknown reply, another case, a member of a text, an element too many: all halt."""
    with pytest.raises(UnresolvedError, match=r"^Invalid reference specified\. No value for"):
        known().value(text)


def test_null_is_a_value_since_version_52():
    """Before, a reference to null halted."""
    assert known("52.0").value("@{made.none}") is None
    with pytest.raises(UnresolvedError):
        known("51.0").value("@{made.none}")
