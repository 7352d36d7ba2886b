"""Stories told day by day: what is decided, what the org shows of it, and what is decided next."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from connector.core.model import CollectionRun, Habit, Hold
from connector.core.words import HoldCause, InstallmentStatus, Scheme
from tests.scenario.decide.builders import (
    CONTACTS,
    NOW,
    at,
    complaint,
    contact,
    days,
    failure,
    item,
    judge,
    kinds,
    loyal,
    only,
    payer,
    position,
    settled,
    shown,
    withheld,
)


def test_a_loyal_payer_is_told_half_an_hour_before_they_usually_pay():
    """Day 0: gentle note at 18:30 for somebody who pays at 19:00; day 1 the notice; the retry on their pay day; no call."""
    decision = judge(loyal(item(), habit=Habit(19 * 60, None, 6), pay_day=25))
    assert only(decision, "remind").at == at("2026-03-02 18:30")
    assert only(decision, "notify").at.date() == date(2026, 3, 3)
    retry = only(decision, "retry")
    assert retry.at.date() == date(2026, 3, 25)
    assert retry.after == only(decision, "notify").key
    assert "call" not in kinds(decision)


def test_a_habit_of_weekday_is_waited_for():
    """Somebody who pays on Thursdays is written to on Thursday, once; it is never more than a week."""
    decision = judge(loyal(item(scheme="card"), habit=Habit(19 * 60, 3, 6)))
    assert only(decision, "remind").at == at("2026-03-05 18:30")


def test_an_early_or_late_habit_stays_inside_the_lawful_day():
    """A habit at six in the morning is served at eight, one at half past eleven at night at half past eight."""
    assert only(judge(loyal(item(), habit=Habit(6 * 60, None, 3))), "remind").at == at("2026-03-03 08:00")
    assert only(judge(loyal(item(), habit=Habit(23 * 60 + 30, None, 3))), "remind").at == at("2026-03-02 20:30")


def test_the_ladder_of_an_ordinary_payer_step_by_step():
    """Gentle on day 0, neutral on day 7, firm with a call on day 14, a plan on day 21, and only then a last reminder."""
    facts, now, seen = position(item(None, scheme="credit_transfer", due="2026-02-20")), NOW, []
    for _ in range(7):
        decision = judge(facts, now)
        step = next(one for one in decision.follow_ups if one.level is not None)
        seen.append((str(step.kind), step.level, step.tone and str(step.tone)))
        now = max(step.at, now)
        facts = shown(decision, facts, done={step.key: now} if step.channel else {})
        if not step.channel:
            facts = replace(facts, finished=facts.finished | {step.key}, shown={})
        now += days(1)
    assert seen == [
        ("remind", 1, "gentle"), ("remind", 2, "neutral"), ("remind", 3, "firm"), ("offer_plan", 4, "neutral"),
        ("remind", 5, "final"), ("escalate", 6, None), ("propose_referral", 7, None),
    ]  # fmt: skip
    decision = judge(facts, now + days(30))
    assert decision.arrears.status == "Escalated"
    assert not [one for one in decision.follow_ups if one.level is not None]


def test_the_firm_reminder_brings_a_call():
    """Level three is a firm word and a call by the credit manager."""
    done = tuple(contact(f"2026-02-{day} 10:00") for day in ("04", "14"))
    decision = judge(position(item(None, scheme="credit_transfer", due="2026-02-01"), contacts=done))
    assert only(decision, "remind").level == 3
    assert only(decision, "call").assignee == "credit_manager"


def test_a_second_look_changes_nothing():
    """What the org shows is what is decided again, at the same moment and hours later."""
    facts = loyal(item(), failures_12m=4, habit=Habit(19 * 60, None, 6))
    first = judge(facts)
    for later in (NOW, NOW + days(0.2)):
        again = judge(shown(first, facts), later)
        assert {one.key: one.at for one in again.follow_ups} == {one.key: one.at for one in first.follow_ups}


def test_a_contact_that_came_due_stays_due_at_its_time():
    """Planned for 18:30, looked at again at 20:00: it is due, not put off to tomorrow."""
    facts = loyal(item(scheme="card"), habit=Habit(19 * 60, None, 6))
    seen = shown(judge(facts), facts)
    assert only(judge(seen, at("2026-03-02 20:00")), "remind").at == at("2026-03-02 18:30")


def test_a_contact_that_came_due_in_quiet_hours_moves_to_the_next_lawful_time():
    """Planned for 18:30, looked at again at 22:00: tomorrow evening."""
    facts = loyal(item(scheme="card"), habit=Habit(19 * 60, None, 6))
    seen = shown(judge(facts), facts)
    assert only(judge(seen, at("2026-03-02 22:00")), "remind").at == at("2026-03-03 18:30")


def test_an_announced_retry_keeps_its_date():
    """Once the notice was given, the retry stays on the announced day, whatever the pay day says now."""
    facts = loyal(item(), pay_day=25)
    first = judge(facts)
    notice = only(first, "notify")
    told = shown(first, facts, done={notice.key: notice.at, only(first, "remind").key: only(first, "remind").at})
    later = judge(replace(told, pay_day=10, shown={}), at("2026-03-10 09:00"))
    assert only(later, "retry").at.date() == date(2026, 3, 25)
    assert only(later, "retry").after == notice.key
    assert "notify" not in kinds(later)


def test_a_notice_that_was_not_given_in_time_moves_the_retry():
    """Nobody completed the notice: a new day, a new notice under a new key, the same key for the retry."""
    facts = loyal(item(), pay_day=20)
    first = judge(facts)
    assert only(first, "retry").at.date() == date(2026, 3, 20)
    late = judge(shown(first, facts), at("2026-03-18 09:00"))
    assert only(late, "notify").key != only(first, "notify").key
    assert only(late, "retry").key == only(first, "retry").key
    assert (only(late, "retry").at.date() - only(late, "notify").at.date()).days >= 14


def test_a_notice_given_too_late_does_not_count():
    """The Task was completed six days before the debit where fourteen are owed: the retry is announced anew."""
    facts = loyal(item(), pay_day=20)
    first = judge(facts)
    told = shown(first, facts, done={only(first, "notify").key: at("2026-03-14 10:00")})
    later = judge(told, at("2026-03-16 09:00"))
    assert only(later, "retry").at.date() >= date(2026, 3, 30)


def test_one_notice_covers_all_installments_of_a_day():
    """Two failed installments are collected on one day and announced once, with their sum."""
    decision = judge(loyal(item(), item(id="a0X2", amount=2500, due="2026-02-01")))
    notice = only(decision, "notify")
    assert set(notice.installments) == {"a0X1", "a0X2"}
    assert notice.amount_minor == 6500
    assert [one.after for one in decision.follow_ups if one.kind == "retry"] == [notice.key, notice.key]
    assert len(only(decision, "remind").installments) == 2


def test_a_newly_failed_installment_does_not_disturb_an_announced_retry():
    """February was announced for the 25th; March fails and gets a notice of its own."""
    february = item(id="a0X0", due="2026-02-01")
    facts = loyal(february, pay_day=25)
    first = judge(facts)
    told = shown(first, facts, done={only(first, "notify").key: only(first, "notify").at})
    both = replace(told, open_items=(february, item(id="a0X1", failures=(failure(when=at("2026-03-08 08:00")),))), overdue={"EUR": 8000})
    decision = judge(both, at("2026-03-09 09:00"))
    dates = {one.installments[0]: one.after for one in decision.follow_ups if one.kind == "retry"}
    assert dates["a0X0"] == only(first, "notify").key
    assert dates["a0X1"] == only(decision, "notify").key
    assert only(decision, "notify").installments == ("a0X1",)


def test_a_retry_that_was_set_is_not_set_again():
    """The recollection is queued: no second retry, and the next reminder waits for its result."""
    facts = loyal(item(scheme="card"))
    first = judge(facts)
    done = shown(first, facts, done={only(first, "retry").key: NOW, only(first, "remind").key: at("2026-03-02 10:00")})
    later = judge(
        replace(done, open_items=(item(scheme="card", status=InstallmentStatus.PENDING_RECOLLECTION, in_transit=True),)),
        at("2026-03-03 09:00"),
    )
    assert "retry" not in kinds(later)
    assert withheld(later) == {"remind": ("money_in_transit",)}


def test_our_own_queued_retry_does_not_silence_the_first_note():
    """A card retry is set at once; the note planned for the evening still goes out."""
    facts = loyal(item(scheme="card"), habit=Habit(19 * 60, None, 6))
    first = judge(facts)
    done = shown(first, facts, done={only(first, "retry").key: NOW})
    later = judge(replace(done, open_items=(item(scheme="card", status=InstallmentStatus.PENDING_RECOLLECTION, in_transit=True),)))
    assert only(later, "remind").at == only(first, "remind").at


def test_a_retry_that_failed_again_gets_a_key_of_its_own():
    """The key of a retry answers the failure, so that the next failure may be answered again."""
    first = judge(loyal(item()))
    again = judge(loyal(item(failures=(failure(), failure("refused", at("2026-03-25 08:00"))))), at("2026-03-26 09:00"))
    assert only(first, "retry").key != only(again, "retry").key


def test_breathing_space_ends_and_the_ladder_goes_on_where_it_stood():
    """Level 1 was made before; sixty silent days later comes level 2, not a harsher one."""
    space = Hold("h1", HoldCause.BREATHING_SPACE, date(2026, 3, 4), date(2026, 5, 2))
    base = position(
        item(None, scheme="credit_transfer", due="2026-02-20"), contacts=(contact("2026-03-02 10:00", key="remind-a0X1-20260220-L1"),)
    )
    during = judge(replace(base, holds=(space,)), at("2026-03-20 09:00"))
    assert not [one for one in during.follow_ups if one.kind in CONTACTS]
    assert during.look_again_at == at("2026-05-03 00:00")
    after = judge(replace(base, holds=(space,)), at("2026-05-04 09:00"))
    assert only(after, "remind").level == 2


def test_a_case_that_closes_lets_the_course_go_on():
    """While the complaint is open its owner is told once; when it closes, the first gentle note goes out."""
    facts = loyal(item(), cases=(complaint(),))
    first = judge(facts)
    assert only(first, "inform").assignee == "case_owner:005U1"
    told = replace(facts, finished=frozenset({only(first, "inform").key}))
    assert kinds(judge(told, NOW + days(1))) == []
    closed = judge(replace(told, cases=(complaint(is_closed=True),)), NOW + days(2))
    assert only(closed, "remind").level == 1


def test_a_released_dispute_leads_back_to_a_gentle_reminder_without_a_retry():
    """The hold was put on and a person released it: not put on again, not collected again, asked for kindly."""
    first = judge(position(item("disputed")))
    done = frozenset({only(first, "hold").key, only(first, "review").key})
    released = judge(position(item("disputed"), finished=done), NOW + days(10))
    assert kinds(released) == ["remind"]
    still = judge(
        position(item("disputed"), finished=done, holds=(Hold("h1", HoldCause.DISPUTE, date(2026, 3, 2), None, ("a0X1",)),)), NOW + days(10)
    )
    assert kinds(still) == []
    assert still.arrears.status == "On Hold"


def test_a_partial_payment_is_thanked_for_and_never_stepped_up():
    """Level 1 was made, half was paid: the answer stays at level 1; only silence after it leads on."""
    half = item(None, scheme="credit_transfer", due="2026-02-20", open_minor=2000, paid_minor=2000)
    base = position(half, contacts=(contact("2026-02-23 10:00", key="remind-a0X1-20260220-L1"),))
    decision = judge(base)
    note = only(decision, "remind")
    assert (note.level, note.template, note.tone) == (1, "partial_payment", "gentle")
    assert decision.arrears.level == 1
    answered = replace(base, contacts=(*base.contacts, contact("2026-03-02 10:00", key=note.key)))
    onward = only(judge(answered, NOW + days(1)), "remind")
    assert onward.level == 2
    assert onward.at.date() >= date(2026, 3, 16)


def test_the_ladder_is_anchored_on_the_oldest_and_starts_anew_when_it_is_paid():
    """Two are open and level 2 was reached for January; January is paid, February begins at level 1."""
    january, february = (
        item(None, id="a0X0", due="2026-01-10", scheme="credit_transfer"),
        item(None, due="2026-02-10", scheme="credit_transfer"),
    )
    made = (contact("2026-01-13 10:00", key="remind-a0X0-20260110-L1"), contact("2026-01-20 10:00", key="remind-a0X0-20260110-L2"))
    both = judge(position(january, february, contacts=made))
    assert (only(both, "remind").level, both.arrears.level) == (3, 2)
    one = judge(position(february, contacts=made))
    assert (only(one, "remind").level, one.arrears.level) == (1, 0)


def test_what_people_did_counts_as_the_step_that_was_due():
    """A colleague's own reminder ten days ago is level 1; three letters in three days are not level 3."""
    late = item(None, scheme="credit_transfer", due="2026-02-15")
    assert only(judge(position(late, contacts=(contact("2026-02-19 10:00"),))), "remind").level == 2
    many = tuple(contact(f"2026-02-{day} 10:00", "letter", "letter") for day in (18, 19, 20))
    assert only(judge(position(late, contacts=many)), "remind").level == 2


