"""The shape of ``mappings/<name>.yaml``: which objects and fields of an org hold what Dunwell works with.

Must not talk to an org. Invariant: strict; an unknown key or an impossible value is a fault with its line.
Names of objects and fields are Salesforce API names throughout.
"""

from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from connector.core.words import ClaimKind, InstallmentStatus, Scheme
from connector.mapping.extending import whole
from connector.mapping.source import Source, validate

ApiName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*$")]
"""A field, or a path of relationships to one (``Owner.Name``)."""


class Strict(BaseModel):
    """Every part of a mapping: frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


KEY_PREFIXES = {"Contact": "003", "Account": "001"}
"""The first three signs of a record's id: Salesforce Help, "Standard Record ID Prefix Decoder"."""


class Creditor(Strict):
    """Who collects."""

    name: str
    """The creditor's name, as messages sign with it."""
    time_zone: str
    """IANA time zone in which due dates and schedules live."""
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    """Whose public holidays and rules count where a payer's country is not known: two letters."""
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    """Currency of amounts in an org that has only one: three letters."""

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
    """The name as it is written in messages and Tasks."""
    customer_since: ApiName | None = None
    """Date since when they are a customer."""
    country: ApiName | None = None
    """Country, by name or two letters: public holidays, quiet hours and rules of the country."""
    region: ApiName | None = None
    """State, province or part of the country, as its ISO 3166-2 code or by name."""
    time_zone: ApiName | None = None
    """IANA time zone of the payer; left out = that of country and region."""
    phone_time_zone: ApiName | None = None
    """IANA time zone of the phone number, where the org knows it."""
    language: ApiName | None = None
    """Language of messages."""
    preferred_channel: ApiName | None = None
    """Channel the payer asked for."""
    allow_sms: ApiName | None = None
    """Checkbox: text messages are allowed."""
    allow_call: ApiName | None = None
    """Checkbox: calls are allowed."""
    email_opted_out: ApiName | None = None
    """Checkbox: no e-mail wanted."""
    vulnerable: ApiName | None = None
    """Checkbox: somebody to go easy on; protects like a hold."""
    segment: ApiName | None = None
    """Customer segment; policies may use it towards a milder course alone."""
    value: ApiName | None = None
    """Customer value; policies may use it towards a milder course alone."""
    risk: ApiName | None = None
    """Risk class."""


class PayerObject(Strict):
    """One object whose records owe. The first one of the mapping that an installment points at is its payer."""

    object: ApiName
    """Object whose records owe: Contact or Account."""
    kind: Literal["person", "company"]
    """Whether its records are persons or companies."""
    link: ApiName
    """Field of installments and payments that points at it."""
    own_link: Literal["Account__c", "Contact__c"]
    """Field of Dunwell's own objects that points at it."""
    case_link: ApiName
    """Field of a case that points at it."""
    task_link: Literal["WhoId", "WhatId"]
    """Field of a Task that points at it: WhoId for Contact, WhatId for Account."""
    flag: ApiName | None = "Dunwell_Position__c"
    """Lookup to the Arrears Position, written once."""
    fields: PayerFields = PayerFields()
    """Where the facts about it stand."""


class Retry(Strict):
    """What a retry is in this org's own terms."""

    status: ApiName
    """Field whose value asks for a retry."""
    value: str
    """The value that asks for it."""
    allowed_from: tuple[InstallmentStatus, ...]
    """Statuses from which a retry may be asked for."""
    due_on: ApiName
    """Field of the day from which the next collection run takes it."""
    stamp: ApiName
    """Text field for Dunwell's own key, so that a person's reset is not undone."""


