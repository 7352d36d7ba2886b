"""Strategies: any Position and any of several policies, absurd ones included; whoever can be in an org can be drawn here."""

import tempfile
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

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
    Representative,
    SettledItem,
    Shown,
)
from connector.core.policy import Policy
from connector.core.words import CONTACT_KINDS, Category, Channel, ClaimKind, HoldCause, InstallmentStatus, Kind, Outcome, Scheme
from connector.mapping.policy_folder import load_policies
from tests.scenario.decide.builders import ROOT, default_policy, judge

SLOW = settings(
    max_examples=settings().max_examples * 2 // 5,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
"""A decision is a slow example: 40 of them, and 400 under the profile that explores."""
REACHING = CONTACT_KINDS | {Kind.CALL}
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
VARIANTS = {
    "energy": """
policy: energy
version: "3"
extends: default
applies: {product: [Gas]}
ladders:
  standard:
    - {level: 1, kind: remind, after_days: 5, tone: gentle, template: reminder_gentle}
    - {level: 2, kind: offer_plan, after_days: 20, tone: gentle, template: offer_plan}
rows:
  - row: no money for energy
    when: {reason: insufficient_funds}
    because: Energy is a need; there is time.
    ladder: standard
""",
    "gold": """
policy: gold
version: "1"
extends: default
applies: {segment: Gold}
rows:
  - {row: patience, when: {reason: [insufficient_funds, refused], level: 0}, because: They are known well., ladder: mild}
""",
}


def instants(first, last):
    """Minutes of 2026 between two days of the year."""
    return st.integers(first * 24 * 60, last * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))


def maybe(strategy):
    """It, or nothing known."""
    return st.none() | strategy


moments = st.one_of(
    instants(0, 360), instants(0, 360), st.just(datetime(1970, 1, 1, tzinfo=UTC)), st.just(datetime(2199, 12, 31, 23, tzinfo=UTC))
)
NOWS = instants(90, 330)
dates = st.one_of(st.dates(date(2025, 6, 1), date(2026, 12, 31)), st.sampled_from([date(1, 1, 1), date(1990, 1, 1), date(9999, 12, 31)]))
ZONES = {
    None: None, "Europe/Amsterdam": "Europe/Amsterdam", "America/New_York": "America/New_York", "Asia/Tokyo": "Asia/Tokyo", "Asia/Dhaka": "Asia/Dhaka",
    "Pacific/Auckland": "Pacific/Auckland", "Mars/Olympus": None, "Europe": None,
}  # fmt: skip
"""A zone as somebody wrote it, and the one it names."""
HOMES = {
    None: (), "NL": ("Europe/Amsterdam",), "DE": ("Europe/Berlin",), "GB": ("Europe/London",), "BE": ("Europe/Brussels",), "XX": (),
    "US": ("America/New_York", "America/Los_Angeles"), "CA": ("America/Toronto", "America/Vancouver"),
}  # fmt: skip
"""Where people of a country live."""
zones, countries, flags = st.sampled_from([*ZONES]), st.sampled_from([*HOMES]), st.sampled_from([None, True, False])
channels = st.sampled_from(Channel)
reached = {
    "country": countries, "time_zone": zones, "phone_time_zone": zones, "preferred_channel": maybe(channels), "allow_email": flags, "allow_sms": flags,
    "allow_call": flags,
}  # fmt: skip
payers = st.builds(
    Payer, id=st.sampled_from(["003P1", "a b-c", "x" * 90]), kind=st.sampled_from(["person", "company"]), region=st.sampled_from([None, None, "MA", "SCT", "?"]),
    vulnerable=st.sampled_from([False] * 5 + [True]), segment=st.sampled_from([None, "Gold"]), value=st.sampled_from([None, "high"]), **reached,
)  # fmt: skip
representatives = st.builds(
    Representative, id=st.sampled_from(["003R1", "a b"]), role=st.sampled_from(["attorney", "debt_adviser", "?"]), **reached
)
reasons = st.builds(
    Reason, code_set=st.just("iso20022_return"), code=st.just("X"), category=st.sampled_from(Category), retry=st.sampled_from(["yes", "no", "ask"]),
    act=st.sampled_from(["payer", "creditor", "bank", "nobody"]), wait_hours=maybe(st.integers(0, 240)),
)  # fmt: skip
failures = st.builds(
    Failure,
    at=moments,
    outcome=st.sampled_from(Outcome),
    reason=reasons,
    amount_minor=maybe(st.integers(0, 100_000)),
    reference=maybe(st.just("ref")),
)
PROCESSORS = ("stripe", "adyen")
MOST = 12
"""Follow-ups of one decision that people may have done."""


