"""The day of a retry: runs, waits, pay days, and announcements that stand or must be made anew."""

from dataclasses import replace
from datetime import UTC, date, timedelta

import pytest

from connector.core.model import CollectionRun, Shown
from connector.core.rules import Rules, SchemeLimit
from connector.core.words import Channel, InstallmentStatus, Kind, Scheme, Withholding
from tests.scenario.decide.builders import NOW, at, contact, default_policy, failure, item, judge, kinds, only, payer, position, withheld

CARD = item("technical", scheme="card")
RETRY, NOTIFY = Kind.RETRY.value, Kind.NOTIFY.value


def limited(**limits):
    """The policy that ships, with other limits for cards."""
    return replace(default_policy(), rules=Rules(schemes={Scheme.CARD: SchemeLimit(**limits)}))


def kept(decision, facts, *, key, at_time):
    """The same payer with one follow-up planned at another time."""
    planned = {one.key: Shown(one.key, one.kind, one.at.astimezone(UTC)) for one in decision.follow_ups}
    return replace(facts, shown={**planned, key: replace(planned[key], at=at_time.astimezone(UTC))})


def day_of(decision, kind=RETRY):
    """The day of the only one of a kind."""
    return only(decision, kind).at.date()


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ((), None), ((CollectionRun(Scheme.CARD, date(2026, 3, 9)),), date(2026, 3, 9)), ((CollectionRun(None, date(2026, 3, 9)),), date(2026, 3, 9)),
        ((CollectionRun(Scheme.SEPA_CORE, date(2026, 3, 9)),), None), ((CollectionRun(Scheme.CARD, date(2026, 3, 2)),), None),
        ((CollectionRun(Scheme.CARD, date(2026, 3, 20)), CollectionRun(Scheme.CARD, date(2026, 3, 9))), date(2026, 3, 9)),
        ((CollectionRun(Scheme.CARD, date(2026, 4, 20)),), None),
    ],
)  # fmt: skip
def test_with_a_schedule_a_retry_falls_on_a_run_of_its_scheme(runs, expected):
    """The first run after today and within the plan's time; where there is none, nothing is tried and the reason is said."""
    found = judge(position(CARD, runs=runs))
    if expected is None:
        assert RETRY not in kinds(found)
        assert withheld(found)[RETRY] == (Withholding.NO_RUN,)
    else:
        assert day_of(found) == expected
        assert "the next collection run" in " ".join(only(found, RETRY).reasons)


def test_the_last_run_before_the_pay_day_is_better_than_none():
    """Where no run comes after the pay day, the last one before it is taken."""
    runs = (CollectionRun(None, date(2026, 3, 18)), CollectionRun(None, date(2026, 3, 20)))
    assert day_of(judge(position(item(scheme="card"), runs=runs))) == date(2026, 3, 20)


def test_a_planned_run_that_was_taken_off_the_schedule_moves_the_retry():
    """A date that was planned is kept while there is a run on it, and no longer."""
    first = CollectionRun(Scheme.CARD, date(2026, 3, 9))
    facts = position(CARD, runs=(first, CollectionRun(Scheme.CARD, date(2026, 3, 11))))
    decision = judge(facts)
    moved = kept(decision, facts, key=only(decision, RETRY).key, at_time=at("2026-03-11 10:00"))
    assert day_of(judge(moved)) == date(2026, 3, 11)
    assert day_of(judge(replace(moved, runs=(first,)))) == date(2026, 3, 9)


def test_a_planned_day_is_kept_while_it_can_be():
    """Not on a Sunday, and not in the past."""
    facts = position(CARD)
    decision = judge(facts)
    for planned, expected in (("2026-03-05", date(2026, 3, 5)), ("2026-03-08", day_of(decision)), ("2026-02-27", day_of(decision))):
        again = judge(kept(decision, facts, key=only(decision, RETRY).key, at_time=at(f"{planned} 10:00")))
        assert day_of(again) == expected


def test_a_network_that_says_when_is_obeyed_to_the_hour():
    """An advice of 24 hours after a failure at noon passes ten in the morning by a day."""
    noon = failure("technical", at("2026-03-02 12:00").astimezone(UTC), wait_hours=24)
    assert day_of(judge(position(replace(CARD, failures=(noon,))), NOW + timedelta(hours=6))) == date(2026, 3, 5)
    early = failure("technical", at("2026-03-02 08:00").astimezone(UTC), wait_hours=24)
    assert day_of(judge(position(replace(CARD, failures=(early,))))) == date(2026, 3, 4)


def test_ten_declines_in_a_day_make_it_wait_for_another():
    """One fewer may be followed by a try tomorrow."""
    today = failure("technical", at("2026-03-02 08:00").astimezone(UTC))
    for tries, expected in ((9, date(2026, 3, 3)), (10, date(2026, 3, 3))):
        found = judge(position(replace(CARD, failures=(today,), attempts_24h=tries)))
        assert day_of(found) == expected
    late = at("2026-03-02 23:30")
    spent = judge(position(replace(CARD, failures=(replace(today, at=late.astimezone(UTC)),), attempts_24h=10)), late)
    assert day_of(spent) == date(2026, 3, 3)


