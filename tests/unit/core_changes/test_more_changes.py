"""Changes seldom needed: ends withdrawn, holds without a Task, flags without an amount, and a second pass after each."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from connector.core.changes import Basis, ShownFollowUp, ShownPosition, ShownTask, View, as_instant, changes, position_key, position_values
from connector.core.model import Arrears, Decision, FollowUp, Hold, Withheld
from connector.core.words import ArrearsStatus, Category, Channel, FollowUpStatus, HoldCause, Kind, Tone

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAYER, INSTALLMENT = "003000000000001AAA", "a0B000000000001AAA"
REMIND = FollowUp(
    Kind.REMIND, NOW, "remind-1", (INSTALLMENT,), "row", ("Because.", "Truly."), level=1, channel=Channel.EMAIL, tone=Tone.GENTLE,
    template="reminder", priority="High", subject="Note", amount_minor=4000, currency="EUR", after="notify-1", assignee="credit_manager",
)  # fmt: skip
CLEAR = FollowUp(Kind.CLEAR, NOW, "clear-1", (INSTALLMENT,), "settled", ("Paid.",))
HELD = Withheld(Kind.REMIND, ("promise",), date(2026, 3, 9), "remind-1", (INSTALLMENT,), "row")
TASK = ShownTask("00T000000000001AAA", is_closed=False, is_deleted=False, status="Not Started", completed_at=None)


def decided(*follow_ups, withheld=(), status=ArrearsStatus.IN_ARREARS, amount=None, category=None, **more):
    """A decision of these."""
    arrears = Arrears(status, {"EUR": 4000} if amount is None else amount, date(2026, 2, 1), 29, 1, 2)
    return Decision(PAYER, arrears, follow_ups, tuple(withheld), "default", "7", category, "Why.", **more)


def recorded(one, status=FollowUpStatus.PLANNED, **more):
    """A follow-up as the org has it."""
    return ShownFollowUp("aF0000000000001AAA", one.key, one.kind, status, getattr(one, "at", None), more.pop("task_id", None), **more)


def org(decision, *records, tasks=None, **more):
    """An org that shows the flag of ``decision`` already, and these records."""
    flag = ShownPosition("aP0000000000001AAA", "EUR", position_values(decision, "EUR", [INSTALLMENT]))
    return View(PAYER, {one.key: one for one in records}, tasks or {}, {"EUR": flag}, **more)


def made(decision, view, *, missing=False, currency="EUR"):
    """The changes."""
    return changes(decision, view, NOW, Basis(currency, (INSTALLMENT,), missing))


def test_a_record_says_everything_that_was_decided():
    """Who reads the follow-up reads what, when, why, by which row, policy and version."""
    (follow_up, task, position) = made(decided(REMIND), View(PAYER))
    assert (follow_up.op, follow_up.subject, follow_up.payer, follow_up.key) == ("insert", "follow_up", PAYER, "remind-1")
    wanted = {
        "kind": "remind", "level": 1, "planned_at": NOW, "channel": "email", "tone": "gentle", "template": "reminder", "rule": "row",
        "reasons": "Because. Truly.", "subject": "Note", "policy": "default", "policy_version": "7", "installments": INSTALLMENT,
        "amount_minor": 4000, "currency": "EUR", "assignee": "credit_manager", "priority": "High", "after": "notify-1", "cause": None,
        "status": "Planned", "done_at": None,
    }  # fmt: skip
    assert follow_up.values == {**follow_up.values, **wanted}
    assert (task.op, task.subject, task.payer, task.key, task.follow_up, task.values) == ("insert", "task", PAYER, "remind-1", REMIND, {})
    assert (position.op, position.subject, position.key) == ("insert", "position", position_key(PAYER, "EUR"))
    wanted = {
        "status": "In Arrears", "amount_minor": 4000, "since": date(2026, 2, 1), "level": 1, "failures_12m": 2, "last_key": "remind-1",
        "next_follow_up": NOW, "next_kind": "remind", "look_again": None, "why": "Why.", "installments": INSTALLMENT, "currency": "EUR",
    }  # fmt: skip
    assert position.values == {**position.values, **wanted}


def test_clearing_is_done_as_it_is_decided():
    """Nobody has to do anything for a flag to be cleared: no Task, and the record is Done at once."""
    (record, *_) = made(decided(CLEAR, status=ArrearsStatus.CLEAR, amount={}), View(PAYER))
    assert (record.values["status"], record.values["done_at"]) == (FollowUpStatus.DONE, NOW)
    assert not [one for one in made(decided(CLEAR), View(PAYER)) if one.subject == "task"]


def test_a_clearing_that_stands_makes_nothing_more():
    """A record that is Planned and due has no visible form to make."""
    decision = decided(CLEAR)
    assert made(decision, org(decision, recorded(CLEAR))) == []


@pytest.mark.parametrize("status", [FollowUpStatus.DONE, FollowUpStatus.CANCELLED])
def test_what_is_over_is_not_withheld_afterwards(status):
    """A contact that was made cannot be stopped any more."""
    decision = decided(withheld=[HELD])
    assert made(decision, org(decision, recorded(HELD, status))) == []


def test_a_task_completed_before_the_stop_stays_done():
    """What a person did counts, whatever forbids it now."""
    decision = decided(withheld=[HELD])
    closed = replace(TASK, is_closed=True, status="Completed", completed_at=NOW)
    (found,) = made(decision, org(decision, recorded(HELD), tasks={HELD.key: closed}))
    assert found.values == {"status": FollowUpStatus.DONE, "done_at": NOW, "task_id": TASK.id}


def test_what_is_withheld_says_why_and_until_when():
    """The record of a silence: reasons, end, row, policy."""
    (found, _) = made(decided(withheld=[replace(HELD, reasons=("promise", "hold:manual"))]), View(PAYER))
    wanted = {
        "kind": "remind", "status": "Withheld", "withheld": "promise;hold:manual", "withheld_until": date(2026, 3, 9), "rule": "row",
        "installments": INSTALLMENT, "policy": "default", "policy_version": "7", "cause": None, "reasons": "Why.",
    }  # fmt: skip
    assert (found.op, found.key) == ("insert", "remind-1")
    assert found.values == {**found.values, **wanted}


def test_only_the_end_of_a_stop_moves():
    """A new end changes the end and nothing else; the same end, read back as noon, changes nothing."""
    decision = decided(withheld=[HELD])
    same = recorded(HELD, FollowUpStatus.WITHHELD, withheld="promise", withheld_until=datetime(2026, 3, 9, 12, tzinfo=UTC))
    assert made(decision, org(decision, same)) == []
    (found,) = made(decision, org(decision, replace(same, withheld_until=None)))
    assert (found.op, found.id, found.values) == ("update", same.id, {"withheld_until": date(2026, 3, 9)})
    (found,) = made(decision, org(decision, replace(same, withheld="open_case")))
    assert found.values == {"withheld": "promise"}


def test_an_end_is_the_same_day_everywhere():
    """A date is kept as noon UTC, an instant as it is."""
    assert as_instant(date(2026, 3, 9)) == datetime(2026, 3, 9, 12, tzinfo=UTC)
    assert as_instant(NOW) is NOW
    assert as_instant(None) is None


def test_stopping_a_visible_contact_defers_its_task_and_going_on_opens_it():
    """One Task for one contact, through every stop."""
    stopped, going = decided(withheld=[HELD]), decided(REMIND)
    planned = recorded(REMIND, task_id=TASK.id)
    found = made(stopped, org(stopped, planned, tasks={HELD.key: TASK}))
    assert [(one.subject, one.values.get("status")) for one in found] == [("follow_up", "Withheld"), ("task", "deferred")]
    held = recorded(REMIND, FollowUpStatus.WITHHELD, task_id=TASK.id, withheld="promise")
    found = made(going, org(going, held, tasks={HELD.key: replace(TASK, status="Deferred")}))
    again = {"status": FollowUpStatus.PLANNED, "withheld": None, "withheld_until": None, "planned_at": NOW}
    assert {one.subject: one.values for one in found} == {"task": {"status": "open"}, "follow_up": again}


def test_a_contact_that_never_showed_begins_again_without_a_task_to_open():
    """Withheld before its hour came: planned again, and visible when its hour comes."""
    later = replace(REMIND, at=NOW + timedelta(hours=3))
    decision = decided(later)
    (found,) = made(decision, org(decision, recorded(later, FollowUpStatus.WITHHELD, withheld="promise")))
    assert (found.subject, found.values["status"], found.values["planned_at"]) == ("follow_up", FollowUpStatus.PLANNED, later.at)


def test_stepping_back_completes_an_open_task_and_leaves_a_closed_one():
    """What is no longer wanted is Superseded, and only then its Task is closed."""
    nothing = decided()
    for task, expected in ((TASK, ["follow_up", "task"]), (None, ["follow_up"])):
        found = made(nothing, org(nothing, recorded(REMIND), tasks={} if task is None else {REMIND.key: task}))
        assert [one.subject for one in found] == expected
        assert (found[0].values, found[0].id) == ({"status": FollowUpStatus.SUPERSEDED, "done_at": NOW}, "aF0000000000001AAA")
    withheld = org(nothing, recorded(REMIND, FollowUpStatus.WITHHELD), tasks={REMIND.key: replace(TASK, is_deleted=True)})
    assert [one.subject for one in made(nothing, withheld)] == ["follow_up"]
    for status in (FollowUpStatus.DONE, FollowUpStatus.CANCELLED, FollowUpStatus.SUPERSEDED):
        assert made(nothing, org(nothing, recorded(REMIND, status))) == []


def test_with_rows_missing_nothing_steps_back_and_no_flag_moves():
    """Invisible is not paid."""
    nothing = decided(status=ArrearsStatus.CLEAR, amount={})
    assert made(nothing, org(decided(), recorded(REMIND)), missing=True) == []


def test_a_hold_is_made_with_what_it_is_about():
    """The record of a hold says cause, days, installments and evidence; its follow-up is done with it."""
    hold = FollowUp(
        Kind.HOLD,
        NOW,
        "hold-1",
        (INSTALLMENT,),
        "row",
        ("Disputed.", "Stop."),
        hold=Hold(None, HoldCause.DISPUTE, NOW.date(), None, ("a", "b")),
    )
    found = [one for one in made(decided(hold), View(PAYER)) if one.subject == "hold"]
    (made_hold,) = found
    wanted = {"cause": "dispute", "from_on": NOW.date(), "until": None, "installments": "a b", "evidence": "Disputed. Stop."}
    assert (made_hold.op, made_hold.key, made_hold.payer) == ("insert", "hold-1", PAYER)
    assert made_hold.values == {**made_hold.values, **wanted}
    standing = org(decided(hold), recorded(hold), holds=frozenset({"hold-1"}))
    assert [(one.subject, one.values) for one in made(decided(hold), standing)] == [
        ("follow_up", {"status": FollowUpStatus.DONE, "done_at": NOW})
    ]


def test_a_follow_up_whose_task_is_known_but_not_read_gets_no_second_one():
    """Its Task may be archived: the link on the record is enough."""
    decision = decided(REMIND)
    assert made(decision, org(decision, recorded(REMIND, task_id="00T000000000009AAA"))) == []


def test_a_payer_on_hold_without_an_amount_has_a_flag_too():
    """In the creditor's currency, so that people see the stop; a clear payer without one needs none."""
    on_hold = decided(status=ArrearsStatus.ON_HOLD, amount={})
    (found,) = made(on_hold, View(PAYER), currency="GBP")
    assert (found.key, found.values["currency"], found.values["amount_minor"]) == (position_key(PAYER, "GBP"), "GBP", 0)
    assert made(decided(status=ArrearsStatus.CLEAR, amount={}), View(PAYER)) == []


