"""What can be turned while the org runs: page sizes, limits, timings of streaming.

Values only; nothing here acts. Defaults are those of an Enterprise Edition org (C.4, C.8, D.2 of the platform notes).
Timings are in real seconds, because clients wait in real time; record timestamps follow the org's clock.
"""

from pydantic import BaseModel, ConfigDict, Field


class Options(BaseModel):
    """Every knob of the running org, set at start or through the admin port. Unknown names are refused."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    api_limit: int = Field(default=100_000, ge=1, description="REST calls in 24 hours of org time")
    query_batch: int = Field(default=2000, ge=1, le=2000, description="largest query page; small values force paging")
    event_limit: int = Field(default=25_000, ge=0, description="events delivered in 24 hours of org time")
    client_limit: int = Field(default=1000, ge=0, description="streaming clients at the same time")
    long_poll_seconds: float = Field(default=110.0, gt=0, description="how long /meta/connect is held")
    reconnect_seconds: float = Field(default=40.0, gt=0, description="how soon the next /meta/connect must come")
    retention_hours: float = Field(default=72.0, gt=0, description="how long events are kept, in org time")
    enforce_cookie: bool = Field(default=True, description="a streaming client must return its BAYEUX_BROWSER cookie")
    replay_in_subscribe: bool = Field(default=False, description="deliver replayed events inside the reply to /meta/subscribe")
    token_seconds: float | None = Field(default=None, gt=0, description="lifetime of access tokens; none = until told")
