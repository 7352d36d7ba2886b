"""What became of one month of one claim: its receivable and the payments on it.

Must not touch an org. Invariant: what has been paid and the status say what the payments say, by the rules of automation.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from sandbox.worlds.making import Row, add_months, audit
from sandbox.worlds.plain.clients import CURRENCY, Claim, Client

NOTICE_DAYS = 21
"""A bill is sent this long before it is due."""
GIVE_UP_DAYS = 70
"""By then a month that went wrong was paid or written off; younger ones may still be open."""
CODES = {
    # Bacs Service User Guide: ARUDD; EPC: reason codes of SDD R-transactions; ISO 8583 field 39
    ("Direct Debit", "GB"): ("0", "0", "0", "1"),
    ("Direct Debit", "IE"): ("AM04", "AM04", "MS03"),
    ("Card", "GB"): ("51", "51", "05"),
    ("Card", "IE"): ("51", "51", "05"),
}


@dataclass(slots=True)
class Bill:
    """One receivable in the making, with the payments on it."""

    row: Row
    payments: list[Row]
    moved_on: date

    def move(self, amount_minor: int, on: date, method: str, code: str | None = None) -> None:
        """Add a movement of money; negative, with a code, is money the bank returned."""
        row = self.row
        self.payments.append(
            {
                "Amount__c": amount_minor / 100,
                "CurrencyIsoCode": row["CurrencyIsoCode"],
                "Received_On__c": on.isoformat(),
                "Kind__c": "Received" if amount_minor > 0 else "Returned",
                "Method__c": method,
                "Transaction_Id__c": f"{row['Invoice_Number__c']}/{len(self.payments) + 1}",
                "Return_Code__c": code,
                **audit(on, on),
            }
        )
        paid = amount_minor > 0
        row |= {"Amount_Paid__c": row["Amount__c"] if paid else 0, "Status__c": "Paid" if paid else "Returned"}
        row["Return_Code__c"] = code or row["Return_Code__c"]
        self.moved_on = max(self.moved_on, on)


@dataclass(frozen=True, slots=True)
class Course:
    """What becomes of the months of one claim, as seen on `today`."""

    client: Client
    claim: Claim
    today: date
    chance: Random

    def bills(self) -> Iterator[Bill]:
        """Make all bills up to today, and those sent already for days to come."""
        first = self.claim.first
        while (due_on := first.replace(day=self.claim.day)) <= self.today + timedelta(days=NOTICE_DAYS):
            sent_on = due_on - timedelta(days=NOTICE_DAYS)
            bill = Bill(self._fresh(due_on, sent_on), [], sent_on)
            if due_on <= self.today:
                self._live(bill, due_on)
            bill.row |= audit(sent_on, bill.moved_on)
            yield bill
            first = add_months(first, 1)

    def _fresh(self, due_on: date, sent_on: date) -> Row:
        client, claim = self.client, self.claim
        month = f"{due_on:%Y-%m}"
        number = client.story.external_id(claim.label, month) if client.story else f"TW{client.number:06d}-{due_on:%Y%m}"
        return {
            "Invoice_Number__c": number,
            "Course__c": claim.course,
            "Invoice_Date__c": sent_on.isoformat(),
            "Due_Date__c": due_on.isoformat(),
            "Amount__c": claim.amount_minor / 100,
            "Amount_Paid__c": 0,
            "CurrencyIsoCode": CURRENCY[client.country],
            "Status__c": "Open",
            "Payment_Method__c": claim.method,
            "Collection_Tries__c": 0,
            "Last_Tried_On__c": None,
            "Return_Code__c": None,
            "Write_Off_Reason__c": None,
            "Payment_Link__c": f"https://pay.example.com/tidewater/{number.replace(':', '-')}",
        }

    def _live(self, bill: Bill, due_on: date) -> None:
        client, claim = self.client, self.claim
        this_month = (due_on.year, due_on.month) == (self.today.year, self.today.month)
        if claim.method == "Bank Transfer":
            paid_on = due_on + timedelta(days=client.lag_days)
            late = self.chance.random() < client.failing
            if not (client.story and this_month) and not late and paid_on < self.today:
                bill.move(claim.amount_minor, paid_on, claim.method)
            elif late:
                self._settle_late(bill, due_on)
            return
        self._try(bill, due_on)
        if due_on == self.today or (client.story and this_month):
            bill.row["Status__c"] = "In Collection"
        elif self.chance.random() < client.failing or f"{due_on:%Y-%m}" in self._failed():
            self._return(bill, due_on)
        else:
            bill.move(claim.amount_minor, due_on, claim.method)

    def _failed(self) -> dict[str, str]:
        return self.client.story.history.failed if self.client.story else {}

    @staticmethod
    def _try(bill: Bill, on: date) -> None:
        bill.row |= {"Collection_Tries__c": int(str(bill.row["Collection_Tries__c"])) + 1, "Last_Tried_On__c": on.isoformat()}

    def _return(self, bill: Bill, due_on: date) -> None:
        """Let the bank send the money back; most is collected again or paid later, the youngest may be open still."""
        claim, back_on = self.claim, due_on + timedelta(days=3)
        code = self._failed().get(f"{due_on:%Y-%m}") or self.chance.choice(CODES[claim.method, self.client.country])
        if back_on > self.today:
            bill.row["Status__c"] = "In Collection"
            return
        if claim.method == "Direct Debit":
            bill.move(claim.amount_minor, due_on, claim.method)
            bill.move(-claim.amount_minor, back_on, claim.method, code)
        else:
            bill.row |= {"Status__c": "Returned", "Return_Code__c": code}
            bill.moved_on = max(bill.moved_on, back_on)
        again_on = back_on + timedelta(days=10)
        if again_on < self.today and (self.client.story or self.chance.random() < 0.6):
            self._try(bill, again_on)
            bill.move(claim.amount_minor, again_on, claim.method)
        else:
            self._settle_late(bill, due_on)

    def _settle_late(self, bill: Bill, due_on: date) -> None:
        """Let a bill that went wrong be paid within weeks, or written off once it is old."""
        paid_on = due_on + timedelta(days=self.chance.randint(15, 60))
        if self.chance.random() < 0.7 and paid_on < self.today:
            bill.move(self.claim.amount_minor, paid_on, "Payment Link")
        elif (self.today - due_on).days > GIVE_UP_DAYS:
            bill.row |= {"Status__c": "Written Off", "Write_Off_Reason__c": "Goodwill"}
            bill.moved_on = min(due_on + timedelta(days=GIVE_UP_DAYS), self.today)
