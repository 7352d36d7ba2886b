"""Every story of every world, told by its calendar and judged by what the org shows at its end."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from connector.demo import Told
from connector.demo.judge import Verdict
from connector.demo.world import NAMES

WORLDS = Path(__file__).resolve().parents[3] / "sandbox" / "worlds"
BOOKS = {name: yaml.safe_load((WORLDS / name / "stories.yaml").read_text(encoding="utf-8")) for name in NAMES}
TOLD = [(world, story) for world, book in BOOKS.items() for story in book["stories"]]
MONEY = {"findock": "cpm__Payment__c", "plain": "Payment__c"}
SUMMARY = {"payers", "events", "records", "stories", "duplicates", "second_pass_changes", "api_calls"}
NOT_TOLD = {"plain": {"gift": "no field of its bills says that a claim is a gift, and that is never guessed from a product"}}
"""Stories of FinDock's world that cannot be told in another one, each with its reason."""
each_world = pytest.mark.parametrize("world", BOOKS)


def verdict_on(told: Told, name: str) -> Verdict:
    """The verdict on one story."""
    (found,) = [one for one in told.verdicts if one.story.name == name]
    return found


def calendar(story: Mapping[str, object]) -> str:
    """The story as its days: what happened, and what had to come of it."""
    steps, expect = story["steps"], story["expect"]
    assert isinstance(steps, list)
    assert isinstance(expect, dict)
    days = [f"  {_day(step['at'])}  {step['do']}: {_rest(step)}" for step in steps]
    wanted = [f"  {name}: {value}" for name, value in expect.items()]
    return "\n".join([f"{story['name']}: {story['title']}", *days, "expected", *wanted])


def _day(at: str) -> str:
    return f"{datetime.fromisoformat(at):%a %d %b %H:%M}"


def _rest(step: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in step.items() if name not in ("at", "do"))


@pytest.mark.parametrize(("world", "story"), TOLD, ids=[f"{world}-{story['name']}" for world, story in TOLD])
def test_a_story_ends_as_its_calendar_says(story, told):
    """What happened to this payer, day by day, came to the follow-ups, flags and silences the story expects."""
    verdict = verdict_on(told, story["name"])
    assert not verdict.faults, "\n".join([calendar(story), "found", *(f"  {fault}" for fault in verdict.faults)])
    assert verdict.why
    assert story["expect"].get("reason_category") in (None, verdict.reason_category)
    assert set(story["expect"].get("follow_ups", ())) <= set(verdict.follow_ups)
    assert set(story["expect"].get("withheld", ())) <= set(verdict.withheld)


@each_world
def test_nothing_was_done_twice(told):
    """A month with events told twice, out of order and beside the package's own records leaves no record made twice."""
    assert told.duplicates == 0


@each_world
def test_a_second_pass_over_the_month_changes_nothing(told):
    """Whatever the events brought about is what a look at everyone would have brought about."""
    assert told.second_pass_changes == 0


@each_world
def test_the_summary_holds_what_programs_read(told):
    """The keys of the JSON stay as they are promised, and every story is in it once."""
    found = told.summary()
    assert set(found) == SUMMARY
    stories = found["stories"]
    assert isinstance(stories, list)
    assert [one["name"] for one in stories] == [one["name"] for one in BOOKS[told.world]["stories"] if "of" not in one]
    assert all(set(one) == {"name", "payer", "reason_category", "follow_ups", "withheld", "why"} for one in stories)
    assert all(isinstance(one[name], list) for one in stories for name in ("follow_ups", "withheld"))


@each_world
def test_the_month_left_every_kind_of_record(told):
    """The story is told in the org itself: Tasks, money, attempts, follow-ups, positions, holds and the run's report."""
    assert all(told.records[name] > 0 for name in told.records), told.records
    assert {"Task", MONEY[told.world], "Dunwell_Follow_Up__c"} <= set(told.records)
    assert told.events > 0
    assert told.api_calls > 0


@each_world
def test_the_calendar_walks_forward(world):
    """Steps stand in the order of their days, inside the month that is played."""
    book = BOOKS[world]
    for story in book["stories"]:
        days = [step["at"] for step in story["steps"]]
        assert days == sorted(days), story["name"]
        assert all(book["starts"] <= day <= book["ends"] for day in days), story["name"]


@pytest.mark.parametrize("world", [name for name in BOOKS if name != "findock"])
def test_every_world_tells_the_stories_of_the_demo(world):
    """A preset for another org proves itself by the same stories, and those that cannot be told there are known by name."""
    told = {story["name"] for story in BOOKS[world]["stories"]}
    assert {story["name"] for story in BOOKS["findock"]["stories"]} - told == set(NOT_TOLD[world])
