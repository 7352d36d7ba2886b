"""What providers publish by mistake or malice: parked in the org in words an admin understands, the rest of the batch unharmed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from connector.mapping.own import OUTCOME_CHANNEL
from tests.support.picture import differences, made_twice, picture
from tests.support.scenario import MONDAY_TEN, NO_FUNDS, NO_MONEY
from tests.support.stage import Record, Stage, staged
from tests.support.town import Neighbour, outcome

NEIGHBOURS = (Neighbour("Ada"), Neighbour("Bas", rail="sepa"), Neighbour("Dora"), Neighbour("Eve"), Neighbour("Fay"))
GOSSIP = "Payer Xaverine Geheimnis, IBAN NL00TEST0123456789, is in hospital. "
LONG_TEXT = (GOSSIP * 500)[:30_000]
INJECTION = "x' OR cpm__Status__c != '') OR (Id != '"

BAD: Mapping[str, tuple[Mapping[str, object], str]] = {
    "unknown-installment": ({"Installment__c": "a07000000000404AAA"}, "no installment has this id or reference"),
    "no-installment": ({"Installment__c": None}, "the event names no installment"),
    "id-with-quotes": ({"Installment__c": "x' OR Id != '"}, "does not hold a record id"),
    "reference-with-soql": ({"Installment__c": None, "Installment_Reference__c": INJECTION}, "no installment has this id or reference"),
    "reference-with-backslash": (
        {"Installment__c": None, "Installment_Reference__c": "\\' \\\\ \n\t%_\u00e9\U0001f4b8"},
        "no installment has this id",
    ),
    "shared-reference": ({"Installment__c": None, "Installment_Reference__c": "SHARED"}, "2 installments have this reference"),
    "no-amount": ({"Amount__c": None}, "Amount__c is missing"),
    "zero-amount": ({"Amount__c": 0}, "Amount__c of 0"),
    "absurd-amount": ({"Amount__c": 9_999_999_999_999}, "cannot be right"),
    "negative-collection": ({"Outcome__c": "collected", "Amount__c": -40}, "negative for a collection"),
    "wrong-currency": ({"Currency__c": "USD"}, "Currency__c is USD, the installment is in EUR"),
    "no-currency-at-all": ({"Currency__c": "???"}, "the installment is in EUR"),
    "unknown-version": ({"Version__c": "7"}, "event version 7 is not understood"),
    "unknown-outcome": ({"Outcome__c": "exploded"}, "Outcome__c is not one of"),
    "unknown-scheme": ({"Scheme__c": "barter"}, "Scheme__c is not one of"),
    "unknown-code-set": ({"Code_Set__c": "runes"}, "Code_Set__c is not a known code set"),
    "from-the-future": ({"Occurred_At__c": "2031-01-01T00:00:00.000Z"}, "lies in the future"),
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A Monday on which good and bad reports came in together; tests only look at it."""
    with _after_monday(tmp_path_factory.mktemp("bad")) as one:
        yield one


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The same, for tests in which more is reported; each with references of its own."""
    with _after_monday(tmp_path_factory.mktemp("later")) as one:
        yield one


@contextmanager
def _after_monday(folder: Path) -> Iterator[Stage]:
    with staged(folder, NEIGHBOURS) as one:
        one.start()
        one.rest()
        one.together(lambda: _monday(one))
        one.rest(polled=True)
        yield one


def _monday(one: Stage) -> None:
    one.at(MONDAY_TEN)
    town, at = one.town, one.now()
    for back in (3, 4):
        one.update("cpm__Installment__c", town.bill_id("Eve", back), {"cpm__Custom_Payment_Reference__c": "SHARED"})
    failed = {"cpm__Status__c": "Failed", "cpm__Last_ReasonCode_Received__c": "51"}
    for name in ("Ada", "Bas"):
        one.update("cpm__Installment__c", town.bill_id(name), failed)
    good = [
        outcome(town.bill("Ada"), "failed", at, "ada-1", Reason_Text__c=LONG_TEXT, **NO_MONEY),
        outcome(town.bill("Bas"), "failed", at, "bas-1", **NO_FUNDS),
        outcome(town.bill("Dora"), "collected", at, "dora-1"),
    ]
    bad = [outcome(town.bill("Eve"), "failed", at, reference, **{**NO_MONEY, **wrong}) for reference, (wrong, _) in BAD.items()]
    odd = [
        outcome(
            town.bill("Fay"), "failed", at, "'; DROP TABLE Task; --" + "\u00e9" * 200, Reason_Code__c="<b>'51'</b>\\", Code_Set__c="iso8583"
        ),
        outcome(town.bill("Fay", 1), "failed", at - timedelta(days=1), "fay-1", **NO_MONEY),
        outcome(town.bill("Fay", 2), "failed", at - timedelta(days=1), "FAY-1", **NO_MONEY),
    ]
    mixed = [event for pair in zip(bad, [*good, *odd, *[None] * len(bad)], strict=False) for event in pair if event is not None]
    one.publish(*mixed)
    for number, payload in enumerate(
        ({}, {"Amount__c": {"value": 4}, "Outcome__c": ["failed"], "Version__c": 1, "Installment__c": 7, "Occurred_At__c": "soon"})
    ):
        one.box.log.append(OUTCOME_CHANNEL, payload, event_uuid=f"00000000-0000-4000-8000-00000000000{number}", at=at)


def attempts(stage: Stage, where: str) -> list[Record]:
    """Payment Attempts."""
    return stage.query(
        f"SELECT Status__c, Parked_Because__c, Reason_Text__c, Amount__c, Contact__c, Provider_Reference__c, Installment_Id__c FROM Dunwell_Attempt__c WHERE {where}"
    )


@pytest.mark.parametrize("reference", BAD)
def test_what_cannot_be_placed_is_parked_with_a_reason(stage: Stage, reference: str) -> None:
    """A report that makes no sense stands in the org as a Parked attempt that says what is wrong with it."""
    (found,) = attempts(stage, f"Provider_Reference__c = '{reference}'")
    assert found["Status__c"] == "Parked"
    assert BAD[reference][1] in found["Parked_Because__c"]
    assert not any(word in found["Parked_Because__c"] for word in ("Error", "Traceback", "None", "connector.")), "in an admin's words"


def test_payloads_that_are_no_reports_at_all_are_parked(stage: Stage) -> None:
    """An empty payload and one with values of the wrong kinds are kept like any other."""
    found = attempts(stage, "Event_Uuid__c LIKE '00000000-0000-4000-8000-%'")
    assert [one["Status__c"] for one in found] == ["Parked", "Parked"]
    assert all(one["Parked_Because__c"] for one in found)


def test_the_rest_of_the_batch_is_unharmed(stage: Stage) -> None:
    """Good reports between the bad ones are placed, booked and acted upon as ever."""
    placed = attempts(stage, "Provider_Reference__c IN ('ada-1', 'bas-1')")
    assert [one["Status__c"] for one in placed] == ["Placed", "Placed"]
    assert len(stage.query("SELECT Id FROM cpm__Payment__c WHERE cpm__Payment_Reference__c = 'dora-1' AND cpm__Amount__c = 40")) == 1
    for name in ("Ada", "Bas"):
        payer = stage.town.payers[name]
        assert stage.query(f"SELECT Id FROM Dunwell_Follow_Up__c WHERE Contact__c = '{payer}' AND Kind__c = 'remind'"), name
        assert stage.query(f"SELECT Id FROM Dunwell_Position__c WHERE Contact__c = '{payer}' AND Status__c = 'In Arrears'"), name


def test_a_long_reason_is_kept_in_full(stage: Stage) -> None:
    """Thirty thousand characters of a bank's prose fit where they belong."""
    (found,) = attempts(stage, "Provider_Reference__c = 'ada-1'")
    assert found["Reason_Text__c"].strip() == LONG_TEXT.strip()