def test_a_scheme_that_leaves_no_day_is_named():
    """Past the last day, or with none left before it, the scheme is the reason."""
    near = judge(position(replace(CARD, due_on=date(2026, 3, 1))), policy=limited(within_days=2))
    assert day_of(near) == date(2026, 3, 3)
    friday = at("2026-03-06 09:00")
    weekend = judge(position(replace(CARD, due_on=date(2026, 3, 1))), friday, limited(within_days=7))
    assert withheld(weekend)[RETRY] == (Withholding.SCHEME_LIMIT,)
    over = judge(position(replace(CARD, due_on=date(2026, 2, 27))), policy=limited(within_days=3))
    assert withheld(over)[RETRY] == (Withholding.SCHEME_LIMIT,)


@pytest.mark.parametrize(
    ("due", "today", "allowed"),
    [("2026-01-31", "2026-02-26", True), ("2026-01-31", "2026-02-28", False), ("2026-12-15", "2027-01-14", True), ("2026-12-15", "2027-01-15", False)],
)  # fmt: skip
def test_one_month_is_a_calendar_month(due, today, allowed):
    """The same day of the next month, or its last; over the turn of the year as well."""
    now = at(f"{today} 09:00")
    late = replace(CARD, due_on=date.fromisoformat(due), failures=(failure("technical", (now - timedelta(days=1)).astimezone(UTC)),))
    assert (Withholding.SCHEME_LIMIT not in withheld(judge(position(late), now, limited(within_one_month=True))).get(RETRY, ())) == allowed


def test_the_nearer_of_two_ends_counts():
    """A month and a number of days: both must be met."""
    late = replace(CARD, due_on=date(2026, 2, 20))
    assert RETRY in kinds(judge(position(late), policy=limited(within_one_month=True)))
    assert RETRY in kinds(judge(position(late), policy=limited(within_one_month=True, within_days=20)))
    assert withheld(judge(position(late), policy=limited(within_one_month=True, within_days=5)))[RETRY] == (Withholding.SCHEME_LIMIT,)


def test_just_after_a_pay_day_is_near_it():
    """Three days later is still soon enough; four days later the next pay day is waited for."""
    for pay_day, expected in ((2, date(2026, 3, 4)), (1, date(2026, 3, 4)), (31, date(2026, 3, 31))):
        found = judge(position(item(scheme="card"), pay_day=pay_day))
        assert day_of(found) == expected, pay_day
        assert "their own pay day" in " ".join(only(found, RETRY).reasons)
    assert "the usual pay day" in " ".join(only(judge(position(item(scheme="card"))), RETRY).reasons)


def test_a_pay_day_that_the_month_does_not_have_is_its_last_day():
    """Who is paid on the 31st is paid on 30 April."""
    now = at("2026-04-20 09:00")
    fresh = item(scheme="card", due="2026-04-19", failures=(failure(when=at("2026-04-19 08:00").astimezone(UTC)),))
    assert day_of(judge(position(fresh, pay_day=31), now)) == date(2026, 4, 30)


def test_the_plans_days_count_from_the_failure():
    """The default waits three days for money, one for a machine."""
    assert day_of(judge(position(item(scheme="card"), pay_day=1))) == date(2026, 3, 4)
    assert day_of(judge(position(CARD))) == date(2026, 3, 3)


@pytest.mark.parametrize(("age", "tried"), [(120, True), (121, False)])
def test_an_old_failure_is_not_tried_again_by_itself(age, tried):
    """A hundred and twenty days are the limit where a row sets none."""
    old = failure("technical", (NOW - timedelta(days=age)).astimezone(UTC))
    assert (RETRY in kinds(judge(position(replace(CARD, failures=(old,)))))) == tried


def told(decision, facts, when, *, done_at=True):
    """The payer after the announcement was made at ``when``; without a time where only its key is known."""
    notice = only(decision, NOTIFY).key
    if not done_at:
        return replace(facts, finished=frozenset({notice}))
    return replace(facts, contacts=(contact(when, NOTIFY, "email", notice),), finished=frozenset({notice}))


def test_an_announced_date_is_kept_to_the_day():
    """What the payer was told is what happens, also where nobody knows when they were told."""
    facts = position(item())
    decision = judge(facts)
    for done_at in (True, False):
        after = judge(told(decision, facts, "2026-03-02 10:00", done_at=done_at), NOW + timedelta(days=1))
        assert day_of(after) == day_of(decision)
        assert only(after, RETRY).after == only(decision, NOTIFY).key
        assert NOTIFY not in kinds(after)


def test_told_too_late_it_is_announced_anew():
    """A notice given after its time makes no lawful debit: another day, another notice."""
    facts = position(item())
    decision = judge(facts)
    late = day_of(decision) - timedelta(days=3)
    after = judge(told(decision, facts, f"{late} 10:00"), at(f"{late} 12:00"))
    assert day_of(after) >= late + timedelta(days=14)
    assert only(after, RETRY).after == only(after, NOTIFY).key != only(decision, NOTIFY).key


