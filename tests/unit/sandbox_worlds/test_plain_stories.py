"""The stories of the plain world are told in its format and can be played in its org."""

from collections.abc import Iterator
from datetime import date

import pytest
from pydantic import ValidationError

from sandbox.org import OrgError
from sandbox.org.org import Org
from sandbox.worlds.book import Step
from sandbox.worlds.plain.stories import Book, Story, read_book
from tests.support.lessons import RULE, as_user, crowd, opened, receivable, rows

STORIES = read_book().stories


def test_every_story_has_its_client_and_their_bill() -> None:
    """Each story's payer is found by Story__c, and this month's bill is under way or waits for a transfer."""
    told = {
        one["Story__c"]
        for sobject in ("Contact", "Account")
        for one in rows(crowd(), f"SELECT Story__c FROM {sobject} WHERE Story__c != null")
    }
    assert told == {story.name for story in STORIES}
    for story in STORIES:
        expected = "Open" if story.claims[0].processor == "Bank Transfer" else "In Collection"
        assert receivable(crowd(), f"{story.name}:2026-03")["Status__c"] == expected
        if story.claims[0].first is None:
            assert receivable(crowd(), f"{story.name}:2026-02")["Status__c"] == "Paid"


def test_the_late_payer_was_always_nine_days_late() -> None:
    """A habit is there to be seen in the past."""
    paid = rows(
        crowd(), "SELECT Received_On__c, Receivable__r.Due_Date__c FROM Payment__c WHERE Contact__r.Story__c = 'always-nine-days-late'"
    )
    late = {(date.fromisoformat(str(one["Received_On__c"])) - date.fromisoformat(one["Receivable__r"]["Due_Date__c"])).days for one in paid}
    assert len(paid) >= 11
    assert late == {9}


def test_a_misspelt_way_to_pay_is_refused() -> None:
    """The format is findock's, the words are this world's."""
    book = read_book().model_dump(exclude_defaults=True)
    book["stories"][0]["claims"][0]["processor"] = "PaymentHub-SEPA"
    with pytest.raises(ValidationError, match="Direct Debit"):
        Book.model_validate(book)


class Player:
    """Plays the steps of one story that write records, over the org's own calls."""

    def __init__(self, org: Org, story: Story) -> None:
        self.org = org
        self.story = story
        sobject = story.payer.sobject
        self.payer = str(rows(org, f"SELECT Id FROM {sobject} WHERE Story__c = '{story.name}'")[0]["Id"])
        self.link = f"{sobject}__c"

    def play(self) -> Iterator[tuple[Step, str | None]]:
        """Each step with the code it was refused with."""
        for number, step in enumerate(self.story.steps, 1):
            self.org.clock.set(step.at.replace(tzinfo=read_book().zone))
            try:
                self._do(step, number)
            except OrgError as refused:
                yield step, refused.code
            else:
                yield step, None

    def bill(self, label: str) -> dict[str, object]:
        """The receivable with that label."""
        return receivable(self.org, f"{self.story.name}:{label}")

    def _payment(self, label: str) -> dict[str, object]:
        bill = self.bill(label)
        return {"Receivable__c": bill["Id"], self.link: self.payer, "CurrencyIsoCode": bill["CurrencyIsoCode"]}

    def _do(self, step: Step, number: int) -> None:
        fields: dict[str, object] = dict(step.fields)
        session = as_user(self.org, step.by or "package")
        match step.do:
            case "package" if step.update_mandate:
                (one,) = rows(self.org, f"SELECT Id FROM Billing_Arrangement__c WHERE {self.link} = '{self.payer}'")
                self.org.update("Billing_Arrangement__c", str(one["Id"]), fields, session=session)
            case "package" if step.update:
                self.org.update("Receivable__c", str(self.bill(step.update)["Id"]), fields, session=session)
            case "package":
                assert step.insert == "Payment__c"
                assert step.installment
                self.org.create(step.insert, self._payment(step.installment) | fields, session=session)
            case "insert":
                assert step.sobject
                if fields.pop("payer", None):
                    fields["ContactId" if step.sobject == "Case" else self.link] = self.payer
                if step.installment:
                    fields = self._payment(step.installment) | fields
                self.org.create(step.sobject, fields, session=session)
            case "update":
                assert step.sobject
                assert step.installment
                self.org.update(step.sobject, str(self.bill(step.installment)["Id"]), fields, session=session)
            case "pay":
                self._pay(step, number)
            case "close_case":
                self._close_case()
            case _:
                assert step.do in ("outcome", "complete_tasks", "hide")  # there is nobody here to hear of it or to have made a Task

    def _pay(self, step: Step, number: int) -> None:
        assert step.installment
        at = step.at.replace(tzinfo=read_book().zone)
        paid = {
            "Amount__c": step.amount or self.bill(step.installment)["Amount_Open__c"],
            "Received_On__c": at.date(),
            "Method__c": "Payment Link",
        }
        paid |= {"Kind__c": "Received", "Paid_At__c": at, "Transaction_Id__c": f"{self.story.name}-pay-{number}"}
        self.org.create("Payment__c", self._payment(step.installment) | paid, session=as_user(self.org, "package"))

    def _close_case(self) -> None:
        for one in rows(self.org, f"SELECT Id FROM Case WHERE ContactId = '{self.payer}' AND IsClosed = false"):
            self.org.update("Case", str(one["Id"]), {"Status": "Closed"}, session=as_user(self.org, "case_owner"))


