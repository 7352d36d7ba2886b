"""What holds for every Position there can be, not only for those somebody thought of."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.core.calendars import is_holiday
from connector.core.model import (
    Case,
    CollectionRun,
    Contact,
    Failure,
    Habit,
    Hold,
    OpenItem,
    Payer,
    Plan,
    Position,
    Promise,
    Reason,
    SettledItem,
)  # fmt: skip
from connector.core.words import Category, Channel, ClaimKind, HoldCause, InstallmentStatus, Kind, Outcome, Scheme, Withholding
from tests.scenario.decide.builders import CONTACTS, default_policy, item, judge, position, shown

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 360 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))
NOWS = st.integers(90 * 24 * 60, 330 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))
dates = st.one_of(st.dates(date(2025, 6, 1), date(2026, 12, 31)), st.sampled_from([date(1, 1, 1), date(1990, 1, 1), date(9999, 12, 31)]))
zones = st.sampled_from([None, "Europe/Amsterdam", "America/New_York", "Asia/Tokyo", "Pacific/Auckland", "Mars/Olympus", "Europe"])
countries = st.sampled_from([None, "NL", "DE", "GB", "US", "BE", "XX"])
flags = st.sampled_from([None, True, False])


def maybe(strategy):
    """It, or nothing known."""
    return st.none() | strategy


payers = st.builds(
    Payer, id=st.sampled_from(["003P1", "a b-c", "x" * 90]), kind=st.sampled_from(["person", "company"]), country=countries, time_zone=zones,
    phone_time_zone=zones, preferred_channel=maybe(st.sampled_from(Channel)), allow_email=flags, allow_sms=flags, allow_call=flags,
    vulnerable=st.sampled_from([False, False, False, True]),
)  # fmt: skip
reasons = st.builds(
    Reason, code_set=st.just("iso20022_return"), code=st.just("X"), category=st.sampled_from(Category), retry=st.sampled_from(["yes", "no", "ask"]),
    wait_hours=maybe(st.integers(0, 240)),
)  # fmt: skip
failures = st.builds(Failure, at=moments, outcome=st.sampled_from(Outcome), reason=reasons)


@st.composite
def items(draw, number):
    """Any installment."""
    amount = draw(st.integers(1, 100_000))
    open_minor = draw(st.integers(1, amount))
    return OpenItem(
        id=draw(st.sampled_from([f"a0X{number}", f"inst-{number}", f"{'y' * 80}{number}"])),
        currency=draw(st.sampled_from(["EUR", "EUR", "GBP", "JPY", "ZZZ"])), amount_minor=amount, open_minor=open_minor, due_on=draw(dates),
        overdue=draw(st.sampled_from([True, True, True, False])),
        failures=tuple(sorted(draw(st.lists(failures, max_size=4)), key=lambda one: one.at)), paid_minor=amount - open_minor,
        in_transit=draw(st.sampled_from([False, False, True])), claim_kind=draw(st.sampled_from(ClaimKind)), scheme=draw(maybe(st.sampled_from(Scheme))),
        payment_method=draw(st.sampled_from([None, "Credit card", "SEPA", "?"])), status=draw(maybe(st.sampled_from(InstallmentStatus))),
        first_ever=draw(st.booleans()), retried_elsewhere=draw(st.sampled_from([False, False, True])), attempts_30d=draw(st.integers(0, 20)),
        attempts_180d=draw(st.integers(0, 4)), credit_minor=draw(st.sampled_from([0, 0, open_minor // 2, open_minor])),
    )  # fmt: skip


@st.composite
def positions(draw):
    """Any Position."""
    open_items = tuple(draw(items(number)) for number in range(draw(st.integers(0, 4))))
    ids = [one.id for one in open_items]
    overdue: dict[str, int] = {}
    for one in open_items:
        if one.overdue and one.open_minor > one.credit_minor:
            overdue[one.currency] = overdue.get(one.currency, 0) + one.open_minor - one.credit_minor
    named = st.lists(st.sampled_from(ids), max_size=2).map(tuple) if ids else st.just(())
    contacts = st.builds(
        Contact, at=moments, channel=maybe(st.sampled_from(Channel)), kind=st.sampled_from([None, "remind", "call", "letter", "service"]),
        key=st.sampled_from([None, None, "remind-a0X0-20260301-L1", "notify-003P1-20260401-abcdef12"]), conversation=st.booleans(),
    )  # fmt: skip
    return Position(
        payer=draw(payers), time_zone=draw(st.sampled_from(["Europe/Amsterdam", "UTC", "No/Where"])), open_items=open_items, overdue=overdue,
        failures_12m=draw(maybe(st.integers(0, 12))), consecutive_failures=draw(st.integers(0, 5)), tenure_days=draw(maybe(st.integers(0, 9000))),
        clean_days=draw(maybe(st.integers(0, 9000))),
        settled=tuple(draw(st.lists(st.builds(SettledItem, st.just("a0X9"), st.just("EUR"), st.just(4000), moments, moments, st.sampled_from(["money", "credit", "written_off"])), max_size=2))),
        habit=draw(maybe(st.builds(Habit, st.integers(0, 1439), maybe(st.integers(0, 6)), st.integers(3, 9)))), pay_day=draw(maybe(st.integers(1, 31))),
        holds=tuple(draw(st.lists(st.builds(Hold, st.just("h1"), st.sampled_from(HoldCause), maybe(dates), maybe(dates), named), max_size=2))),
        cases=tuple(draw(st.lists(st.builds(Case, st.just("500C1"), st.booleans(), st.sampled_from([None, "Complaint", "Contract", "Other"]), opened_at=maybe(moments)), max_size=2))),
        contacts=tuple(sorted(draw(st.lists(contacts, max_size=6)), key=lambda one: one.at)),
        promises=tuple(draw(st.lists(st.builds(Promise, dates), max_size=2))), plan=draw(maybe(st.builds(Plan, st.sampled_from(["offered", "kept", "missed", "?"])))),
        runs=draw(maybe(st.lists(st.builds(CollectionRun, maybe(st.sampled_from(Scheme)), dates), max_size=3).map(tuple))),
        missing=draw(st.sampled_from([(), (), (), ("a0X8",)])), stale=draw(st.sampled_from([False, False, False, True])),
    )  # fmt: skip


SLOW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@SLOW
@given(positions(), NOWS)
def test_every_position_gives_one_decision_and_always_the_same(facts, now):
    """Total and deterministic: no combination of facts raises, and asking twice answers once."""
    first = judge(facts, now)
    assert judge(facts, now) == first
    assert first.why
    keys = [one.key for one in first.follow_ups] + [one.key for one in first.withheld]
    assert len(keys) == len(set(keys))
    assert all(len(key) <= 100 for key in keys)
    assert not set(keys) & facts.finished


@SLOW
@given(positions(), NOWS)
def test_no_contact_is_planned_in_a_forbidden_moment(facts, now):
    """Never in quiet hours of any of the payer's zones, on a Sunday or holiday, or beyond the caps."""
    decision = judge(facts, now)
    planned = [one for one in decision.follow_ups if one.kind in CONTACTS]
    names = [name for name in (facts.payer.time_zone, facts.payer.phone_time_zone) if name not in (None, "Mars/Olympus", "Europe")]
    for one in [*planned, *(one for one in decision.follow_ups if one.kind is Kind.CALL)]:
        assert one.at.tzinfo is not None
        for name in names:
            there = max(one.at, now).astimezone(ZoneInfo(name))
            assert 8 <= there.hour < 21
            assert not is_holiday(facts.payer.country, there.date())
    times = sorted([*(one.at for one in planned), *(one.at for one in facts.contacts)])
    for one in planned:
        assert sum(one.at - timedelta(days=7) < other <= one.at for other in times) <= 3