def test_newsletters_and_contacts_from_before_do_not_count_as_steps():
    """Only reminders, letters and calls since the episode began."""
    late = item(None, scheme="credit_transfer", due="2026-02-15")
    made = (contact("2026-02-20 10:00", "newsletter"), contact("2026-02-01 10:00"))
    assert only(judge(position(late, contacts=made)), "remind").level == 1


def test_a_gift_is_asked_for_at_most_twice():
    """Day 0 and day 21, then never again."""
    gift = item(claim_kind="gift")
    once = (contact("2026-03-02 10:00", key="remind-a0X1-20260301-L1"),)
    twice = (*once, contact("2026-03-23 10:00", key="remind-a0X1-20260301-L2"))
    assert only(judge(position(gift, contacts=once), NOW + days(2)), "remind").at.date() >= date(2026, 3, 23)
    assert kinds(judge(position(gift, contacts=twice), NOW + days(60))) == []


def test_money_is_confirmed_once():
    """The thank-you that was made is not made again."""
    facts = position(settled=(settled(),))
    first = judge(facts)
    done = replace(facts, finished=frozenset(one.key for one in first.follow_ups))
    assert judge(done, NOW + days(1)).follow_ups == ()


def test_three_contacts_in_a_week_are_enough():
    """Three were made in the last three days: the next one is withheld until the oldest is a week ago."""
    made = tuple(contact(f"2026-02-{day} 14:00", "service") for day in (26, 27, 28))
    decision = judge(position(item("method_invalid"), contacts=made))
    assert withheld(decision) == {"request_method": ("contact_cap",)}
    assert decision.withheld[0].until == at("2026-03-06 10:00")
    assert decision.look_again_at == at("2026-03-06 10:00")


