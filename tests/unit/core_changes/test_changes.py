"""Decision against org: the smallest set of changes, each once, and nothing of a person's ever undone."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from connector.core.changes import Basis, Change, ShownFollowUp, ShownPosition, ShownTask, View, changes, position_values
from connector.core.model import Arrears, Decision, FollowUp, Hold, Withheld
from connector.core.words import ArrearsStatus, Channel, FollowUpStatus, HoldCause, InstallmentStatus, Kind, Tone

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=9)
PAYER = "003000000000001AAA"
INSTALLMENT = "a0B000000000001AAA"
REMIND = FollowUp(
    Kind.REMIND, NOW, "remind-1", (INSTALLMENT,), "row", ("Because.",), level=1, channel=Channel.EMAIL, tone=Tone.GENTLE, subject="Note"
)
RETRY = FollowUp(Kind.RETRY, LATER, "retry-1", (INSTALLMENT,), "row", ("Because.",))
HOLD = FollowUp(Kind.HOLD, NOW, "hold-1", (INSTALLMENT,), "row", ("Because.",), hold=Hold(None, HoldCause.DISPUTE))
DECISION = Decision(
    PAYER, Arrears(ArrearsStatus.IN_ARREARS, {"EUR": 4000}, date(2026, 3, 2), 0, 0, 1), (), (), "default", "1", None, "Why."
)


def decided(*follow_ups, withheld=(), **changed):
    """Build a decision of these follow-ups."""
    return replace(DECISION, follow_ups=follow_ups, withheld=tuple(withheld), **changed)


def planned(change, view, now=NOW, *, missing=False):
    """List the changes of a decision."""
    return changes(change, view, now, Basis("EUR", (INSTALLMENT,), missing))


def shown(one, status=FollowUpStatus.PLANNED, **more):
    """Show a follow-up in the org."""
    return ShownFollowUp("aF0000000000001AAA", one.key, one.kind, status, one.at, more.pop("task_id", None), **more)


def view(decision, *follow_ups, tasks=None, **more):
    """Build an org that shows ``decision``'s Position already, with these follow-ups."""
    position = ShownPosition("aP0000000000001AAA", "EUR", position_values(decision, "EUR", [INSTALLMENT]))
    return View(PAYER, {one.key: one for one in follow_ups}, tasks or {}, {"EUR": position}, flag="aP0000000000001AAA", **more)


def what(found):
    """Shorten changes to op, subject and status."""
    return [(one.op, one.subject, str(one.values.get("status", ""))) for one in found]


def task(**changed):
    """Build an open Task of ours."""
    return replace(ShownTask("00T000000000001AAA", is_closed=False, is_deleted=False, status="Not Started", completed_at=None), **changed)


def test_a_due_follow_up_is_made_with_its_task_and_its_flag():
    """What is due now shows at once: the record, its Task, the payer's Position."""
    found = planned(decided(REMIND), View(PAYER))
    assert what(found) == [("insert", "follow_up", "Planned"), ("insert", "task", ""), ("insert", "position", "In Arrears")]


def test_a_follow_up_of_tonight_has_no_task_yet():
    """People see a contact when its hour comes, not before."""
    assert what(planned(decided(replace(REMIND, at=LATER)), View(PAYER)))[:2] == [
        ("insert", "follow_up", "Planned"),
        ("insert", "position", "In Arrears"),
    ]


def test_the_second_pass_changes_nothing():
    """An org that shows the decision is left alone."""
    decision = decided(REMIND)
    org = view(decision, shown(REMIND, task_id="00T000000000001AAA"), tasks={REMIND.key: task()})
    assert planned(decision, org) == []


def test_a_task_a_person_completed_is_done_and_never_made_again():
    """Completed by a person means the contact was made."""
    decision = decided(REMIND)
    org = view(
        decision,
        shown(REMIND, task_id="00T000000000001AAA"),
        tasks={REMIND.key: task(is_closed=True, status="Completed", completed_at=NOW)},
    )
    assert what(planned(decision, org)) == [("update", "follow_up", "Done")]


def test_a_task_a_person_deleted_stays_deleted():
    """The recycle bin is an answer: the follow-up is cancelled, no second Task is made."""
    decision = decided(REMIND)
    for task_id in ("00T000000000001AAA", None):
        org = view(decision, shown(REMIND, task_id=task_id), tasks={REMIND.key: task(is_deleted=True)})
        assert what(planned(decision, org)) == [("update", "follow_up", "Cancelled")]


def test_a_crash_between_task_and_link_is_mended_by_linking():
    """A Task that exists under our key is linked, not made twice; also when its follow-up was lost."""
    decision = decided(REMIND)
    assert [one.values for one in planned(decision, view(decision, shown(REMIND), tasks={REMIND.key: task()}))] == [
        {"task_id": "00T000000000001AAA"}
    ]
    found = planned(decision, view(decision, tasks={REMIND.key: task()}))
    assert what(found) == [("insert", "follow_up", "Planned"), ("update", "follow_up", "")]


def test_a_done_follow_up_is_never_touched_again():
    """Done and Cancelled are final."""
    for status in (FollowUpStatus.DONE, FollowUpStatus.CANCELLED):
        decision = decided(REMIND)
        assert planned(decision, view(decision, shown(REMIND, status))) == []


