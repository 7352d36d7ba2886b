"""What every store promises, whichever database holds it."""

from datetime import UTC, datetime, timedelta
from threading import Thread
from zoneinfo import ZoneInfo

import pytest

from connector.store import InboxRow, LoggedDecision, Look, Store, Treated

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CHANNEL = "/event/Payment_Outcome__e"


def later(**parts):
    """An instant after NOW."""
    return NOW + timedelta(**parts)


def event(number, *, uuid=None, channel=CHANNEL):
    """An event as the stream hands it over."""
    return InboxRow(channel, number, uuid, f'{{"number": {number}}}', NOW)


def decision(payer, at=NOW):
    """A logged decision."""
    return LoggedDecision(payer, at, "default", "1", "{}")


class TestReceiving:
    """Events are written down once, and the cursor tells how far."""

    def test_a_channel_never_read_has_no_cursor(self, store):
        """Never read is not the same as read up to zero."""
        assert store.cursor(CHANNEL) is None

    def test_events_and_cursor_are_there_after_accept(self, store):
        """What was accepted is in the inbox, and the cursor stands behind it."""
        assert store.accept(CHANNEL, [event(7, uuid="a"), event(9, uuid="b")], 9) == 2
        assert store.cursor(CHANNEL) == 9
        assert [row.replay_id for row in store.take_inbox(10, NOW)] == [7, 9]

    def test_a_redelivered_event_is_stored_once(self, store):
        """The same uuid, or without one the same channel and replay id, is the same event."""
        store.accept(CHANNEL, [event(7, uuid="a"), event(8)], 8)
        assert store.accept(CHANNEL, [event(7, uuid="a"), event(8), event(9)], 9) == 1
        assert len(store.take_inbox(10, NOW)) == 3

    def test_a_settled_event_is_still_known(self, store):
        """Finishing an event does not make it new again."""
        store.accept(CHANNEL, [event(7, uuid="a")], 7)
        store.settle_inbox([row.id for row in store.take_inbox(10, NOW)])
        assert store.accept(CHANNEL, [event(7, uuid="a")], 7) == 0
        assert store.take_inbox(10, later(days=1)) == []

    def test_the_same_replay_id_with_another_uuid_is_another_event(self, store):
        """An org that numbers anew loses no event to old numbers."""
        store.accept(CHANNEL, [event(7, uuid="a")], 7)
        assert store.accept(CHANNEL, [event(7, uuid="b")], 7) == 1

    def test_the_same_replay_id_on_another_channel_is_another_event(self, store):
        """Replay ids count per channel."""
        store.accept(CHANNEL, [event(7)], 7)
        assert store.accept("/event/Other__e", [event(7, channel="/event/Other__e")], 7) == 1

    def test_accept_marks_payers_due_in_the_same_breath(self, store):
        """A change event that names its payer needs no inbox row."""
        store.accept(CHANNEL, [], 7, looks=[Look("P1", NOW, "case changed")])
        assert [mark.payer for mark in store.lease_due(NOW, 10, 60)] == ["P1"]

    def test_a_forgotten_cursor_is_none_again(self, store):
        """After a gap the channel begins anew."""
        store.accept(CHANNEL, [], 7)
        store.forget_cursor(CHANNEL)
        assert store.cursor(CHANNEL) is None

    def test_an_event_in_hand_is_not_handed_out_twice_until_its_holder_falls_silent(self, store):
        """A taken event comes again after its seconds, not before."""
        store.accept(CHANNEL, [event(7)], 7)
        assert len(store.take_inbox(10, NOW, seconds=60)) == 1
        assert store.take_inbox(10, later(seconds=59)) == []
        assert len(store.take_inbox(10, later(seconds=60))) == 1

    def test_a_postponed_event_waits_and_counts_its_attempts(self, store):
        """A postponed event is away until its time and then says why it was."""
        store.accept(CHANNEL, [event(7)], 7)
        store.postpone_inbox([row.id for row in store.take_inbox(10, NOW)], later(minutes=5), "org unavailable")
        assert store.take_inbox(10, later(minutes=4)) == []
        [row] = store.take_inbox(10, later(minutes=5))
        assert (row.attempts, row.error) == (1, "org unavailable")

    def test_a_parked_event_stays_aside_until_it_is_unparked(self, store):
        """Nothing that cannot be used blocks the rest or is lost."""
        store.accept(CHANNEL, [event(7), event(8)], 8)
        first, _second = store.take_inbox(10, NOW)
        store.park_inbox([first.id], "no such installment")
        assert [row.error for row in store.parked_inbox()] == ["no such installment"]
        assert [row.replay_id for row in store.take_inbox(10, later(days=9))] == [8]
        assert store.unpark_inbox() == 1
        assert [row.replay_id for row in store.take_inbox(10, later(days=9))] == [7]

    def test_settling_marks_the_payers_an_event_spoke_of(self, store):
        """Between placing an outcome and looking at its payer nothing can be lost."""
        store.accept(CHANNEL, [event(7)], 7)
        store.settle_inbox([row.id for row in store.take_inbox(10, NOW)], looks=[Look("P1", NOW, "outcome placed")])
        assert [mark.why for mark in store.lease_due(NOW, 10, 60)] == ["outcome placed"]

    def test_taking_is_oldest_first_and_bounded(self, store):
        """A long inbox is worked from its beginning in portions."""
        store.accept(CHANNEL, [event(number) for number in range(1, 21)], 20)
        assert [row.replay_id for row in store.take_inbox(3, NOW)] == [1, 2, 3]
        assert [row.replay_id for row in store.take_inbox(3, NOW)] == [4, 5, 6]