def test_an_announced_date_that_has_passed_is_announced_anew():
    """A debit that did not happen is not caught up with in silence."""
    facts = position(item())
    decision = judge(facts)
    after = judge(told(decision, facts, "2026-03-02 10:00"), NOW + timedelta(days=40))
    assert NOTIFY in kinds(after)
    assert day_of(after) > (NOW + timedelta(days=53)).date()


@pytest.mark.parametrize("change", [{"at": None}, {"key": "notify-003P1-20261399-{tag}"}, {"key": "notify-003P1-{tag}"}])
def test_a_planned_notice_that_names_no_day_is_planned_anew(change):
    """A record somebody spoiled is not relied on."""
    facts = position(item())
    decision = judge(facts)
    notice = only(decision, NOTIFY)
    tag = notice.key.rpartition("-")[2]
    spoiled = Shown(change.get("key", notice.key).format(tag=tag), Kind.NOTIFY, change.get("at", notice.at.astimezone(UTC)))
    again = judge(replace(facts, shown={spoiled.key: spoiled}))
    assert only(again, NOTIFY).key == notice.key
    assert only(again, RETRY).after == notice.key


def test_a_planned_notice_is_moved_with_its_debit_when_it_would_come_too_late():
    """Fourteen days before the debit, or not at all for that day."""
    facts = position(item())
    decision = judge(facts)
    notice = only(decision, NOTIFY)
    late = kept(decision, facts, key=notice.key, at_time=notice.at + timedelta(days=13))
    again = judge(late, NOW + timedelta(days=13))
    assert day_of(again) - only(again, NOTIFY).at.date() >= timedelta(days=14)
    assert only(again, NOTIFY).key != notice.key


def test_a_notice_for_two_is_not_kept_for_one():
    """An announcement names what will be collected: with one of two paid, another amount is told."""
    first, second = item(id="a"), item(id="b")
    decision = judge(position(first, second))
    shown = {one.key: Shown(one.key, one.kind, one.at.astimezone(UTC)) for one in decision.follow_ups}
    again = judge(position(first, shown=shown))
    assert only(again, NOTIFY).key != only(decision, NOTIFY).key
    assert only(again, NOTIFY).amount_minor == 4000


def test_seven_debits_of_one_day_are_told_in_two_notices():
    """A key has room for six."""
    decision = judge(position(*(item(id=f"a{number}") for number in range(7))))
    notices = sorted(len(one.installments) for one in decision.follow_ups if one.kind is Kind.NOTIFY)
    assert notices == [1, 6]
    assert {one.after for one in decision.follow_ups if one.kind is Kind.RETRY} == {
        one.key for one in decision.follow_ups if one.kind is Kind.NOTIFY
    }


def test_without_a_way_to_tell_nothing_is_collected():
    """A debit that wants notice needs a channel for it."""
    found = judge(position(item(), payer=payer(allow_email=False)))
    assert withheld(found)[RETRY] == (Withholding.NO_CONSENT, Withholding.NOTICE_PERIOD)


def test_with_no_run_after_the_notice_nothing_is_collected():
    """A schedule that ends before the notice is over leaves no run."""
    found = judge(position(item(), runs=(CollectionRun(Scheme.SEPA_CORE, date(2026, 3, 12)),)))
    assert withheld(found)[RETRY] == (Withholding.NO_RUN,)
    assert NOTIFY not in kinds(found)


def test_a_day_agreed_with_payers_beats_the_schemes():
    """Two days' notice where that was agreed."""
    agreed = replace(default_policy(), notice_days={Scheme.SEPA_CORE: 2})
    found = judge(position(item("technical")), policy=agreed)
    assert day_of(found) - only(found, NOTIFY).at.date() == timedelta(days=2)


def test_bacs_counts_business_days():
    """Five working days: Monday to the Monday after."""
    found = judge(position(item("technical", scheme="bacs", currency="GBP"), payer=payer(country="GB", time_zone="Europe/London")))
    assert (only(found, NOTIFY).at.date(), day_of(found)) == (date(2026, 3, 2), date(2026, 3, 9))


@pytest.mark.parametrize(
    ("stamp", "counts"),
    [("retry-a0X1-20260301", True), ("retry-a0X1-20260303", True), ("retry-a0X1-20260101", False), ("retry-a0X12-20260301", False), (None, False)],
)  # fmt: skip
def test_only_a_recollection_of_ours_lets_the_first_note_go_out(stamp, counts):
    """Money that we queued is no reason for silence; money that somebody else queued is."""
    queued = item(status=InstallmentStatus.PENDING_RECOLLECTION, in_transit=True, retry_stamp=stamp)
    assert ("remind" in kinds(judge(position(queued)))) == counts


def test_the_notice_has_the_channels_own_hour():
    """A text at noon, a mail at ten."""
    for channel, hour in ((Channel.SMS, 12), (Channel.EMAIL, 10)):
        found = judge(position(item(), payer=payer(preferred_channel=channel, allow_sms=True)))
        assert (only(found, NOTIFY).channel, only(found, NOTIFY).at.hour) == (channel, hour)