def test_odd_but_sound_reports_are_placed(stage: Stage) -> None:
    """Quotes, markup and letters of any alphabet in a reference or a code are only text; upper and lower case are two references."""
    found = attempts(stage, f"Contact__c = '{stage.town.payers['Fay']}'")
    assert sorted((str(one["Provider_Reference__c"])[:5], one["Status__c"]) for one in found) == [
        ("'; DR", "Placed"),
        ("FAY-1", "Placed"),
        ("fay-1", "Placed"),
    ]


def test_nobody_is_treated_because_of_a_report_that_is_parked(stage: Stage) -> None:
    """A report that could not be placed starts nothing against its payer."""
    payer = stage.town.payers["Eve"]
    assert stage.query(f"SELECT Id FROM Task WHERE WhoId = '{payer}'") == []
    assert stage.query(f"SELECT Id FROM cpm__Payment__c WHERE cpm__Contact__c = '{payer}' AND Dunwell_Key__c != null") == []
    assert stage.query(f"SELECT Id FROM Dunwell_Position__c WHERE Contact__c = '{payer}' AND Status__c != 'Clear'") == []


def test_the_log_tells_nothing_of_a_payload_a_person_or_a_secret(stage: Stage) -> None:
    """Each parked report is one warning with its event's id; nothing in the log came from a payload."""
    daemon = stage.running()
    log = daemon.text() + daemon.errors()
    box = stage.box
    tokens = [
        box.client_secret,
        box.app.key_pem.splitlines()[1],
        box.org.org_id + "!",
        box.org.org_id[:15] + "!",
        "Bearer",
        str(box.key_file),
    ]
    people = ["Voorbeeld", "Xaverine", "hospital", "NL00TEST", "@example.com", "DROP TABLE", "runes", "exploded", "SHARED", INJECTION]
    assert [word for word in (*tokens, *people) if word in log] == []
    assert len(daemon.lines("outcome.parked")) == len(BAD) + 2
    assert {str(line["event"]) for line in stage.loud()} == {"outcome.parked"}
    assert not [line for line in daemon.lines() if "unlisted" in line or "text" in line]


