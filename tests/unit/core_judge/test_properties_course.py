"""The course of any payer over time: the level only rises, names of rows mean nothing, and what stands is decided again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from connector.core.model import Case, Contact, Failure, Hold, Plan, Promise
from connector.core.policy import Policy, Row, Task
from connector.core.words import Category, Channel, HoldCause, Kind
from tests.scenario.decide.builders import default_policy, item, judge, position, shown
from tests.unit.core_judge.anything import NOWS, SLOW, failures, policies, positions, situations

MEANWHILE = ("made", "made", "wait", "wait", "partial", "hold", "released", "stale", "case", "no case")
"""What may happen to any payer."""
ELSE = ("fails again", "plan", "promise", "other facts")
"""What may lead to another row, and so to another ladder."""
PEOPLE = ("called", "letter")
"""What colleagues do themselves: it counts as the step that was due, by the ladder of the row that is hit."""


OTHERWISE = {
        "hold": lambda now: {"holds": (Hold("h", HoldCause.MANUAL, now.date(), now.date() + timedelta(days=9)),)}, "released": lambda _: {"holds": ()},
        "stale": lambda _: {"stale": True}, "no case": lambda _: {"cases": (), "stale": False}, "plan": lambda _: {"plan": Plan("offered")},
        "case": lambda now: {"cases": (Case("500C1", is_closed=False, type="Complaint", opened_at=now),)},
        "promise": lambda now: {"promises": (Promise(now.date() + timedelta(days=5)),)},
    }  # fmt: skip
"""What becomes true of the whole payer."""


def happens(what, facts, now, draw):
    """One thing that may happen to a payer while nothing of it pays, credits or writes off an installment."""
    first = facts.open_items[0]
    if what == "partial":
        part = max(first.open_minor // 3, 1)
        return (
            replace(
                facts,
                open_items=(replace(first, open_minor=first.open_minor - part, paid_minor=first.paid_minor + part), *facts.open_items[1:]),
            )
            if first.open_minor > 3
            else facts
        )
    if what == "fails again":
        again: Failure = replace(draw(failures), at=now - timedelta(hours=1))
        return replace(facts, open_items=(replace(first, failures=(*first.failures, again)), *facts.open_items[1:]))
    if what == "called":
        return replace(facts, contacts=(*facts.contacts, Contact(now, Channel.CALL, "call", conversation=True)))
    if what == "letter":
        return replace(facts, contacts=(*facts.contacts, Contact(now, Channel.LETTER, "letter")))
    if what == "other facts":
        changed = {
            "tenure_days": draw(st.none() | st.integers(0, 9000)),
            "failures_12m": draw(st.none() | st.integers(0, 12)),
            "clean_days": draw(st.none() | st.integers(0, 900)),
        }
        return replace(facts, **changed)
    return replace(facts, **OTHERWISE[what](now)) if what in OTHERWISE else facts


@SLOW
@given(st.data())
def test_the_level_never_falls_while_nothing_was_settled(data):
    """Whatever is made, fails, is held, said or partly paid: the level goes up one step at a time and never down."""
    draw = data.draw
    open_items = [
        item(
            draw(st.sampled_from([None, *Category])),
            id=f"a0X{number}",
            due=f"2026-0{number + 1}-20",
            scheme=draw(st.sampled_from(["card", "sepa_core", "credit_transfer"])),
        )
        for number in range(draw(st.integers(1, 2)))
    ]
    open_items = [
        replace(one, failures=tuple(replace(failed, at=datetime(2026, 2, 21, 8, tzinfo=UTC)) for failed in one.failures))
        for one in open_items
    ]
    facts, now, level = position(*open_items), datetime(2026, 3, 2, 9, tzinfo=UTC), 0
    meanwhile = (*MEANWHILE, *draw(st.sampled_from([ELSE, PEOPLE])))
    for what in draw(st.lists(st.sampled_from(meanwhile), max_size=10)):
        decision = judge(facts, now)
        assert level <= decision.arrears.level <= level + 1, what
        level = decision.arrears.level
        due = [one for one in decision.follow_ups if one.level is not None and one.at <= now]
        if what == "made":
            facts = shown(decision, facts, done={one.key: now for one in due})
        facts = happens(what, facts, now, draw)
        now += timedelta(days=draw(st.sampled_from([1, 4, 6, 15])))
    assert judge(facts, now).arrears.level >= level


def renamed(policy: Policy) -> Policy:
    """The same tables under other names and a higher version."""
    rows = tuple(replace(row, name=f"another {number}") for number, row in enumerate(policy.rows))
    variants = tuple(
        replace(one, name=f"v{one.name}", rows=tuple(replace(row, name=f"a {row.name}") for row in one.rows)) for one in policy.variants
    )
    return replace(policy, name="renamed", version="999", rows=rows, variants=variants)


@SLOW
@given(situations())
def test_a_renamed_row_and_a_higher_version_make_nothing_new(given_):
    """Keys are built from what is answered, never from what a row is called."""
    facts, policy, now = given_
    first = judge(facts, now, policy)
    again = judge(shown(first, facts), now, renamed(policy))
    assert {one.key for one in again.follow_ups} == {one.key for one in first.follow_ups}
    assert {one.key for one in again.withheld} == {one.key for one in first.withheld}
    assert (again.policy, again.policy_version) == ("renamed", "999")


@SLOW
@given(positions(), policies, NOWS)
def test_what_the_org_shows_is_decided_again(facts, policy, now):
    """Second pass: every key stands with its time, and what was withheld is withheld for the same reasons."""
    first = judge(facts, now, policy)
    again = judge(shown(first, facts), now, policy)
    assert {one.key: one.at for one in again.follow_ups} == {one.key: one.at for one in first.follow_ups}
    assert {one.key: one.reasons for one in again.withheld} == {one.key: one.reasons for one in first.withheld}


def test_a_task_for_the_whole_payer_is_not_keyed_by_the_name_of_its_row():
    """Where nothing failed there is no reason to name in the key, and the row's name is no substitute."""
    task = Task(Kind.REVIEW, "credit_manager", subject="Look at this payer", per="payer")
    policy = replace(default_policy(), rows=(Row("unpaid", (), "Nothing came.", tasks=(task,)),), variants=())
    unpaid = position(item(None, scheme="credit_transfer", due="2026-02-01"))
    first, again = judge(unpaid, policy=policy), judge(unpaid, policy=renamed(policy))
    assert [one.key for one in first.follow_ups] == [one.key for one in again.follow_ups] != []
