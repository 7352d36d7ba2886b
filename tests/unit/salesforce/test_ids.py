"""Record ids as people give them."""

import pytest

from connector.errors import PermanentError
from connector.salesforce.ids import full_id


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("001000000000001", "001000000000001AAA"),
        ("00D5e0000000001", "00D5e0000000001EAA"),
        ("0015g00000ABCDE", "0015g00000ABCDEAA5"),
        (" 00D5e0000000001EAA ", "00D5e0000000001EAA"),
        ("00D5e0000000001eaa", "00D5e0000000001EAA"),
    ],
)
def test_fifteen_and_eighteen_characters_are_the_same_record(given, full):
    """The last three characters follow from the capitals among the first fifteen."""
    assert full_id(given) == full
    assert len(full_id(given)) == 18
    assert full_id(full_id(given)) == full_id(given)


@pytest.mark.parametrize("given", ["", "003", "00300000000000!", "o'brien", "0030000000000001", "0015G00000ABCDEAAA", "\u0660" * 15])
def test_what_is_no_id_is_refused_in_words(given):
    """A slip is not taken for another record."""
    with pytest.raises(PermanentError, match="record id"):
        full_id(given)
