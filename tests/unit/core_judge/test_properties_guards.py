"""No follow-up inside a hold, a quiet hour or a limit, for any Position and any policy: told from the specification, not from the code."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given

from connector.core.calendars import is_business_day, is_holiday
from connector.core.words import Channel, HoldCause, Kind, Scheme, Withholding
from tests.scenario.decide.builders import CONTACTS, item, judge
from tests.unit.core_judge.anything import HOMES, REACHING, SLOW, ZONES, situations

STANDING = frozenset({"dispute", "complaint", "vulnerable", "crisis", "fraud", "legal", "deceased"})
"""Causes that end only when a person says so."""


def today_of(facts, now):
    """The creditor's day."""
    return now.astimezone(ZoneInfo(facts.time_zone if facts.time_zone != "No/Where" else "UTC")).date()


def homes(facts):
    """Zones in which a contact must be lawful, told without the code that is tested."""
    who = facts.represented_by or facts.payer
    own, phone = ZONES[who.time_zone], ZONES[who.phone_time_zone]
    found = [ZoneInfo(name) for name in (*([own] if own else HOMES[who.country]), *([phone] if phone else []))]
    return found or [ZoneInfo(facts.time_zone if facts.time_zone != "No/Where" else "UTC")]


def stands(hold, one, today):
    """Tell whether a hold is in force for an installment, told from the specification alone."""
    if hold.from_on is not None and hold.from_on > today:
        return False
    if hold.until is not None and hold.until < today and hold.cause not in STANDING:
        return False
    if hold.installments:
        return one.id in hold.installments
    return hold.cause is not HoldCause.BREATHING_SPACE or hold.from_on is None or one.due_on <= hold.from_on


def touched(decision, *kinds):
    """Ids of installments that follow-ups of some kinds are about."""
    return {name for one in decision.follow_ups if one.kind in kinds for name in one.installments}


@SLOW
@given(situations())
def test_no_contact_is_planned_in_a_forbidden_moment(given_):
    """Never in quiet hours of any zone they may be in, on a Sunday or public holiday there, nor a call where nobody works."""
    facts, policy, now = given_
    decision = judge(facts, now, policy)
    country = (facts.represented_by.country if facts.represented_by else None) or facts.payer.country or policy.country
    for one in decision.follow_ups:
        if one.kind in REACHING:
            for zone in homes(facts):
                there = max(one.at, now).astimezone(zone)
                assert 8 <= there.hour < 21, one
                assert not is_holiday(country, there.date()), one
        if one.kind is Kind.CALL:
            assert is_business_day(None, country, max(one.at, now).astimezone(homes(facts)[0]).date()), one


@SLOW
@given(situations())
def test_no_more_contacts_than_the_caps_allow(given_):
    """Per day and in any seven days, over all channels, with what people did and what is planned counted together."""
    facts, policy, now = given_
    decision = judge(facts, now, policy)
    planned = [max(one.at, now) for one in decision.follow_ups if one.kind in CONTACTS]
    noticed = [one.at for one in facts.contacts if one.kind != "retry"]
    zone = homes(facts)[0]
    for at in planned:
        together = [*planned, *noticed]
        assert sum(other.astimezone(zone).date() == at.astimezone(zone).date() for other in together) <= policy.contacts_per_day
        assert sum(at - timedelta(days=7) < other <= at for other in together) <= policy.contacts_per_week


@SLOW
@given(situations())
def test_no_call_beyond_its_caps_or_without_a_word_that_allows_it(given_):
    """Seven in seven days or fewer, none within seven days of a conversation, and never without consent."""
    facts, policy, now = given_
    calls = [max(one.at, now) for one in judge(facts, now, policy).follow_ups if one.kind is Kind.CALL]
    if calls:
        assert (facts.represented_by or facts.payer).allow_call is True
    for at in calls:
        assert not any(one.conversation and at - timedelta(days=7) < one.at <= at for one in facts.contacts)
        week = sum(one.channel is Channel.CALL and at - timedelta(days=7) < one.at <= at for one in facts.contacts)
        assert week < policy.calls_per_week


@SLOW
@given(situations())
def test_a_contact_takes_a_way_that_is_allowed(given_):
    """No mail where it was refused, no text where it was not allowed, and to the representative where there is one."""
    facts, policy, now = given_
    who = facts.represented_by or facts.payer
    for one in judge(facts, now, policy).follow_ups:
        if one.kind in REACHING:
            assert one.to == (facts.represented_by.id if facts.represented_by else None)
        if one.kind in CONTACTS:
            assert one.channel is not None
            assert one.tone is not None
            assert not (one.channel is Channel.EMAIL and who.allow_email is False)
            assert not (one.channel is Channel.SMS and who.allow_sms is not True)
            assert one.channel is not Channel.CALL
            assert one.channel not in (Channel.LETTER, Channel.PORTAL) or one.channel is who.preferred_channel
        elif one.kind is not Kind.CALL:
            assert (one.channel, one.tone, one.to) == (None, None, None)


