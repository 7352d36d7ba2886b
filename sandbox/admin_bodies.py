"""What the admin port takes: the bodies of its requests.

Shapes only. Its invariant: an unknown member is refused, so that a misspelt request never goes unnoticed.
"""

from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator


class Body(BaseModel):
    """A request body; unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


class ClockBody(Body):
    """Set the time, move it, or let it run at a speed (0 = stand still)."""

    now: AwareDatetime | None = None
    advance_seconds: float | None = None
    speed: float | None = Field(default=None, ge=0)


class WhoBody(Body):
    """A user by name, or one token; neither means everyone."""

    username: str | None = None
    access_token: str | None = None


class RetentionBody(Body):
    """What to forget: events before an id, before a time, older than some hours, or (empty) all."""

    before_replay_id: int | None = None
    before: AwareDatetime | None = None
    hours: float | None = None


class HideBody(Body):
    """Records to make invisible to a user (default: the integration user), or visible again (all, without ids)."""

    sobject: str
    ids: list[str] | None = None
    username: str | None = None


class GapBody(Body):
    """A gap event to publish; an overflow names no records."""

    sobject: str
    ids: list[str] = Field(default_factory=list)
    kind: str = "GAP_UPDATE"

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not self.ids and self.kind != "GAP_OVERFLOW":
            raise ValueError("a gap names the records it is about")
        return self


class UsageBody(Body):
    """The counters that feed limits, to bring an org near them: calls and deliveries of a day, publications of an hour."""

    api_calls: int | None = None
    events_delivered: int | None = None
    events_published: int | None = None