def test_one_contact_a_day_whoever_made_it():
    """A colleague wrote this morning: ours goes out tomorrow."""
    decision = judge(position(item("method_invalid"), contacts=(contact("2026-03-02 08:30", "service"),)))
    assert only(decision, "request_method").at == at("2026-03-03 10:00")


def test_nobody_is_contacted_on_a_holiday_or_a_sunday():
    """Good Friday is off in Germany; Easter Sunday and Monday are off in the Netherlands."""
    friday = at("2026-04-03 07:00")
    facts = item("method_invalid", failures=(failure("method_invalid", at("2026-04-02 20:00")),))
    german = judge(position(facts, payer=payer(country="DE", time_zone="Europe/Berlin")), friday)
    assert only(german, "request_method").at == at("2026-04-04 10:00")
    easter = judge(position(facts), at("2026-04-05 07:00"))
    assert only(easter, "request_method").at == at("2026-04-07 10:00")


def test_both_zones_count_where_home_and_phone_differ():
    """Home in Amsterdam, phone in New York: not before eight in either."""
    decision = judge(position(item("method_invalid"), payer=payer(phone_time_zone="America/New_York")))
    assert only(decision, "request_method").at >= at("2026-03-02 14:00")


def test_an_american_without_a_zone_is_contacted_when_it_is_day_on_both_coasts():
    """Nobody knows where they live: the hours that both coasts share."""
    decision = judge(position(item("method_invalid"), payer=payer(country="US", time_zone=None)))
    east = only(decision, "request_method").at.astimezone(ZoneInfo("America/New_York"))
    assert 11 <= east.hour < 21