class Installments(Strict):
    """What is owed: the claims."""

    object: ApiName
    """Object of installments or invoices."""
    amount: ApiName
    """What is claimed; negative = a credit."""
    currency: ApiName | None = None
    """Currency; left out = the creditor's."""
    due_on: tuple[ApiName, ...]
    """The first one that is filled holds the original due date."""
    status: ApiName | None = None
    """Status; left out = told from payments alone."""
    statuses: dict[str, InstallmentStatus] = {}
    """The org's picklist values that differ from the model's words."""
    closed: tuple[str, ...]
    """The org's status values of installments that need no look (settled, cancelled)."""
    product: ApiName | None = None
    """Product, for policies that differ by product."""
    claim_kind: ApiName | None = None
    """Field that tells debt, membership and gift apart; left out = all are debts."""
    claim_kinds: dict[str, ClaimKind] = {}
    """The org's values for claim kinds that differ from the model's words."""
    payment_method: ApiName | None = None
    """Payment method; `schemes` says which scheme it is."""
    processor: ApiName | None = None
    """Name of the processor; `processors` says who books its money."""
    credential: ApiName | None = None
    """Account or card it is collected from."""
    mandate: ApiName | None = None
    """Mandate it is collected under."""
    pay_link: ApiName | None = None
    """Address at which the payer can pay."""
    references: tuple[ApiName, ...] = ()
    """Fields by which a provider may name an installment."""
    times_failed: ApiName | None = None
    """How often it failed, counted by the org."""
    last_failed_on: ApiName | None = None
    """When it failed last, told by the org."""
    last_reason_code: ApiName | None = None
    """Reason code of its last failure."""
    retry: Retry | None = None
    """What a retry is; left out = Dunwell retries nothing."""


class Payments(Strict):
    """Money that moved."""

    object: ApiName
    """Object of payments."""
    installment: ApiName
    """Field that points at the installment."""
    installment_relation: ApiName
    """Name of that relationship in a query."""
    amount: ApiName
    """Amount; negative = reversed or refunded."""
    on: ApiName
    """Day of the payment."""
    at: ApiName | None = None
    """Time of the payment, for the payer's habits."""
    reference: ApiName
    """The provider's reference, by which a payment is known again."""
    reason_code: ApiName | None = None
    """Reason code of a reversal."""
    payment_method: ApiName | None = None
    """Payment method."""
    processor: ApiName | None = None
    """Name of the processor."""
    payer_initiated: ApiName | None = None
    """Checkbox: the payer paid it themselves; habits come from these alone."""
    description: ApiName | None = None
    """Text field for a remark on payments that Dunwell writes."""
    key: ApiName
    """Unique text field for Dunwell's own key."""


class Processor(Strict):
    """Who does what for one processor's money."""

    records_money: Literal["package", "dunwell"]
    """Who books its payments: the package (Dunwell only reads) or dunwell."""
    retries: Literal["dunwell", "other"] = "dunwell"
    """Who tries again: dunwell, or somebody else (never two)."""


class Cases(Strict):
    """Cases that may stop or soften a follow-up."""

    object: ApiName = "Case"
    """Object of cases."""
    type: ApiName = "Type"
    """Field that says what a case is about."""
    opened_at: ApiName = "CreatedDate"
    """When it was opened."""


class Runs(Strict):
    """Coming collection runs of an org that collects by schedule."""

    object: ApiName
    """Object of collection runs."""
    on: ApiName
    """Day on which a run collects."""
    payment_method: ApiName | None = None
    """Payment method it collects; left out = all."""
    status: ApiName
    """Its status."""
    planned: tuple[str, ...]
    """Status values of runs that are still to come."""


class Recollections(Strict):
    """When an installment that is set for recollection counts as stuck."""

    mandate_active: ApiName | None = None
    """Path from the installment to its mandate's checkbox."""
    credential_active: ApiName | None = None
    """Path from the installment to the checkbox of the account or card it is collected from."""
    max_days: Annotated[int, Field(ge=1, le=366)] = 14
    """Days after its due date in which some run should have taken it."""

    @model_validator(mode="after")
    def _paths(self) -> Self:
        for path in (self.mandate_active, self.credential_active):
            if path is not None and path.count(".") != 1:
                raise ValueError(f"'{path}' is not a path such as Mandate__r.Active__c")
        return self