@SLOW
@given(positions(), NOWS)
def test_no_contact_and_no_retry_inside_a_hold(facts, now):
    """What a hold covers is neither collected nor asked for, nor is anything of a payer in special care."""
    decision = judge(facts, now)
    today = now.astimezone(ZoneInfo(facts.time_zone if facts.time_zone != "No/Where" else "UTC")).date()
    for hold in facts.holds:
        ended = (
            hold.until is not None
            and hold.until < today
            and hold.cause not in ("dispute", "complaint", "vulnerable", "crisis", "fraud", "legal", "deceased")
        )
        if ended or (hold.from_on is not None and hold.from_on > today):
            continue
        for one in decision.follow_ups:
            if one.kind in CONTACTS | {Kind.RETRY, Kind.CALL}:
                assert hold.installments
                assert not set(one.installments) & set(hold.installments)
    if facts.missing or facts.stale or facts.payer.vulnerable:
        assert not [one for one in decision.follow_ups if one.kind in CONTACTS | {Kind.RETRY, Kind.CALL}]


@SLOW
@given(positions(), NOWS)
def test_a_retry_that_wants_notice_never_comes_before_it(facts, now):
    """A retry with ``after`` is dated at least its notice after a notify that is planned or was made."""
    decision = judge(facts, now)
    notices = {one.key: one for one in decision.follow_ups if one.kind is Kind.NOTIFY}
    scheme = {one.id: one.scheme for one in facts.open_items}
    for one in decision.follow_ups:
        if one.kind is not Kind.RETRY:
            continue
        assert one.at > now
        if scheme[one.installments[0]] in (Scheme.SEPA_CORE, Scheme.SEPA_B2B):
            assert one.after in notices
            assert one.at - notices[one.after].at >= timedelta(days=13)


