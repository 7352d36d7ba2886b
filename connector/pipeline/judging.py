"""Judging everyone who needs a look: slice by slice, so that only few slices' frames are in memory; here, or by ``Context.judges``.

Must not write, and must not load beyond what ``Everyone`` holds. Invariant: a slice is judged as if it had been loaded alone, and
what comes of it is the same, by payer, wherever and in whatever slices it was judged: the org is asked here alone, before a slice goes out.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime

from connector.core.frames import Snapshot, snapshot
from connector.core.model import Decision, Position
from connector.pipeline.judgement import Judgement, Terms, collector_at_rest
from connector.pipeline.judgement import judge as judge_one
from connector.pipeline.load import Loaded
from connector.pipeline.load_wide import Everyone
from connector.pipeline.ports import Context
from connector.pipeline.treat import Batch, facts_of, tell, terms_of

SLICE_PAYERS = 10_000
"""Payers whose frames are in memory at once."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What was decided about everyone who needs a look, and what the org showed of them."""

    batch: Batch
    decisions: list[Decision]
    shown: Loaded
    """Without its frames."""


class Slices:
    """The snapshots of everyone, made one by one; what else was loaded with them is kept in ``shown`` and ``parked``."""

    def __init__(self, context: Context, found: Everyone, now: datetime) -> None:
        self._context, self._found, self._now = context, found, now
        self.size = SLICE_PAYERS if context.judges is None else context.judges.slice_payers
        self.shown = Loaded(snapshot({}), {}, {}, {}, {}, {})
        self.parked = dict(found.unreadable)

    def __iter__(self) -> Iterator[Snapshot]:
        for start in range(0, len(self._found.payers), self.size):
            loaded = self._found.loaded(self._context.org, start, start + self.size)
            self.shown = _joined(self.shown, loaded)
            self.parked |= loaded.unreadable
            yield facts_of(self._context, loaded, self._now)


def judge(context: Context, found: Everyone, now: datetime, progress: Callable[[int], None]) -> Judged:
    """Assess and decide; ``progress`` is told how many are done.

    Raises:
        ConfigError: ``context.judges`` would not judge as we would.
        TransientError: they do not answer; nothing was written.

    """
    done = 0
    slices, terms = Slices(context, found, now), terms_of(context)
    batch = Batch(now, quiet=found.quiet)
    decisions: list[Decision] = []
    positions: dict[str, Position] = {}
    here = _here(slices, terms, now)
    with (
        collector_at_rest(),
        closing(here if context.judges is None else context.judges.judge(slices, terms, now, lambda: progress(done))) as judgements,
    ):
        for one in judgements:
            tell(one)
            decisions += one.decisions
            positions |= one.positions
            batch.missing += one.missing
            batch.parked |= one.parked
            done = min(done + slices.size, len(found.payers))
            progress(done)
    batch.positions, batch.parked = dict(sorted(positions.items())), dict(sorted((slices.parked | batch.parked).items()))
    batch.missing.sort()
    decisions.sort(key=lambda one: one.payer)
    return Judged(batch, decisions, slices.shown)


def _here(snapshots: Iterable[Snapshot], terms: Terms, now: datetime) -> Generator[Judgement, None, None]:
    for one in snapshots:
        yield judge_one(one, terms, now)


def _joined(shown: Loaded, loaded: Loaded) -> Loaded:
    return replace(
        shown,
        views={**shown.views, **loaded.views},
        about={**shown.about, **loaded.about},
        due_on={**shown.due_on, **loaded.due_on},
        pay_links={**shown.pay_links, **loaded.pay_links},
    )
