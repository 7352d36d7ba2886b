"""The stories of a world as typed data: who plays in them and what happens, as stories.yaml tells it.

Must not know any world, nor play anything: that is the reader's business, over the org's public interfaces. Invariant: an
unknown word anywhere in the file is an error, so that a misspelt step cannot silently not happen.
"""

from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Month = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}$")]
Label = Annotated[str, StringConstraints(pattern=r"^([a-z]:)?\d{4}-\d{2}$")]
Amount = Annotated[str, StringConstraints(pattern=r"^-?\d+\.\d{2}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Value = bool | int | date | str


class Strict(BaseModel):
    """A part of the file: frozen, and closed to words it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StoryPayer(Strict):
    """The payer as the org knows them."""

    kind: Literal["person", "company"]
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    country: Country
    customer_since: date
    segment: Literal["member", "donor", "business"] | None = None
    preferred_channel: Literal["email", "sms", "call", "letter", "portal"] = "email"
    allow_sms: bool = False
    allow_call: bool = False

    @property
    def sobject(self) -> str:
        """The object the payer is a record of."""
        return "Contact" if self.kind == "person" else "Account"


class StoryClaim(Strict):
    """What the payer pays every month; `first` is the first month of it, by default as far back as the world's history goes."""

    label: str = ""
    product: str
    kind: Literal["debt", "membership", "gift"]
    amount: Amount
    processor: str
    day: Annotated[int, Field(ge=1, le=28)]
    first: Month | None = None


class SelfPaid(Strict):
    """Months the payer paid by pay link themselves, at a habitual weekday (0 = Monday) and local time."""

    weekday: Annotated[int, Field(ge=0, le=6)]
    time: time
    months: tuple[Month, ...]


class History(Strict):
    """What was not plain in the past. `failed`: month → reason code; such a month was collected again later.

    lag_days: how many days after it was due a payer who pays by transfer always pays.
    """

    failed: dict[Month, str] = {}
    lag_days: Annotated[int, Field(ge=0, le=25)] = 0
    self_paid: SelfPaid | None = None


class StoryCase(Strict):
    """A case that is open when the world starts."""

    type: str
    subject: str
    opened_on: date
    owner: Literal["case_owner", "specialist", "credit_manager"] = "case_owner"


class Step(Strict):
    """One thing that happens at a local time; which other words it may have depends on `do` (README)."""

    at: datetime
    do: Literal["outcome", "package", "pay", "insert", "update", "delete", "close_case", "complete_tasks", "hide"]
    by: Literal["package", "case_owner", "credit_manager", "specialist", "admin"] | None = None
    installment: Label | None = None
    by_reference: bool = False
    outcome: str | None = None
    code_set: str | None = None
    reason_code: str | None = None
    reason_text: str | None = None
    payer_initiated: bool = False
    occurred_at: datetime | None = None
    provider_reference: str | None = None
    times: int = 1
    amount: Amount | None = None
    sobject: str | None = None
    insert: str | None = None
    update: Label | None = None
    update_mandate: bool = False
    fields: dict[str, Value] = {}
    kinds: tuple[str, ...] = ()
    installments: tuple[Label, ...] = ()
    refused: str | None = None


class Check(Strict):
    """One check in plain terms; exactly one of the words is given (README)."""

    position: dict[str, Value] | None = None
    contact: dict[str, Value | list[str]] | None = None
    task: dict[str, Value] | None = None
    retry: dict[str, Value] | None = None
    records: dict[str, Value] | None = None
    open_tasks: dict[str, Value | list[str]] | None = None
    hold: dict[str, Value] | None = None
    silent: dict[str, str] | None = None
    no_words: tuple[str, ...] | None = None
    steps_in_order: bool | None = None
    same_end_as: str | None = None


class Expectation(Strict):
    """What has to come of a story, and what must never."""

    reason_category: str | None = None
    follow_ups: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


class Story(Strict):
    """One payer's story. `of` names the story it is a second half of."""

    name: str
    of: str | None = None
    title: str
    payer: StoryPayer
    claims: Annotated[tuple[StoryClaim, ...], Field(min_length=1)]
    history: History = History()
    cases: tuple[StoryCase, ...] = ()
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    expect: Expectation

    def external_id(self, label: str, month: str) -> str:
        """How one month of the claim with that label is known in the org."""
        return f"{self.name}:{label}:{month}" if label else f"{self.name}:{month}"


class Book(Strict):
    """All stories, and the stretch of time they need."""

    starts: datetime
    ends: datetime
    time_zone: str
    stories: tuple[Story, ...]

    @property
    def zone(self) -> ZoneInfo:
        """The creditor's time zone: every time in the file is local to it."""
        return ZoneInfo(self.time_zone)


AnyBook = TypeVar("AnyBook", bound=Book)


def read(file: Path, book: type[AnyBook]) -> AnyBook:
    """Read a stories.yaml. Raises pydantic.ValidationError naming every word that does not belong."""
    return book.model_validate(yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader))
