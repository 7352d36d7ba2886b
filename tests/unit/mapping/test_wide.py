"""Bulk CSV is read a column at a time, and says the same as if each record had come by REST; who is quiet would be decided with nothing."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.decide import decide
from connector.core.frames import SCHEMA, frame, snapshot, table
from connector.core.ledger import assess
from connector.core.money import LARGEST
from connector.core.quiet import quiet
from connector.core.words import ArrearsStatus
from connector.errors import PermanentError, TransientError
from connector.mapping import columns, own, queries, read, wide, wide_ledger
from connector.mapping.org import load_mapping
from connector.mapping.policy_folder import load_policies
from connector.mapping.reasons import load_reasons
from connector.mapping.rules import load_rules
from connector.mapping.touched import payers_in, touched
from connector.mapping.wide_cells import Cells
from connector.mapping.wide_csv import Pages, column, records

ROOT = Path(__file__).parents[3]
MAPPING = load_mapping(ROOT / "mappings", "findock")[0]
CATALOGUE = load_reasons(ROOT / "mappings" / "reasons")
POLICY = load_policies(ROOT / "mappings" / "policies", load_rules(ROOT / "mappings" / "rules"))["default"]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ZONE = MAPPING.creditor.time_zone
PAYERS = ("003000000000001AAA", "003000000000002AAA", "001000000000001AAA")
VIA = MAPPING.payments.installment_relation
READERS = {"installments": (columns.installments, wide.installments), "payments": (columns.payments, wide.payments)}


def fields(name):
    """Columns that the query for a long frame asks for."""
    (found,) = [one.soql for one in queries.for_payers(MAPPING, None, NOW) if one.name == name]
    return found.removeprefix("SELECT ").partition(" FROM ")[0].split(", ")


def as_csv(name, rows):
    """Records as Bulk API 2.0 writes them: every cell quoted, nothing for null, checkboxes in words, numbers as Java does."""
    out = io.StringIO(newline="")
    write = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow
    write(fields(name))
    for row in rows:
        cells = [read.field(row, path) for path in fields(name)]
        write(["" if one is None else str(one).lower() if isinstance(one, bool) else str(one) for one in cells])
    return out.getvalue().encode()


def bulk(name, rows):
    """The table of a download."""
    return Pages().table(as_csv(name, rows), len(rows))


def both(name, rows):
    """A long frame and what was refused, by REST and in bulk."""
    by_rest, in_bulk = READERS[name]
    said = {}
    one_way = columns.sound(by_rest, MAPPING, rows, lambda record, error: said.update({record["Id"]: str(error)}))
    cells = Cells(bulk(name, rows))
    other_way = table(name, in_bulk(MAPPING, cells))
    refused = {str(rows[row]["Id"]): why for row, why in cells.refused.items()}
    return table(name, one_way), other_way[~other_way["id"].isin([*refused])].reset_index(drop=True), said, refused


ids = st.integers(0, 5).map(lambda number: f"a0B00000000000{number}AAA")
payers = st.sampled_from([*PAYERS, None])
days = st.one_of(st.none(), st.integers(-400, 40).map(lambda off: (NOW + timedelta(days=off)).date().isoformat()))
words_of = st.sampled_from(["a", 'q"uo,te', "two\nlines", " spaced ", "NULL", "NaN", "#N/A", "é€😀", None])
amounts = st.one_of(
    st.integers(-9000, 9000).map(lambda minor: Decimal(minor).scaleb(-2)),
    st.sampled_from(
        [
            Decimal("3.5E8"),
            Decimal("100.0"),
            Decimal("0.0"),
            Decimal(LARGEST).scaleb(-2),
            Decimal("1E-7"),
            Decimal("40.005"),
            Decimal("1E15"),
            None,
        ]
    ),
)
currencies = st.sampled_from(["EUR", "EUR", "GBP", "JPY", "KWD", "XXQ", None])
moments = st.one_of(
    st.none(),
    st.sampled_from(
        ["2026-03-01T10:00:00.000Z", "2026-02-01T10:00:00.000+0000", "2026-03-01T00:30:00.123+02:00", "2026-03-01T10:00:00", "noon"]
    ),
)


@st.composite
def installments(draw):
    """Installments as the org sends them, most of them sound."""
    found = []
    for number in range(draw(st.integers(0, 6))):
        to = draw(payers)
        found.append({
            "Id": f"a0B00000000000{number}AAA", "cpm__Contact__c": to if to and to.startswith("003") else None,
            "cpm__Account__c": draw(st.sampled_from([PAYERS[2], None])) if to is None or to.startswith("003") else to,
            "cpm__Amount__c": draw(amounts), "CurrencyIsoCode": draw(currencies), "cpm__Original_Due_Date__c": draw(days),
            "cpm__Due_Date__c": draw(st.one_of(days, st.just("soon"))), "cpm__Status__c": draw(st.sampled_from(["New", "Failed", "Collected", "Cancelled", "Paid", None])),
            "Product__c": draw(words_of), "cpm__Payment_Method__c": draw(st.sampled_from(["Direct Debit", "iDEAL", "Cheque", None])),
            "cpm__Payment_Processor__c": draw(st.sampled_from(["PaymentHub-SEPA", "PaymentHub-Mollie", "?", None])), "cpm__Mandate__c": draw(words_of),
            "cpm__of_times_failed__c": draw(st.sampled_from([Decimal("2.0"), Decimal("0.0"), 3, None])), "cpm__Last_Failed_Date__c": draw(days),
            "Claim_Kind__c": draw(st.sampled_from(["gift", None])), "cpm__Last_ReasonCode_Received__c": draw(st.sampled_from(["AM04", None])),
        })  # fmt: skip
    return found


@st.composite
def payments(draw):
    """Payments as the org sends them, on installments, on none, and on some we do not know."""
    found = []
    for number in range(draw(st.integers(0, 6))):
        to = draw(payers)
        parent = {
            "cpm__Contact__c": to if to and to.startswith("003") else None,
            "cpm__Account__c": to if to and to.startswith("001") else None,
        }
        on_one = draw(st.booleans())
        found.append({
            "Id": f"a0P00000000000{number}AAA", "cpm__Installment__c": draw(ids) if on_one else None, VIA: parent if on_one else None,
            **({"cpm__Contact__c": None, "cpm__Account__c": None} if on_one else parent), "cpm__Amount__c": draw(amounts), "CurrencyIsoCode": draw(currencies),
            "cpm__Collection_Date__c": draw(days), "Paid_At__c": draw(moments), "Payer_Initiated__c": draw(st.booleans()),
            "cpm__Payment_Reference__c": draw(words_of), "cpm__Reversal_Reason_Code__c": draw(st.sampled_from(["MD06", None])),
            "cpm__Payment_Method__c": draw(st.sampled_from(["Direct Debit", "Cheque", None])), "cpm__Payment_Processor__c": None, "Dunwell_Key__c": None,
        })  # fmt: skip
    return found


@given(installments())
def test_installments_read_alike(rows):
    """Cells, types, and what is said of those that cannot be read."""
    one, other, said, refused = both("installments", rows)
    pd.testing.assert_frame_equal(one, other)
    assert refused == said


@given(payments())
def test_payments_read_alike(rows):
    """The same for money that moved."""
    one, other, said, refused = both("payments", rows)
    pd.testing.assert_frame_equal(one, other)
    assert refused == said


@st.composite
def attempts(draw):
    """Attempts on these installments."""
    return [
        {"Id": f"a0T00000000000{number}AAA", "Contact__c": draw(st.sampled_from(PAYERS[:2])), "Account__c": None, "Installment_Id__c": draw(ids),
         "Outcome__c": draw(st.sampled_from(["failed", "rejected", "pending", "returned", "collected"])),
         "Occurred_At__c": draw(st.sampled_from(["2026-03-01T10:00:00.000+0000", "2025-06-01T10:00:00.000+0000"]))}
        for number in range(draw(st.integers(0, 2)))
    ]  # fmt: skip


@st.composite
def plain(draw):
    """Installments that are paid, mostly: what most of a book looks like, with little things wrong."""
    claims, money = [], []
    for number in range(draw(st.integers(1, 4))):
        to, due = draw(st.sampled_from(PAYERS[:2])), draw(st.integers(-200, 20))
        on = (NOW + timedelta(days=due)).date().isoformat()
        claims.append({
            "Id": f"a0B00000000000{number}AAA", "cpm__Contact__c": to, "cpm__Account__c": None, "cpm__Amount__c": draw(st.sampled_from([Decimal("40.00"), Decimal("40.00"), Decimal("-10.00")])),
            "CurrencyIsoCode": "EUR", "cpm__Original_Due_Date__c": on, "cpm__Status__c": draw(st.sampled_from(["Collected", "Collected", "New", "Cancelled", "Failed"])),
            "cpm__Payment_Method__c": "Direct Debit", "cpm__of_times_failed__c": draw(st.sampled_from([None, None, Decimal("1.0")])),
            "cpm__Last_Failed_Date__c": draw(st.sampled_from([None, on])),
        })  # fmt: skip
        for part in draw(
            st.sampled_from(
                [
                    ("40.00",),
                    ("40.00",),
                    (),
                    ("20.00", "20.00"),
                    ("40.00", "-40.00"),
                    ("40.00", "40.00"),
                    ("30.00",),
                    ("39.99", "0.01"),
                    ("40.00", "-40.00", "40.00"),
                    ("15.00", "25.00", "-40.00", "40.00"),
                    ("40.00", "-15.00", "15.00", "-40.00", "40.00"),
                    ("30.00", "-40.00", "50.00"),
                ]
            )
        ):
            reference = draw(st.sampled_from(["R1", f"R{len(money)}", f"R{len(money)}", None]))
            came_on = (NOW + timedelta(days=due + draw(st.integers(0, 9)))).date().isoformat()
            money.append({
                "Id": f"a0P00000000000{len(money)}AAA", "cpm__Installment__c": claims[-1]["Id"], VIA: {"cpm__Contact__c": to, "cpm__Account__c": None},
                "cpm__Contact__c": None, "cpm__Account__c": None, "cpm__Amount__c": Decimal(part), "CurrencyIsoCode": draw(st.sampled_from(["EUR", "EUR", "GBP"])),
                "cpm__Collection_Date__c": came_on, "Payer_Initiated__c": False, "cpm__Payment_Reference__c": reference,
                "cpm__Reversal_Reason_Code__c": draw(st.sampled_from([None, "MD06"])), "cpm__Payment_Method__c": draw(st.sampled_from(["Direct Debit", "Direct Debit", "iDEAL"])),
            })  # fmt: skip
    return claims, money, draw(attempts())


@given(plain())
def test_whoever_is_quiet_is_decided_with_nothing(book):
    """The pass over everyone may leave them out; whoever has something is never left out."""
    claims, money, tries = book
    tables = {"installments": bulk("installments", claims), "payments": bulk("payments", money), "attempts": bulk("attempts", tries)}
    numbers = wide_ledger.numbers(MAPPING, tables, pa.array(PAYERS))
    calm = quiet(numbers.book, len(PAYERS), NOW, MAPPING.creditor.zone)
    wide_columns = {
        "installments": columns.installments(MAPPING, claims),
        "payments": columns.joined("payments", columns.payments(MAPPING, money), [read.attempt_row(MAPPING, one) for one in tries]),
    }
    facts = snapshot({"payers": [{"id": one, "kind": "person"} for one in PAYERS]}, wide_columns)
    for place, position in enumerate(assess(facts, CATALOGUE, NOW, ZONE).values()):
        decision = decide(position, POLICY, NOW)
        if calm[place]:
            assert (decision.arrears.status, decision.follow_ups, decision.withheld) == (ArrearsStatus.CLEAR, (), ())
            assert not position.settled
            assert not any(item.overdue or item.failures for item in position.open_items)


def test_a_book_that_is_paid_is_quiet():
    """Or the pass would save nothing: paid, paid long after a failure, cancelled, and due next week."""
    due = [("Collected", -60, 0), ("Collected", -90, 1), ("Cancelled", -30, 0), ("New", 7, 0)]
    claims = [
        {"Id": f"a0B00000000000{number}AAA", "cpm__Contact__c": PAYERS[0], "cpm__Amount__c": Decimal("40.00"), "CurrencyIsoCode": "EUR", "cpm__Status__c": status,
         "cpm__Original_Due_Date__c": (NOW + timedelta(days=day)).date().isoformat(), "cpm__of_times_failed__c": Decimal(failed),
         "cpm__Last_Failed_Date__c": (NOW + timedelta(days=day)).date().isoformat() if failed else None}
        for number, (status, day, failed) in enumerate(due)
    ]  # fmt: skip
    money = [
        {"Id": f"a0P00000000000{number}AAA", "cpm__Installment__c": claims[number]["Id"], VIA: {"cpm__Contact__c": PAYERS[0]}, "cpm__Amount__c": Decimal("40.00"),
         "CurrencyIsoCode": "EUR", "cpm__Collection_Date__c": (NOW + timedelta(days=due[number][1])).date().isoformat()}
        for number in (0, 1)
    ]  # fmt: skip
    numbers = wide_ledger.numbers(
        MAPPING,
        {"installments": bulk("installments", claims), "payments": bulk("payments", money), "attempts": bulk("attempts", [])},
        pa.array(PAYERS),
    )
    assert quiet(numbers.book, len(PAYERS), NOW, MAPPING.creditor.zone).tolist() == [True] * 3


def test_a_record_that_cannot_be_read_refuses_its_payer_alone():
    """By the record's id and the field."""
    claims = [
        {
            "Id": f"a0B00000000000{number}AAA",
            "cpm__Contact__c": PAYERS[number],
            "cpm__Amount__c": amount,
            "cpm__Original_Due_Date__c": "2026-03-02",
        }
        for number, amount in enumerate((Decimal("40.00"), None))
    ]
    numbers = wide_ledger.numbers(
        MAPPING,
        {"installments": bulk("installments", claims), "payments": bulk("payments", []), "attempts": bulk("attempts", [])},
        pa.array(PAYERS),
    )
    assert numbers.refused == {1: "record a0B000000000001AAA: cpm__Amount__c does not hold an amount"}


