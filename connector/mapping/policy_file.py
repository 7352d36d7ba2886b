"""The shape of ``policies/<name>.yaml``: its keys, what each means, and what it may hold.

Must not check what spans several places of a file (``policies.py`` does) or know a payer. Invariant: strict; an unknown key
or an impossible value is a fault with its line.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from connector.core.words import Channel, HoldCause, Kind, Scheme, Tone

Days = Annotated[int, Field(ge=0, le=400)]


class Strict(BaseModel):
    """A part of a policy file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TaskFile(Strict):
    """A task besides the ladder."""

    kind: Kind
    """What is done."""
    assignee: str | None = None
    """Role of the mapping that gets the Task."""
    priority: Literal["High", "Normal", "Low"] = "Normal"
    """Priority of the Task."""
    subject: str = ""
    """Subject of the Task; empty = the usual one for its kind."""
    template: str | None = None
    """Words that go with it: templates/<language>/<template>.txt."""
    tone: Tone | None = None
    """Tone of the words."""
    persons_only: bool = False
    """Only for payers who are persons."""
    per: Literal["failure", "course", "payer"] = "failure"
    """How often it is made: once for each failure, once for the whole course, or once for the payer."""


class StepFile(Strict):
    """One level of a ladder."""

    level: Annotated[int, Field(ge=1, le=99)]
    """Number of the step; rises from step to step."""
    kind: Kind
    """What is done."""
    after_days: Days
    """Days after the start of the episode."""
    gap_days: Days = 7
    """Days at least after the step before it."""
    tone: Tone | None = None
    """Tone of the words."""
    template: str | None = None
    """Words: templates/<language>/<template>.txt."""
    assignee: str | None = None
    """Role of the mapping that gets the Task."""
    priority: Literal["High", "Normal", "Low"] = "Normal"
    """Priority of the Task."""
    subject: str = ""
    """Subject of the Task; empty = the usual one for its kind."""
    at_once: bool = False
    """Right away, within the hours allowed, not at the hour the payer usually pays."""
    also: list[TaskFile] = []
    """What is done beside it."""


class RetryFile(Strict):
    """When to try again."""

    on: Literal["pay_day", "soon"]
    """When: near the payer's pay day, or soon."""
    after_days: Days = 1
    """Days at least after the failure."""
    within_days: Days = 30
    """Days within which a day must be found."""
    max_failures: Annotated[int, Field(ge=1, le=15)] = 3
    """Failures of one installment after which it is not tried again."""
    max_age_days: Days = 120
    """Days after its last failure beyond which it is not tried again by itself."""


class HoldFile(Strict):
    """A hold to put on."""

    cause: HoldCause
    """Cause of the hold."""
    scope: Literal["installment", "payer"] = "installment"
    """Whether the installment is held or the whole payer."""


class RowFile(Strict):
    """One row of the table."""

    row: Annotated[str, Field(min_length=1, max_length=80)]
    """Name of the row, as follow-ups show it."""
    when: dict[str, object] = {}
    """Conditions; all must hold. Without any it is the last row."""
    because: Annotated[str, Field(min_length=1, max_length=300)]
    """The reason in plain words, as the follow-up tells it."""
    ladder: str | None = None
    """Ladder that is climbed."""
    retry: RetryFile | None = None
    """Whether and when it is tried again."""
    tasks: list[TaskFile] = []
    """What is done beside the ladder."""
    hold: HoldFile | None = None
    """Hold that is put on."""
    tone: Tone | None = None
    """Tone of the first contact instead of the ladder's."""
    watch: bool = False
    """Only watched: no contact is due."""
    always: bool = False
    """Goes before the rows of every variant."""


class OutageFile(Strict):
    """When a processor's failures are an outage and not its payers'."""

    least: Annotated[int, Field(ge=10)] = 200
    """Failures of one processor in a day from which it may be an outage."""
    times_worst: Annotated[float, Field(ge=1.5)] = 5.0
    """How many times the worst day of the last five weeks."""


class CasesFile(Strict):
    """Which open cases matter."""

    withhold_contact: list[str] = []
    """Words in the type or subject of an open case that withhold contact."""
    withhold_retries: list[str] = []
    """Words that withhold retries too."""
    max_age_days: Days = 90
    """Days after which a person decides whether a case still stands in the way."""


class PolicyFile(Strict):
    """A policy file."""

    policy: Annotated[str, Field(min_length=1, max_length=80)]
    """Name of the policy."""
    version: Annotated[str, Field(min_length=1, max_length=40)]
    """Its version, as follow-ups show it; raise it with every change."""
    description: str = ""
    """What it is for."""
    pay_day: Annotated[int, Field(ge=1, le=31)] = 26
    """Day of the month near which a retry is tried where the payer has no pay day of their own."""
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    """Whose public holidays count for a payer without a country."""
    threshold: dict[str, Decimal] = {}
    """Currency → amount below which nobody is contacted."""
    threshold_default: Annotated[int, Field(ge=0, le=1000)] = 5
    """The same for other currencies, in whole units."""
    contacts_per_day: Annotated[int, Field(ge=1, le=1)] = 1
    """Automatic contacts a day."""
    contacts_per_week: Annotated[int, Field(ge=1, le=3)] = 3
    """Contacts in seven days, over everything."""
    calls_per_week: Annotated[int, Field(ge=1, le=7)] = 7
    """Calls in seven days."""
    calls_per_day: dict[str, Annotated[int, Field(ge=0, le=100_000)]] = {}
    """Role → calls its people make in a day; the rest is carried over."""
    notice_days: dict[Scheme, Annotated[int, Field(ge=1, le=60)]] = {}
    """Scheme → calendar days of notice agreed with payers, where they differ from the scheme's."""
    channels: list[Channel] = [Channel.EMAIL, Channel.SMS]
    """Channels in order of preference, behind the payer's own."""
    grace_days: Days = 3
    """Days after the due date before the first word about what never failed."""
    confirm_within_days: Days = 7
    """Days after which money is cleared without a thank-you."""
    retry_patience_days: Days = 5
    """Days after a retry before the next step."""
    partial_patience_days: Days = 14
    """Days after the answer to a partial payment before the next step."""
    cases: CasesFile = CasesFile()
    """Which open cases matter."""
    outage: OutageFile = OutageFile()
    """When a processor's failures are an outage and not its payers'."""
    ladders: dict[str, list[StepFile]] = {}
    """Name → steps, mild to firm."""
    rows: Annotated[list[RowFile], Field(min_length=1)]
    """The table: tried from the top, the first whose every condition holds decides."""
