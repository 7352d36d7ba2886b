"""Faults the org can be told to have: what real ones do on bad days, by count, by chance or by pattern.

Deciding only: the places that fail ask ``take`` and do the failing. Nothing fails unless it was asked for.
Its invariant: with the same seed and the same requests the same ones fail, and a fault asked for in words that its kind does
not know is refused.
"""

import random
import re
from collections.abc import Mapping
from itertools import count
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Kind = Literal[
    # requests: before anything is executed
    "http_status",  # answer with a status and body of one's own (default 503 html)
    "latency",  # answer later
    "drop",  # close the connection
    "limit_exhausted",  # 403 REQUEST_LIMIT_EXCEEDED
    "expire_token",  # the token of this very request has just expired
    "revoke_token",  # the token of this very request has just been revoked, its streaming sessions with it
    "token_refused",  # the token endpoint says no
    "row_lock",  # UNABLE_TO_LOCK_ROW for a record
    "bulk_partial",  # some rows of an ingest job fail with ``code``, or half of them stay unprocessed and the job fails
    "publish_limit",  # LIMIT_EXCEEDED for a platform event
    # requests: after they were executed
    "timeout_after_commit",  # execute, then never answer: the connection is closed after ``seconds``
    "cut_body",  # execute, send the head and half of the body, close
    "clock_skew",  # a Date header that is ``seconds`` ahead (negative: behind)
    # streaming
    "bayeux",  # an error in the reply to /meta/<on>
    "bayeux_http",  # a CometD request answered like a REST one (401 array) or by a proxy
    "concurrent_limit",  # one streaming client too many
    "delivery_limit",  # the day's event deliveries are used up
    "refuse_replay_id",  # a stored replay id refused at subscribe
    "duplicate_events",  # an event delivered twice
    "reorder_events",  # the events of one reply in another order
    "delayed_events",  # an event, and all behind it, ``seconds`` late
    "lost_events",  # an event in the log that no open session is told of: only a replay brings it
]

_COMMON = frozenset({"kind", "count", "after", "probability", "seed", "method", "path"})
_OWN: Mapping[str, frozenset[str]] = {
    "http_status": frozenset({"status", "body"}),
    "latency": frozenset({"seconds"}),
    "drop": frozenset(),
    "limit_exhausted": frozenset(),
    "expire_token": frozenset(),
    "revoke_token": frozenset(),
    "token_refused": frozenset({"error", "reason", "status"}),
    "row_lock": frozenset({"sobject"}),
    "bulk_partial": frozenset({"sobject", "code", "message", "share", "rows"}),
    "publish_limit": frozenset({"sobject"}),
    "timeout_after_commit": frozenset({"seconds"}),
    "cut_body": frozenset(),
    "clock_skew": frozenset({"seconds"}),
    "bayeux": frozenset({"on", "error", "reason", "advice"}),
    "bayeux_http": frozenset({"status", "body"}),
    "concurrent_limit": frozenset(),
    "delivery_limit": frozenset(),
    "refuse_replay_id": frozenset(),
    "duplicate_events": frozenset(),
    "reorder_events": frozenset(),
    "delayed_events": frozenset({"seconds"}),
    "lost_events": frozenset(),
}
"""The members each kind knows besides the common ones; a kind left out knows all."""


class FaultSpec(BaseModel):
    """One fault as asked for. ``count`` is how often it happens (default once; null = until cleared)."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    count: int | None = Field(default=1, ge=1)
    after: int = Field(default=0, ge=0, description="let this many matching requests pass first")
    probability: float = Field(default=1.0, gt=0, le=1)
    seed: int = 1
    method: str | None = None
    path: str | None = Field(default=None, description="regular expression searched in the path; for events, in the channel")
    sobject: str | None = None
    seconds: float = 0.0
    status: int = Field(default=503, ge=300, le=599)
    body: object = None
    code: str = Field(default="UNABLE_TO_LOCK_ROW", description="of rows failed by bulk_partial")
    message: str = ""
    share: float = Field(default=0.5, gt=0, le=1, description="part of the rows that bulk_partial fails")
    rows: Literal["failed", "unprocessed"] = "failed"
    error: str = "403::Unknown client"
    reason: str | None = Field(default=None, description="failureReason of a Bayeux reply; error_description of the token endpoint")
    on: Literal["handshake", "connect", "subscribe", "unsubscribe", "disconnect"] = "connect"
    advice: dict[str, object] | None = None

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        strange = self.model_fields_set - _COMMON - _OWN.get(self.kind, self.model_fields_set)
        if strange:
            raise ValueError(f"{self.kind} knows no {', '.join(sorted(strange))}")
        if self.seconds < 0 and self.kind != "clock_skew":
            raise ValueError("seconds must not be negative")
        return self


class Fault:
    """One armed fault: its specification, how often it may still happen, and its own random numbers."""

    def __init__(self, number: int, spec: FaultSpec) -> None:
        self.number = number
        self.spec = spec
        self.left = spec.count
        self.fired = 0
        self.rng = random.Random(spec.seed)  # noqa: S311 - repeatable chance, not secrecy
        self._to_pass = spec.after
        self._path = re.compile(spec.path) if spec.path else None

    def strikes(self, method: str, path: str, target: str) -> bool:
        """Whether this fault happens now; counts down when it does."""
        spec = self.spec
        if self.left == 0 or (spec.method and spec.method.upper() != method.upper()):
            return False
        wanted = spec.on if spec.kind == "bayeux" else spec.sobject
        if (self._path and not self._path.search(path)) or (wanted and wanted.lower() != target.lower()):
            return False
        if self._to_pass:
            self._to_pass -= 1
            return False
        if spec.probability < 1 and self.rng.random() >= spec.probability:
            return False
        self.fired += 1
        if self.left is not None:
            self.left -= 1
        return True

    def as_json(self) -> dict[str, object]:
        """The fault for the admin port."""
        return {"id": self.number, "left": self.left, "fired": self.fired, **self.spec.model_dump(exclude_none=True, exclude_defaults=True)}


class Faults:
    """All armed faults of one org, in the order they were asked for."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._numbers = count(1)
        self.fired = 0

    def arm(self, spec: FaultSpec) -> Fault:
        """Add a fault; it counts from now on. Raises re.error for a bad path pattern."""
        fault = Fault(next(self._numbers), spec)
        self._armed.append(fault)
        return fault

    def clear(self, number: int | None = None) -> None:
        """Remove one fault, or all."""
        self._armed = [fault for fault in self._armed if number is not None and fault.number != number]

    def list(self) -> "list[Fault]":
        """Every fault armed or spent, oldest first."""
        return [*self._armed]

    def take(self, kind: Kind, *, method: str = "", path: str = "", target: str = "", named: bool = False) -> FaultSpec | None:
        """The first fault of this kind that happens now, or None.

        ``target`` is an object's name, or the Bayeux exchange; ``named`` leaves out faults without a path pattern.
        """
        for fault in self._armed:
            spec = fault.spec
            if spec.kind != kind or (named and spec.path is None):
                continue
            if fault.strikes(method, path, target):
                self.fired += 1
                return spec
        return None