def test_amounts_of_several_currencies_in_many_chunks_keep_their_rows():
    """A million rows come in pieces; where a piece ends changes no amount."""
    rows = [
        {"Id": str(number), "cpm__Amount__c": Decimal(number), "CurrencyIsoCode": ("EUR", "JPY", "KWD")[number % 3]} for number in range(9)
    ]
    whole = bulk("payments", rows)
    cut = pa.concat_tables([whole.slice(0, 2), whole.slice(2, 5), whole.slice(7)])
    for one in (whole, cut):
        cells = Cells(one)
        assert cells.money("cpm__Amount__c", cells.text("CurrencyIsoCode")).tolist() == [
            number * (100, 1, 1000)[number % 3] for number in range(9)
        ]


def test_a_page_with_rows_missing_is_no_page():
    """Fewer rows than announced are never taken for all of them; half a cell is no table."""
    body = as_csv("payments", [{"Id": "1"}, {"Id": "2"}])
    with pytest.raises(TransientError):
        Pages().table(body, 3)
    with pytest.raises(TransientError):
        Pages().table(body[: len(body) - 40], 2)


def test_small_tables_become_records_as_rest_gives_them():
    """Parents nest, checkboxes are true or false, an empty cell is None."""
    found = Pages().table(b'"Id","IsClosed","A__r.B__r.C__c"\n"1","true","x"\n"2","false",""\n', 2)
    assert records(found, {"IsClosed"}) == [
        {"Id": "1", "IsClosed": True, "A__r": {"B__r": {"C__c": "x"}}},
        {"Id": "2", "IsClosed": False, "A__r": {"B__r": {"C__c": None}}},
    ]


