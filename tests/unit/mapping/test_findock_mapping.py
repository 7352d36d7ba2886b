"""The findock mapping against the DX source it names, and records read through it."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connector.core.words import Outcome, Scheme
from connector.errors import ConfigError, PermanentError
from connector.mapping import columns, findings, outcomes, own, queries, read
from connector.mapping.org import load_mapping

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONTACT, ACCOUNT = "003000000000001AAA", "001000000000001AAA"
STANDARD = {
    "Id",
    "Name",
    "CurrencyIsoCode",
    "IsDeleted",
    "SystemModstamp",
    "CreatedDate",
    "WhoId",
    "WhatId",
    "Status",
    "IsClosed",
    "CompletedDateTime",
    "TaskSubtype",
    "Type",
    "Subject",
    "OwnerId",
    "ClosedDate",
    "ContactId",
    "AccountId",
    "MailingCountry",
    "BillingCountry",
    "HasOptedOutOfEmail",
    "DeveloperName",
    "Username",
    "IsActive",
}


@pytest.fixture
def mapping():
    """Load the shipped mapping."""
    return load_mapping(ROOT / "mappings", "findock")[0]


def deployed():
    """Collect every custom field of our DX source and the world's package, by object."""
    fields = {}
    for folder in (ROOT / "force-app", ROOT / "sandbox" / "worlds" / "findock" / "dx"):
        for file in folder.glob("**/objects/*/fields/*.field-meta.xml"):
            fields.setdefault(file.parents[1].name, set()).add(file.name.removesuffix(".field-meta.xml"))
    fields["Task"] = fields.get("Activity", set())
    return fields


def test_every_field_that_is_queried_exists_in_the_source(mapping):
    """A field named by the mapping or the code is deployed: nothing fails only in production."""
    known = deployed()
    wanted = [*queries.for_payers(mapping, [CONTACT, ACCOUNT], NOW), *queries.everyone(mapping, NOW), *queries.come_due(mapping, NOW)]
    wanted += [*findings.counters(mapping, NOW), *findings.counters(mapping, NOW, ["a0X000000000001AAA"]), *queries.newest_money(mapping)]
    wanted += [query for one in findings.questions(mapping, NOW) for query in (one.count, one.newest)]
    for query in wanted:
        sobject = re.search(r" FROM (\w+)", query.soql).group(1)
        names = set(re.findall(r"\b[A-Za-z]\w*__c\b", re.sub(r"'[^']*'|\w+__r\.\w+", "", query.soql))) - {sobject}
        assert names <= known.get(sobject, set()), (query.name, names - known.get(sobject, set()))


def test_every_name_of_our_own_exists_in_the_source():
    """connector/mapping/own.py and force-app/ never drift apart."""
    objects = {file.parent.name for file in (ROOT / "force-app").glob("**/objects/*/*.object-meta.xml")}
    names = {
        value
        for name, value in vars(own).items()
        if name.isupper() and isinstance(value, str) and value[0] != "/" and value.endswith(("__c", "__e"))
    } - {own.KEY, own.CALL_OUTCOME}
    assert names <= objects


def test_a_batch_of_two_hundred_payers_stays_within_the_platforms_limits(mapping):
    """200 payers make statements far below 100,000 characters, and not more than three composite calls."""
    payers = [f"003{n:012d}AAA" for n in range(120)] + [f"001{n:012d}AAA" for n in range(80)]
    wanted = queries.for_payers(mapping, payers, NOW)
    assert max(len(one.soql) for one in wanted) < 20_000
    assert len(wanted) <= 15


def test_values_are_quoted_wherever_they_come_from(mapping):
    """A reference is data, never SOQL."""
    (query,) = queries.known_installments(mapping, [], ["x' OR Name != '"])
    assert r"x\' OR Name != \'" in query.soql


def test_an_installment_belongs_to_the_first_payer_it_names(mapping):
    """A Contact owes although the record names its company too."""
    record = {"Id": "a0B", "cpm__Contact__c": CONTACT, "cpm__Account__c": ACCOUNT}
    assert read.payer_of(mapping, record) == CONTACT
    assert read.payer_of(mapping, {**record, "cpm__Contact__c": None}) == ACCOUNT


def test_ageing_counts_from_the_original_due_date(mapping):
    """A retry moves FinDock's due date; the debt is as old as it was."""
    record = {
        "Id": "a0B",
        "cpm__Contact__c": CONTACT,
        "cpm__Amount__c": Decimal("40.00"),
        "CurrencyIsoCode": "EUR",
        "cpm__Due_Date__c": "2026-03-20",
        "cpm__Original_Due_Date__c": "2026-03-02",
        "cpm__Payment_Method__c": "CreditCard",
    }
    row = columns.installments(mapping, [record])
    assert (row["due_on"], row["amount_minor"], row["scheme"]) == ([date(2026, 3, 2)], [4000], [Scheme.CARD])