class TestDueMarks:
    """A payer that is due is looked at, by one holder at a time, and never forgotten."""

    def test_a_payer_is_leased_when_it_is_due_and_not_before(self, store):
        """Due is a time, kept to the microsecond."""
        store.mark_due(["P1"], at=later(seconds=1), why="event")
        assert store.lease_due(later(microseconds=999_999), 10, 60) == []
        [mark] = store.lease_due(later(seconds=1), 10, 60)
        assert (mark.payer, mark.why, mark.due_at, mark.attempts) == ("P1", "event", later(seconds=1), 0)

    def test_of_two_times_the_earlier_wins(self, store):
        """A later wish never pushes an earlier one away."""
        store.mark_due(["P1", "P2"], at=later(hours=1), why="first")
        store.mark_due(["P1"], at=later(hours=2), why="second")
        store.mark_due(["P2"], at=NOW, why="second")
        assert [(mark.payer, mark.why) for mark in store.lease_due(later(hours=1), 10, 60)] == [("P2", "second"), ("P1", "first")]

    def test_a_payer_marked_twice_at_once_is_due_once(self, store):
        """Five events about one payer are one look."""
        store.mark_due(["P1"] * 5, at=NOW, why="event")
        assert len(store.lease_due(NOW, 10, 60)) == 1

    def test_a_leased_payer_is_in_one_hand(self, store):
        """Nobody else gets it until the lease is over."""
        store.mark_due(["P1"], at=NOW, why="event")
        assert len(store.lease_due(NOW, 10, 60, "one")) == 1
        assert store.lease_due(later(seconds=59), 10, 60, "two") == []
        assert len(store.lease_due(later(seconds=60), 10, 60, "two")) == 1

    def test_release_clears_the_mark(self, store):
        """A treated payer is not due any more."""
        store.mark_due(["P1"], at=NOW, why="event")
        [mark] = store.lease_due(NOW, 10, 60)
        assert store.release(mark)
        assert store.lease_due(later(days=9), 10, 60) == []

    def test_a_payer_marked_while_in_hand_is_treated_again(self, store):
        """What changes during a treatment is not swept away by its end."""
        store.mark_due(["P1"], at=NOW, why="event")
        [mark] = store.lease_due(NOW, 10, 60)
        store.mark_due(["P1"], at=later(seconds=1), why="second event")
        assert store.release(mark)
        [again] = store.lease_due(later(seconds=1), 10, 60)
        assert again.seq > mark.seq
        assert again.why == "second event"

    def test_a_mark_for_tomorrow_set_while_in_hand_is_for_tomorrow(self, store):
        """The time that brought the payer in hand is used up and does not make the new mark early."""
        store.mark_due(["P1"], at=NOW, why="event")
        [mark] = store.lease_due(NOW, 10, 60)
        store.mark_due(["P1"], at=later(days=1), why="hold ends")
        store.release(mark, next_at=later(days=3))
        assert store.lease_due(later(hours=23), 10, 60) == []
        assert [again.why for again in store.lease_due(later(days=1), 10, 60)] == ["hold ends"]

    def test_release_with_a_next_time_makes_it_due_then(self, store):
        """A hold that ends or a follow-up that comes due brings the payer back."""
        store.mark_due(["P1"], at=NOW, why="event")
        [mark] = store.lease_due(NOW, 10, 60)
        store.release(mark, next_at=later(days=14))
        assert store.lease_due(later(days=13), 10, 60) == []
        assert [again.why for again in store.lease_due(later(days=14), 10, 60)] == ["planned"]

    def test_a_lost_lease_releases_nothing(self, store):
        """Who was too slow cannot clear what another one has in hand."""
        store.mark_due(["P1"], at=NOW, why="event")
        [slow] = store.lease_due(NOW, 10, 60, "slow")
        [quick] = store.lease_due(later(seconds=60), 10, 60, "quick")
        assert not store.release(slow)
        assert store.lease_left(slow, later(seconds=60)) == 0
        assert store.lease_left(quick, later(seconds=60)) == 60

    def test_a_late_release_does_not_clear_a_mark_made_after_another_finished(self, store):
        """Even when the row was deleted and made anew under it."""
        store.mark_due(["P1"], at=NOW, why="event")
        [slow] = store.lease_due(NOW, 10, 60, "slow")
        [quick] = store.lease_due(later(seconds=60), 10, 60, "quick")
        store.release(quick)
        store.mark_due(["P1"], at=NOW, why="new event")
        assert not store.release(slow)
        assert len(store.lease_due(later(seconds=61), 10, 60)) == 1

    def test_postponing_counts_attempts_until_a_treatment_succeeds(self, store):
        """The caller can wait longer from try to try, and starts anew after a success."""
        store.mark_due(["P1"], at=NOW, why="event")
        store.postpone(store.lease_due(NOW, 10, 60), later(minutes=1), "locked")
        assert store.lease_due(later(seconds=59), 10, 60) == []
        [second] = store.lease_due(later(minutes=1), 10, 60)
        assert second.attempts == 1
        store.release(second, next_at=later(days=1))
        assert store.lease_due(later(days=1), 10, 60)[0].attempts == 0

    def test_a_new_mark_overtakes_a_postponement(self, store):
        """Something new is a reason to try earlier."""
        store.mark_due(["P1"], at=NOW, why="event")
        store.postpone(store.lease_due(NOW, 10, 60), later(hours=1), "locked")
        store.mark_due(["P1"], at=later(minutes=1), why="event")
        assert store.lease_due(later(minutes=1), 10, 60)[0].attempts == 1

    def test_a_parked_payer_stays_aside_until_it_is_unparked(self, store):
        """A payer that cannot be treated blocks nobody and is listed with its reason."""
        store.mark_due(["P1", "P2"], at=NOW, why="event")
        marks = store.lease_due(NOW, 10, 60)
        store.park(marks, NOW, "two open positions")
        assert store.lease_due(later(days=9), 10, 60) == []
        assert [(row.payer, row.error, row.parked_at) for row in store.parked()] == [
            ("P1", "two open positions", NOW),
            ("P2", "two open positions", NOW),
        ]
        assert store.unpark(["P1"], later(days=1)) == 1
        assert [mark.payer for mark in store.lease_due(later(days=1), 10, 60)] == ["P1"]
        assert store.unpark(None, later(days=1)) == 1

    def test_a_new_mark_takes_a_parked_payer_up_again(self, store):
        """What changed may be just what was wrong."""
        store.mark_due(["P1"], at=NOW, why="event")
        store.park(store.lease_due(NOW, 10, 60), NOW, "two open positions")
        store.mark_due(["P1"], at=later(days=1), why="changed")
        assert [(mark.why, mark.attempts) for mark in store.lease_due(later(days=1), 10, 60)] == [("changed", 0)]
        assert store.parked() == []

    def test_a_payer_marked_while_it_is_being_parked_stays_due(self, store):
        """Parking never hides a change that came in between."""
        store.mark_due(["P1"], at=NOW, why="event")
        marks = store.lease_due(NOW, 10, 60)
        store.mark_due(["P1"], at=NOW, why="changed")
        store.park(marks, NOW, "two open positions")
        assert [mark.why for mark in store.lease_due(NOW, 10, 60)] == ["changed"]

    def test_a_mark_for_later_survives_a_fallen_holder_and_the_next_one(self, store):
        """After a crash the payer is treated at once, and again at the later time."""
        store.mark_due(["P1"], at=NOW, why="event")
        store.lease_due(NOW, 10, 60)
        store.mark_due(["P1"], at=later(days=1), why="hold ends")
        [again] = store.lease_due(later(seconds=60), 10, 60)
        store.release(again)
        assert store.lease_due(later(hours=23), 10, 60) == []
        assert len(store.lease_due(later(days=1), 10, 60)) == 1

    def test_the_longest_due_come_first(self, store):
        """No payer waits for ever behind newer ones."""
        store.mark_looks([Look("P1", later(minutes=2), "b"), Look("P2", later(minutes=1), "a"), Look("P3", later(minutes=3), "c")])
        assert [mark.payer for mark in store.lease_due(later(hours=1), 2, 60)] == ["P2", "P1"]

    def test_renewing_lengthens_what_is_still_ours(self, store):
        """A long batch keeps its payers; a lost one is told."""
        store.mark_due(["P1"], at=NOW, why="event")
        store.mark_due(["P2"], at=later(seconds=1), why="event")
        marks = store.lease_due(later(seconds=1), 10, 60, "one")
        [taken] = store.lease_due(later(seconds=61), 1, 600, "two")
        renewed = store.renew(marks, later(seconds=61), 60)
        assert taken.payer == "P1"
        assert [mark.payer for mark in renewed] == ["P2"]
        assert store.lease_left(renewed[0], later(seconds=61)) == 60
        assert len(store.lease_due(later(seconds=120), 10, 60, "two")) == 0

    def test_recovery_frees_what_the_owner_held_and_nothing_else(self, store):
        """A restarted daemon goes on at once, even with a clock that stands still; its neighbour is left in peace."""
        store.mark_due(["P1"], at=NOW, why="event")
        store.lease_due(NOW, 10, 3600, "main")
        store.mark_due(["P2"], at=NOW, why="event")
        store.lease_due(NOW, 10, 3600, "neighbour")
        store.accept(CHANNEL, [event(7)], 7)
        store.take_inbox(10, NOW)
        assert store.recover() == 2
        assert [mark.payer for mark in store.lease_due(NOW, 10, 60)] == ["P1"]
        assert len(store.take_inbox(10, NOW)) == 1
        assert store.recover("nobody") == 0

    def test_a_recovered_payer_with_a_mark_for_later_is_due_at_once(self, store):
        """The work in hand at the crash is not replaced by a later wish."""
        store.mark_due(["P1"], at=NOW, why="event")
        store.lease_due(NOW, 10, 3600)
        store.mark_due(["P1"], at=later(days=1), why="hold ends")
        store.recover()
        assert len(store.lease_due(NOW, 10, 60)) == 1

    def test_many_payers_at_once(self, store):
        """Marking thousands is one call, leasing hands them out in portions without a rest."""
        store.mark_due([f"P{number:05}" for number in range(3000)], at=NOW, why="pass")
        seen = []
        while marks := store.lease_due(NOW, 700, 60):
            seen += [mark.payer for mark in marks]
            store.finish([Treated(mark) for mark in marks])
        assert sorted(seen) == [f"P{number:05}" for number in range(3000)]

    def test_counts_tell_the_work_apart(self, store):
        """Due, later, in hand, parked and the age of the oldest are what an operator asks first."""
        store.mark_due(["A", "B", "C"], at=NOW, why="event")
        store.mark_due(["D", "E"], at=later(days=1), why="planned")
        first, _second = store.lease_due(later(minutes=1), 2, 3600)
        store.park([first], later(minutes=1), "broken")
        store.accept(CHANNEL, [event(7), event(8)], 8)
        store.park_inbox([store.take_inbox(1, NOW)[0].id], "broken")
        counts = store.due_counts(later(minutes=2))
        assert (counts.due_now, counts.later, counts.leased, counts.parked) == (1, 2, 1, 1)
        assert (counts.inbox, counts.parked_events) == (1, 1)
        assert counts.oldest_due_at == NOW

    def test_an_empty_store_counts_nothing(self, store):
        """No work is zero and no oldest, not an error."""
        counts = store.due_counts(NOW)
        assert (counts.due_now, counts.later, counts.leased, counts.inbox, counts.parked, counts.parked_events) == (0, 0, 0, 0, 0, 0)
        assert counts.oldest_due_at is None

    def test_instants_are_the_same_in_any_zone(self, store):
        """A time from Amsterdam and the same time in UTC are one time."""
        store.mark_due(["P1"], at=NOW.astimezone(ZoneInfo("Europe/Amsterdam")), why="event")
        assert store.lease_due(NOW, 10, 60)[0].due_at == NOW

    def test_a_naive_time_is_refused(self, store):
        """Nobody could say which time it is."""
        with pytest.raises(ValueError, match="aware"):
            store.mark_due(["P1"], at=NOW.replace(tzinfo=None), why="event")
        assert store.due_counts(NOW).due_now == 0

    def test_threads_never_share_a_payer(self, store):
        """A lease is one conditional statement, whoever asks."""
        store.mark_due([f"P{number}" for number in range(60)], at=NOW, why="event")
        hands = [[] for _ in range(4)]

        def work(own):
            while marks := store.lease_due(NOW, 3, 3600):
                own.extend(mark.payer for mark in marks)

        threads = [Thread(target=work, args=[own]) for own in hands]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(payer for own in hands for payer in own) == sorted(f"P{number}" for number in range(60))