def test_a_flag_says_only_what_changed():
    """An update names the record and the fields that differ."""
    before, after = decided(amount={"EUR": 9000}), decided()
    (found,) = made(after, org(before))
    assert (found.op, found.id, found.values, found.key) == (
        "update",
        "aP0000000000001AAA",
        {"amount_minor": 4000},
        position_key(PAYER, "EUR"),
    )


def test_a_currency_that_is_paid_goes_down_to_nothing():
    """The record of a currency stays, at zero, beside the one still owed."""
    decision = decided(amount={"GBP": 500})
    found = {one.values.get("currency", "EUR"): one for one in made(decision, org(decided()))}
    assert found["GBP"].values["amount_minor"] == 500
    assert found["EUR"].values == {"amount_minor": 0}


@pytest.mark.parametrize(
    ("decision", "discreet"),
    [
        (decided(REMIND, category=Category.DECEASED), True), (decided(REMIND, category=Category.FRAUD), True), (decided(REMIND, category=Category.LEGAL), True),
        (decided(REMIND, withheld=[replace(HELD, key="k", reasons=("hold:crisis",))]), True), (decided(REMIND, category=Category.DISPUTED), False),
        (decided(REMIND, withheld=[replace(HELD, key="k", reasons=("hold:manual",))]), False),
    ],
)  # fmt: skip
def test_a_sensitive_cause_stands_where_specialists_read_it(decision, discreet):
    """Reasons, row and the flag's sentence say nothing of it; the cause itself is in its own field."""
    found = made(decision, View(PAYER))
    about = [one.values.get(name) for one in found for name in ("rule", "reasons", "why") if name in one.values]
    assert ("do_not_contact" in about) == discreet
    assert not (discreet and {"row", "Because. Truly.", "Why."} & {*about})
    assert found[0].values["cause"] == decision.category
    held = [one.values["withheld"] for one in found if "withheld" in one.values]
    assert not any("crisis" in one for one in held)