# How this month's bill ends where nobody but the school is at work.
ENDS = {
    "loyal-first-return": ("Paid", 0.0),
    "lesson-not-given": ("Cancelled", 56.0),
    "always-nine-days-late": ("Paid", 0.0),
    "half-paid": ("Paid", 0.0),
    "closed-period": ("Paid", 0.0),
    "careless-write-off": ("Written Off", 15.0),
    "loyal-first-failure": ("Paid", 0.0),
    "fourth-this-year": ("Returned", 85.0),
    "new-customer-first-payment": ("Returned", 55.0),
    "open-case": ("Returned", 62.5),
    "disputed": ("Paid", 0.0),
    "account-closed": ("Returned", 12.0),
    "mandate-revoked": ("Returned", 15.0),
    "technical": ("Returned", 71.0),  # card money: nobody books it unless Dunwell does
    "technical-direct-debit": ("Paid", 0.0),
    "deceased": ("Returned", 38.0),
    "late-money": ("Returned", 20.0),
    "partial-payment": ("Partly Paid", 25.0),
    "reversed-after-collected": ("Paid", 0.0),
    "duplicate-and-out-of-order-events": ("In Collection", 33.0),
    "in-order-control": ("In Collection", 33.0),
    "unknown-code": ("Returned", 99.0),
    "held": ("Returned", 18.0),
    "invisible": ("Returned", 44.0),
}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_story_can_be_played_to_its_end(story: Story) -> None:
    """Every step does what the file says, is refused exactly where it says so, and the month ends as the story has it."""
    player = Player(opened(), story)
    for step, refused in player.play():
        assert refused == step.refused, step
    bill = player.bill("2026-03")
    assert (bill["Status__c"], bill["Amount_Open__c"]) == ENDS[story.name]


def test_a_returned_debit_is_counted_and_dated() -> None:
    """The loyal client's month was tried twice, the second time on 20 March."""
    player = Player(opened(), next(one for one in STORIES if one.name == "loyal-first-return"))
    steps = player.play()
    for _ in range(3):
        next(steps)
    returned = player.bill("2026-03")
    assert (returned["Status__c"], returned["Return_Code__c"], returned["Amount_Open__c"]) == ("Returned", "0", 48.0)
    next(steps)
    again = player.bill("2026-03")
    assert (again["Status__c"], again["Collection_Tries__c"], again["Last_Tried_On__c"]) == ("In Collection", 2.0, "2026-03-20")


def test_half_the_money_leaves_half_open() -> None:
    """A part paid: Partly Paid, the rest stays open and overdue."""
    player = Player(opened(), next(one for one in STORIES if one.name == "half-paid"))
    next(player.play())
    half = player.bill("2026-03")
    assert (half["Status__c"], half["Amount_Open__c"], half["Days_Overdue__c"]) == ("Partly Paid", 22.0, 5.0)


def test_stories_keep_the_format_of_all_worlds() -> None:
    """At least five stories, in one stretch of time, at least one of them with a careless write that is refused."""
    book = read_book()
    moments = [step.at for story in book.stories for step in story.steps]
    assert len(book.stories) >= 5
    assert book.starts <= min(moments)
    assert max(moments) < book.ends
    assert {step.refused for story in book.stories for step in story.steps} == {None, RULE}