class TestDecisions:
    """A copy of each decision is kept for a while."""

    def test_the_newest_come_first(self, store):
        """Explaining a payer begins with what was decided last."""
        for minutes in (1, 3, 2):
            store.log_decision(decision("P1", later(minutes=minutes)))
        store.log_decision(decision("P2"))
        assert [one.at for one in store.decisions("P1", limit=2)] == [later(minutes=3), later(minutes=2)]

    def test_the_log_is_read_from_its_beginning_page_by_page(self, store):
        """What a decision rested on comes back byte for byte; of everybody, or of one payer."""
        for payer in ("P1", "P2", "P1"):
            store.log_decision(LoggedDecision(payer, NOW, "default", "1", "{}", b"\x00\xff"))
        store.log_decision(decision("P1"))
        first = store.decisions_after(limit=3)
        assert [(one.payer, one.basis) for one in first] == [(payer, b"\x00\xff") for payer in ("P1", "P2", "P1")]
        (last,) = store.decisions_after(first[-1].id)
        assert (last.payer, last.basis) == ("P1", None)
        assert len(store.decisions_after(payer="P1")) == 3
        assert store.decisions_after(last.id) == []

    def test_a_batch_is_released_and_logged_in_one_breath(self, store):
        """A payer is never cleared without its decision on record, nor the other way round."""
        store.mark_due(["P1", "P2"], at=NOW, why="event")
        marks = store.lease_due(NOW, 10, 60)
        treated = [Treated(mark, later(days=1)) for mark in marks]
        assert store.finish(treated, decisions=[decision("P1"), decision("P2")]) == {"P1", "P2"}
        assert len(store.decisions("P1")) == len(store.decisions("P2")) == 1
        assert store.due_counts(NOW).later == 2

    def test_pruning_removes_the_old_and_finished_only(self, store):
        """What is still waiting or parked is kept however old it is."""
        store.log_decision(decision("P1", later(days=-40)))
        store.log_decision(decision("P1", NOW))
        store.accept(CHANNEL, [event(1), event(2), event(3)], 3)
        first, second, _third = store.take_inbox(10, NOW)
        store.settle_inbox([first.id])
        store.park_inbox([second.id], "broken")
        assert store.prune(later(days=-41)).decisions == 0
        pruned = store.prune(later(days=-30))
        assert (pruned.decisions, pruned.events) == (1, 0)
        assert store.prune(later(seconds=1)).events == 1
        counts = store.due_counts(NOW)
        assert (counts.inbox, counts.parked_events) == (1, 1)