def test_the_clocks_change_and_nobody_is_contacted_at_the_wrong_hour():
    """Summer time begins on 29 March 2026: the Monday after, ten o'clock is ten o'clock."""
    decision = judge(position(item("method_invalid")), at("2026-03-28 20:59"))
    one = only(decision, "request_method")
    assert one.at == at("2026-03-30 10:00")
    assert one.at.astimezone(UTC) == datetime(2026, 3, 30, 8, 0, tzinfo=UTC)


def test_confirmation_is_asked_for_at_once():
    """The payer still has the payment in mind: now, not at the usual hour."""
    facts = position(item("authentication_required", scheme="card"), habit=Habit(19 * 60, None, 6))
    assert only(judge(facts), "request_method").at == NOW
    assert only(judge(facts, at("2026-03-02 23:00")), "request_method").at == at("2026-03-03 08:00")


@pytest.mark.parametrize(
    ("scheme", "least"), [("sepa_core", 14), ("sepa_b2b", 14), ("bacs", 7), ("ach", 7), ("becs", 14), ("pad", 10), ("autogiro", 10)]
)
def test_a_debit_is_announced_as_early_as_its_scheme_wants(scheme, least):
    """Between notice and debit lie at least the scheme's days."""
    decision = judge(loyal(item(scheme=scheme)))
    assert (only(decision, "retry").at.date() - only(decision, "notify").at.date()).days >= least
    assert only(decision, "retry").at.weekday() < 5


