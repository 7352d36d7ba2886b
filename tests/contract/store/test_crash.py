"""``kill -9`` at any point: each public method happened as a whole or not at all, and nothing is lost."""

import os
import signal
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, create_engine, event, select, text

from connector.store import InboxRow, LoggedDecision, Look, Store, Treated, schema

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
CHANNEL = "/event/Payment_Outcome__e"
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")  # the child opens everything itself
ROWS = [InboxRow(CHANNEL, number, f"uuid-{number}", "{}", NOW) for number in (1, 2)]
LOOKS = [Look("P3", NOW, "event"), Look("P1", LATER, "event")]


def filled(url):
    """Two events in hand, two payers in hand, two due, one parked, a job that runs, a decision and a value."""
    with Store.open(url) as store:
        store.accept(CHANNEL, [InboxRow(CHANNEL, number, f"old-{number}", "{}", NOW) for number in (3, 4, 5, 6)], 6)
        store.mark_due(["P1", "P2", "P9"], at=NOW, why="event")
        one, two, nine = store.lease_due(NOW, 10, 60)
        store.park([nine], NOW, "broken")
        rows = store.take_inbox(2, NOW)
        store.park_inbox([store.take_inbox(1, NOW)[0].id], "broken")
        store.mark_due(["P4", "P5"], at=NOW, why="event")
        store.settle_inbox([rows[0].id])
        store.job_started("nightly", NOW)
        store.lead(["poll"], NOW, 20)
        store.log_decision(LoggedDecision("P1", NOW, "default", "1", "{}"))
        store.set_value("org_id", "00D1")
    return [one, two], [rows[1].id]


DECISIONS = [LoggedDecision("P1", NOW, "default", "1", "{}"), LoggedDecision("P2", NOW, "default", "1", "{}")]
METHODS = {
    "accept": lambda store, _marks, _ids: store.accept(CHANNEL, ROWS, 8, looks=LOOKS),
    "forget_cursor": lambda store, _marks, _ids: store.forget_cursor(CHANNEL),
    "take_inbox": lambda store, _marks, _ids: store.take_inbox(5, LATER),
    "settle_inbox": lambda store, _marks, ids: store.settle_inbox(ids, looks=LOOKS),
    "postpone_inbox": lambda store, _marks, ids: store.postpone_inbox(ids, LATER, "busy"),
    "park_inbox": lambda store, _marks, ids: store.park_inbox(ids, "broken"),
    "renew_inbox": lambda store, _marks, ids: store.renew_inbox(ids, NOW, seconds=600),
    "unpark_inbox": lambda store, _marks, _ids: store.unpark_inbox(),
    "mark_looks": lambda store, _marks, _ids: store.mark_looks(LOOKS),
    "lease_due": lambda store, _marks, _ids: store.lease_due(LATER, 10, 60),
    "finish": lambda store, marks, _ids: store.finish([Treated(marks[0]), Treated(marks[1], LATER)], decisions=DECISIONS),
    "postpone": lambda store, marks, _ids: store.postpone(marks, LATER, "busy"),
    "park": lambda store, marks, _ids: store.park(marks, NOW, "broken"),
    "unpark": lambda store, _marks, _ids: store.unpark(None, NOW),
    "renew": lambda store, marks, _ids: store.renew(marks, NOW, 600),
    "recover": lambda store, _marks, _ids: store.recover(),
    "recover_jobs": lambda store, _marks, _ids: store.recover_jobs(),
    "prune": lambda store, _marks, _ids: store.prune(LATER),
    "lead": lambda store, _marks, _ids: store.lead([CHANNEL, "poll"], NOW, 60),
    "leave": lambda store, _marks, _ids: store.leave(),
    "job_started": lambda store, _marks, _ids: store.job_started("other", NOW),
    "job_finished": lambda store, _marks, _ids: store.job_finished("nightly", LATER),
}


