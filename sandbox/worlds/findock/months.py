"""What became of one month of one claim: its installment record and the payments that moved money.

Must not touch an org. Invariant: the installment's status, open amount, dates and counters say what its payments say,
by the rules the package itself follows (see automation.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from sandbox.org.values import stamp
from sandbox.worlds.findock import days
from sandbox.worlds.findock.payers import Claim, Spec
from sandbox.worlds.findock.rails import CURRENCY, PAY_LINK_METHOD, PAY_LINK_PROCESSOR, UNDER_WAY, Rail
from sandbox.worlds.making import Row, add_months, audit

AHEAD_DAYS = 31
"""An installment is made at most this long before it is due."""
GIVE_UP_DAYS = 75
"""By then a failed month was settled or waived; younger ones may still be open."""


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that moved on a day: collected, or (negative) taken back with a reason code. `at` is given when the payer did it themselves."""

    amount_minor: int
    on: date
    at: datetime | None = None
    code: str | None = None


@dataclass(slots=True)
class Month:
    """One installment in the making, with the payments on it."""

    installment: Row
    payments: list[Row]
    moved_on: date

    def book(self, money: Movement, rail: Rail, country: str) -> None:
        """Add a movement of money and let the installment say so."""
        row, day = self.installment, money.on.isoformat()
        taken_back = money.amount_minor < 0
        self.payments.append(
            {
                "cpm__Amount__c": money.amount_minor / 100,
                "CurrencyIsoCode": row["CurrencyIsoCode"],
                "cpm__Collection_Date__c": day,
                "cpm__Payment_Method__c": PAY_LINK_METHOD[country] if money.at else rail.method,
                "cpm__Payment_Processor__c": PAY_LINK_PROCESSOR if money.at else rail.processor,
                "cpm__Target__c": rail.target,
                "cpm__Payment_Reference__c": f"{row['cpm__Generated_Payment_Reference__c']}-{len(self.payments) + 1}",
                "cpm__Reason_for_Mutation__c": "Reversal" if taken_back else "Collection",
                "cpm__Reversal_Reason_Code__c": money.code,
                "Paid_At__c": stamp(money.at) if money.at else None,
                "Payer_Initiated__c": money.at is not None,
                **audit(money.on, money.on),
            }
        )
        self.moved_on = max(self.moved_on, money.on)
        if taken_back:
            row |= {"cpm__Status__c": "Reversed", "cpm__Amount_Open__c": row["cpm__Amount__c"], "cpm__Last_Reversal_Date__c": day}
            row |= {"cpm__of_times_reversed__c": 1, "cpm__Last_ReasonCode_Received__c": money.code}
        else:
            row |= {"cpm__Status__c": "Collected", "cpm__Amount_Open__c": 0, "cpm__Last_Collection_Date__c": day}
            row["cpm__Collection_Count__c"] = sum(1 for one in self.payments if one["cpm__Reason_for_Mutation__c"] == "Collection")

    def fail(self, on: date, code: str, meaning: str) -> None:
        """No money moved, and the processor said why."""
        self.installment |= {"cpm__Status__c": "Failed", "cpm__Last_Failed_Date__c": on.isoformat(), "cpm__of_times_failed__c": 1}
        self.installment |= {"cpm__Last_ReasonCode_Received__c": code, "cpm__Last_Failure_Reason__c": meaning}
        self.moved_on = max(self.moved_on, on)


