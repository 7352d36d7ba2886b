"""What stands still is named once, in plain words, to the team whose work it is, and stays quiet once a person has answered."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from connector.core.alerts import START, ShownAlert, alert_key, alerts
from connector.core.findings import (
    MOST_SHOWN,
    TOLD,
    Counted,
    Finding,
    FindingKind,
    Found,
    LoosePayment,
    Waiting,
    counter,
    gathered,
    loose_payment,
    recollection,
    unfinished,
)
from connector.core.keys import LIMIT

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
TODAY = date(2026, 3, 2)
EARLIER = NOW - timedelta(days=3)
WAITING = Waiting("a0X1", "003P1", date(2026, 2, 20), EARLIER, mandate_stands=True, account_stands=True)
SCHEDULES = gathered(FindingKind.RUN, 1, [unfinished(FindingKind.RUN, "a0S1", "Failed", EARLIER)])


def many(count):
    """So many failed schedules, each a minute newer."""
    return [unfinished(FindingKind.RUN, f"a0S{one}", "Failed", EARLIER + timedelta(minutes=one)) for one in range(count)]


def shown(found=SCHEDULES, *, closed=False, deleted=False):
    """Our Task about it, as the org shows it."""
    return ShownAlert("00T1", alert_key(found), is_closed=closed, is_deleted=deleted)


def test_a_recollection_with_a_dead_mandate_or_account_is_stuck_at_once():
    """A run leaves it out in silence, whatever its date."""
    for change, words in (
        ({"mandate_stands": False}, "its mandate is inactive"),
        ({"account_stands": False}, "its account or card is inactive"),
    ):
        found = recollection(replace(WAITING, due_on=date(2026, 4, 1), **change), 14, TODAY)
        assert words in found.sentence
        assert (found.kind, found.record, found.payer, found.since) == ("recollection", "a0X1", "003P1", EARLIER)
    assert recollection(replace(WAITING, due_on=None, mandate_stands=False), 14, TODAY) is not None


def test_a_recollection_that_no_run_takes_is_stuck_after_its_days():
    """On its last day it may still be taken; the day after it is stuck, since then."""
    assert recollection(replace(WAITING, due_on=date(2026, 2, 16)), 14, TODAY) is None
    found = recollection(replace(WAITING, due_on=date(2026, 2, 15), changed_at=datetime(2026, 2, 15, tzinfo=UTC)), 14, TODAY)
    assert found.sentence == "No run has taken it since 15 February 2026."
    assert found.since == datetime(2026, 3, 1, tzinfo=UTC)
    assert recollection(replace(WAITING, due_on=None), 14, TODAY) is None
    assert recollection(replace(WAITING, mandate_stands=None, account_stands=None), 14, TODAY) is None


def test_money_without_an_installment_is_named_with_amount_and_day():
    """Enough to find it, and no name."""
    one = LoosePayment("a0P1", None, 1250, "EUR", date(2026, 2, 27), EARLIER)
    assert loose_payment(one).sentence == "12.50 EUR of 27 February 2026."
    assert loose_payment(replace(one, on=None)).sentence == "12.50 EUR."


@pytest.mark.parametrize(
    ("open_minor", "paid", "same"), [(4000, 0, True), (0, 4000, True), (0, 5000, True), (0, 0, False), (4000, 4000, False)]
)
def test_a_counter_is_held_against_payments(open_minor, paid, same):
    """What is open is the amount less what was paid, and never less than nothing."""
    found = counter(Counted("a0X1", "003P1", "EUR", 4000, open_minor, paid, EARLIER))
    assert (found is None) is same
    if found:
        assert f"says {open_minor // 100}.00 EUR are open" in found.sentence


def test_no_words_name_a_cause_or_ask_to_guess():
    """Every kind says what and what to do, for one and for many, and belongs to a role."""
    for kind in FindingKind:
        told = TOLD[kind]
        assert told.role in {"admin", "credit_manager"}
        assert told.priority in {"High", "Normal"}
        for count in (1, 1200):
            found = gathered(kind, count, [Finding(kind, "a0X1", "It stands.", NOW)])
            assert found.words.startswith(f"{count:,} ")
            assert told.advice in found.words


def test_a_task_names_the_newest_and_counts_the_rest():
    """A person reads twenty; the number tells of the others, the money of all."""
    found = gathered(FindingKind.RUN, 45, many(30), {"EUR": 1250, "GBP": 0})
    ((alert,), answered) = alerts([found], [], NOW)
    assert answered == []
    assert alert.subject == "45 payment schedules have stopped"
    lines = alert.text.splitlines()
    assert lines[0].startswith("45 payment schedules have stopped, 12.50 EUR. ")
    assert lines[2].startswith("a0S29: Failed since ")
    assert (len(lines), lines[-1]) == (2 + MOST_SHOWN + 1, "and 25 more")
    assert found.records == tuple(f"a0S{one}" for one in range(29, 9, -1))
    assert (alert.role, alert.priority, alert.at) == ("admin", "High", NOW)
    assert "more" not in alerts([SCHEDULES], [], NOW)[0][0].text.splitlines()[-1]


def test_while_a_task_is_open_there_is_no_second():
    """More of the same makes no more Tasks."""
    more = gathered(FindingKind.RUN, 3, many(3))
    assert alerts([more], [shown()], NOW) == ([], [])
    assert (
        len(alerts([more], [shown(gathered(FindingKind.REPORT, 1, [unfinished(FindingKind.REPORT, "a0R1", "Failed", NOW)]))], NOW)[0]) == 1
    )


@pytest.mark.parametrize("answer", [{"closed": True}, {"deleted": True}])
def test_what_a_person_answered_comes_back_only_for_something_newer(answer):
    """Completed or deleted while it stands: silence, until a newer one comes or the same one happens again."""
    assert alerts([SCHEDULES], [shown(**answer)], NOW) == ([], [])
    again = gathered(FindingKind.RUN, 1, [unfinished(FindingKind.RUN, "a0S1", "Failed", NOW)])
    for found in (gathered(FindingKind.RUN, 2, many(2)), again):
        assert len(alerts([found], [shown(**answer)], NOW)[0]) == 1


def test_a_task_is_closed_when_nothing_of_its_kind_is_left():
    """Only then, and only an open one; a kind that was not looked at keeps its Task."""
    none = gathered(FindingKind.RUN, 0, [])
    assert alerts([none], [shown()], NOW) == ([], ["00T1"])
    assert alerts([none], [shown(closed=True)], NOW) == ([], [])
    assert alerts([none], [shown(deleted=True)], NOW) == ([], [])
    assert alerts([], [shown()], NOW) == ([], [])


def test_what_is_counted_and_cannot_be_named_makes_no_task():
    """It went away between two answers, or its records cannot be read: the next pass asks again."""
    assert alerts([gathered(FindingKind.RUN, 2, [])], [], NOW) == ([], [])


def test_a_key_is_a_key():
    """It fits, begins as all of them do, and tells its kind."""
    for kind in FindingKind:
        found = Found(kind, 1, (Finding(kind, "a0X000000000001AAA", "It stands.", NOW),))
        key = alert_key(found)
        assert key.startswith(START)
        assert len(key) <= LIMIT
        assert ShownAlert("00T1", key, is_closed=False, is_deleted=False).kind == kind
