"""Reaching somebody: hours that no zone leaves, ways that are not allowed, steps that people made themselves."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from connector.core.conditions import Condition
from connector.core.habits import habit_in
from connector.core.ladder import step_key
from connector.core.model import Habit, Hold, Shown
from connector.core.policy import Ladder, Policy, Row, Step, Task
from connector.core.words import Channel, ClaimKind, HoldCause, InstallmentStatus, Kind, Tone, Withholding
from tests.scenario.decide.builders import (
    NOW,
    at,
    contact,
    days,
    default_policy,
    item,
    judge,
    kinds,
    only,
    payer,
    position,
    settled,
    shown,
    withheld,
)

NOWHERE = payer(country="US", time_zone=None, phone_time_zone="Asia/Dhaka")
"""Somewhere in the United States, with a telephone of Bangladesh: no hour is daytime in all three zones."""
OWED = item(None, scheme="credit_transfer", due="2026-02-01")
EPISODE = date(2026, 2, 1)


def test_where_no_hour_is_lawful_nobody_is_written_to_or_called():
    """Silence with its reason, and no loop without an end."""
    found = judge(position(item("insufficient_funds", scheme="card"), payer=NOWHERE, failures_12m=4))
    assert not {"remind", "call", "offer_plan"} & set(kinds(found))
    assert {kind: reasons for kind, reasons in withheld(found).items() if kind != "retry"} == {
        "remind": (Withholding.QUIET_HOURS,), "call": (Withholding.QUIET_HOURS,), "offer_plan": (Withholding.QUIET_HOURS,),
    }  # fmt: skip


def test_a_thank_you_that_has_no_lawful_hour_is_withheld():
    """Even a kind word waits for the day."""
    found = judge(position(settled=(settled(),), payer=NOWHERE))
    assert withheld(found) == {"confirm": (Withholding.QUIET_HOURS,)}
    assert kinds(found) == ["clear"]


def test_a_debit_that_cannot_be_announced_is_not_made():
    """No lawful hour for the notice, no debit."""
    assert withheld(judge(position(item("technical"), payer=NOWHERE)))["retry"] == (Withholding.NOTICE_PERIOD,)


def test_a_step_that_a_person_cancelled_without_a_time_is_still_made():
    """The next one follows; what is not known does not make it wait for ever."""
    half = replace(OWED, amount_minor=4000, open_minor=2000, paid_minor=2000)
    first, noted = step_key(Kind.REMIND, "a0X1", EPISODE, 1), "remind-a0X1-20260201-P2000"
    told = position(half, finished=frozenset({first, noted}))
    assert only(judge(told), "remind").level == 2
    assert only(judge(replace(told, finished=frozenset({first}))), "remind").key == noted


def test_what_goes_with_a_step_is_not_asked_for_when_people_made_the_step():
    """A letter of a colleague's is the step; the call beside our own mail goes with our own mail."""
    ladder = Ladder(
        "own", (Step(1, Kind.REMIND, 0, 0, Tone.GENTLE, also=(Task(Kind.CALL, "credit_manager"),)), Step(2, Kind.REMIND, 30, 30, Tone.FIRM))
    )
    policy = replace(default_policy(), ladders={"own": ladder}, rows=(Row("all", (), "Because.", ladder="own"),), variants=())
    own = step_key(Kind.REMIND, "a0X1", EPISODE, 1)
    mail = contact("2026-02-27 10:00", "remind", "email", own)
    assert "call" in kinds(judge(position(OWED, contacts=(mail,), finished=frozenset({own})), policy=policy))
    letter = contact("2026-02-27 10:00", "letter", "letter")
    found = judge(position(OWED, contacts=(letter,)), policy=policy)
    assert (kinds(found), only(found, "remind").level) == (["remind"], 2)


@pytest.mark.parametrize(
    ("day", "hour", "expected"),
    [("2026-03-02", "09:00", "2026-03-02 09:00"), ("2026-03-02", "22:00", "2026-03-03 10:00"), ("2026-03-06", "20:30", "2026-03-06 20:30"),
     ("2026-03-06", "21:00", "2026-03-09 10:00"), ("2026-04-27", "11:00", "2026-04-28 10:00"), ("2026-03-07", "11:00", "2026-03-09 10:00")],
)  # fmt: skip
def test_a_call_is_for_now_if_people_work_and_else_for_ten_in_the_morning(day, hour, expected):
    """Never at night, on a Saturday, a Sunday or a public holiday."""
    now = at(f"{day} {hour}")
    fresh = item(scheme="card", due=day, failures=(replace(item().failures[0], at=(now - timedelta(hours=1)).astimezone(UTC)),))
    assert only(judge(position(fresh, failures_12m=4), now), "call").at == at(expected)


