"""The shape of ``mappings/<name>.yaml``: which objects and fields of an org hold what Dunwell works with.

Must not talk to an org. Invariant: strict; an unknown key or an impossible value is a fault with its line.
Names of objects and fields are Salesforce API names throughout.
"""

from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from connector.core.words import ClaimKind, InstallmentStatus, Scheme
from connector.mapping.source import Source, read, validate

ApiName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*$")]
"""A field, or a path of relationships to one (``Owner.Name``)."""


class Strict(BaseModel):
    """Every part of a mapping: frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Creditor(Strict):
    """Who collects."""

    name: str
    time_zone: str
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"'{value}' is not an IANA time zone such as Europe/Amsterdam")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The creditor's time zone, in which due dates live."""
        return ZoneInfo(self.time_zone)


class PayerFields(Strict):
    """Where facts about a payer stand. Left out = the org does not know."""

    name: ApiName = "Name"
    customer_since: ApiName | None = None
    country: ApiName | None = None
    region: ApiName | None = None
    """State, province or part of the country, as its ISO 3166-2 code or by name."""
    time_zone: ApiName | None = None
    phone_time_zone: ApiName | None = None
    language: ApiName | None = None
    preferred_channel: ApiName | None = None
    allow_sms: ApiName | None = None
    allow_call: ApiName | None = None
    email_opted_out: ApiName | None = None
    vulnerable: ApiName | None = None
    segment: ApiName | None = None
    value: ApiName | None = None
    risk: ApiName | None = None


class PayerObject(Strict):
    """One object whose records owe. The first one of the mapping that an installment points at is its payer."""

    object: ApiName
    kind: Literal["person", "company"]
    link: ApiName
    """Field of installments and payments that points at it."""
    own_link: Literal["Account__c", "Contact__c"]
    """Field of Dunwell's own objects that points at it."""
    case_link: ApiName
    task_link: Literal["WhoId", "WhatId"]
    flag: ApiName | None = "Dunwell_Position__c"
    """Lookup to the Arrears Position, written once."""
    fields: PayerFields = PayerFields()


class Retry(Strict):
    """What a retry is in this org's own terms."""

    status: ApiName
    value: str
    allowed_from: tuple[InstallmentStatus, ...]
    due_on: ApiName
    stamp: ApiName


class Installments(Strict):
    """The claims."""

    object: ApiName
    amount: ApiName
    currency: ApiName | None = None
    due_on: tuple[ApiName, ...]
    """The first one that is filled holds the original due date."""
    status: ApiName | None = None
    statuses: dict[str, InstallmentStatus] = {}
    """The org's picklist values that differ from the model's words."""
    closed: tuple[str, ...]
    """The org's status values of installments that need no look (settled, cancelled)."""
    product: ApiName | None = None
    claim_kind: ApiName | None = None
    claim_kinds: dict[str, ClaimKind] = {}
    payment_method: ApiName | None = None
    processor: ApiName | None = None
    credential: ApiName | None = None
    mandate: ApiName | None = None
    pay_link: ApiName | None = None
    references: tuple[ApiName, ...] = ()
    """Fields by which a provider may name an installment."""
    times_failed: ApiName | None = None
    last_failed_on: ApiName | None = None
    last_reason_code: ApiName | None = None
    retry: Retry | None = None


class Payments(Strict):
    """Money that moved. ``written`` = fields set on records that Dunwell makes."""

    object: ApiName
    installment: ApiName
    installment_relation: ApiName
    amount: ApiName
    on: ApiName
    at: ApiName | None = None
    reference: ApiName
    reason_code: ApiName | None = None
    payment_method: ApiName | None = None
    processor: ApiName | None = None
    payer_initiated: ApiName | None = None
    description: ApiName | None = None
    key: ApiName


class Processor(Strict):
    """Who does what for one processor's money."""

    records_money: Literal["package", "dunwell"]
    retries: Literal["dunwell", "other"] = "dunwell"


class Cases(Strict):
    """Cases that may stop or soften a follow-up."""

    object: ApiName = "Case"
    type: ApiName = "Type"
    opened_at: ApiName = "CreatedDate"


class Runs(Strict):
    """Coming collection runs of an org that collects by schedule."""

    object: ApiName
    on: ApiName
    payment_method: ApiName | None = None
    status: ApiName
    planned: tuple[str, ...]


class Role(Strict):
    """Who works for Dunwell's purposes: a queue's developer name or a username."""

    queue: str | None = None
    username: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.queue is None) == (self.username is None):
            raise ValueError("give either a queue or a username")
        return self


class Mapping(Strict):
    """A whole mapping file."""

    name: str
    creditor: Creditor
    payers: tuple[PayerObject, ...] = Field(min_length=1)
    installments: Installments
    payments: Payments
    processors: dict[str, Processor]
    default_processor: Processor = Processor(records_money="package")
    schemes: dict[str, Scheme]
    """Payment method of the org → scheme."""
    cases: Cases = Cases()
    runs: Runs | None = None
    roles: dict[Literal["credit_manager", "specialist", "admin", "outreach", "membership_team"], Role]
    """Who gets which Task. ``outreach`` gets the contacts until channels send them."""
    history_months: Annotated[int, Field(ge=12, le=120)] = 24

    def processor(self, name: object) -> Processor:
        """Who records and retries the money of processor ``name``."""
        return self.processors.get(str(name), self.default_processor)

    def payer_of(self, record_id: str) -> PayerObject:
        """Give the payer object of a record id, by the platform's key prefix (003 Contact, 001 Account)."""
        prefixes = {"003": "Contact", "001": "Account"}
        wanted = prefixes.get(record_id[:3])
        return next((one for one in self.payers if one.object == wanted), self.payers[0])


def load_mapping(directory: Path, name: str) -> tuple[Mapping, Source]:
    """Read and check ``<directory>/<name>.yaml``.

    Raises:
        ConfigError: every fault of the file with its line.

    """
    source = read(directory / f"{name}.yaml")
    return validate(source, Mapping), source
