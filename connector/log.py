"""What Dunwell says about itself: one JSON line an event, names and keys from closed lists.

Must not be used to tell people about payers: a line holds ids and counts, never a name, an IBAN, a health
reason, a payload, a path or a secret. Its one invariant: every line carries a listed name at its listed
level and only listed keys. Outside a configured process (tests) a word that is not listed raises; in
production the line is always written, at the listed level, the unlisted word flagged and its value left out.

A new event is one line in ``TABLE``; at level warning or error it also gets a section in docs/runbook.md.
"""

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from traceback import walk_tb
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from connector.errors import DunwellError


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One listed event: ``noun.verb_past``, its level (info: normal, warning: will heal, error: a person must act)."""

    name: str
    level: str
    meaning: str


TABLE: tuple[LogEvent, ...] = tuple(
    LogEvent(*row)
    for row in (
        ("daemon.started", "info", "The daemon runs and takes work."),
        ("daemon.stop_requested", "info", "A signal asked the daemon to stop; it finishes what is in hand."),
        ("daemon.stopped", "info", "The daemon ended in order."),
        ("config.loaded", "info", "Settings, mappings and policies were read and are in force."),
        ("config.refused", "error", "A changed file is wrong; the one before stays in force."),
        ("mode.shadow", "info", "Shadow mode: only attempts and shadow follow-ups are written."),
        ("clock.followed", "info", "Time comes from a loopback clock, not from the machine."),
        ("org.verified", "info", "The org answered and is the one that is pinned."),
        ("org.refused", "error", "The org is not the pinned one, or permissions are missing; nothing is written."),
        ("org.unavailable", "warning", "The org does not answer; work waits."),
        ("org.recovered", "info", "The org answers again."),
        ("token.renewed", "info", "A new access token was fetched."),
        ("token.refused", "error", "The org refuses the credentials."),
        ("budget.exhausted", "warning", "The share of API calls left for Dunwell is used up; work waits."),
        ("budget.recovered", "info", "API calls are available again."),
        ("stream.connected", "info", "Events flow."),
        ("stream.lost", "warning", "The event connection broke; it is being rebuilt."),
        ("stream.gap_found", "warning", "Events older than the org keeps were missed; a poll makes up for them."),
        ("stream.refused", "error", "The org refuses a subscription: permission, channel name or limit."),
        ("poll.finished", "info", "A poll for changes was read to its end."),
        ("poll.failed", "warning", "A poll for changes broke off; its cursor stays and the next one reads the same again."),
        ("event.received", "info", "Events were written down and the cursor moved."),
        ("event.parked", "error", "An event cannot be read and was put aside."),
        ("outcome.placed", "info", "A reported outcome was written to the org, Placed or Parked."),
        ("outcome.parked", "warning", "A reported outcome cannot be placed yet; it stands in the org as a parked attempt."),
        ("payer.treated", "info", "One payer was assessed, decided and applied: the canonical line."),
        ("payer.postponed", "warning", "A payer could not be treated now and comes up again by itself."),
        ("payer.parked", "error", "A payer cannot be treated and was put aside."),
        ("payer.rows_missing", "error", "Rows that were seen before are not visible any more; nothing of the payer is cleared."),
        (
            "payments.stale",
            "error",
            "No payment and no attempt was heard of for longer than allowed; nothing becomes harsher until one is.",
        ),
        ("payments.fresh", "info", "Payment data is fresh again."),
        ("findings.gathered", "info", "What stands still in the org was looked for and told to its teams."),
        ("findings.unseen", "error", "The org refuses to be asked about one kind of stuck work; the others were looked at."),
        ("processor.failing", "error", "Failures at one processor jumped; contact about them is held until it works again."),
        ("processor.recovered", "info", "A processor that was out works again."),
        ("batch.halved", "warning", "A batch raised and was split to find the payer that does it."),
        ("batch.finished", "info", "A batch of payers was treated."),
        ("bulk.begun_again", "warning", "The results of a bulk query went away while they were read; it is asked again."),
        ("bulk.kept", "info", "A bulk job that has ended could not be deleted; the org does so by itself in seven days."),
        ("bulk.unfinished", "warning", "A bulk job ended before it came to all its rows; those are written again by themselves."),
        ("bulk.settled", "warning", "A bulk job that a dead process left behind was waited for or aborted."),
        ("write.ambiguous", "warning", "The answer to a write was lost; it is read back by key before anything is sent again."),
        ("write.refused", "error", "The org refused a record; its payer is tried again later."),
        ("job.started", "info", "A scheduled job began."),
        ("job.finished", "info", "A scheduled job ended well."),
        ("job.postponed", "warning", "A scheduled job could not do its work now; it is tried again before its next time."),
        ("job.failed", "error", "A scheduled job failed for good; it runs again at its next scheduled time."),
        ("job.skipped", "warning", "A job was due while another process ran it."),
        ("reconcile.finished", "info", "The nightly pass ended; counts and amounts are in its run record."),
        ("lead.taken", "info", "This daemon listens to these channels from now on."),
        ("lead.lost", "warning", "This daemon listens to these channels no more; another one does."),
        ("lead.displaced", "error", "Another process works under this daemon's name; this one ends."),
        ("lease.lost", "warning", "Work in hand took so long that another daemon took it; nothing more of it is written here."),
        ("store.unavailable", "warning", "The store does not answer; work waits."),
        ("store.recovered", "info", "The store answers again."),
        ("store.opened", "info", "The store is open; what a dead process held was set free."),
        ("store.pruned", "info", "Old decisions and finished events were removed from the store."),
        ("library.reported", "warning", "A library logged a warning or an error; only its source is repeated here."),
    )
)
EVENTS: frozenset[str] = frozenset(event.name for event in TABLE)
LEVELS: Mapping[str, str] = {event.name: event.level for event in TABLE}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KEYS: frozenset[str] = (
    # what it is about: ids only
    _words("""
        payer org user channel replay_id event_id reference attempt_id installment follow_up task record sobject key owner
        job run batch run_id batch_id instance source origin logger
    """)
    # words from closed lists
    | _words("""
        kind kinds status was outcome processor category scheme rule policy policy_version policies channels withheld held transport mode method
        action state api_version version object objects name world
    """)
    # counts, sizes, durations, times
    | _words("""
        count payers events rows records installments payments attempts follow_ups tasks inserted updated unchanged duplicates deleted
        refused failed succeeded parked postponed due later inbox decisions arrears_level size position total done expected seen freed
        calls calls_left calls_max share limit seconds load_seconds decide_seconds apply_seconds retry_after delay_seconds
        lease_seconds_left since until next_at now looked_at started_at finished_at missed
    """)
    # what went wrong
    | _words("error detail where reason reasons code http_status problem problems")
)
"""Every key a line may carry besides ``event``, ``level`` and ``at``. Values are ids, words, counts and times."""

_OWN_KEYS = frozenset({"event", "level", "at", "unlisted"})
_RANK = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class UnlistedError(ValueError):
    """A log line uses an event name, a level, a key or a kind of value that is not listed."""


def configure(level: str = "info", *, json: bool = True, strict: bool = False, stream: TextIO | None = None) -> None:
    """Set logging up for the whole process; call once at start, before threads.

    ``level``: debug, info, warning or error (ValueError otherwise). ``json`` False: readable lines for a terminal.
    ``strict``: raise ``UnlistedError`` instead of flagging. ``stream``: None = stdout as it is at each line.
    Lines of libraries may hold payloads, so of these only source and level are repeated, as ``library.reported``.
    """
    if level not in _RANK:
        raise ValueError(f"log level {level!r} is none of {', '.join(_RANK)}")
    _install(level, json=json, strict=strict, stream=(lambda: stream) if stream is not None else (lambda: sys.stdout))
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, LibraryHandler)]:
        root.removeHandler(handler)
    root.addHandler(LibraryHandler())
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)


def get(name: str) -> FilteringBoundLogger:
    """Return a logger that writes ``source=<name>`` on each line; kept at module level by its user.

    Until ``configure`` is called, lines go to stderr and unlisted words raise.
    """
    if not structlog.is_configured():
        _install("info", json=True, strict=True, stream=lambda: sys.stderr)
    return cast(FilteringBoundLogger, structlog.get_logger(source=name))


def fault(error: BaseException) -> dict[str, str]:
    """Return what may be logged of an exception: its class, where it was raised, and its text if it is one of ours.

    Texts of other exceptions are left out: they may repeat the value that caused them.
    """
    told = {"error": type(error).__name__}
    if isinstance(error, DunwellError):
        told["detail"] = str(error)
    frames = [(frame.f_globals.get("__name__", "?"), line) for frame, line in walk_tb(error.__traceback__)]
    if frames:
        ours = [place for place in frames if str(place[0]).split(".")[0] in ("connector", "jobs")]
        module, line = (ours or frames)[-1]
        told["where"] = f"{module}:{line}"
    return told


def _install(level: str, *, json: bool, strict: bool, stream: Callable[[], TextIO]) -> None:
    renderer: Processor = structlog.processors.JSONRenderer(sort_keys=False) if json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            _checker(strict),
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_RANK[level]),
        logger_factory=lambda *_: structlog.WriteLogger(stream()),
        cache_logger_on_first_use=False,
    )


def _checker(strict: bool) -> Processor:
    def check(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        return _checked(line, strict)

    return check


def _checked(line: EventDict, strict: bool) -> EventDict:
    """Return the line with plain values; what is not listed raises when strict, else is named under ``unlisted``."""
    name = str(line.get("event"))
    flagged: list[str] = []
    kept: MutableMapping[str, object] = {}
    for word, value in line.items():
        if word not in KEYS and word not in _OWN_KEYS:
            flagged.append(f"key {word}")
            continue
        try:
            kept[word] = _plain(value)
        except TypeError:
            flagged.append(f"value of {word}")
    if name not in EVENTS:
        flagged.append("event")
    elif kept["level"] != LEVELS[name]:
        flagged.append(f"level {kept['level']}")
        kept["level"] = LEVELS[name]
    if flagged and strict:
        raise UnlistedError(f"log line {name!r}: not in the closed lists of connector/log.py: {', '.join(flagged)}")
    if flagged:
        kept["unlisted"] = flagged
    return kept


def _plain(value: object) -> object:
    """Ids, words, numbers, times, classes of exceptions, flat lists of them; what could be a payload raises TypeError."""
    if isinstance(value, BaseException):
        return type(value).__name__
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (list, tuple, set, frozenset)):
        plain = [_plain(item) for item in value]
        if any(isinstance(item, list) for item in plain):
            raise TypeError("nested list")
        return sorted(plain, key=str) if isinstance(value, (set, frozenset)) else plain
    raise TypeError(type(value).__name__)


class LibraryHandler(logging.Handler):
    """Takes the lines of libraries (standard logging) and repeats only which logger spoke and how loud.

    Their texts may hold payloads, URLs with tokens or names of people.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write one ``library.reported`` line for ``record``."""
        told = {} if record.exc_info is None or record.exc_info[1] is None else {"error": type(record.exc_info[1]).__name__}
        get("library").warning(
            "library.reported", logger=record.name, state=record.levelname.lower(), where=f"{record.module}:{record.lineno}", **told
        )
