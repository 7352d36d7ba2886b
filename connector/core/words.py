"""The closed lists: every word that code, YAML, logs and records may use for these ideas.

Must not hold logic. Invariant: a member's value is exactly the word of docs/glossary.md, so that a
value read from YAML, an org or a facts file is either a member or an error.
"""

from enum import StrEnum


class ClaimKind(StrEnum):
    """What kind of claim an installment is. A gift is not a debt."""

    DEBT = "debt"
    MEMBERSHIP = "membership"
    GIFT = "gift"


class Category(StrEnum):
    """What a reason code means for the follow-up."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    METHOD_INVALID = "method_invalid"
    MANDATE_INVALID = "mandate_invalid"
    AUTHENTICATION_REQUIRED = "authentication_required"
    REFUSED = "refused"
    DISPUTED = "disputed"
    BLOCKED_BY_PAYER = "blocked_by_payer"
    FRAUD = "fraud"
    DECEASED = "deceased"
    LEGAL = "legal"
    TECHNICAL = "technical"
    CREDITOR_ERROR = "creditor_error"
    UNKNOWN = "unknown"


NOT_THE_PAYERS = frozenset({Category.TECHNICAL, Category.CREDITOR_ERROR})
"""Categories that say nothing about the payer (design section 4)."""


class Kind(StrEnum):
    """What a follow-up does."""

    RETRY = "retry"
    NOTIFY = "notify"
    REMIND = "remind"
    REQUEST_METHOD = "request_method"
    CONFIRM = "confirm"
    APOLOGISE = "apologise"
    CALL = "call"
    REVIEW = "review"
    INFORM = "inform"
    OFFER_PLAN = "offer_plan"
    HOLD = "hold"
    ESCALATE = "escalate"
    PROPOSE_REFERRAL = "propose_referral"
    PROPOSE_WRITE_OFF = "propose_write_off"
    ALERT_TEAM = "alert_team"
    CLEAR = "clear"


CONTACT_KINDS = frozenset({Kind.NOTIFY, Kind.REMIND, Kind.REQUEST_METHOD, Kind.CONFIRM, Kind.APOLOGISE, Kind.OFFER_PLAN})
"""Follow-ups that write to the payer (calls are made by people and counted apart)."""

STAFF_KINDS = frozenset(
    {Kind.CALL, Kind.REVIEW, Kind.INFORM, Kind.ESCALATE, Kind.PROPOSE_REFERRAL, Kind.PROPOSE_WRITE_OFF, Kind.ALERT_TEAM}
)
"""Follow-ups that ask a colleague to do something."""


SILENT_KINDS = frozenset(Kind) - CONTACT_KINDS - {Kind.CALL}
"""Follow-ups of which the payer notices nothing: done, they are no contact."""


class FollowUpStatus(StrEnum):
    """Life of a follow-up record in the org."""

    PLANNED = "Planned"
    WITHHELD = "Withheld"
    DONE = "Done"
    SUPERSEDED = "Superseded"
    CANCELLED = "Cancelled"


class ArrearsStatus(StrEnum):
    """What the payer's flag says."""

    CLEAR = "Clear"
    WATCH = "Watch"
    IN_ARREARS = "In Arrears"
    ON_HOLD = "On Hold"
    PAYMENT_PLAN = "Payment Plan"
    ESCALATED = "Escalated"


class HoldCause(StrEnum):
    """Why contact or collection is stopped."""

    BREATHING_SPACE = "breathing_space"
    PROMISE = "promise"
    MANUAL = "manual"
    OPEN_CASE = "open_case"
    DISPUTE = "dispute"
    COMPLAINT = "complaint"
    VULNERABLE = "vulnerable"
    CRISIS = "crisis"
    FRAUD = "fraud"
    LEGAL = "legal"
    DECEASED = "deceased"


RELEASED_BY_PEOPLE = frozenset(
    {HoldCause.DISPUTE, HoldCause.COMPLAINT, HoldCause.VULNERABLE, HoldCause.CRISIS, HoldCause.FRAUD, HoldCause.LEGAL, HoldCause.DECEASED}
)
"""Causes that never end by themselves: their ``until`` is ignored."""


SENSITIVE_CATEGORIES = frozenset({Category.DECEASED, Category.FRAUD, Category.LEGAL})
SENSITIVE_HOLDS = frozenset({HoldCause.VULNERABLE, HoldCause.CRISIS, HoldCause.FRAUD, HoldCause.LEGAL, HoldCause.DECEASED})
"""Causes that only specialists read: where others look, records say ``do_not_contact``."""