@SLOW
@given(situations())
def test_no_contact_and_no_retry_inside_a_hold(given_):
    """What a hold covers is neither collected nor asked for, nor is anything of a payer in special care, of a kept plan, or on stale data."""
    facts, policy, now = given_
    decision, today = judge(facts, now, policy), today_of(facts, now)
    asked = touched(decision, *REACHING - {Kind.CONFIRM}, Kind.RETRY)
    for one in facts.open_items:
        alone = sum(other.id == one.id for other in facts.open_items) == 1
        if alone and any(stands(hold, one, today) for hold in facts.holds):
            assert one.id not in asked
    if any(
        stands(hold, item(None), today) and not hold.installments and hold.cause is not HoldCause.BREATHING_SPACE for hold in facts.holds
    ):
        assert not touched(decision, *REACHING, Kind.RETRY)
    if facts.missing or facts.stale or facts.payer.vulnerable or (facts.plan is not None and facts.plan.state == "kept"):
        assert not touched(decision, *REACHING, Kind.RETRY)
    new = [one.hold for one in decision.follow_ups if one.kind is Kind.HOLD]
    for hold in new:
        assert not asked if not hold.installments else not asked & {*hold.installments}


@SLOW
@given(situations())
def test_nothing_is_asked_for_or_collected_while_something_else_is_under_way(given_):
    """A promise, a case that matters, money on its way, an outage: quiet until it is over."""
    facts, policy, now = given_
    decision, today = judge(facts, now, policy), today_of(facts, now)
    asked, retried = touched(decision, *REACHING - {Kind.CONFIRM}, Kind.RETRY), touched(decision, Kind.RETRY)
    open_cases = [f"{case.type or ''} {case.subject or ''}".casefold() for case in facts.cases if not case.is_closed]
    if any(word in text for text in open_cases for word in policy.cases.contact):
        assert not touched(decision, *REACHING)
    if any(word in text for text in open_cases for word in policy.cases.retries):
        assert not retried
    for one in facts.open_items:
        if sum(other.id == one.id for other in facts.open_items) > 1:
            continue
        last = one.last_failure
        if one.in_transit:
            assert one.id not in retried
        if one.processor in facts.outages and last is not None and now - last.at < timedelta(hours=48):
            assert one.id not in asked
        if any(promise.installment in (None, one.id) and promise.on >= max(today, date(2026, 12, 31)) for promise in facts.promises):
            assert one.id not in asked


@SLOW
@given(situations())
def test_a_retry_keeps_every_limit_of_its_scheme(given_):
    """Only where the code may be tried again, in time, for the same amount, on a business day or a run, and never of what the payer pushes."""
    facts, policy, now = given_
    decision, today = judge(facts, now, policy), today_of(facts, now)
    by_id = {one.id: one for one in facts.open_items}
    assume(len(by_id) == len(facts.open_items))
    for one in decision.follow_ups:
        if one.kind is not Kind.RETRY:
            continue
        about, on = by_id[one.installments[0]], one.at.date()
        last = about.last_failure
        assert last is not None
        assert last.reason.retry == "yes"
        assert on >= today
        assert (on > today) or one.key in facts.shown or one.after is not None
        assert about.scheme not in (Scheme.CREDIT_TRANSFER, Scheme.CASH)
        assert not about.retried_elsewhere
        if about.scheme in (Scheme.CARD, Scheme.WALLET):
            assert about.attempts_30d < 15
        if about.scheme is Scheme.ACH:
            assert about.attempts_180d < 3
            assert facts.return_ratio.get("unauthorised", 0) < 0.005
        if about.scheme is Scheme.PAD:
            assert about.attempts_180d < 2
        if about.scheme in (Scheme.ACH, Scheme.BACS, Scheme.PAD):
            assert one.amount_minor == (last.amount_minor or about.amount_minor)
        if facts.runs is not None:
            assert any(run.on == on and run.scheme in (None, about.scheme) for run in facts.runs) or one.after in facts.finished
        elif one.after is None:
            assert on.weekday() < 5
        assert one.amount_minor == about.open_minor - about.credit_minor


@SLOW
@given(situations())
def test_a_retry_that_wants_notice_never_comes_before_it(given_):
    """A debit that must be announced is, days ahead, by a notify that is planned or was made; the amounts are the same."""
    facts, policy, now = given_
    decision = judge(facts, now, policy)
    notices = {one.key: one for one in decision.follow_ups if one.kind is Kind.NOTIFY}
    scheme = {one.id: one.scheme for one in facts.open_items}
    assume(len(scheme) == len(facts.open_items))
    days = {
        Scheme.SEPA_CORE: 14,
        Scheme.SEPA_B2B: 14,
        Scheme.BECS: 14,
        Scheme.PAD: 10,
        Scheme.ACH: 7,
        Scheme.BACS: 7,
        Scheme.AUTOGIRO: 10,
        None: 14,
    }
    told = {one.key: one.at for one in facts.contacts if one.key}
    for one in decision.follow_ups:
        if one.kind is not Kind.RETRY or scheme[one.installments[0]] in (Scheme.CARD, Scheme.WALLET):
            continue
        least = policy.notice_days.get(scheme[one.installments[0]] or "", days[scheme[one.installments[0]]])
        assert one.after in notices or one.after in facts.finished or one.after in told
        given_at = max(notices[one.after].at, now) if one.after in notices else told.get(one.after)
        if given_at is not None:
            assert one.at - given_at >= timedelta(days=least - 1)
    for notice in notices.values():
        parts = [one for one in decision.follow_ups if one.after == notice.key]
        assert sum(one.amount_minor for one in parts) == notice.amount_minor
        assert {one.installments[0] for one in parts} == {*notice.installments}


def test_every_withheld_reason_is_of_the_closed_list():
    """No word outside design section 4 ever reaches an org."""
    allowed = {str(word) for word in Withholding} | {f"hold:{cause}" for cause in HoldCause}

    @SLOW
    @given(situations())
    def check(given_):
        facts, policy, now = given_
        for one in judge(facts, now, policy).withheld:
            assert one.reasons
            assert set(one.reasons) <= allowed

    check()