def test_what_is_no_longer_wanted_steps_back_with_its_task():
    """When money came, open Tasks of ours are completed and their follow-ups superseded."""
    decision = decided(arrears=replace(DECISION.arrears, status=ArrearsStatus.CLEAR, amount={}))
    org = view(decision, shown(REMIND, task_id="00T000000000001AAA"), tasks={REMIND.key: task()})
    assert what(planned(decision, org)) == [("update", "follow_up", "Superseded"), ("update", "task", "completed")]


def test_with_rows_missing_nothing_is_cleared_or_superseded():
    """Invisible is not paid."""
    decision = decided(arrears=replace(DECISION.arrears, status=ArrearsStatus.CLEAR, amount={}))
    org = view(decided(REMIND), shown(REMIND, task_id="00T000000000001AAA"), tasks={REMIND.key: task()})
    assert planned(decision, org, missing=True) == []
    assert planned(decision, org) != []


def test_a_withheld_contact_defers_its_open_task_and_comes_back():
    """A complaint stops a Task that is already on somebody's desk; when it closes the same Task is open again."""
    withheld = Withheld(Kind.REMIND, ("open_case",), None, REMIND.key)
    decision = decided(withheld=[withheld])
    org = view(decision, shown(REMIND, task_id="00T000000000001AAA"), tasks={REMIND.key: task()})
    assert what(planned(decision, org)) == [("update", "follow_up", "Withheld"), ("update", "task", "deferred")]
    back = decided(REMIND)
    org = view(
        back,
        shown(REMIND, FollowUpStatus.WITHHELD, task_id="00T000000000001AAA", withheld="open_case"),
        tasks={REMIND.key: task(status="Deferred")},
    )
    assert what(planned(back, org)) == [("update", "task", "open"), ("update", "follow_up", "Planned")]


def test_the_same_withholding_is_written_once():
    """Silence is explained once, not every night; a date until is compared as a date."""
    until = date(2026, 3, 25)
    decision = decided(withheld=[Withheld(Kind.REMIND, ("hold:breathing_space",), until, REMIND.key)])
    (made,) = [one for one in planned(decision, view(decision)) if one.subject == "follow_up"]
    assert made.values["withheld_until"] == until
    org = view(
        decision,
        shown(REMIND, FollowUpStatus.WITHHELD, withheld="hold:breathing_space", withheld_until=datetime(2026, 3, 25, 12, tzinfo=UTC)),
    )
    assert planned(decision, org) == []


def test_a_retry_is_set_once_and_a_persons_reset_stays():
    """Our stamp on the installment says it was set; whatever a person did to it since is theirs."""
    decision = decided(RETRY)
    org = view(decision, retry_stamps={INSTALLMENT: None}, statuses={INSTALLMENT: InstallmentStatus.FAILED})
    assert [one.subject for one in planned(decision, org)] == ["follow_up", "installment", "follow_up", "position"]
    org = view(decided(), shown(RETRY), retry_stamps={INSTALLMENT: RETRY.key}, statuses={INSTALLMENT: InstallmentStatus.OUTSTANDING})
    assert what(planned(decision, org)) == [("update", "follow_up", "Done")]


def test_a_retry_waits_for_its_notice_and_for_a_status_it_may_be_set_from():
    """Without notice given, or from a status that is not Failed, Reversed or Rejected, the installment is not touched."""
    notice = replace(REMIND, kind=Kind.NOTIFY, key="notify-1")
    decision = decided(notice, replace(RETRY, after=notice.key))
    failed = {"retry_stamps": {INSTALLMENT: None}, "statuses": {INSTALLMENT: InstallmentStatus.FAILED}}
    org = view(decision, shown(notice, task_id="00T000000000001AAA"), shown(RETRY), tasks={notice.key: task()}, **failed)
    assert "installment" not in [one.subject for one in planned(decision, org)]
    org = view(decision, shown(notice, FollowUpStatus.DONE), shown(RETRY), **failed)
    assert "installment" in [one.subject for one in planned(decision, org)]
    org = view(
        decision,
        shown(notice, FollowUpStatus.DONE),
        shown(RETRY),
        retry_stamps={INSTALLMENT: None},
        statuses={INSTALLMENT: InstallmentStatus.PENDING},
    )
    assert planned(decision, org) == []


def test_a_hold_and_its_record_end_complete_wherever_a_crash_falls():
    """The hold is made under its key; its follow-up is Done only once the hold exists."""
    decision = decided(HOLD)
    assert what(planned(decision, View(PAYER)))[:3] == [
        ("insert", "follow_up", "Planned"),
        ("insert", "hold", ""),
        ("update", "follow_up", "Done"),
    ]
    after = decided()
    assert what(planned(after, view(after, shown(HOLD), holds=frozenset({HOLD.key})))) == [("update", "follow_up", "Done")]


def test_a_moved_time_is_written_only_while_nobody_sees_the_task():
    """A plan may move to a lawful hour; a Task already on a desk does not."""
    decision = decided(replace(REMIND, at=LATER))
    assert [one.values for one in planned(decision, view(decision, shown(REMIND)))] == [{"planned_at": LATER}]
    assert planned(decision, view(decision, shown(REMIND, task_id="00T000000000001AAA"), tasks={REMIND.key: task()})) == []


def test_a_clear_payer_without_a_flag_gets_none():
    """Nobody who owes nothing is given an Arrears Position."""
    assert planned(replace(DECISION, arrears=replace(DECISION.arrears, status=ArrearsStatus.CLEAR, amount={})), View(PAYER)) == []
    assert isinstance(planned(DECISION, View(PAYER))[0], Change)
