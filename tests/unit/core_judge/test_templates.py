"""Message texts: they render with the values they are given, in the payer's language, and bad ones are refused."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from connector.errors import ConfigError, PermanentError
from connector.mapping.templates import Values, load_templates, names_in
from tests.scenario.decide.builders import ROOT, default_policy

FOLDER = ROOT / "mappings" / "templates"
FULL = Values(
    "Ada Example", "40.00 EUR", date(2026, 3, 1), "https://pay.example.com/x", date(2026, 3, 25), "Example Foundation", 2, "Free Advice"
)
BARE = Values("Ada Example", "40.00 EUR")


@pytest.mark.parametrize("language", ["en", "nl", "de"])
def test_every_template_of_the_default_policy_renders_in_every_language(language):
    """With all values and with the least; nothing unfilled is left standing."""
    templates = load_templates(FOLDER, [default_policy()])
    for name in names_in(default_policy()) | {"confirm", "coming_debit", "partial_payment"}:
        for values in (FULL, BARE):
            message = templates.render(name, language, values)
            assert message.language == language
            assert message.subject
            assert "Ada Example" in message.body
            assert not any(mark in message.subject + message.body for mark in ("{", "}", "None", "\n\n\n"))


def test_a_pay_link_and_the_retry_date_are_said_where_they_are_known():
    """The note that goes out carries the way to pay and what happens next."""
    body = load_templates(FOLDER).render("reminder_gentle", "nl-BE", FULL).body
    assert "https://pay.example.com/x" in body
    assert "25 maart 2026" in body


def test_amounts_are_written_as_people_of_the_language_do():
    """Cents stand behind a comma in Dutch and German, and behind a point in English."""
    for language, said in (("en", "40.00 EUR"), ("nl", "40,00 EUR"), ("de", "40,00 EUR")):
        assert said in load_templates(FOLDER).render("reminder_gentle", language, FULL).body


def test_one_due_date_is_said_of_one_payment_alone():
    """Of several together the date is the oldest one's, and the text says so."""
    for language, said in (
        ("en", "the oldest due 1 March 2026"),
        ("nl", "oudste vervaldatum 1 maart 2026"),
        ("de", "älteste Fälligkeit: 1. März 2026"),
    ):
        templates = load_templates(FOLDER)
        assert said in templates.render("reminder_neutral", language, FULL).body
        assert said not in templates.render("reminder_neutral", language, replace(FULL, installments=1)).body


def test_no_text_promises_a_try_that_is_not_planned():
    """Without a date for it no text speaks of collecting again; with one, the texts of what may be tried again name the day."""
    templates = load_templates(FOLDER)
    naming = {"reminder_gentle", "reminder_neutral", "reminder_firm", "reminder_welcome", "partial_payment"}
    for name in names_in(default_policy()) | {"confirm", "partial_payment"}:
        body = templates.render(name, "en", replace(FULL, retry_on=None)).body
        assert "collect it again" not in body
        assert ("25 March 2026" in templates.render(name, "en", FULL).body) is (name in naming)


def test_a_german_text_goes_on_in_lower_case_after_its_greeting():
    """After the comma of the greeting a German sentence begins small, unless with a noun or in address."""
    small = {"apology": "beim", "coming_debit": "die", "other_way_to_pay": "die", "request_method": "wir", "membership_stay": "für"}
    for name, word in small.items():
        body = load_templates(FOLDER).render(name, "de", FULL).body
        assert body.split("\n\n")[1].startswith(f"{word} ")


def test_gifts_are_never_called_debts():
    """A donor reads of a gift, not of something owed."""
    for language in ("en", "nl", "de"):
        message = load_templates(FOLDER).render("gift_invitation", language, FULL)
        assert not any(word in message.body.casefold() for word in ("owe", "overdue", "debt", "schuld", "arrears"))


def test_an_unknown_language_falls_back_to_english():
    """Somebody who speaks what we do not is written to in English."""
    assert load_templates(FOLDER).render("confirm", "fi", FULL).language == "en"
    assert load_templates(FOLDER).render("confirm", None, FULL).language == "en"


def test_an_unknown_template_parks_and_does_not_crash():
    """The pipeline learns what is wrong."""
    with pytest.raises(PermanentError, match="there is no template 'nope'"):
        load_templates(FOLDER).render("nope", "en", FULL)
    assert not load_templates(FOLDER).has("nope")


def test_bad_templates_are_refused_with_their_line(tmp_path: Path):
    """A wrong value, a broken tag, no subject and a missing file, all told at once."""
    (tmp_path / "en").mkdir()
    for name, text in {
        "confirm": "Subject: x\n\n{{ payer_nam }}\n", "coming_debit": "Subject: x\n{% if %}\n", "partial_payment": "no subject\n",
    }.items():  # fmt: skip
        (tmp_path / "en" / f"{name}.txt").write_text(text)
    (tmp_path / "en" / "odd.txt").write_bytes(b"\xff")
    with pytest.raises(ConfigError) as caught:
        load_templates(tmp_path, [default_policy()])
    said = "\n".join(caught.value.problems)
    assert f"{tmp_path.name}/en/confirm.txt:3: 'payer_nam' is no value; did you mean 'payer_name'?" in said
    assert "coming_debit.txt:2: not a template" in said
    assert "partial_payment.txt:1: the first line must be 'Subject: ...'" in said
    assert "odd.txt:1: cannot be read" in said
    assert "reminder_firm.txt:1: the policy asks for this template" in said


def test_a_template_cannot_reach_beyond_its_values(tmp_path: Path):
    """The sandbox stops what an editor of texts should not do."""
    (tmp_path / "en").mkdir()
    for name in ("confirm", "coming_debit", "partial_payment"):
        (tmp_path / "en" / f"{name}.txt").write_text("Subject: {{ ''.__class__.__mro__ }}\n")
    with pytest.raises(PermanentError, match="cannot be rendered"):
        load_templates(tmp_path).render("confirm", "en", FULL)
