"""A few days in a small town: every kind of outcome, and people who work beside Dunwell. Played the same way every time.

Must not judge. Invariant: what people do, they do once, and to the record they mean, however often the daemon died meanwhile.
"""

from collections.abc import Callable
from datetime import timedelta

from tests.support.stage import Stage
from tests.support.town import NINE, Neighbour, money, outcome

NEIGHBOURS = (
    Neighbour("Ada"),
    Neighbour("Bas", rail="sepa"),
    Neighbour("Cor", rail="sepa"),
    Neighbour("Dora"),
    Neighbour("Eli", rail="sepa", amount="48.00"),
    Neighbour("Fay"),
    Neighbour("Gus"),
    Neighbour("Ivy", rail="sepa"),
    Neighbour("Jan", rail="bacs", kind="company", country="GB", amount="180.00"),
    Neighbour("Kim"),
    Neighbour("Lou", rail="sepa", complains=True),
    Neighbour("Max", country="DE"),
)
NO_MONEY = {"Reason_Code__c": "51", "Code_Set__c": "iso8583"}
NO_FUNDS = {"Reason_Code__c": "AM04", "Code_Set__c": "iso20022_return"}
MONDAY_TEN = NINE + timedelta(hours=1)
"""When the outcomes come in."""
WEDNESDAY_NOON = NINE + timedelta(days=2, hours=3)
"""The reminders' time has come."""
FRIDAY_TEN = NINE + timedelta(days=4, hours=1)
"""Late money, a chargeback and a closed case."""


class Colleagues:
    """People at work. Each deed is done once, as soon as there is a record to do it to."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._open: dict[str, Callable[[], bool]] = {
            "Ada's reminder is sent": lambda: self._task("Ada", "remind", {"Status": "Completed"}),
            "Bas's reminder is put in other words": lambda: self._task(
                "Bas", "remind", {"Subject": "Called Bas instead", "Description": "He pays on Friday.", "Priority": "High"}
            ),
            "Cor's reminder is thrown away": lambda: self._task("Cor", "remind", None),
            "Eli's review is done": lambda: self._task("Eli", "review", {"Status": "Completed"}),
        }

    def work(self) -> bool:
        """Do whatever can be done now. True = something was."""
        done = [name for name, deed in self._open.items() if deed()]
        for name in done:
            del self._open[name]
        return bool(done)

    @property
    def left(self) -> list[str]:
        """What could not be done yet."""
        return list(self._open)

    def _task(self, name: str, kind: str, fields: dict[str, object] | None) -> bool:
        stage = self._stage
        payer = stage.town.payers[name]
        found = stage.query(f"SELECT Id FROM Task WHERE (WhoId = '{payer}' OR WhatId = '{payer}') AND Dunwell_Key__c LIKE '{kind}-%'")
        for one in found:
            if fields is None:
                stage.delete("Task", one["Id"])
            else:
                stage.update("Task", one["Id"], fields, by="admin")
        return bool(found)


def outcomes_come_in(stage: Stage) -> None:
    """Monday at ten: providers and the package report, twice and out of order."""
    town, at = stage.town, stage.now()
    failed = {"cpm__Status__c": "Failed", "cpm__Last_ReasonCode_Received__c": "51", "cpm__Last_Failure_Reason__c": "Insufficient funds"}
    for name in ("Ada", "Fay", "Kim"):
        stage.update("cpm__Installment__c", town.bill_id(name), failed)
    for name, code in (("Bas", "AM04"), ("Cor", "AM04"), ("Ivy", "AC04"), ("Jan", "0"), ("Lou", "AM04")):
        stage.update("cpm__Installment__c", town.bill_id(name), {**failed, "cpm__Last_ReasonCode_Received__c": code})
    stage.create("cpm__Payment__c", money(town.bill("Eli"), 48, at.date(), "eli-c1"))
    stage.create("cpm__Payment__c", money(town.bill("Eli", 1), -48, at.date(), "eli-r1", "MD06"))
    fay = outcome(town.bill("Fay"), "failed", at, "fay-1", **NO_MONEY)
    stage.publish(
        outcome(town.bill("Ada"), "failed", at, "ada-1", **NO_MONEY),
        outcome(town.bill("Bas"), "failed", at, "bas-1", **NO_FUNDS),
        outcome(town.bill("Dora"), "collected", at, "dora-1"),
        outcome(town.bill("Eli", 1), "reversed", at, "eli-r1", Reason_Code__c="MD06", Code_Set__c="iso20022_return"),
        fay,
        fay,
        outcome(town.bill("Gus"), "collected", at, "gus-2"),
        outcome(town.bill("Gus"), "failed", at - timedelta(hours=5), "gus-1", **NO_MONEY),
        outcome(town.bill("Ada"), "failed", at, "nobody-1", Installment__c="a07000000000404AAA", **NO_MONEY),
        outcome(town.bill("Ivy"), "failed", at, "ivy-1", Reason_Code__c="AC04", Code_Set__c="iso20022_return"),
        outcome(town.bill("Kim"), "failed", at, "kim-1", **NO_MONEY),
        outcome(town.bill("Max"), "collected", at, "max-1"),
        fay,
    )


def late_news_comes_in(stage: Stage) -> None:
    """Friday at ten: money after all, money taken back, and a complaint that is settled."""
    town, at = stage.town, stage.now()
    stage.publish(
        outcome(town.bill("Kim"), "collected", at, "kim-2"),
        outcome(town.bill("Max"), "charged_back", at, "max-2", Reason_Code__c="4837"),
    )
    (case,) = stage.query(f"SELECT Id FROM Case WHERE ContactId = '{town.payers['Lou']}'")
    stage.update("Case", case["Id"], {"Status": "Closed"}, by="case_owner")


def play(stage: Stage, rest: Callable[[], None], colleagues: Colleagues) -> None:
    """Play it all. ``rest`` waits until the daemon has done what it can, whatever happened to it meanwhile."""

    def settle() -> None:
        rest()
        colleagues.work()
        stage.later()
        rest()

    settle()
    for moment, news in ((MONDAY_TEN, outcomes_come_in), (WEDNESDAY_NOON, None), (FRIDAY_TEN, late_news_comes_in)):
        stage.together(lambda moment=moment, news=news: (stage.at(moment), news and news(stage)))
        settle()
