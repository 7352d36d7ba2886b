"""What can be turned while the org runs: page sizes, limits, timings of streaming.

Values only; nothing here acts. Defaults are those of an Enterprise Edition org (C.4, C.8, D.2 of the platform notes).
Timings are in real seconds, because clients wait in real time; record timestamps follow the org's clock.
"""

from typing import Literal

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
    auth_failure_status: Literal[200, 401, 403] = Field(
        default=200, description="HTTP status of Bayeux replies that say 401:: (not documented)"
    )
    change_overflow: int = Field(
        default=100_000, ge=1, description="changes of one transaction told one by one; GAP_OVERFLOW tells of the rest"
    )
    change_permission: Literal["delivery", "subscription"] = Field(
        default="delivery",
        description="when ChangeEvents and custom channels ask for View All: per event, or (before Summer '20) at subscribe",
    )
    client_credentials_user: bool = Field(default=True, description="the app has a run-as user for client credentials")
    client_limit_at: Literal["handshake", "subscribe"] = Field(default="handshake", description="where one client too many is refused")
    limit_advice: bool = Field(default=True, description="advice reconnect=none beside the daily delivery limit; false = no advice")
    name_hidden_changes: bool = Field(default=True, description="changedFields names fields the subscriber may not read (not documented)")
    preauthorized: tuple[str, ...] | None = Field(default=None, description="users the app is approved for (JWT bearer); none = everyone")
    publish_limit: int = Field(default=250_000, ge=0, description="platform events published in an hour of org time")
    session_seconds: float | None = Field(default=None, gt=0, description="longest life of a streaming session; none = no end")
    unselected_channels: Literal["refused", "silent"] = Field(
        default="refused", description="subscribing to changes of an object not selected for capture: 400, or granted and never fed"
    )
    user_password: str | None = Field(default=None, description="every user's password for the username-password grant; none = refused")
    app_limit: int | None = Field(default=None, ge=1, description="adds per-app-api-usage to Sforce-Limit-Info with this maximum")
    cursors_per_user: int = Field(default=10, ge=1, description="query cursors one user may have open; the oldest goes first")
    cursor_prefix: Literal["0r8", "01g"] = Field(default="0r8", description="how query locators begin; older orgs and examples have 01g")
    composite_limit_status: Literal[200, 400] = Field(default=200, description="HTTP status of a composite with too many subrequests")
    duplicates_fail_all: bool = Field(default=True, description="rows one collection names twice all fail; false = all but the first")
    deleted_days: int = Field(default=15, ge=1, le=30, description="how many days back /deleted tells of")
    bulk_batch_limit: int = Field(default=15_000, ge=0, description="batches of ingest jobs in 24 hours of org time")
    bulk_query_limit: int = Field(default=10_000, ge=0, description="query jobs in 24 hours of org time")
    bulk_upload_bytes: int = Field(default=150_000_000, ge=1, description="largest upload of an ingest job, counted as base64")
    bulk_batch_rows: int = Field(default=10_000, ge=1, description="rows in an internal batch of an ingest job")
    bulk_chunk_rows: int = Field(default=200, ge=1, description="rows written in one transaction")
    bulk_page_rows: int = Field(default=100_000, ge=1, description="rows in a page of query results when maxRecords is not given")
    bulk_list_rows: int = Field(default=1000, ge=1, description="jobs in a page of a list of jobs")
    bulk_polls: int = Field(default=0, ge=0, description="polls that see UploadComplete, and then InProgress, before a job goes on")
    bulk_seconds: float = Field(default=0.0, ge=0, description="how long a job stays UploadComplete, and then at least InProgress")
    bulk_header_on_every_page: bool = Field(
        default=True, description="every page of query results has a header row; false = the first only"
    )
    bulk_datetimes: Literal["Z", "offset"] = Field(default="Z", description="datetimes in query results end in Z, or in +0000 as in REST")
    bulk_hard_delete: bool = Field(default=False, description="administrators have the permission Bulk API Hard Delete")
    lock_contention: float = Field(
        default=0.0, ge=0, le=1, description="chance that a row of a bulk job waits in vain for a lock; 0 = no locks"
    )
    lock_seed: int = Field(default=1, description="makes the losers of lock contention repeatable")
    bulk_lanes: int = Field(default=5, ge=1, description="batches of a job worked on side by side while locks are contended")
