"""The pass over everyone by REST: everyone is looked at first, then those are treated of whom something changes, each on a fresh load.

Must not choose who is looked at. Invariants: nothing is written before everyone was looked at; each batch is complete before the next
begins, so an interrupted pass resumes by simply running again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from connector.core.plausible import Moves
from connector.pipeline.ports import Context
from connector.pipeline.safety import Safety
from connector.pipeline.treat import Batch, keep_unknown_codes, treat

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Way:
    """How a pass goes about it."""

    batch_payers: int
    """At most 200."""
    dry: bool
    """Decide and write nothing."""
    wide: bool | None
    """In bulk or by REST; None = by how much the org holds."""
    only_recent: bool
    """Not everyone but those whose records changed since the last pass, or whose day has come."""
    progress: Progress
    """Called with payers done and payers in all."""


def narrow_pass(context: Context, payers: Sequence[str], safety: Safety, way: Way) -> Iterator[Batch]:
    """Treat ``payers``; gives batches as they are done, first those of payers of whom nothing is written.

    Raises:
        PermanentError: implausibly much would change; nothing was written.
        PassStoppedError: hours or calls are used up.
        TransientError: the org does not answer; run again.

    """
    moving: list[str] = []
    moves, looked = Moves(), 0
    for chunk in _chunks(payers, way.batch_payers):
        if not way.dry:
            safety.goes_on()
        batch = treat(context, chunk, context.clock.now(), dry=True)
        moves += batch.moves
        if not way.dry:
            keep_unknown_codes(context, batch, batch.decided_at)
            moving += sorted(batch.changed)
            batch = _standing(batch)
        yield batch
        looked += len(chunk)
        way.progress(looked if way.dry else looked - len(moving), len(payers))
    safety.moves(moves)
    done = len(payers) - len(moving)
    for chunk in _chunks(moving, way.batch_payers):
        safety.goes_on()
        yield treat(context, chunk, context.clock.now())
        done += len(chunk)
        way.progress(done, len(payers))


def _standing(batch: Batch) -> Batch:
    """Give the part of a look that needs no treatment."""
    return replace(
        batch,
        decisions=[one for one in batch.decisions if one.payer not in batch.changed],
        missing=[one for one in batch.missing if one not in batch.changed],
        changed=set(),
        moves=Moves(),
    )


def _chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]