def test_the_next_thing_people_see_is_named_on_the_flag():
    """Of several the soonest; one that shows nowhere, and a retry just set, is none."""
    soon, late = replace(REMIND, key="b", at=NOW + timedelta(days=1)), replace(REMIND, key="a", at=NOW + timedelta(days=2))
    hold = replace(REMIND, kind=Kind.HOLD, key="h", at=NOW, hold=Hold(None, HoldCause.DISPUTE))
    values = position_values(decided(late, hold, soon), "EUR", ["y", "x"])
    assert (values["last_key"], values["next_follow_up"], values["installments"]) == ("b", soon.at, "x y")
    retry = replace(REMIND, kind=Kind.RETRY, key="r", at=NOW)
    assert position_values(decided(late, retry), "EUR", [])["last_key"] == "r"
    assert position_values(decided(late, retry), "EUR", [], frozenset({"r"}))["last_key"] == "a"
    assert position_values(decided(hold), "EUR", [])["next_kind"] is None


def test_a_hold_or_retry_that_took_effect_is_done_even_when_it_is_no_longer_wanted():
    """We stopped between making it and writing so: the record says Done, at its own time, and nothing steps back."""
    nothing = decided()
    hold = ShownFollowUp("aF1", "hold-1", Kind.HOLD, FollowUpStatus.PLANNED, NOW, None)
    retry = replace(hold, key="retry-1", kind=Kind.RETRY)
    for record, more in ((hold, {"holds": frozenset({"hold-1"})}), (retry, {"retry_stamps": {INSTALLMENT: "retry-1"}})):
        (found,) = made(nothing, org(nothing, record, **more))
        assert (found.id, found.key, found.values) == ("aF1", record.key, {"status": FollowUpStatus.DONE, "done_at": NOW})


def test_every_update_names_record_and_key():
    """A change is found again by both, whichever pass writes it."""
    nothing, held = decided(), decided(withheld=[HELD])
    for decision in (nothing, held):
        for one in made(decision, org(decision, recorded(REMIND))):
            if one.subject == "follow_up":
                assert (one.id, one.key, one.payer) == ("aF0000000000001AAA", "remind-1", PAYER)
