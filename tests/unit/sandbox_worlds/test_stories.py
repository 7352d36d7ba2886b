"""The stories file says what it means to say, in words that exist."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from sandbox.worlds.findock.stories import Book, Step, Story, read_book

NAMED = [
    "loyal-first-failure",
    "fourth-this-year",
    "new-customer-first-payment",
    "open-case",
    "disputed",
    "account-closed",
    "mandate-revoked",
    "technical",
    "deceased",
    "late-money",
    "partial-payment",
    "reversed-after-collected",
    "duplicate-and-out-of-order-events",
    "unknown-code",
    "held",
    "gift",
    "invisible",
]
DX = Path(__file__).resolve().parents[3] / "sandbox" / "worlds" / "findock" / "dx"
FOLLOW_UPS = {
    "retry",
    "notify",
    "remind",
    "request_method",
    "confirm",
    "apologise",
    "call",
    "review",
    "inform",
    "offer_plan",
    "hold",
    "escalate",
    "propose_referral",
    "propose_write_off",
    "alert_team",
    "clear",
}
STORIES = read_book().stories


def steps() -> Iterator[tuple[Story, Step]]:
    """Every step of every story."""
    return ((story, step) for story in STORIES for step in story.steps)


def test_all_stories_are_there_in_order() -> None:
    """The seventeen stories, by their names; second halves belong to one of them."""
    assert [story.name for story in STORIES if story.of is None] == NAMED
    assert {story.of for story in STORIES if story.of} <= set(NAMED)


def test_a_title_is_one_sentence() -> None:
    """Each story says in one sentence what it is about."""
    for story in STORIES:
        assert story.title.endswith(".")
        assert story.title.count(". ") == 0


def test_external_ids_fit_their_field() -> None:
    """cpm__External_ID__c holds fifty characters; the longest label fits."""
    for story in STORIES:
        for claim in story.claims:
            assert len(story.external_id(claim.label, "2026-03")) <= 50


def test_steps_are_in_order_and_within_the_book() -> None:
    """Steps come in the order of time, none before the world starts or after it ends."""
    book = read_book()
    for story in STORIES:
        moments = [step.at for step in story.steps]
        assert moments == sorted(moments)
        assert book.starts < moments[0]
        assert moments[-1] < book.ends


def test_the_clock_has_few_places_to_stop() -> None:
    """Stories share their moments, so that the whole calendar can be walked in a minute."""
    assert len({step.at for _, step in steps()}) <= 20


def test_steps_name_fields_that_exist() -> None:
    """What the package writes are fields the package has."""
    known = {path.parents[1].name + "." + path.name.removesuffix(".field-meta.xml") for path in DX.rglob("*.field-meta.xml")}
    for _, step in steps():
        if step.do == "package":
            target = "cpm__Mandate__c" if step.update_mandate else step.insert or "cpm__Installment__c"
            assert {f"{target}.{name}" for name in step.fields} <= known


def test_steps_and_expectations_name_installments_that_are_made() -> None:
    """A step's installment is a month of one of the payer's claims between their first and April 2026."""
    for story, step in steps():
        for label in [step.installment, step.update, *step.installments]:
            if label:
                claim = label.split(":")[0] if ":" in label else ""
                assert claim in {one.label for one in story.claims}
                assert label[-7:] in {"2026-01", "2026-02", "2026-03"}


def test_each_action_has_what_it_needs() -> None:
    """A step that could not be played is refused here and not in the middle of a demonstration."""
    for _, step in steps():
        match step.do:
            case "outcome":
                assert step.installment
                assert step.outcome
                assert (step.reason_code is None) == (step.outcome == "collected")
            case "package":
                assert sum(map(bool, (step.insert, step.update, step.update_mandate))) == 1
                assert step.fields
            case "pay":
                assert step.installment
            case "insert":
                assert step.sobject
                assert step.by
            case "hide":
                assert step.installments
            case "complete_tasks":
                assert step.kinds


def test_expectations_use_the_closed_list_and_do_not_contradict_themselves() -> None:
    """What must appear and what must never are follow-up kinds, and not the same ones."""
    for story in STORIES:
        assert set(story.expect.follow_ups) | set(story.expect.never) <= FOLLOW_UPS
        assert not set(story.expect.follow_ups) & set(story.expect.never)
        for check in story.expect.checks:
            assert len(check.model_fields_set) == 1


def test_dates_in_fields_stay_dates() -> None:
    """A date written in the file is a day, not a moment, and an amount is never a float."""
    values = [value for _, step in steps() for value in step.fields.values()]
    assert any(type(value) is date for value in values)
    assert not any(isinstance(value, float) for value in values)


def test_a_misspelt_step_is_refused() -> None:
    """A word the file may not use is an error that names it."""
    book = read_book().model_dump(exclude_defaults=True)
    book["stories"][0]["steps"][0]["udpate"] = "2026-03"
    with pytest.raises(ValidationError, match="udpate"):
        Book.model_validate(book)