def content(url):
    """Everything in the store except the random token of a lease."""
    engine = create_engine(url)
    with engine.connect() as connection:
        tables = {
            table.name: sorted(str(row) for row in connection.execute(select(*[column for column in table.c if column.name != "token"])))
            for table in schema.metadata.sorted_tables
        }
    engine.dispose()
    return tables


def in_child(work):
    """Run ``work`` in a forked child; returns the signal that ended it, or 0."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _pid, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child raised"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def killing_at(step):
    """From now on this process kills itself at its ``step``-th encounter with the database."""
    left = [step]

    def encounter(*_args):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "after_cursor_execute", encounter)
    event.listen(Engine, "before_cursor_execute", encounter)
    event.listen(Engine, "commit", encounter)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_killed_at_any_step_happened_wholly_or_not_at_all(method, shared_url, tmp_path):
    """Between any two statements, before and after the commit, the process may die."""
    act = METHODS[method]
    template = _Template(shared_url, tmp_path)
    marks, ids = template.make()
    before = content(shared_url)

    def whole():
        with Store.open(shared_url) as store:
            act(store, marks, ids)

    assert in_child(whole) == 0
    after = content(shared_url)
    assert before != after, "the example must change something"

    step, died = 0, signal.SIGKILL
    while died:
        step += 1 if shared_url.startswith("sqlite") else 4  # a server's own transactions need no proof at every step
        marks, ids = template.make()

        def killed(step=step, marks=marks, ids=ids):
            store = Store.open(shared_url)
            killing_at(step)
            act(store, marks, ids)

        died = in_child(killed)
        assert content(shared_url) == (before if died else after)
    assert step > 3, "the kill must have met at least BEGIN, a statement and COMMIT"


class _Template:
    """Makes the same store again and again: on disk by taking the file away, in a server by emptying the tables."""

    def __init__(self, url, folder):
        self._url = url
        self._folder = folder

    def make(self):
        for file in self._folder.glob("store.db*"):
            file.unlink()
        if not self._url.startswith("sqlite"):
            Store.open(self._url).close()
            engine = create_engine(self._url)
            emptied = ", ".join(table.name for table in schema.metadata.sorted_tables if table is not schema.version)
            with engine.begin() as connection:
                connection.execute(text(f"TRUNCATE {emptied} RESTART IDENTITY"))
            engine.dispose()
        return filled(self._url)


def test_what_a_method_returned_from_survives_the_next_instant(shared_url):
    """Durable means: when accept has returned, the process may be killed at once."""

    def work():
        store = Store.open(shared_url)
        store.accept(CHANNEL, ROWS, 2, looks=LOOKS)
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(work) == signal.SIGKILL
    with Store.open(shared_url) as store:
        assert store.cursor(CHANNEL) == 2
        assert len(store.take_inbox(10, NOW)) == 2
        assert [mark.payer for mark in store.lease_due(LATER, 10, 60)] == ["P3", "P1"]


def test_processes_never_share_a_payer(shared_url, tmp_path):
    """Two daemons on one store divide the work: every payer is leased once, by one of them."""
    with Store.open(shared_url) as store:
        store.mark_due([f"P{number:03}" for number in range(120)], at=NOW, why="event")
    children = []
    for name in ("one", "two", "three"):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                with Store.open(shared_url) as own, (tmp_path / name).open("w") as seen:
                    while marks := own.lease_due(NOW, 4, 3600, name):
                        seen.writelines(mark.payer + "\n" for mark in marks)
                code = 0
            finally:
                os._exit(code)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0]
    leased = [payer for name in ("one", "two", "three") for payer in (tmp_path / name).read_text().split()]
    assert sorted(leased) == [f"P{number:03}" for number in range(120)]


def test_a_store_may_be_opened_by_several_processes_at_once(shared_url):
    """Whoever comes first makes the tables, once."""
    children = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                with Store.open(shared_url) as own:
                    own.mark_due(["P1"], at=NOW, why="event")
                code = 0
            finally:
                os._exit(code)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    with Store.open(shared_url) as store:
        assert store.lease_due(NOW, 10, 60)[0].seq == 4