class TestJobs:
    """One process at a time runs a job, once for each due time."""

    def test_a_job_is_registered_once(self, store):
        """What was missed is counted from the first registration, not from the last start."""
        assert store.job_last_run("nightly") is None
        store.register_job("nightly", NOW)
        assert store.register_job("nightly", later(days=1)).registered_at == NOW

    def test_a_running_job_is_not_started_twice(self, store):
        """Also not by another owner, until it ends."""
        assert store.job_started("nightly", NOW, owner="one")
        assert not store.job_started("nightly", later(minutes=1), owner="two")
        assert store.job_last_run("nightly").running(later(minutes=1))
        store.job_finished("nightly", later(minutes=2), owner="one")
        assert not store.job_last_run("nightly").running(later(minutes=2))
        assert store.job_started("nightly", later(minutes=3), owner="two")

    def test_a_run_that_fell_silent_may_be_started_again(self, store):
        """A dead process does not stop the job for ever; the one taken over cannot end the new run."""
        store.job_started("nightly", NOW, owner="one", seconds=600)
        assert not store.job_started("nightly", later(seconds=599), owner="two")
        assert store.job_started("nightly", later(seconds=600), owner="two")
        assert not store.job_kept("nightly", later(seconds=601), owner="one")
        store.job_finished("nightly", later(seconds=601), owner="one")
        run = store.job_last_run("nightly")
        assert (run.finished_at, run.owner, run.tries) == (None, "two", 2)

    def test_a_restarted_process_need_not_wait_for_its_own_dead_runs(self, store):
        """What its owner ran when it died counts as interrupted at once; others' runs are left in peace."""
        store.job_started("nightly", NOW, owner="one")
        store.job_started("hourly", NOW, owner="two")
        assert store.recover_jobs("one") == 1
        assert store.recover_jobs("one") == 0
        assert not store.job_last_run("nightly").running(NOW)
        assert store.job_last_run("hourly").running(NOW)

    def test_a_run_kept_alive_outlives_its_seconds(self, store):
        """A long job is not taken over while it reports."""
        store.job_started("nightly", NOW, seconds=600)
        assert store.job_kept("nightly", later(seconds=500), seconds=600)
        assert not store.job_started("nightly", later(seconds=1000))

    def test_a_due_time_is_served_once(self, store):
        """Two daemons that see the same schedule run the job once."""
        assert store.job_started("nightly", NOW, owner="one", due_at=NOW)
        store.job_finished("nightly", later(seconds=1), owner="one")
        assert not store.job_started("nightly", later(seconds=2), owner="two", due_at=NOW)
        assert store.job_started("nightly", later(days=1), owner="two", due_at=later(days=1))

    def test_a_failed_run_says_why(self, store):
        """The next look at the ledger tells what happened."""
        store.job_started("nightly", NOW)
        store.job_finished("nightly", later(seconds=1), error="TransientError")
        run = store.job_last_run("nightly")
        assert (run.ok, run.error, run.started_at, run.finished_at) == (False, "TransientError", NOW, later(seconds=1))

    def test_a_run_to_be_tried_again_keeps_count(self, store):
        """Waiting can grow from try to try; a run that needs no retry ends the count."""
        store.job_started("nightly", NOW)
        store.job_finished("nightly", NOW, error="TransientError", retry_at=later(minutes=1))
        assert (store.job_last_run("nightly").retry_at, store.job_last_run("nightly").tries) == (later(minutes=1), 1)
        store.job_started("nightly", later(minutes=1))
        assert (store.job_last_run("nightly").retry_at, store.job_last_run("nightly").tries) == (None, 2)
        store.job_finished("nightly", later(minutes=2))
        assert store.job_last_run("nightly").tries == 0

    def test_of_many_threads_one_starts(self, store):
        """Starting is one conditional statement."""
        won = []
        threads = [
            Thread(target=lambda name=name: won.append(store.job_started("nightly", NOW, owner=name, due_at=NOW))) for name in "abcd"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(won) == [False, False, False, True]


class TestValues:
    """Small texts are kept by name."""

    def test_a_value_is_kept_replaced_and_forgotten(self, store):
        """The org id and poll cursors live here."""
        assert store.get_value("org_id") is None
        store.set_value("org_id", "00D1")
        store.set_value("org_id", "00D2")
        assert store.get_value("org_id") == "00D2"
        store.forget_value("org_id")
        assert store.get_value("org_id") is None

    def test_values_are_found_by_prefix(self, store):
        """Bulk jobs under way are found again after a crash; an underscore is an underscore."""
        store.set_value("bulk_1", "a")
        store.set_value("bulk_2", "b")
        store.set_value("bulkx3", "c")
        assert store.values("bulk_") == {"bulk_1": "a", "bulk_2": "b"}


class TestReopening:
    """What was stored is there after closing and opening."""

    def test_everything_is_there_after_reopening(self, shared_url):
        """The store is memory beyond the process."""
        with Store.open(shared_url) as first:
            first.accept(CHANNEL, [event(7)], 7)
            first.mark_due(["P1"], at=NOW, why="event")
        with Store.open(shared_url) as second:
            assert second.cursor(CHANNEL) == 7
            counts = second.due_counts(NOW)
            assert (counts.inbox, counts.due_now) == (1, 1)