def test_a_second_pass_leaves_it_at_that(stage: Stage) -> None:
    """What is parked stays parked until a person acts, and is not looked at as if it were new."""
    before = picture(stage)
    assert stage.reconcile()["changes"] == 0, "\n".join(differences(before, picture(stage)))
    assert made_twice(stage) == []
    assert stage.running().status()["parked_events"] == 0, "parked in the org, not in a store that may be lost"


def test_a_reference_used_for_two_installments_is_two_outcomes(later: Stage) -> None:
    """A provider that repeats its reference (of a batch file, say) for another installment loses nothing by it."""
    town = later.town
    later.publish(
        outcome(town.bill("Eve"), "failed", later.now(), "batch-7", **NO_MONEY),
        outcome(town.bill("Fay"), "failed", later.now(), "batch-7", **NO_MONEY),
        outcome(town.bill("Eve", 1), "collected", later.now(), "batch-8"),
        outcome(town.bill("Fay", 1), "collected", later.now(), "batch-8"),
    )
    later.rest()
    assert {one["Contact__c"] for one in attempts(later, "Provider_Reference__c = 'batch-7'")} == {town.payers["Eve"], town.payers["Fay"]}


def test_a_corrected_report_counts_although_the_wrong_one_is_parked(later: Stage) -> None:
    """A provider that publishes again with the right installment is heard, although its reference is known from the parked report."""
    town = later.town
    later.publish(outcome(town.bill("Dora", 1), "failed", later.now(), "unknown-installment", **NO_MONEY))
    later.rest()
    found = attempts(later, "Provider_Reference__c = 'unknown-installment' AND Status__c = 'Placed'")
    assert [one["Contact__c"] for one in found] == [town.payers["Dora"]]


@pytest.mark.parametrize("again_first", [False, True])
def test_an_outcome_reported_again_after_it_was_parked_counts_once(later: Stage, again_first: bool) -> None:
    """Placed by the nightly pass once its installment is there, or reported again before: one attempt names the installment, none stays parked."""
    town, reference = later.town, f"LATER-{again_first}"
    bill = town.bill_id("Fay", 5 + again_first)
    report = outcome(
        town.bill("Fay"), "failed", later.now(), reference, Installment__c=None, Installment_Reference__c=reference, **NO_MONEY
    )
    later.publish(report)
    later.rest()
    assert [one["Status__c"] for one in attempts(later, f"Provider_Reference__c = '{reference}'")] == ["Parked"]
    later.update("cpm__Installment__c", bill, {"cpm__Custom_Payment_Reference__c": reference})
    deeds = [later.reconcile, lambda: (later.publish(report), later.rest())]
    for deed in reversed(deeds) if again_first else deeds:
        deed()
    found = attempts(later, f"Provider_Reference__c = '{reference}'")
    assert {one["Status__c"] for one in found} == {"Placed"}
    assert [one["Installment_Id__c"] for one in found if one["Installment_Id__c"]] == [bill]
