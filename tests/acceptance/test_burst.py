"""A thousand payments fail at once, as on the day after a collection run: few calls, nobody forgotten."""

from datetime import timedelta
from pathlib import Path

from tests.support.picture import made_twice
from tests.support.scenario import MONDAY_TEN
from tests.support.stage import Record, Stage, staged_world
from tests.support.town import NINE, outcome

PAYERS = 1000
CALLS = 60
CODES = {"PaymentHub-SEPA": ("AM04", "iso20022_return"), "PaymentHub-Bacs": ("0", "bacs_arudd"), "Northwind Pay": ("51", "iso8583")}


def test_a_thousand_failures_cost_fewer_than_sixty_calls(tmp_path: Path) -> None:
    """1,000 failure events for 1,000 payers with 24 months of history each are placed, judged and answered in fewer than 60 API calls."""
    with staged_world(tmp_path, payers=PAYERS, DUNWELL_DEBOUNCE_SECONDS="1.0") as stage:
        bills = _one_bill_each(stage)
        assert len(bills) == PAYERS
        stage.together(lambda: _failed_long_ago(stage, bills))
        stage.start()
        stage.rest(seconds=120)
        stage.admin("stats/reset")
        before = int(str(stage.running().status()["api_calls"]))
        stage.together(lambda: _reported(stage, bills))
        stage.rest(seconds=120)
        stats = stage.admin("stats", method="GET")
        after = int(str(stage.running().status()["api_calls"]))

        assert isinstance(stats, dict)
        assert stats["api_calls"] < CALLS, stats["by_path"]
        assert after - before == stats["api_calls"], "the daemon counts what the org counts"
        assert len(stage.query("SELECT Id FROM Dunwell_Attempt__c WHERE Status__c = 'Placed'")) == PAYERS
        answered = {
            row["Contact__c"] or row["Account__c"] for row in stage.query("SELECT Contact__c, Account__c FROM Dunwell_Follow_Up__c")
        }
        assert len(answered) == PAYERS, "every failure is answered by something planned, done or withheld"
        assert made_twice(stage) == []
        assert stage.loud() == []


def _failed_long_ago(stage: Stage, bills: list[Record]) -> None:
    """The package knows, but it wrote so before the daemon's first poll looks: nothing but the events will tell."""
    stage.at(NINE - timedelta(days=10))
    for bill in bills:
        code, _ = CODES[str(bill["cpm__Payment_Processor__c"])]
        failed = {"cpm__Status__c": "Failed", "cpm__Last_ReasonCode_Received__c": code}
        due = {"cpm__Due_Date__c": "2026-03-02", "cpm__Original_Due_Date__c": "2026-03-02"}
        stage.update("cpm__Installment__c", bill["Id"], {**failed, **due})
    stage.at(NINE)


def _reported(stage: Stage, bills: list[Record]) -> None:
    stage.at(MONDAY_TEN)
    events = []
    for bill in bills:
        code, code_set = CODES[str(bill["cpm__Payment_Processor__c"])]
        events.append(outcome(bill, "failed", stage.now(), f"burst-{bill['Id']}", Reason_Code__c=code, Code_Set__c=code_set))
    stage.publish(*events)


def _one_bill_each(stage: Stage) -> list[Record]:
    """The first open installment of each payer."""
    fields = "Id, cpm__Contact__c, cpm__Account__c, cpm__Amount__c, CurrencyIsoCode, cpm__Payment_Processor__c"
    found: dict[str, Record] = {}
    for row in stage.query(
        f"SELECT {fields} FROM cpm__Installment__c WHERE cpm__Status__c IN ('New', 'Pending Processing') ORDER BY cpm__Due_Date__c"
    ):
        found.setdefault(str(row["cpm__Contact__c"] or row["cpm__Account__c"]), row)
    return [found[payer] for payer in sorted(found)]
