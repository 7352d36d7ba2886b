"""The page for credit managers calls everything as Salesforce shows it, and leaves no word of theirs unexplained."""

import re
from pathlib import Path

from connector.core.words import ArrearsStatus, FollowUpStatus, Withholding

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "credit-managers.md").read_text(encoding="utf-8")
MAIN = ROOT / "force-app" / "main" / "default"
SHOWN = re.compile(r"<(?:label|name|title|fullName)>(.*?)</(?:label|name|title|fullName)>")
ITALIC = re.compile(r"(?<!\*)\*([^*\n]+)\*(?!\*)")


def labels(*patterns):
    """Everything that people read in the org: labels of fields, values, lists, actions, reports and the app."""
    return {text for pattern in patterns for file in MAIN.glob(pattern) for text in SHOWN.findall(file.read_text(encoding="utf-8"))}


def test_every_name_on_the_page_is_one_that_people_see():
    """A list, an action or a value that is renamed in the org is renamed here."""
    shown = labels("objects/**/*.xml", "quickActions/*.xml", "reports/**/*.xml", "dashboards/**/*.xml", "applications/*.xml")
    assert set(ITALIC.findall(PAGE)) - shown == set()


def test_every_action_is_on_the_page():
    """An action that nobody explains is used wrongly."""
    assert {label for label in labels("quickActions/*.xml") if label} - set(ITALIC.findall(PAGE)) == set()


def test_every_word_of_the_closed_lists_is_explained():
    """Silence, states and holds are told in plain words, each of them."""
    told = set(re.findall(r"`(\w+)`", PAGE))
    assert {str(word) for word in Withholding} <= told
    held = labels("objects/Dunwell_Hold__c/fields/Cause__c.field-meta.xml", "objects/Dunwell_Follow_Up__c/fields/Kind__c.field-meta.xml")
    words = {*ArrearsStatus, *FollowUpStatus, *(label for label in held if label[0].isupper() and "__" not in label)}
    assert {str(word) for word in words} - set(ITALIC.findall(PAGE)) - {"Cause", "Kind"} == set()