class Channel(StrEnum):
    """How somebody is reached."""

    EMAIL = "email"
    SMS = "sms"
    CALL = "call"
    LETTER = "letter"
    PORTAL = "portal"


class Tone(StrEnum):
    """How a contact sounds; None on anything that is no contact."""

    WELCOMING = "welcoming"
    GENTLE = "gentle"
    NEUTRAL = "neutral"
    FIRM = "firm"
    FINAL = "final"


class Scheme(StrEnum):
    """The rail that money moves on."""

    CARD = "card"
    SEPA_CORE = "sepa_core"
    SEPA_B2B = "sepa_b2b"
    BACS = "bacs"
    ACH = "ach"
    BECS = "becs"
    PAD = "pad"
    AUTOGIRO = "autogiro"
    CREDIT_TRANSFER = "credit_transfer"
    WALLET = "wallet"
    CASH = "cash"


DIRECT_DEBIT = frozenset({Scheme.SEPA_CORE, Scheme.SEPA_B2B, Scheme.BACS, Scheme.ACH, Scheme.BECS, Scheme.PAD, Scheme.AUTOGIRO})
"""Schemes in which the creditor pulls money from a bank account."""


class Outcome(StrEnum):
    """What happened to one attempt to move money. Five different things; never synonyms."""

    COLLECTED = "collected"
    FAILED = "failed"
    REJECTED = "rejected"
    RETURNED = "returned"
    REVERSED = "reversed"
    REFUNDED = "refunded"
    CHARGED_BACK = "charged_back"
    PENDING = "pending"


class CodeSet(StrEnum):
    """Whose codes a reason code belongs to."""

    ISO20022_RETURN = "iso20022_return"
    ISO20022_STATUS = "iso20022_status"
    ISO20022_REVERSAL = "iso20022_reversal"
    ISO20022_CANCELLATION = "iso20022_cancellation"
    NACHA_RETURN = "nacha_return"
    NACHA_NOC = "nacha_noc"
    BACS_ARUDD = "bacs_arudd"
    BACS_ADDACS = "bacs_addacs"
    BACS_AUDDIS = "bacs_auddis"
    BACS_DDIC = "bacs_ddic"
    BACS_AWACS = "bacs_awacs"
    BECS_RETURN = "becs_return"
    PAD_RETURN = "pad_return"
    AUTOGIRO_RETURN = "autogiro_return"
    STRIPE_DECLINE = "stripe_decline"
    STRIPE_ERROR = "stripe_error"
    ADYEN_REFUSAL = "adyen_refusal"
    GOCARDLESS_CAUSE = "gocardless_cause"
    MOLLIE_REASON = "mollie_reason"
    BRAINTREE_PROCESSOR = "braintree_processor"
    ISO8583 = "iso8583"
    MASTERCARD_ADVICE = "mastercard_advice"


class Withholding(StrEnum):
    """Why something that the policy wanted is not done. Holds appear as ``hold:<cause>`` besides these."""

    OPEN_CASE = "open_case"
    QUIET_HOURS = "quiet_hours"
    HOLIDAY = "holiday"
    CONTACT_CAP = "contact_cap"
    CALL_CAP = "call_cap"
    NO_CONSENT = "no_consent"
    NO_CHANNEL = "no_channel"
    SCHEME_LIMIT = "scheme_limit"
    NOTICE_PERIOD = "notice_period"
    NO_RUN = "no_run"
    PROMISE = "promise"
    PLAN = "plan"
    THRESHOLD = "threshold"
    STALE_DATA = "stale_data"
    MONEY_IN_TRANSIT = "money_in_transit"
    OTHER_SYSTEM = "other_system"
    NOT_STARTED = "not_started"
    SWITCHED_OFF = "switched_off"
    CAPACITY = "capacity"


class InstallmentStatus(StrEnum):
    """The thirteen installment statuses of FinDock (docs: Payment API), the model's own as well."""

    NEW = "New"
    OUTSTANDING = "Outstanding"
    PENDING = "Pending"
    PENDING_PROCESSING = "Pending Processing"
    PARTIALLY_PAID = "Partially paid"
    COLLECTED = "Collected"
    PAID = "Paid"
    FAILED = "Failed"
    REJECTED = "Rejected"
    REVERSED = "Reversed"
    REFUNDED = "Refunded"
    PENDING_RECOLLECTION = "Pending recollection"
    CANCELLED = "Cancelled"
