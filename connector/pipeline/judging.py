"""Judging everyone who needs a look: slice by slice, so that only a slice's frames are in memory.

Must not write, and must not load beyond what ``Everyone`` holds. Invariant: a slice is judged as if it had been loaded alone.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from connector.core.frames import snapshot
from connector.core.model import Decision
from connector.pipeline.load import Loaded
from connector.pipeline.load_wide import Everyone
from connector.pipeline.ports import Context
from connector.pipeline.treat import Batch, judged

SLICE_PAYERS = 10_000
"""Payers whose frames are in memory at once."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What was decided about everyone who needs a look, and what the org showed of them."""

    batch: Batch
    decisions: list[Decision]
    shown: Loaded
    """Without its frames."""


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Leave the search for cycles out while very many small objects are made that hold none: it would take a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def judge(context: Context, found: Everyone, now: datetime, progress: Callable[[int], None]) -> Judged:
    """Assess and decide; ``progress`` is told how many are done."""
    with _collector_at_rest():
        return _slice_by_slice(context, found, now, progress)


def _slice_by_slice(context: Context, found: Everyone, now: datetime, progress: Callable[[int], None]) -> Judged:
    batch = Batch(now, parked=dict(found.unreadable), quiet=found.quiet)
    decisions: list[Decision] = []
    shown = Loaded(snapshot({}), {}, {}, {}, {}, {})
    for start in range(0, len(found.payers), SLICE_PAYERS):
        loaded = found.loaded(context.org, start, start + SLICE_PAYERS)
        part, decided = judged(context, loaded, now)
        decisions += decided
        batch = replace(
            batch,
            parked=batch.parked | part.parked,
            missing=[*batch.missing, *part.missing],
            positions={**batch.positions, **part.positions},
        )
        shown = _joined(shown, loaded)
        progress(min(start + SLICE_PAYERS, len(found.payers)))
    return Judged(batch, decisions, shown)


def _joined(shown: Loaded, loaded: Loaded) -> Loaded:
    return replace(
        shown,
        views={**shown.views, **loaded.views},
        about={**shown.about, **loaded.about},
        due_on={**shown.due_on, **loaded.due_on},
        pay_links={**shown.pay_links, **loaded.pay_links},
    )
