"""The long frames are read column by column, and say the same as if each record were read by itself."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connector.core.frames import SCHEMA, frame, table
from connector.core.words import Outcome
from connector.errors import PermanentError
from connector.mapping import columns
from connector.mapping.org import load_mapping

ROOT = Path(__file__).parents[3]
PERSON, COMPANY = "003000000000001AAA", "001000000000001AAA"


@pytest.fixture(scope="module")
def mapping():
    """The shipped one."""
    return load_mapping(ROOT / "mappings", "findock")[0]


def installment(number=1, **fields):
    """An installment as the org sends it."""
    return {
        "Id": f"a0B{number:012d}AAA", "cpm__Contact__c": PERSON, "cpm__Account__c": None, "cpm__Amount__c": Decimal("40.00"),
        "CurrencyIsoCode": "EUR", "cpm__Due_Date__c": "2026-03-20", "cpm__Original_Due_Date__c": "2026-03-02", **fields,
    }  # fmt: skip


def payment(number=1, **fields):
    """A payment as the org sends it."""
    return {
        "Id": f"a0P{number:012d}AAA", "cpm__Installment__c": "a0B", "cpm__Installment__r": {"cpm__Contact__c": PERSON, "cpm__Account__c": None},
        "cpm__Contact__c": None, "cpm__Account__c": None, "cpm__Amount__c": Decimal("40.00"), "CurrencyIsoCode": "EUR",
        "cpm__Collection_Date__c": "2026-03-02", "Paid_At__c": None, "Payer_Initiated__c": False, **fields,
    }  # fmt: skip


def refused(reading, mapping, records):
    """What can be read of records, and the ids of the others with what was said of them."""
    said = {}
    found = columns.sound(reading, mapping, records, lambda record, error: said.update({record["Id"]: str(error)}))
    return found, said


def test_one_broken_record_among_many_is_named_and_the_others_are_read(mapping):
    """One bad record parks one payer; its neighbours lose nothing, not even their order."""
    records = [installment(number) for number in range(20)]
    records[7] = installment(7, cpm__Amount__c=None)
    records[13] = installment(13, cpm__Original_Due_Date__c="soon")
    found, said = refused(columns.installments, mapping, records)
    assert found["id"] == [one["Id"] for number, one in enumerate(records) if number not in (7, 13)]
    assert {name: len(values) for name, values in found.items()} == dict.fromkeys(found, 18)
    assert [*said] == [records[7]["Id"], records[13]["Id"]]
    assert "cpm__Amount__c" in said[records[7]["Id"]]
    assert "cpm__Original_Due_Date__c" in said[records[13]["Id"]]


@pytest.mark.parametrize("amount", [Decimal("1.005"), "forty", Decimal("NaN"), "sNaN", None, Decimal("1E+30")])
def test_an_amount_that_is_none_is_refused_however_it_is_written(mapping, amount):
    """No record slips into the books with an amount that nobody can mean."""
    for reading, record in ((columns.installments, installment), (columns.payments, payment)):
        found, said = refused(reading, mapping, [record(1), record(2, cpm__Amount__c=amount)])
        assert (found["amount_minor"], [*said]) == ([4000], [record(2)["Id"]])


def test_nothing_at_all_gives_empty_columns(mapping):
    """A payer without installments is no special case."""
    assert all(values == [] for reading in (columns.installments, columns.payments) for values in reading(mapping, []).values())


def test_a_field_the_org_left_out_reads_as_empty(mapping):
    """An answer with fewer fields than were asked for loses a value, never a record."""
    found = columns.installments(mapping, [installment(1, Product__c="Green electricity"), installment(2)])
    assert (found["product"], found["mandate"], found["times_failed"]) == (["Green electricity", None], [None, None], [None, None])


def test_texts_are_words_or_nothing(mapping):
    """A number in a text field is its digits; an empty text is nothing."""
    records = [installment(1, cpm__Mandate__c=17), installment(2, cpm__Mandate__c=""), installment(3, cpm__Mandate__c="M")]
    assert columns.installments(mapping, records)["mandate"] == ["17", None, "M"]


def test_a_payment_belongs_to_the_payer_of_its_installment_first(mapping):
    """Who owes is said by the installment; only without one does the payment speak for itself."""
    nobody = {"cpm__Contact__c": None, "cpm__Account__c": None}
    records = [
        payment(1, cpm__Contact__c="003other"),
        payment(2, cpm__Installment__r={"cpm__Contact__c": None, "cpm__Account__c": COMPANY}),
        payment(3, cpm__Installment__r=None, cpm__Contact__c="003own"),
        payment(4, cpm__Installment__r=nobody, cpm__Account__c=COMPANY),
        payment(5, cpm__Installment__r=None),
    ]
    assert columns.payments(mapping, records)["payer"] == [PERSON, COMPANY, "003own", COMPANY, None]


def test_a_payment_has_its_own_time_or_the_midnight_of_its_day(mapping):
    """Only who paid at a known time paid by themselves."""
    records = [
        payment(1, Paid_At__c="2026-03-02T18:30:00.000+0000", Payer_Initiated__c=True),
        payment(2, Payer_Initiated__c=True),
        payment(3, cpm__Collection_Date__c=None),
    ]
    found = columns.payments(mapping, records)
    assert found["at"] == [datetime(2026, 3, 2, 18, 30, tzinfo=UTC), datetime(2026, 3, 1, 23, tzinfo=UTC), None]
    assert found["payer_initiated"] == [True, False, False]


def test_leaving_payers_out_keeps_the_columns_in_step(mapping):
    """A parked payer takes their rows along, and nobody else's."""
    found = columns.without(columns.installments(mapping, [installment(1), installment(2, cpm__Contact__c="003x")]), {PERSON: "why"})
    assert (found["id"], found["payer"], found["due_on"]) == ([installment(2)["Id"]], ["003x"], [date(2026, 3, 2)])


def test_attempts_stand_behind_payments_in_the_same_columns(mapping):
    """Money that moved and tries that moved none are one frame."""
    found = columns.joined(
        "payments", columns.payments(mapping, [payment(1)]), [{"id": "x", "outcome": Outcome.FAILED, "code_set": "iso8583"}]
    )
    assert set(found) == set(SCHEMA["payments"])
    assert (found["id"][1], found["outcome"], found["code_set"]) == ("x", [Outcome.COLLECTED, Outcome.FAILED], [None, "iso8583"])


def test_columns_and_rows_give_the_same_frame(mapping):
    """There are two ways in and one frame."""
    found = columns.payments(
        mapping, [payment(1), payment(2, Paid_At__c="2026-03-02T18:30:00.000+0000"), payment(3, cpm__Collection_Date__c=None)]
    )
    rows = [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]
    assert table("payments", found).equals(frame("payments", rows))


def test_a_column_the_schema_does_not_know_is_refused():
    """A misspelt column is not silently empty."""
    with pytest.raises(KeyError, match="unknown column amount"):
        table("payments", {"amount": [1]})


def test_an_unreadable_column_names_the_first_record_it_fails_on(mapping):
    """An admin can open the record."""
    with pytest.raises(PermanentError, match=r"a0B000000000002AAA: cpm__Last_Failed_Date__c"):
        columns.installments(mapping, [installment(1), installment(2, cpm__Last_Failed_Date__c="yesterday")])