@st.composite
def items(draw, number):
    """Any installment."""
    amount = draw(st.integers(1, 100_000) | st.just(10**15))
    open_minor = draw(st.sampled_from([amount, amount]) | st.integers(1, amount))
    return OpenItem(
        id=draw(st.sampled_from([f"a0X{number}", f"inst-{number}", f"{'y' * 80}{number}"])),
        currency=draw(st.sampled_from(["EUR", "EUR", "GBP", "JPY", "ZZZ"])), amount_minor=amount, open_minor=open_minor, due_on=draw(dates),
        overdue=draw(st.sampled_from([True, True, True, False])),
        failures=tuple(sorted(draw(st.lists(failures, max_size=4)), key=lambda one: one.at)), paid_minor=amount - open_minor,
        in_transit=draw(st.sampled_from([False, False, True])), product=draw(st.sampled_from([None, "Gas", "Magazine"])),
        claim_kind=draw(st.sampled_from([ClaimKind.DEBT, *ClaimKind])), scheme=draw(maybe(st.sampled_from(Scheme))),
        payment_method=draw(st.sampled_from([None, "Credit card", "SEPA", "?"])), status=draw(maybe(st.sampled_from(InstallmentStatus))),
        credential=draw(st.sampled_from([None, "c1", "c2"])), mandate=draw(st.sampled_from([None, "m1"])), processor=draw(maybe(st.sampled_from(PROCESSORS))),
        first_ever=draw(st.booleans()), retried_elsewhere=draw(st.sampled_from([False, False, True])), attempts_24h=draw(st.sampled_from([0, 0, 9, 10])),
        attempts_30d=draw(st.integers(0, 20)), attempts_180d=draw(st.integers(0, 4)), credit_minor=draw(st.sampled_from([0, 0, open_minor // 2, open_minor])),
        retry_stamp=draw(st.sampled_from([None, None, f"retry-a0X{number}-20260301", "?"])),
    )  # fmt: skip


@st.composite
def keys(draw, ids):
    """A key that something may have, ours and not ours."""
    kind, day, number = draw(st.sampled_from(Kind)), draw(st.dates(date(2026, 1, 1), date(2026, 12, 1))), draw(st.integers(0, 9))
    subject = draw(st.sampled_from([*ids, "003P1", "x"]))
    return draw(
        st.sampled_from(
            [
                f"{kind}-{subject}-{day:%Y%m%d}-L{number}",
                f"{kind}-{subject}-{day:%Y%m%d}",
                f"{kind}-{subject}-{day:%Y%m%d}-abcdef12",
                f"{kind}",
                "-",
            ]
        )
    )


@st.composite
def positions(draw, most=4):
    """Any Position."""
    open_items = tuple(draw(items(number)) for number in range(draw(st.integers(0, most))))
    ids = [one.id for one in open_items]
    overdue: dict[str, int] = {}
    for one in open_items:
        if one.overdue and one.open_minor > one.credit_minor:
            overdue[one.currency] = overdue.get(one.currency, 0) + one.open_minor - one.credit_minor
    named = st.lists(st.sampled_from(ids), max_size=2).map(tuple) if ids else st.just(())
    about = maybe(st.sampled_from(ids)) if ids else st.none()
    contacts = st.builds(
        Contact, at=moments, channel=maybe(channels), kind=st.sampled_from([None, "remind", "call", "letter", "service", "retry"]),
        key=st.none() | st.none() | keys(ids), conversation=st.booleans(),
    )  # fmt: skip
    settled = st.builds(
        SettledItem, st.sampled_from(["a0X9", "a0X8"]), st.sampled_from(["EUR", "GBP", "ZZZ"]), st.integers(1, 9000), moments, moments,
        st.sampled_from(["money", "credit", "written_off"]), st.booleans(), st.booleans(),
    )  # fmt: skip
    promises = st.builds(Promise, dates, about, maybe(st.integers(0, 9000)), st.sampled_from([None, "EUR"]), st.sampled_from([None, "p1"]))
    cases = st.builds(
        Case, st.sampled_from(["500C1", "500C2"]), st.booleans(), st.sampled_from([None, "Complaint", "Contract", "Billing", "Other"]),
        st.sampled_from([None, "a complaint"]), opened_at=maybe(moments), owner=st.sampled_from([None, "005U1"]),
    )  # fmt: skip
    planned = st.builds(
        lambda key, at, withheld: Shown(
            key, Kind.REMIND if key.partition("-")[0] not in [*Kind] else Kind(key.partition("-")[0]), at, withheld
        ),
        keys(ids),
        maybe(moments),
        st.booleans(),
    )
    return Position(
        payer=draw(payers), time_zone=draw(st.sampled_from(["Europe/Amsterdam", "UTC", "No/Where", "Pacific/Auckland"])), open_items=open_items, overdue=overdue,
        failures_12m=draw(maybe(st.integers(0, 12))), consecutive_failures=draw(st.integers(0, 5)), tenure_days=draw(maybe(st.integers(0, 9000))),
        clean_days=draw(maybe(st.integers(0, 9000))), settled=tuple(draw(st.lists(settled, max_size=2, unique_by=lambda one: one.id))),
        habit=draw(maybe(st.builds(Habit, st.integers(0, 1439), maybe(st.integers(0, 6)), st.integers(3, 9)))), pay_day=draw(maybe(st.integers(1, 31))),
        holds=tuple(draw(st.lists(st.builds(Hold, st.sampled_from(["h1", None]), st.sampled_from(HoldCause), maybe(dates), maybe(dates), named), max_size=2))),
        cases=tuple(draw(st.lists(cases, max_size=2))), contacts=tuple(sorted(draw(st.lists(contacts, max_size=6)), key=lambda one: one.at)),
        promises=tuple(draw(st.lists(promises, max_size=2))), plan=draw(maybe(st.builds(Plan, st.sampled_from(["offered", "kept", "missed", "?"])))),
        runs=draw(maybe(st.lists(st.builds(CollectionRun, maybe(st.sampled_from(Scheme)), dates), max_size=3).map(tuple))),
        return_ratio=draw(st.sampled_from([{}, {}, {"unauthorised": 0.01}, {"ach.overall": 0.2}, {"?": 9.9}])),
        shown=MappingProxyType({one.key: one for one in draw(st.lists(planned, max_size=2))}), finished=frozenset(draw(st.sets(keys(ids), max_size=2))),
        missing=draw(st.sampled_from([()] * 5 + [("a0X8",)])), stale=draw(st.sampled_from([False] * 5 + [True])),
        represented_by=draw(st.none() | st.none() | representatives), outages=draw(st.sampled_from([frozenset(), frozenset(), frozenset({"stripe"})])),
    )  # fmt: skip


class Briefly(Policy):
    """A policy that is shown by its name: a whole one is too long to be shown with a failing example."""

    def __repr__(self) -> str:
        return f"<policy {self.name}, {len(self.variants)} variants>"


@cache
def all_policies():
    """The policy that ships, with variants, and one whose numbers are all otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "default.yaml").write_text((ROOT / "mappings" / "policies" / "default.yaml").read_text())
        for name, text in VARIANTS.items():
            (Path(folder) / f"{name}.yaml").write_text(text)
        varied = load_policies(Path(folder), default_policy().rules)["default"]
    other = replace(
        varied, name="other", pay_day=31, country=None, threshold={"EUR": 50_000}, threshold_default=0, contacts_per_day=2, contacts_per_week=2, calls_per_week=1,
        notice_days={Scheme.SEPA_CORE: 2}, channels=(Channel.SMS,), grace_days=0, retry_patience_days=0, partial_patience_days=0,
    )  # fmt: skip
    return tuple(Briefly(**{one.name: getattr(policy, one.name) for one in fields(policy)}) for policy in (default_policy(), varied, other))


policies = st.sampled_from([0, 0, 1, 2]).map(lambda number: all_policies()[number])


@st.composite
def situations(draw, most=4):
    """A Position, a policy and a moment; in half of them the org shows what was decided some days before, part of it made."""
    facts, policy, now = draw(positions(most)), draw(policies), draw(NOWS)
    if draw(st.booleans()):
        facts = later_shown(draw, facts, policy, now - timedelta(hours=draw(st.integers(1, 24 * 40))))
    return facts, policy, now


def later_shown(draw, facts, policy, before):
    """The same payer after a decision was made at ``before`` and people did some of it."""
    decision = judge(facts, before, policy)
    luck = draw(st.lists(st.booleans(), min_size=MOST, max_size=MOST))
    made = {one.key for one, chosen in zip(decision.follow_ups, luck, strict=False) if chosen}
    shown = {one.key: Shown(one.key, one.kind, one.at.astimezone(UTC)) for one in decision.follow_ups if one.key not in made}
    shown |= {one.key: Shown(one.key, one.kind, None, withheld=True) for one in decision.withheld}
    done = tuple(
        Contact(max(one.at, before).astimezone(UTC), one.channel, str(one.kind), one.key, conversation=one.kind is Kind.CALL)
        for one in decision.follow_ups
        if one.key in made and (one.kind in CONTACT_KINDS or one.kind is Kind.CALL)
    )
    contacts = tuple(sorted((*facts.contacts, *done), key=lambda one: one.at))
    return replace(facts, shown=MappingProxyType({**facts.shown, **shown}), contacts=contacts, finished=facts.finished | made)