def test_a_column_the_query_did_not_bring_is_an_error():
    """A hidden column must not read as empty."""
    with pytest.raises(PermanentError, match="Missing__c"):
        column(bulk("payments", []), "Missing__c")


def test_the_empty_frame_is_the_declared_one():
    """No rows, all columns, the same types."""
    for name, (_, in_bulk) in READERS.items():
        pd.testing.assert_frame_equal(table(name, in_bulk(MAPPING, Cells(bulk(name, [])))), frame(name, []), check_index_type=False)
        assert set(table(name, {}).columns) == set(SCHEMA[name])
    assert own.KEY in fields("payments")


def test_whatever_a_decision_rests_on_counts_when_somebody_touches_it():
    """Every object that is loaded is asked about again before the write; a collection run is nobody's."""
    loaded = {one.soql.partition(" FROM ")[2].split()[0] for one in queries.for_payers(MAPPING, None, NOW) if one.name != "runs"}
    assert {one.name for one in touched(MAPPING, NOW)} == loaded
    assert payers_in(MAPPING, MAPPING.payments.object, [{VIA: {"cpm__Contact__c": PAYERS[0]}, "cpm__Account__c": PAYERS[2]}]) == {
        PAYERS[0],
        PAYERS[2],
    }
    assert payers_in(MAPPING, "Contact", [{"Id": PAYERS[1]}]) == {PAYERS[1]}
