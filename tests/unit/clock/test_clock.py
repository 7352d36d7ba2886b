"""Time is aware, in UTC, and follows the sandbox only where that cannot reach a customer."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import requests
import responses

from connector.clock import LoopbackClock, SystemClock
from connector.errors import ConfigError, TransientError

URL = "http://localhost:8801/clock"
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def told():
    """A clock server whose answer the test sets: a text, or an exception."""
    answer = {"now": START.isoformat(), "asked": 0}

    def reply(_request):
        answer["asked"] += 1
        if isinstance(answer["now"], Exception):
            raise answer["now"]
        return 200, {}, f'{{"now": "{answer["now"]}"}}'

    with responses.RequestsMock(assert_all_requests_are_fired=False) as http:
        http.add_callback(responses.GET, URL, callback=reply)
        yield answer


@pytest.fixture
def clock(monkeypatch):
    """A loopback clock that asks each time, but for what a test says about that."""
    monkeypatch.setattr("connector.clock._POLL_SECONDS", 0.001)
    made = LoopbackClock(URL)
    yield made
    made.close()


def test_the_system_clock_is_aware_and_in_utc():
    """A naive time means something else on each machine."""
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_a_wait_ends_when_its_time_has_come():
    """A time in the past is no wait at all."""
    clock, wake = SystemClock(), threading.Event()
    assert clock.wait_until(clock.now() - timedelta(days=1), wake) is False
    assert clock.wait(0.001, wake) is False


def test_a_wait_ends_when_it_is_woken():
    """A stop does not wait for the next debounce."""
    clock, wake = SystemClock(), threading.Event()
    threading.Timer(0.01, wake.set).start()
    assert clock.wait(3600, wake) is True


def test_the_told_time_is_ours(told, clock):
    """Any offset becomes UTC."""
    told["now"] = "2026-03-02T10:30:00+01:00"
    assert clock.now() == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    assert clock.now().utcoffset() == timedelta(0)


@pytest.mark.parametrize("text", ["2026-03-02T09:30:00Z", "2026-03-02T09:30:00.000+0000"])
def test_the_usual_spellings_of_a_time_are_read(told, clock, text):
    """Salesforce writes offsets without a colon, others write Z."""
    told["now"] = text
    assert clock.now() == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_an_answer_is_kept_for_a_moment(told):
    """A busy daemon does not ask a thousand times a second."""
    clock = LoopbackClock(URL)
    for _ in range(20):
        clock.now()
    clock.close()
    assert told["asked"] < 10


@pytest.mark.parametrize(
    "url",
    [
        "http://clock.example.com/clock",
        "https://localhost/clock",
        "http://localhost.example.com/",
        "localhost:8801",
        "",
        "http://127.0.0.1.example.com/",
    ],
)
def test_a_clock_that_is_not_on_this_machine_is_refused(url):
    """Time from elsewhere would decide what is sent to customers."""
    with pytest.raises(ConfigError, match="clock URL"):
        LoopbackClock(url)


def test_a_clock_that_never_answered_is_a_passing_trouble(told, clock):
    """There is no time to go on with."""
    told["now"] = requests.ConnectionError("refused")
    with pytest.raises(TransientError):
        clock.now()


@pytest.mark.parametrize("nonsense", ["soon", "2026-03-02T09:30:00"])
def test_a_time_that_is_none_or_has_no_offset_is_not_taken(told, clock, nonsense):
    """Half a time is worse than none."""
    told["now"] = nonsense
    with pytest.raises(TransientError):
        clock.now()


def test_a_short_silence_repeats_the_last_time_and_a_long_one_does_not(told, clock):
    """A hiccup stops nobody; a clock that is gone is noticed."""
    assert clock.now() == START
    told["now"] = requests.ConnectionError("refused")
    clock._asked -= 1
    assert clock.now() == START
    clock._asked -= 1
    clock._answered -= 31
    with pytest.raises(TransientError):
        clock.now()


def test_a_wait_follows_the_told_time(told, clock):
    """Two weeks pass as fast as the sandbox says so."""
    over = []
    waiting = threading.Thread(target=lambda: over.append(clock.wait(14 * 86400, threading.Event())))
    waiting.start()
    while not told["asked"]:
        waiting.join(0.001)
    told["now"] = (START + timedelta(days=14)).isoformat()
    waiting.join(30)
    assert over == [False]


@pytest.mark.usefixtures("told")
def test_a_wait_can_be_woken_while_time_stands_still(clock):
    """A frozen clock does not freeze the stop."""
    wake = threading.Event()
    threading.Timer(0.01, wake.set).start()
    assert clock.wait_until(START + timedelta(days=1), wake) is True


def test_a_wait_outlasts_a_silence(told, clock):
    """A sandbox that restarts ends no wait, and a wake is heard meanwhile."""
    told["now"] = requests.ConnectionError("refused")
    wake, over = threading.Event(), []
    waiting = threading.Thread(target=lambda: over.append(clock.wait(60, wake)))
    waiting.start()
    while not told["asked"]:
        waiting.join(0.001)
    wake.set()
    waiting.join(30)
    assert over == [True]
