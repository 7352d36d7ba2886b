"""In bulk as by REST the same installments are named whose open amount is not what their payments say."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from connector.core.findings import counter
from connector.mapping import findings, wide_ledger
from connector.mapping.wide_counters import uneven
from tests.unit.mapping.test_wide import MAPPING, NOW, PAYERS, VIA, bulk

SINCE = findings.compared_since(MAPPING, NOW)
STAMP = "2026-03-01T10:00:00.000+0000"


@st.composite
def books(draw):
    """Installments with what they say is open, and payments on them."""
    claims, money = [], []
    for number in range(draw(st.integers(1, 5))):
        due = draw(st.sampled_from([SINCE, SINCE - timedelta(days=1), date(2026, 2, 1)]))
        claims.append({
            "Id": f"a0B00000000000{number}AAA", "cpm__Contact__c": PAYERS[0], "cpm__Account__c": None, "CurrencyIsoCode": draw(st.sampled_from(["EUR", "GBP"])),
            "cpm__Amount__c": draw(st.sampled_from([Decimal("40.00"), Decimal("40.00"), Decimal("-10.00")])),
            "cpm__Amount_Open__c": draw(st.sampled_from([Decimal("0.00"), Decimal("40.00"), Decimal("15.00"), None])),
            "cpm__Original_Due_Date__c": due.isoformat(), "cpm__Status__c": draw(st.sampled_from(["New", "Collected", "Cancelled"])), "SystemModstamp": STAMP,
        })  # fmt: skip
        for amount in draw(st.lists(st.sampled_from(["40.00", "25.00", "-40.00"]), max_size=3)):
            money.append({
                "Id": f"a0P00000000000{len(money)}AAA", "cpm__Installment__c": claims[-1]["Id"], VIA: {"cpm__Contact__c": PAYERS[0]},
                "cpm__Amount__c": Decimal(amount), "CurrencyIsoCode": claims[-1]["CurrencyIsoCode"], "cpm__Collection_Date__c": "2026-02-10",
                "cpm__Reversal_Reason_Code__c": draw(st.sampled_from(["MD06", None])), "SystemModstamp": STAMP,
            })  # fmt: skip
    money.append(
        {
            "Id": "a0P000000000099AAA",
            "cpm__Installment__c": None,
            "cpm__Contact__c": PAYERS[0],
            "cpm__Amount__c": Decimal("7.00"),
            "CurrencyIsoCode": "EUR",
        }
    )
    return claims, money


def in_bulk(claims, money, mapping=MAPPING):
    """What the tables name."""
    tables = {"installments": bulk("installments", claims), "payments": bulk("payments", money), "attempts": bulk("attempts", [])}
    return uneven(mapping, tables, wide_ledger.numbers(mapping, tables, pa.array(PAYERS)).book, SINCE)


@given(books())
def test_bulk_names_what_rest_names(book):
    """The same rules, whatever is written where."""
    claims, money = book
    compared = [one for one in claims if date.fromisoformat(one["cpm__Original_Due_Date__c"]) >= SINCE]
    by_rest = [one.record for one in findings.counted(MAPPING, compared, money) if counter(one) is not None]
    assert in_bulk(claims, money) == by_rest


def test_an_org_without_such_a_field_has_no_such_finding():
    """Nothing is compared where the mapping names nothing."""
    bare = MAPPING.model_copy(update={"findings": type(MAPPING.findings)()})
    claims = [
        {
            "Id": "a0B000000000001AAA",
            "cpm__Contact__c": PAYERS[0],
            "cpm__Amount__c": Decimal("40.00"),
            "cpm__Original_Due_Date__c": "2026-02-01",
        }
    ]
    assert in_bulk(claims, [], bare) == []


def test_money_in_another_currency_and_what_cannot_be_read_prove_nothing():
    """Only what can be added up is compared; one broken record hides no other."""
    claim = {
        "Id": "a0B000000000001AAA",
        "cpm__Amount__c": Decimal("40.00"),
        "cpm__Amount_Open__c": Decimal("40.00"),
        "CurrencyIsoCode": "EUR",
        "SystemModstamp": STAMP,
    }
    paid = {
        "Id": "a0P000000000001AAA",
        "cpm__Installment__c": claim["Id"],
        "cpm__Amount__c": Decimal("40.00"),
        "CurrencyIsoCode": "GBP",
        "SystemModstamp": STAMP,
    }
    assert findings.counted(MAPPING, [claim], [paid]) == []
    assert findings.counted(MAPPING, [claim | {"cpm__Amount__c": "40.005"}], []) == []
    (found,) = findings.counted(MAPPING, [claim | {"cpm__Amount__c": "forty"}, claim], [paid | {"CurrencyIsoCode": "EUR"}])
    assert (found.paid_minor, found.changed_at) == (4000, datetime(2026, 3, 1, 10, tzinfo=UTC))