class Backlog(Strict):
    """Work of the package that tells by its status that it stands still."""

    kind: Literal["run", "report", "message", "transaction"]
    """What it is, as the team's Task names it."""
    object: ApiName
    """Object to look at."""
    status: ApiName
    """Its status field."""
    stuck: tuple[str, ...] = Field(min_length=1)
    """Status values in which it should not stay."""
    after_hours: Annotated[int, Field(ge=0, le=8784)] = 0
    """Hours without a change after which it counts."""


class LoosePayments(Strict):
    """Payments without an installment."""

    after_hours: Annotated[int, Field(ge=0, le=8784)] = 24
    """Hours in which people or the package may match them."""


class Findings(Strict):
    """What stands still in the org beside payers' debts, and is told to the team whose work it is. Left out = not looked at."""

    recollections: Recollections | None = None
    """Installments set for recollection that no run takes."""
    backlogs: tuple[Backlog, ...] = ()
    """Runs, reports, messages and transactions that stand still."""
    loose_payments: LoosePayments | None = None
    """Payments without an installment."""
    open_amount: ApiName | None = None
    """What an installment itself says is open: compared with its payments, never written."""


class Role(Strict):
    """Who works for Dunwell's purposes: a queue's developer name or a username."""

    queue: str | None = None
    """Developer name of a queue that may own Tasks."""
    username: str | None = None
    """Username of one person instead of a queue."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.queue is None) == (self.username is None):
            raise ValueError("give either a queue or a username (one that a preset gives goes with null)")
        return self


class Mapping(Strict):
    """A whole mapping file."""

    name: str
    """Name of the mapping: its file's."""
    creditor: Creditor
    """Who collects."""
    payers: tuple[PayerObject, ...] = Field(min_length=1)
    """Who owes, one part an object."""
    installments: Installments
    """What is owed."""
    payments: Payments
    """Money that moved."""
    processors: dict[str, Processor]
    """Name of a processor in the org → who books and who retries."""
    default_processor: Processor = Processor(records_money="package")
    """The same for a processor that is not named."""
    schemes: dict[str, Scheme]
    """Payment method of the org → scheme."""
    cases: Cases = Cases()
    """Cases that may stop or soften a follow-up."""
    runs: Runs | None = None
    """Coming collection runs; left out = the org has none, and no retry waits for one."""
    findings: Findings = Findings()
    """What stands still in the org and is told to its team."""
    stale_after_hours: Annotated[int, Field(ge=1, le=8784)] | None = None
    """Hours without any new payment or attempt after which nothing becomes harsher; null = never."""
    roles: dict[Literal["credit_manager", "specialist", "admin", "outreach", "membership_team"], Role]
    """Who gets which Task. ``outreach`` gets the contacts until channels send them."""
    history_months: Annotated[int, Field(ge=12, le=120)] = 24
    """Months of payments and failures that are read."""

    @model_validator(mode="after")
    def _recollects(self) -> Self:
        if self.findings.recollections is not None and self.installments.retry is None:
            raise ValueError("findings.recollections needs installments.retry, which says what a recollection is")
        return self

    def processor(self, name: object) -> Processor:
        """Who records and retries the money of processor ``name``."""
        return self.processors.get(str(name), self.default_processor)

    def payer_of(self, record_id: str) -> PayerObject:
        """Give the payer object of a record id, by its key prefix."""
        return next((one for one in self.payers if record_id.startswith(KEY_PREFIXES.get(one.object, "-"))), self.payers[0])

    def is_payer(self, record_id: str) -> bool:
        """Tell whether the id is one of a record that may owe."""
        return record_id.startswith(tuple(KEY_PREFIXES[one.object] for one in self.payers if one.object in KEY_PREFIXES))


def load_mapping(directory: Path, name: str) -> tuple[Mapping, Source]:
    """Read and check ``<directory>/<name>.yaml``, with the mappings it extends.

    Raises:
        ConfigError: every fault with its file and line.

    """
    source = whole(directory, name)
    return validate(source, Mapping), source