def test_a_network_that_says_wait_is_waited_for():
    """Advice "after ten days": not before, though the policy would try sooner."""
    refused = item(scheme="card", failures=(failure("refused", wait_hours=240),))
    assert only(judge(position(refused)), "retry").at >= at("2026-03-11 08:00")


def test_a_run_near_the_pay_day_is_chosen():
    """Of three coming runs the first on or after the pay day that leaves time for notice."""
    runs = tuple(CollectionRun(Scheme.SEPA_CORE, date(2026, 3, day)) for day in (10, 20, 27))
    assert only(judge(loyal(item(), runs=runs, pay_day=25)), "retry").at.date() == date(2026, 3, 27)


def test_levels_are_told_apart_by_episode():
    """An installment settled long ago and taken back now begins at level 1 again."""
    back = item(due="2026-01-01", failures=(failure("insufficient_funds", outcome="reversed"),))
    old = (contact("2026-01-04 10:00", key="remind-a0X1-20260101-L1"), contact("2026-01-11 10:00", key="remind-a0X1-20260101-L2"))
    decision = judge(position(back, contacts=old))
    assert (only(decision, "remind").level, decision.arrears.level) == (1, 0)


def test_renaming_a_rule_or_raising_the_version_makes_nothing_new():
    """Keys are built from what happened, never from what a rule is called."""
    from tests.scenario.decide.builders import default_policy

    policy = default_policy()
    renamed = replace(policy, version="99", rows=tuple(replace(row, name=f"new {row.name}") for row in policy.rows))
    facts = position(item(), item("unknown", id="a0X2"), failures_12m=4)
    assert {one.key for one in judge(facts).follow_ups} == {one.key for one in judge(facts, NOW, renamed).follow_ups}