@SLOW
@given(positions(), NOWS)
def test_what_the_org_shows_is_decided_again(facts, now):
    """Second pass: every key stands with its time, and what was withheld is withheld for the same reasons."""
    first = judge(facts, now)
    again = judge(shown(first, facts), now)
    assert {one.key for one in again.follow_ups} == {one.key for one in first.follow_ups}
    assert {one.key: one.at for one in again.follow_ups} == {one.key: one.at for one in first.follow_ups}
    assert {one.key: one.reasons for one in again.withheld} == {one.key: one.reasons for one in first.withheld}


@SLOW
@given(positions(), NOWS)
def test_one_more_installment_that_is_paid_changes_nothing(facts, now):
    """A paid installment is not among the open ones; one wholly covered by a credit is treated alike."""
    paid = item(None, id="a0Z9", credit_minor=4000)
    more = replace(facts, open_items=(*facts.open_items, paid))
    first, second = judge(facts, now), judge(more, now)
    assert {one.key for one in first.follow_ups} == {one.key for one in second.follow_ups}
    assert first.arrears.level == second.arrears.level


@SLOW
@given(positions(), NOWS)
def test_a_decision_for_missing_rows_never_clears(facts, now):
    """Invisible is not paid."""
    decision = judge(replace(facts, missing=("a0X8",)), now)
    assert decision.arrears.status != "Clear"
    assert not [one for one in decision.follow_ups if one.kind is Kind.CLEAR]
    assert [one for one in decision.follow_ups if one.kind is Kind.ALERT_TEAM]


@SLOW
@given(st.lists(st.sampled_from(["made", "wait", "partial"]), max_size=12))
def test_the_level_rises_one_by_one_and_never_falls(steps):
    """Whatever is made, waited for or partly paid, the level reached goes up by single steps only."""
    facts, now, level = position(item(None, scheme="credit_transfer", due="2026-02-20")), datetime(2026, 3, 2, 9, tzinfo=UTC), 0
    for step in steps:
        decision = judge(facts, now)
        assert level <= decision.arrears.level <= level + 1
        level = decision.arrears.level
        due = [one for one in decision.follow_ups if one.level is not None and one.at <= now]
        if step == "made" and due:
            facts = shown(decision, facts, done={due[0].key: now})
        elif step == "partial":
            half = facts.open_items[0]
            facts = replace(
                facts, open_items=(replace(half, open_minor=max(half.open_minor - 500, 600), paid_minor=half.paid_minor + 500),)
            )
        now += timedelta(days=6)


def test_every_withheld_reason_is_of_the_closed_list():
    """No word outside design section 4 ever reaches an org."""
    allowed = {str(word) for word in Withholding} | {f"hold:{cause}" for cause in HoldCause}

    @SLOW
    @given(positions(), NOWS)
    def check(facts, now):
        for one in judge(facts, now).withheld:
            assert one.reasons
            assert set(one.reasons) <= allowed

    check()


def test_the_default_policy_answers_every_category_by_a_row_of_its_own():
    """Nothing that the catalogue can say falls through to the last row."""
    for category in Category:
        assert judge(position(item(category))).follow_ups, category
        assert default_policy().rows[-1].name not in {one.rule for one in judge(position(item(category))).follow_ups}
