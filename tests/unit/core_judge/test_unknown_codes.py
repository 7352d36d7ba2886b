"""Codes that no table knows are named for the admin; free text put where a code belongs is not."""

from dataclasses import replace

from connector.core.model import Reason
from connector.core.unknown_codes import unknown_codes
from connector.core.words import Category
from tests.scenario.decide.builders import failure, item, position


def failed(code, meaning="", category=Category.UNKNOWN):
    """A position with one failure for a code."""
    reason = Reason("bacs_arudd", code, category, "no", meaning=meaning)
    return position(item(failures=(replace(failure(), reason=reason),)))


def test_a_code_in_no_table_is_named_once_with_its_set():
    """Ten payers with the same strange code are one row to add."""
    assert unknown_codes([failed("Z9"), failed("Z9"), failed("ZX")]) == {("bacs_arudd", "Z9"), ("bacs_arudd", "ZX")}


def test_a_code_whose_row_says_unknown_is_known():
    """A table may say that a code hides its cause; that is no gap."""
    assert unknown_codes([failed("MS03", "The bank does not say why"), failed("AM04", category=Category.INSUFFICIENT_FUNDS)]) == set()


def test_free_text_in_place_of_a_code_is_not_kept():
    """Names and sentences end up in code fields; they never reach the store."""
    assert unknown_codes([failed("Jan Proef, Voorbeeldstraat 1"), failed("x" * 60), failed("")]) == set()
