"""The guards alone: calendars, zones, caps, consent, holds, scheme limits, keys and the check of a whole table."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from connector.core.calendars import business_day_from, is_business_day, is_holiday, plus_business_days, public_holidays
from connector.core.coverage import dead_rows, unanswered
from connector.core.keys import key
from connector.core.ladder import step_key
from connector.core.limits import Block, call_block, channel_for, in_force, matters, merged
from connector.core.model import Hold
from connector.core.policy import FACTS
from connector.core.timing import Diary, Wish, creditor_zone, day_after, payer_zones
from connector.core.words import Channel, HoldCause, Kind, Scheme, Withholding
from connector.mapping.policies import build
from connector.mapping.source import parse
from tests.scenario.decide.builders import at, complaint, contact, default_policy, payer

AMSTERDAM, NEW_YORK = ZoneInfo("Europe/Amsterdam"), ZoneInfo("America/New_York")


def diary(now="2026-03-02 09:00", taken=(), zones=(AMSTERDAM,), country="NL") -> Diary:
    """A diary of a payer in Amsterdam."""
    return Diary(at(now).astimezone(UTC), zones, country, tuple(at(one).astimezone(UTC) for one in taken))


def test_holidays_are_those_of_the_country_and_nobody_knows_none_of_an_unknown_one():
    """King's Day is Dutch; a country nobody knows has Sundays only."""
    assert is_holiday("NL", date(2026, 4, 27))
    assert not is_holiday("GB", date(2026, 4, 27))
    assert is_holiday(None, date(2026, 3, 1))
    assert public_holidays("XX", 2026) == public_holidays(None, 2026) == frozenset()


def test_each_scheme_has_its_own_business_days():
    """Good Friday: TARGET rests, France does not; Bacs follows the banks of England."""
    good_friday = date(2026, 4, 3)
    assert not is_business_day(Scheme.SEPA_CORE, "NL", good_friday)
    assert is_business_day(Scheme.CARD, "FR", good_friday)
    assert is_business_day(Scheme.SEPA_CORE, "NL", date(2026, 4, 27))
    assert not is_business_day(Scheme.BACS, "NL", date(2026, 5, 4))
    assert not is_business_day(None, None, date(2026, 3, 7))
    assert business_day_from(Scheme.SEPA_CORE, "NL", good_friday) == date(2026, 4, 7)
    assert plus_business_days(Scheme.BACS, "GB", date(2026, 4, 1), 5) == date(2026, 4, 10)


def test_the_zones_of_a_payer_are_those_that_are_known():
    """Own zone and phone; else the country's, both ends of a wide one; else the creditor's; else UTC."""
    assert payer_zones(payer(phone_time_zone="America/New_York"), "UTC") == (AMSTERDAM, NEW_YORK)
    assert payer_zones(payer(time_zone="No/Where"), "UTC") == (AMSTERDAM,)
    assert len(payer_zones(payer(time_zone=None, country="US"), "UTC")) == 2
    assert payer_zones(payer(time_zone=None, country=None), "Europe/London") == (ZoneInfo("Europe/London"),)
    assert payer_zones(payer(time_zone=None, country="QQ"), "No/Where") == (ZoneInfo("UTC"),)
    assert creditor_zone("Europe") == ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("2026-03-02 07:59", Withholding.QUIET_HOURS), ("2026-03-02 08:00", None), ("2026-03-02 20:59", None),
        ("2026-03-02 21:00", Withholding.QUIET_HOURS), ("2026-03-01 12:00", Withholding.HOLIDAY), ("2026-04-27 12:00", Withholding.HOLIDAY),
    ],
)  # fmt: skip
def test_the_day_opens_at_eight_and_closes_at_nine(when, why):
    """Local time, Sundays and holidays off."""
    assert diary().forbidden(at(when)) is why