def test_a_call_already_on_somebodys_list_keeps_its_time():
    """A later look does not push it to today's hour."""
    facts = position(item(scheme="card"), failures_12m=4)
    call = only(judge(facts), "call")
    listed = replace(facts, shown={call.key: Shown(call.key, Kind.CALL, call.at.astimezone(UTC), surfaced=True)})
    assert only(judge(listed, NOW + timedelta(hours=3)), "call").at == call.at
    tomorrow = judge(listed, at("2026-03-07 11:00"))
    assert only(tomorrow, "call").at == at("2026-03-09 10:00")


def test_who_may_not_be_written_to_is_a_persons_question():
    """One review at the first step; a gift asks nobody."""
    shy = payer(allow_email=False, allow_call=None)
    found = judge(position(item(scheme="card"), payer=shy))
    assert "review" in kinds(found)
    assert withheld(found)["remind"] == (Withholding.NO_CONSENT,)
    gift = judge(position(replace(OWED, claim_kind=ClaimKind.GIFT), payer=shy))
    assert "review" not in kinds(gift)


def test_a_company_is_offered_no_plan_for_persons_even_when_it_is_held():
    """What is for persons only is not withheld from companies either: it was never for them."""
    stopped = position(item(scheme="card"), failures_12m=4, holds=(Hold("h", HoldCause.MANUAL),))
    assert "offer_plan" in withheld(judge(stopped))
    assert "offer_plan" not in withheld(judge(replace(stopped, payer=payer(kind="company"))))


def test_a_table_without_a_last_row_answers_by_its_last():
    """The loader refuses such a table; a decision is made all the same."""
    never = Condition("-", lambda _: False)
    rows = (Row("first", (("level", never),), "First."), Row("last", (("level", never),), "Last."))
    facts = {"reason": "none", "level": 0}
    assert Policy("p", "1", rows, {}).row(facts).name == "last"


def test_a_wish_for_a_weekday_is_given_up_after_a_week():
    """When their usual day is taken, another will do."""
    habit = Habit(18 * 60, 0, 9)
    facts = position(replace(OWED, due_on=date(2026, 2, 1)), habit=habit)
    assert only(judge(facts), "remind").at == at("2026-03-02 17:30")
    tuesday = judge(facts, NOW + days(1))
    assert only(tuesday, "remind").at == at("2026-03-09 17:30")
    holiday = judge(position(replace(OWED, due_on=date(2026, 3, 31)), habit=habit), at("2026-04-03 18:00"))
    assert only(holiday, "remind").at == at("2026-04-10 17:30")


def test_a_sentence_says_what_moved_a_contact():
    """By the habit, by the night, by another message of the same day."""
    habit = Habit(18 * 60, None, 9)
    assert "a little before the hour at which they usually pay" in " ".join(only(judge(position(OWED, habit=habit)), "remind").reasons)
    capped = judge(position(OWED, contacts=(contact("2026-03-02 08:00", "service"),)))
    assert "the payer has been contacted often enough lately" in " ".join(only(capped, "remind").reasons)


@pytest.mark.parametrize("channel", list(Channel))
def test_each_channel_has_its_hour(channel):
    """Mail and portal at ten, texts at noon, post at nine; a call is never automatic."""
    hours = {Channel.EMAIL: 10, Channel.SMS: 12, Channel.LETTER: 9, Channel.PORTAL: 10, Channel.CALL: 10}
    found = only(judge(position(OWED, payer=payer(preferred_channel=channel, allow_sms=True)), at("2026-03-02 08:00")), "remind")
    assert found.channel is (Channel.EMAIL if channel is Channel.CALL else channel)
    assert found.at.hour == hours[channel]


def test_hours_around_midnight_are_one_habit():
    """Half past eleven and half past midnight are an hour apart."""
    moments = [datetime(2026, 1, day, hour, 30, tzinfo=UTC) for day, hour in ((1, 23), (3, 0), (4, 23))]
    found = habit_in(moments)
    assert found is not None
    assert (found.minute_of_day, found.count) == (23 * 60 + 30, 3)


def test_the_flag_says_the_same_before_and_after_our_own_retry_is_set():
    """What comes next is the collection, whether it is about to be asked for or on its way; else the next pass would write the flag again."""
    facts = position(item(scheme="card"), payer=payer(allow_email=False, allow_call=False))
    first = judge(facts)
    assert {"retry"} <= set(kinds(first))
    assert withheld(first)["remind"] == (Withholding.NO_CONSENT,)
    retry = only(first, "retry").key
    under_way = item(scheme="card", in_transit=True, status=InstallmentStatus.PENDING_RECOLLECTION, retry_stamp=retry)
    again = shown(first, replace(facts, open_items=(under_way,)), done={retry: NOW})
    assert judge(again).why == first.why
    assert "Withheld" not in first.why
    assert (
        "Withheld"
        in judge(
            replace(
                facts,
                open_items=(
                    item(
                        "insufficient_funds",
                        scheme="card",
                        retry_stamp=None,
                        status=InstallmentStatus.PENDING_RECOLLECTION,
                        in_transit=True,
                    ),
                ),
            )
        ).why
    )
