"""Writing to the org in as few calls as the platform allows, each row exactly once.

Must not read. Invariant: a row is sent again only if the org said that it did not write it; if an answer is lost,
what is known and what is not goes to the caller in ``AmbiguousWrite.saved``, and nothing more is sent.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_random_exponential

from connector import log
from connector.errors import TransientError
from connector.salesforce.calls import Call, Calls
from connector.salesforce.collections import Collection, Row, collections_of, outcomes
from connector.salesforce.composite import PER_CALL, Answer, answers_in, composite_body
from connector.salesforce.failures import AmbiguousWrite
from connector.salesforce.saved import LOCKED, Saved

_LOCK_REPEATS = 3
_LOG = log.get("salesforce")


class Writing:
    """Inserts and updates."""

    def __init__(self, calls: Calls, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._calls = calls
        self._sleep = sleep

    def write(
        self,
        inserts: Sequence[tuple[str, Mapping[str, object]]],
        updates: Sequence[tuple[str, str, Mapping[str, object]]],
        *,
        serial: bool,
        before: Callable[[], None],
    ) -> tuple[list[Saved], list[Saved]]:
        """The outcomes of the inserts and of the updates; rows that met a lock are sent again by themselves. ``before``: each request."""
        rows = [Row(place, sobject, None, values) for place, (sobject, values) in enumerate(inserts)]
        rows += [Row(len(inserts) + place, sobject, record_id, values) for place, (sobject, record_id, values) in enumerate(updates)]
        found: list[Saved | None] = [None] * len(rows)
        self._send(rows, found, serial=serial, before=before)
        if None not in found:
            self._send_locked(rows, found, serial=serial, before=before)
        saved = [one for one in found if one is not None]
        if len(saved) != len(rows):
            _LOG.warning("write.ambiguous", kind="composite/sobjects", rows=len(rows) - len(saved))
            raise AmbiguousWrite("the org failed in the middle of a write: read back before writing again", saved=found)
        return saved[: len(inserts)], saved[len(inserts) :]

    def _send(self, rows: Sequence[Row], found: list[Saved | None], *, serial: bool, before: Callable[[], None]) -> None:
        collections = collections_of(rows)
        for start in range(0, len(collections), PER_CALL):
            bundle = collections[start : start + PER_CALL]
            before()
            try:
                results = self._bundle(bundle, serial=serial)
            except AmbiguousWrite as error:
                for row in (row for collection in bundle for row in collection.rows):
                    found[row.place] = None
                raise AmbiguousWrite(str(error), error.retry_after, saved=found) from error
            for collection, result in zip(bundle, results, strict=True):
                for row, one in zip(collection.rows, result, strict=True):
                    found[row.place] = one
            if any(one is None for result in results for one in result):
                return

    def _bundle(self, bundle: Sequence[Collection], *, serial: bool) -> list[list[Saved | None]]:
        if len(bundle) == 1:
            part = bundle[0].part
            call = Call(part.path, part.method, body=part.body, writes=True)
            return self._calls.send(call, lambda reply: [outcomes(bundle[0], Answer(200, reply))])
        body = composite_body([collection.part for collection in bundle], self._calls.manner, in_order=serial)

        def read(reply: object) -> list[list[Saved | None]]:
            answers: Iterable[Answer] = answers_in(reply, len(bundle))
            return [outcomes(collection, answer) for collection, answer in zip(bundle, answers, strict=True)]

        return self._calls.send(Call("composite", "POST", body=body, writes=True), read)

    def _send_locked(self, rows: Sequence[Row], found: list[Saved | None], *, serial: bool, before: Callable[[], None]) -> None:
        """Up to three more times, after a random pause each: two writers that met once must not meet again in step."""
        attempts = Retrying(
            stop=stop_after_attempt(1 + _LOCK_REPEATS),
            wait=wait_random_exponential(multiplier=1.0, min=0.1, max=8.0),
            retry=retry_if_result(bool),
            retry_error_callback=lambda _: None,
            sleep=self._sleep,
        )
        for attempt in attempts:
            locked = _locked(rows, found)
            if locked and attempt.retry_state.attempt_number > 1:
                try:
                    self._send(locked, found, serial=serial, before=before)
                except AmbiguousWrite:
                    raise
                except TransientError:
                    return  # nothing was sent: the rows are still known as locked
                locked = _locked(rows, found)
            attempt.retry_state.set_result(len(locked))


def _locked(rows: Sequence[Row], found: Sequence[Saved | None]) -> list[Row]:
    return [row for row in rows if (one := found[row.place]) is not None and one.code == LOCKED]
