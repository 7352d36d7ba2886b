"""Values as people read them."""

from zoneinfo import ZoneInfo

import pytest

from sandbox.org.schema import Choice, Field
from sandbox.page.values import LONGEST, SHORT, Manner, clean, money, text_value

MANNER = Manner(
    ZoneInfo("Europe/Amsterdam"), {"Debt.Why": {"quiet": "too late in the day", "hold": "a hold stands"}}, {"Debt.State": {"late": "bad"}}
)


def kind(type_: str, **more: object) -> Field:
    """Make a field of a type."""
    return Field("Field", "Field", type_, **more)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2026-03-29T00:59:00.000+0000", "29 Mar 2026, 01:59"),
        ("2026-03-29T01:00:00.000+0000", "29 Mar 2026, 03:00"),
        ("2026-10-25T01:30:00.000+0000", "25 Oct 2026, 02:30"),
    ],
)
def test_a_moment_is_shown_in_the_time_zone_of_the_org_with_its_summer(written: str, shown: str) -> None:
    """The hour that the clocks skip in spring is not shown."""
    assert MANNER.show(written, kind("datetime"), "Debt.At").text == shown


def test_a_day_is_the_same_day_everywhere() -> None:
    """A date has no time zone, so it never moves."""
    assert MANNER.show("2026-03-01", kind("date"), "Debt.On").text == "1 Mar 2026"


@pytest.mark.parametrize(
    ("value", "currency", "shown"),
    [
        (1234.5, "EUR", "€\xa01,234.50"),
        (-0.5, "GBP", "£\xa0\N{MINUS SIGN}0.50"),
        (12000, "JPY", "JPY\xa012,000"),
        (0, "CHF", "CHF\xa00.00"),
        (3, "", "3.00"),
    ],
)
def test_an_amount_shows_its_currency_and_its_decimals(value: float, currency: str, shown: str) -> None:
    """Amounts have the decimals that their currency has, and thousands apart."""
    assert money(value, currency) == shown


def test_numbers_have_the_decimals_of_their_field() -> None:
    """A whole number shows no decimals, though the org stores it as a float."""
    assert MANNER.show(1200.0, kind("double", scale=0), "Debt.Count").text == "1,200"
    assert MANNER.show(12.5, kind("percent", scale=1), "Debt.Share").text == "12.5%"


def test_nothing_is_not_nought_and_not_no() -> None:
    """An empty field, the number nought and an unchecked box look different."""
    shown = [MANNER.show(value, kind(type_), "Debt.Field").text for value, type_ in ((None, "double"), (0, "double"), (False, "boolean"))]
    assert shown == ["\N{EN DASH}", "0", "No"]


def test_coded_values_are_shown_in_words() -> None:
    """Several codes in one text become several phrases, and a code without words stays as it is."""
    assert MANNER.show("quiet;hold;other", kind("string"), "Debt.Why").text == "too late in the day, a hold stands, other"


def test_a_sentence_is_no_code() -> None:
    """A text with a semicolon in a field that may hold codes stays as it was written, whole."""
    sentence = "It has arrived; a short thank-you closes the matter. " * 5
    assert MANNER.show(sentence, kind("textarea"), "Debt.Why").full == sentence.strip()


def test_picklists_show_labels_and_colour_never_stands_alone() -> None:
    """A value with a tone still says its label."""
    shown = MANNER.show("late", kind("picklist", choices=(Choice("late", "Very Late"),)), "Debt.State")
    assert (shown.text, shown.kind, shown.tone) == ("Very Late", "pill", "bad")


def test_a_long_text_is_cut_twice() -> None:
    """One line is shown, the rest is folded away, and of 30,000 characters most are not sent at all."""
    shown = text_value("word " * 6000)
    assert len(shown.text) <= SHORT
    assert len(shown.full) < LONGEST + 100
    assert "30,000 characters in all" in shown.full


def test_marks_that_disturb_a_page_are_taken_out() -> None:
    """Control characters go, line breaks stay."""
    assert clean("a\x00b\u202ec\u2066d\x9be\nf\tg") == "abcde\nf\tg"


@pytest.mark.parametrize(
    ("value", "href"), [("https://pay.example/1", "https://pay.example/1"), ("javascript:alert(1)", ""), ("data:text/html,x", "")]
)
def test_only_web_addresses_become_links(value: str, href: str) -> None:
    """A link that would run something stays text."""
    assert MANNER.show(value, kind("url"), "Debt.Link").href == href