@dataclass(frozen=True, slots=True)
class Course:
    """What becomes of the months of one claim, as seen on `today`."""

    spec: Spec
    claim: Claim
    today: date
    chance: Random

    def months(self) -> Iterator[Month]:
        """Make all months up to today, and those due within a month."""
        first = self.claim.first
        while (due_on := first.replace(day=self.claim.day)) <= self.today + timedelta(days=AHEAD_DAYS):
            month = self._fresh(due_on)
            self._live(month, due_on)
            month.installment |= audit(min(due_on - timedelta(days=AHEAD_DAYS), self.today), month.moved_on)
            yield month
            first = add_months(first, 1)

    def _live(self, month: Month, due_on: date) -> None:
        spec, rail = self.spec, self.claim.rail
        label, collected_on = f"{due_on:%Y-%m}", days.on_or_after(due_on, rail.processor)
        if collected_on > self.today:
            return
        if self._still_under_way(due_on):
            month.installment["cpm__Status__c"] = UNDER_WAY
        elif label in spec.fixed_failures:
            self._fail(month, collected_on, spec.fixed_failures[label])
        elif label in spec.self_paid or (spec.self_payer and self.chance.random() < 0.5):
            self._pay_link(month, due_on - timedelta(days=8))
        elif self.chance.random() < spec.failing:
            code = self.chance.choices([one for one, _, _ in rail.codes], [weight for _, _, weight in rail.codes])[0]
            self._fail(month, collected_on, code)
        else:
            self._book(month, self.claim.amount_minor, collected_on)

    def _still_under_way(self, due_on: date) -> bool:
        """Whether the money was sent for and nobody knows yet: what is due today, and this month of a story."""
        if self.spec.story:
            return (due_on.year, due_on.month) == (self.today.year, self.today.month)
        return due_on == self.today

    def _fresh(self, due_on: date) -> Month:
        spec, claim = self.spec, self.claim
        reference = f"NW{spec.number:06d}{claim.label.upper()}{due_on:%Y%m}"
        row: Row = {
            "cpm__Amount__c": claim.amount_minor / 100,
            "cpm__Amount_Open__c": claim.amount_minor / 100,
            "CurrencyIsoCode": CURRENCY[spec.country],
            "cpm__Due_Date__c": due_on.isoformat(),
            "cpm__Original_Due_Date__c": due_on.isoformat(),
            "cpm__Status__c": "New",
            "cpm__Source__c": "PaymentHub",
            "cpm__Payment_Method__c": claim.rail.method,
            "cpm__Payment_Processor__c": claim.rail.processor,
            "cpm__Target__c": claim.rail.target,
            "cpm__Generated_Payment_Reference__c": reference,
            "cpm__External_ID__c": spec.story.external_id(claim.label, f"{due_on:%Y-%m}") if spec.story else None,
            "cpm__Pay_Url__c": f"https://pay.example.com/i/{reference}",
            "cpm__Collection_Count__c": 0,
            "cpm__of_times_failed__c": 0,
            "cpm__of_times_reversed__c": 0,
            "Product__c": claim.product,
            "Claim_Kind__c": claim.kind,
        }
        return Month(row, [], min(due_on - timedelta(days=AHEAD_DAYS), self.today))

    def _fail(self, month: Month, collected_on: date, code: str) -> None:
        """Let a month fail at first: most are collected again or paid by link, the youngest may be open still."""
        rail = self.claim.rail
        taken_back = rail.package_books and self.spec.story is None and self.chance.random() < 0.4
        failed_on = days.plus(collected_on, self.chance.randint(2, 5) if taken_back else 1, rail.processor)
        if taken_back:
            self._book(month, self.claim.amount_minor, collected_on)
        elif failed_on > self.today:
            month.installment["cpm__Status__c"] = UNDER_WAY
        if failed_on > self.today:
            return
        if taken_back:
            month.book(Movement(-self.claim.amount_minor, failed_on, code=code), rail, self.spec.country)
        else:
            month.fail(failed_on, code, next((meaning for one, meaning, _ in rail.codes if one == code), "See reason code"))
        end = self.chance.random()
        if self.spec.story or end < 0.4:
            self._collect_again(month, failed_on)
        elif end < 0.65 or (self.today - collected_on).days > GIVE_UP_DAYS:
            self._pay_link(month, failed_on)

    def _collect_again(self, month: Month, failed_on: date) -> None:
        rail = self.claim.rail
        run_on = failed_on + timedelta(days=9)
        while run_on.weekday() not in rail.run_weekdays:
            run_on += timedelta(days=1)
        run_on = days.on_or_after(run_on, rail.processor)
        month.installment["cpm__Due_Date__c"] = run_on.isoformat()
        if run_on > self.today:
            month.installment["cpm__Status__c"] = "Pending recollection"
        else:
            self._book(month, self.claim.amount_minor, run_on)

    def _pay_link(self, month: Month, after: date) -> None:
        """Let the payer pay themselves, at their habitual weekday and hour."""
        spec = self.spec
        day = days.next_weekday(after, spec.habit_weekday)
        minute = spec.habit_time.hour * 60 + spec.habit_time.minute + (0 if spec.story else self.chance.randint(-10, 10))
        at = datetime.combine(day, time(minute // 60, minute % 60), ZoneInfo(spec.time_zone))
        if day < self.today:
            self._book(month, self.claim.amount_minor, day, at)

    def _book(self, month: Month, amount_minor: int, on: date, at: datetime | None = None) -> None:
        """Money came, in one payment or in the parts this payer's comes in."""
        for part in self._parts(amount_minor, on):
            month.book(Movement(part, on, at), self.claim.rail, self.spec.country)

    def _parts(self, amount_minor: int, on: date) -> list[int]:
        count = max(1, self.spec.parts - (self.spec.number + on.month) % 2)
        part = amount_minor // count
        return [part] * (count - 1) + [amount_minor - part * (count - 1)]