@pytest.mark.parametrize(
    ("amount", "code", "outcome"),
    [("40.00", None, Outcome.COLLECTED), ("-40.00", "MD06", Outcome.REVERSED), ("-40.00", None, Outcome.REFUNDED)],
)
def test_findocks_cash_is_told_apart_by_sign_and_code(mapping, amount, code, outcome):
    """Negative with a reversal code was taken back; negative without one was given back by us."""
    record = {
        "Id": "a0P",
        "cpm__Amount__c": Decimal(amount),
        "cpm__Collection_Date__c": "2026-03-02",
        "cpm__Reversal_Reason_Code__c": code,
        "cpm__Installment__r": {"cpm__Contact__c": CONTACT},
    }
    row = columns.payments(mapping, [record])
    assert (row["outcome"], row["payer"], row["at"]) == ([outcome], [CONTACT], [datetime(2026, 3, 1, 23, tzinfo=UTC)])


@pytest.mark.parametrize(
    "broken",
    [
        {"cpm__Amount__c": None},
        {"cpm__Amount__c": "forty"},
        {"cpm__Original_Due_Date__c": "soon", "cpm__Due_Date__c": None},
        {"cpm__Original_Due_Date__c": None, "cpm__Due_Date__c": None},
        {"cpm__Amount__c": Decimal("1.005")},
    ],
)
def test_a_record_that_cannot_be_read_names_itself_and_its_field(mapping, broken):
    """One broken record parks one payer, and the admin can find it."""
    record = {
        "Id": "a0B000000000009AAA",
        "cpm__Contact__c": CONTACT,
        "cpm__Amount__c": Decimal("40.00"),
        "CurrencyIsoCode": "EUR",
        "cpm__Due_Date__c": "2026-03-20",
        "cpm__Original_Due_Date__c": "2026-03-02",
        **broken,
    }
    with pytest.raises(PermanentError, match=r"a0B000000000009AAA: cpm__"):
        columns.installments(mapping, [record])


def test_any_payload_at_all_becomes_a_report():
    """Nothing a provider sends breaks the reader; what is wrong is said."""
    report = outcomes.report(
        {
            "Amount__c": "a lot",
            "Installment__c": "../etc",
            "Occurred_At__c": "yesterday",
            "Reason_Text__c": "x" * 40_000,
            "Version__c": 7,
            "Unknown__c": [],
        },
        "uuid",
        NOW,
    )
    assert len(report.problems) == 3
    assert len(report.reason_text or "") == outcomes.TEXT_LIMIT
    assert report.version == "7"
    assert outcomes.report({}, "uuid", NOW).problems == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("time_zone: Europe/Amsterdam", "time_zone: Europe/Amsterdm", "findock.yaml:8: creditor.time_zone"),
        ("  object: cpm__Payment__c", "  objekt: cpm__Payment__c", "'objekt' is not known here; did you mean 'object'?"),
        ("records_money: dunwell", "records_money: nobody", "processors.Northwind Pay.records_money"),
        ("credit_manager: {queue: Dunwell_Credit_Managers}", "credit_manager: {}", "give either a queue or a username"),
        ("name: findock", "name: findock\nname: twice", "'name' is given twice"),
        ("country: NL", "country: Netherlands", "creditor.country"),
        ("creditor:", "creditor: [", "not YAML"),
    ],
)
def test_a_wrong_line_is_named_with_what_was_probably_meant(tmp_path, old, new, message):
    """An admin finds every fault by file and line."""
    text = (ROOT / "mappings" / "findock.yaml").read_text()
    assert old in text
    (tmp_path / "findock.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load_mapping(tmp_path, "findock")
    assert message in str(caught.value)


def test_a_missing_mapping_names_the_one_probably_meant():
    """A misspelt mapping name is told with the nearest there is."""
    with pytest.raises(ConfigError, match="did you mean 'findock'"):
        load_mapping(ROOT / "mappings", "findok")


def test_a_recollection_that_is_looked_for_is_one_the_mapping_knows(tmp_path):
    """What a recollection is stands under the retry: without it nothing can be looked for, and a path must lead to a checkbox."""
    text = (ROOT / "mappings" / "findock.yaml").read_text(encoding="utf-8")
    retry = text[text.index("  retry:\n") : text.index("# Cash only")]
    (tmp_path / "findock.yaml").write_text(text.replace(retry, "\n"), encoding="utf-8")
    with pytest.raises(ConfigError, match="needs installments"):
        load_mapping(tmp_path, "findock")
    (tmp_path / "findock.yaml").write_text(text.replace("cpm__Mandate__r.cpm__Active__c", "cpm__Mandate__c"), encoding="utf-8")
    with pytest.raises(ConfigError, match="is not a path"):
        load_mapping(tmp_path, "findock")
