"""The processors of this world: what each collects with, when its runs are, which codes its failures carry.

Values only. Invariant: every code is one that its scheme really uses (see the code lists named beside it).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rail:
    """One payment processor. `package_books` False: its money is processed elsewhere and booked by Dunwell.

    run_weekdays: weekdays (0 = Monday) of its collection runs.
    codes: (reason code, its meaning, how often of a hundred failures).
    """

    processor: str
    method: str
    target: str
    run_weekdays: tuple[int, ...]
    package_books: bool
    codes: tuple[tuple[str, str, int], ...]


SEPA = Rail(
    "PaymentHub-SEPA",
    "SEPA Direct Debit",
    "Northwind SEPA",
    (3,),
    True,
    # EPC: reason codes of SDD R-transactions
    (
        ("AM04", "Insufficient funds", 60),
        ("MS03", "Reason not given by the bank", 25),
        ("AG01", "Account may not be debited", 5),
        ("ED05", "Settlement failed", 10),
    ),
)
BACS = Rail(
    "PaymentHub-Bacs",
    "Bacs Direct Debit",
    "Northwind UK",
    (1,),
    True,
    # Bacs Service User Guide: ARUDD
    (("0", "Refer to payer", 90), ("8", "Amount not yet due", 10)),
)
CARD = Rail(
    "Northwind Pay",
    "CreditCard",
    "Northwind Cards",
    (1, 4),
    False,
    # ISO 8583 field 39 as card schemes use it
    (("51", "Insufficient funds", 60), ("05", "Do not honour", 25), ("91", "Issuer or switch inoperative", 15)),
)
RAILS = {rail.processor: rail for rail in (SEPA, BACS, CARD)}

PAY_LINK_PROCESSOR = "PaymentHub-Mollie"
PAY_LINK_METHOD = {"NL": "iDEAL", "DE": "CreditCard", "GB": "CreditCard"}
TIME_ZONE = {"NL": "Europe/Amsterdam", "DE": "Europe/Berlin", "GB": "Europe/London"}
CURRENCY = {"NL": "EUR", "DE": "EUR", "GB": "GBP"}
LANGUAGE = {"NL": "nl", "DE": "de", "GB": "en"}
UNDER_WAY = "Pending Processing"
"""Status of an installment that is in a collection whose outcome nobody knows yet."""
