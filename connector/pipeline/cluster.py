"""Judging on other machines: snapshots go to a Dask cluster, judgements come back in their order. A thin shell around its client.

Must not read the org or judge by itself, and is imported only where a cluster is set: Dask need not be installed. Invariants: nothing of
a pass is kept on the cluster when it ends; a worker that dies costs time and nothing else; a cluster that goes away is a TransientError.
Source: docs of distributed (resilience: the tasks of a lost worker are done again by others; a task that ends four workers is given up).
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from datetime import datetime

import dask.config
from distributed import Client, Future, KilledWorker, Security
from distributed.comm import connect

from connector.core.frames import Snapshot
from connector.errors import ConfigError, TransientError
from connector.pipeline import cluster_work as work
from connector.pipeline.judgement import Judgement, Terms

SLICE_PAYERS = 2_000
"""Payers judged by one task: few enough that all workers end at about the same time."""
CONNECT_SECONDS = 30.0
"""Within so long the scheduler must answer."""
POLL_SECONDS = 2.0
"""How often it is looked whether anybody still works."""
EMPTY_POLLS = 60
"""For so many looks in a row nobody may be there: workers that are started anew come back within two minutes."""
AHEAD = 2
"""Slices sent ahead of their turn for each thread of the cluster: one in work and one waiting."""
QUIET = {"distributed.admin.large-graph-warning-threshold": "1TB"}
"""A task that brings its facts along is what we want: facts laid out beforehand would be lost with the worker that holds them."""


class Cluster:
    """The cluster at ``address``: ``tcp://host:port``, or ``tls://host:port`` with the certificates in Dask's own settings."""

    def __init__(
        self,
        address: str,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        poll_seconds: float = POLL_SECONDS,
        slice_payers: int = SLICE_PAYERS,
        version: Mapping[str, str] | None = None,
    ) -> None:
        self._address, self._connect_seconds, self._poll_seconds = address, connect_seconds, poll_seconds
        self._ours = dict(version or work.version())
        self.slice_payers = slice_payers

    def check(self) -> None:
        """Make sure that the cluster is there and judges as we would.

        Raises:
            ConfigError: the address or the certificates cannot be used, or somebody there has not what we have.
            TransientError: it does not answer, or has no workers.

        """
        with self._joined():
            pass

    def judge(
        self, snapshots: Iterable[Snapshot], terms: Terms, now: datetime, pulse: Callable[[], None]
    ) -> Generator[Judgement, None, None]:
        """The judgement of each snapshot, in order; ``pulse`` is called now and then meanwhile. Raises as ``check`` does."""
        packed = work.seal_terms(terms)
        with self._joined() as client, dask.config.set(QUIET):
            most = AHEAD * sum(client.nthreads().values())
            waiting: deque[Future] = deque()
            for snapshot in snapshots:
                waiting.append(client.submit(work.judge_apart, self._ours, packed, work.seal(snapshot), now, pure=False))
                pulse()
                if len(waiting) > most:
                    yield self._done(client, waiting.popleft(), pulse)
            while waiting:
                yield self._done(client, waiting.popleft(), pulse)

    def _done(self, client: Client, future: Future, pulse: Callable[[], None]) -> Judgement:
        empty = 0
        while empty <= EMPTY_POLLS:
            pulse()
            try:
                future.exception(timeout=self._poll_seconds)
            except TimeoutError:
                empty = 0 if client.nthreads() else empty + 1
            else:
                return work.judgement_in(future.result())
        raise TransientError("the cluster has no workers any more; nothing was written")

    @contextmanager
    def _joined(self) -> Iterator[Client]:
        try:
            security = Security(require_encryption=self._address.startswith("tls:"))
            asyncio.run(_knock(self._address, security, self._connect_seconds))
            with Client(self._address, security=security, timeout=self._connect_seconds, set_as_default=False, name="dunwell") as client:
                self._compare(client)
                yield client
        except KilledWorker as error:
            raise TransientError("a task ended every worker that took it: see their logs, perhaps they have too little memory") from error
        except (OSError, CancelledError) as error:
            raise TransientError(f"the cluster at {self._address} does not answer; nothing was written") from error

    def _compare(self, client: Client) -> None:
        """Refuse a cluster of which any part has not what we have; who joins later is asked at each task."""
        scheduler: Mapping[str, str] | Exception
        try:
            scheduler = client.run_on_scheduler(work.version)
        except ImportError as error:
            scheduler = error
        found = {"the scheduler": scheduler, **client.run(work.version, on_error="return")}
        if len(found) == 1:
            raise TransientError("the cluster has no workers")
        for one in found.values():
            if isinstance(one, OSError):
                raise one
        told = {who: work.differences(self._ours, one) for who, one in found.items()}
        if any(told.values()):
            raise ConfigError([f"DUNWELL_CLUSTER: {who}: {other}" for who, other in told.items() if other])


async def _knock(address: str, security: Security, seconds: float) -> None:
    """Reach the scheduler once: a client that never did does not end cleanly.

    Raises:
        ConfigError: the certificates cannot be used.
        OSError: nobody answers.

    """
    try:
        comm = await connect(address, timeout=seconds, **security.get_connection_args("client"))
    except (TypeError, ssl.SSLError) as error:
        raise ConfigError(f"DUNWELL_CLUSTER: {address} needs certificates, see docs/cluster.md ({type(error).__name__})") from error
    await comm.close()