def test_opposite_ends_of_the_world_leave_no_common_hour():
    """Where no hour is lawful in both zones, nothing is placed, and nothing loops for ever."""
    both = diary(zones=(ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")))
    assert both.next_lawful(both.now) is not None
    never = diary(zones=(ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/London"), ZoneInfo("America/Los_Angeles")))
    assert never.next_lawful(never.now) is None
    assert never.place("a", never.now, Wish(600)) is None


def test_the_caps_count_what_was_made_and_what_is_planned():
    """One a day, three in any seven days, forwards and backwards."""
    book = diary(taken=("2026-02-26 10:00", "2026-02-27 10:00"))
    assert book.place("a", book.now, Wish(600)).at == at("2026-03-02 10:00")
    later = book.place("b", book.now, Wish(600))
    assert later.at == at("2026-03-05 10:00")
    assert later.moved_by == frozenset()
    assert later.spaced
    assert not book.fits(at("2026-03-03 10:00"))
    assert book.place("a", book.now, Wish(600)).at == at("2026-03-02 10:00")


def test_a_booking_does_not_stand_in_its_own_way():
    """A kept time is lawful as long as others leave room for it."""
    book = diary()
    assert book.keep("a", at("2026-03-02 10:00")) == at("2026-03-02 10:00")
    assert book.keep("a", at("2026-03-02 10:00")) == at("2026-03-02 10:00")
    assert book.keep("b", at("2026-03-02 18:00")) is None


def test_summer_time_moves_no_wish():
    """In New York the clocks change on 8 March 2026; ten o'clock stays ten o'clock."""
    book = Diary(datetime(2026, 3, 7, 23, 0, tzinfo=UTC), (NEW_YORK,), "US", ())
    assert book.place("a", datetime(2026, 3, 8, 0, 0, tzinfo=NEW_YORK), Wish(600)).at == datetime(2026, 3, 9, 14, 0, tzinfo=UTC)


def test_holds_end_by_date_or_never_by_themselves():
    """Inclusive until; what people release ignores it; what begins tomorrow does not stand today."""
    today = date(2026, 3, 2)
    assert in_force(Hold(None, HoldCause.MANUAL, None, today), today)
    assert not in_force(Hold(None, HoldCause.MANUAL, None, date(2026, 3, 1)), today)
    assert in_force(Hold(None, HoldCause.DECEASED, None, date(2020, 1, 1)), today)
    assert not in_force(Hold(None, HoldCause.DECEASED, date(2026, 3, 3)), today)


def test_reasons_merge_and_the_longest_end_counts():
    """Several stops: each reason once; no end where one has none."""
    assert merged([Block("a", date(2026, 3, 1)), Block("b", date(2026, 3, 9)), Block("a", date(2026, 3, 1))]) == (
        ("a", "b"),
        date(2026, 3, 9),
    )
    assert merged([Block("a", date(2026, 3, 1)), Block("b")]) == (("a", "b"), None)


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({}, Channel.EMAIL), ({"allow_email": False}, None), ({"allow_email": False, "allow_sms": True}, Channel.SMS),
        ({"preferred_channel": Channel.SMS}, Channel.EMAIL), ({"preferred_channel": Channel.SMS, "allow_sms": True}, Channel.SMS),
        ({"preferred_channel": Channel.LETTER}, Channel.LETTER), ({"preferred_channel": Channel.CALL}, Channel.EMAIL),
        ({"preferred_channel": Channel.PORTAL, "allow_email": False}, Channel.PORTAL),
    ],
)  # fmt: skip
def test_a_channel_is_one_the_payer_allows(facts, wanted):
    """E-mail unless refused, a text only when allowed, the payer's own preference first, never an automatic call."""
    channel, refused = channel_for(payer(**facts), (Channel.EMAIL, Channel.SMS))
    assert channel is wanted
    assert (refused is None) == (wanted is not None)
    assert channel_for(payer(), ())[1] is Withholding.NO_CHANNEL


def test_seven_calls_in_seven_days_are_enough():
    """The eighth waits until the first is a week ago; a conversation silences the phone for a week."""
    calls = [contact(f"2026-02-{day} 12:00", "call", "call") for day in range(22, 29)]
    now = at("2026-03-01 11:00")
    block = call_block(payer(), calls, now, 7)
    assert (block.reason, block.until) == (Withholding.CALL_CAP, at("2026-03-01 12:00"))
    assert call_block(payer(), calls, at("2026-03-01 12:00"), 7) is None
    spoken = [contact("2026-02-26 12:00", "call", "call", conversation=True)]
    assert call_block(payer(), spoken, now, 7).until == at("2026-03-05 12:00")
    assert call_block(payer(allow_call=False), [], now, 7).reason == Withholding.NO_CONSENT
    assert call_block(payer(allow_call=None), [], now, 7).reason == Withholding.NO_CONSENT


def test_cases_matter_by_type_or_by_subject():
    """A closed one never does; a question whose subject is a complaint does."""
    assert matters(complaint(), ("complain",))
    assert not matters(complaint(is_closed=True), ("complain",))
    assert matters(complaint(type=None, subject="My complaint about the bill"), ("complain",))
    assert matters(complaint(type="Question", subject="Complaint: charged twice"), ("complain",))
    assert not matters(complaint(type="Question", subject="Moving house"), ("complain",))
    assert not matters(complaint(type=None, subject=None), ("complain",))


@pytest.mark.parametrize(
    ("ratios", "over"),
    [
        ({}, False), ({"unauthorised": 0.005}, True), ({"unauthorised": 0.004}, False), ({"ach.administrative": 0.03}, True),
        ({"bacs.overall": 0.5}, False), ({"ach": 0.15}, True), ({"sepa_core": 0.5}, False), ({"sepa": 0.5}, False), ({"Nacha.Unauthorized": 0.006}, True),
        ({"creditor.NL98ZZZ999": 0.15}, True), ({"creditor.NL98ZZZ999": 0.1}, False), ({"r_transactions": 0.2}, True),
    ],
)  # fmt: skip
def test_return_ratios_throttle_their_own_scheme(ratios, over):
    """At Nacha's levels nothing is presented again, whichever way the ratio is named; one of nobody we know is of the creditor."""
    assert default_policy().rules.over_ratio(Scheme.ACH, ratios) is over


def test_keys_never_meet_and_always_fit():
    """Two subjects never share a key; long and strange ids are digested; the end of the calendar is not passed."""
    assert key("remind", "a b") != key("remind", "a-b")
    assert len(step_key(Kind.PROPOSE_WRITE_OFF, "x" * 200, date(2026, 3, 1), 12)) <= 100
    assert day_after(date(9999, 12, 31)) is None
    assert day_after(date(2026, 2, 28)) == date(2026, 3, 1)


def test_the_default_table_has_no_dead_row_and_answers_everything():
    """Every row can be hit, and no ordinary situation falls to the last one."""
    assert dead_rows(default_policy()) == []
    assert unanswered(default_policy()) == []


def test_a_dead_row_is_found_and_so_is_a_gap():
    """A row behind a wider one is named together with it."""
    text = """
policy: small
version: "1"
rows:
  - {row: wide, when: {failures_12m: ">= 2", reason: not(disputed)}, because: Wide.}
  - {row: dead, when: {failures_12m: "[3..5]", reason: technical}, because: Dead.}
  - {row: alive, when: {failures_12m: "[1..5]", reason: technical}, because: Alive.}
  - {row: last, because: Last.}
"""
    policy = build(parse("policies/small.yaml", text), default_policy().rules)
    assert dead_rows(policy) == [("dead", "wide")]
    assert {"reason": "disputed", "claim_kind": "debt", "retryable": "no"} in unanswered(policy)


def test_every_fact_says_what_it_means():
    """The list an admin reads is complete."""
    assert all(fact.meaning for fact in FACTS.values())
