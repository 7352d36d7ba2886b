"""What is asked of an org is what the mapping names and the code uses: no more, no less."""

import inspect
import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connector.checks import needs
from connector.checks.written import records_money, written
from connector.core.matching import Candidate, Placement, Report
from connector.core.model import FollowUp
from connector.core.words import Channel, Kind, Tone
from connector.mapping import outcomes, own, queries, write
from connector.mapping.org import Mapping
from connector.pipeline import run_record
from tests.unit.checks.orgs import MAPPING, NEEDS, ROOT, SOURCE

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
UNUSED = {"description"}
"""Lines of a mapping that nothing reads or writes yet."""
NAMED = {(one.sobject, one.field) for one in NEEDS}
WRITTEN = written(MAPPING)


def names_in(value, path=()):
    """Every API name of a custom object or field below ``value``, with where it stands."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from names_in(below, (*path, key))
    elif isinstance(value, list):
        for at, below in enumerate(value):
            yield from names_in(below, (*path, at))
    elif isinstance(value, str) and re.fullmatch(r"\w+__[cr](\.\w+)?", value):
        yield path, value


def test_no_name_of_the_mapping_goes_unlooked():
    """Whatever object, field or relationship an admin writes, the org is asked for it."""
    told = {one.field for one in NEEDS} | {one.sobject for one in NEEDS} | {one.relation for one in NEEDS}
    unlooked = {path for path, name in names_in(SOURCE.data) if name not in told and path[-1] not in UNUSED | {"own_link"}}
    assert unlooked == set()


def test_a_need_knows_the_line_that_causes_it():
    """Each field that only the mapping names has its line, and the line holds the field's name."""
    lines = (ROOT / "mappings" / "findock.yaml").read_text(encoding="utf-8").splitlines()
    located = [one for one in NEEDS if one.location is not None]
    assert len(located) > 50
    for one in located:
        told = lines[SOURCE.place(one.location).line - 1]
        assert one.field in told or one.location[-1] in {"object", "installment_relation"}, (one, told)


def test_every_field_of_every_query_is_needed():
    """What is selected for one payer is what is looked for, whoever the payer is."""
    for query in queries.for_payers(MAPPING, ["003000000000001AAA", "001000000000001AAA"], NOW):
        fields, sobject = re.match(r"SELECT (.+?) FROM (\w+)", query.soql).groups()
        assert {(sobject, one.strip()) for one in fields.split(",")} <= NAMED


def test_each_field_is_asked_for_once():
    """Two lines that name one field are one need, with what both ask for."""
    assert len(NAMED) == len(NEEDS)
    (status,) = [one for one in NEEDS if (one.sobject, one.field) == ("cpm__Installment__c", "cpm__Status__c")]
    assert {value for value, _ in status.values} == {"Collected", "Paid", "Refunded", "Cancelled", "Pending recollection"}


def test_everything_that_is_written_is_written_down():
    """The fields the code sets and the list that permissions are held against never drift apart."""
    for sobject, table in ((own.FOLLOW_UP, write._FOLLOW_UP), (own.POSITION, write._POSITION)):
        assert set(table.values()) <= set(WRITTEN[sobject].made)
        assert set(table.values()) <= set(WRITTEN[sobject].changed)
    assert set(write._HOLD.values()) <= set(WRITTEN[own.HOLD].made)
    ran = {own.KEY, *re.findall(r'"(\w+__c)"', inspect.getsource(run_record))}
    assert ran == set(WRITTEN[own.RUN].made)


def a_report():
    """A report with everything in it."""
    return Report(
        event_uuid="u", received_at=NOW, version="1", provider="P", provider_reference="r", installment_id="a00000000000001AAA",
        installment_reference="i", outcome="failed", amount=Decimal(1), currency="EUR", occurred_at=NOW, scheme="card", code_set="s",
        reason_code="c", reason_text="t", reason_country="NL", advice_code="01", payer_initiated=True, problems=(),
    )  # fmt: skip


def test_attempts_payments_tasks_and_events_are_written_down():
    """As the records themselves come out of the mapping."""
    one = Candidate("a00000000000001AAA", "003000000000001AAA", "EUR", Decimal(1), "dunwell", "card", "P")
    placement = Placement("attempt", "k", "003000000000001AAA", one, Decimal(-1), parked="x")
    assert set(outcomes.attempt_record(MAPPING, placement, a_report(), "fraud")) <= set(WRITTEN[own.ATTEMPT].made)
    sobject, fields = outcomes.payment_record(MAPPING, placement, a_report())
    assert set(fields) <= set(WRITTEN[sobject].made)
    due = FollowUp(Kind.CALL, NOW, "k", ("a00000000000001AAA",), "r", ("x",), channel=Channel.CALL, tone=Tone.GENTLE, template="t")
    assert set(write.task(MAPPING, due, "003000000000001AAA", {"credit_manager": "00G"}, "words")) <= set(WRITTEN["Task"].made)
    assert set(write.decided_event(due, "003000000000001AAA", "a", "t")) <= set(WRITTEN[own.DECIDED_EVENT].made)


def test_payments_are_written_only_where_a_processor_leaves_them_to_dunwell():
    """An org whose package books everything needs no right to make payments, and no unique key on them."""
    booked = MAPPING.model_copy(update={"processors": {}})
    assert (records_money(MAPPING), records_money(booked)) == (True, False)
    assert MAPPING.payments.object not in written(booked)
    assert not any(one.unique for one in needs.needs(booked) if one.sobject == MAPPING.payments.object)


@pytest.mark.parametrize("left_out", ["runs", "currency", "retry"])
def test_what_a_mapping_leaves_out_is_not_looked_for(left_out):
    """A smaller mapping asks for less."""
    data = {**SOURCE.data, "findings": {}}
    if left_out == "runs":
        del data["runs"]
    else:
        data["installments"] = {name: value for name, value in data["installments"].items() if name != left_out}
    smaller = needs.needs(Mapping.model_validate(data))
    gone = {"runs": "cpm__Payment_Schedule__c", "currency": "CurrencyIsoCode", "retry": "Dunwell_Retry_Key__c"}[left_out]
    assert gone not in {one.field for one in smaller} | {one.sobject for one in smaller}
    assert len(smaller) < len(NEEDS)


def test_every_object_of_ours_must_be_seen_whole():
    """A record of Dunwell's that is hidden would be made again, or a hold overlooked."""
    assert {own.POSITION, own.FOLLOW_UP, own.ATTEMPT, own.HOLD, own.PROMISE, own.PLAN} <= set(needs.ledger(MAPPING))
    assert {"cpm__Installment__c", "cpm__Payment__c", "Contact", "Account", "Case"} <= set(needs.ledger(MAPPING))
    assert "Task" not in needs.ledger(MAPPING)
