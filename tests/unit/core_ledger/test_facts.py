"""FACTS.json in, a Decision out."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connector.core.facts import parse, read, render
from connector.core.facts_batch import positions
from connector.core.model import Arrears, Decision, FollowUp, Withheld
from connector.core.words import ArrearsStatus, Channel, Kind, Tone
from connector.errors import ConfigError
from tests.unit.core_ledger.build import AMSTERDAM, Table, at

JAN = {"id": "jan", "amount": "40.00", "currency": "EUR", "due_on": "2026-01-05"}


def element(**other: object) -> dict[str, object]:
    """One payer with January unpaid."""
    return {"now": "2026-03-20T09:00:00+01:00", "payer": {"id": "p"}, "installments": [JAN], **other}


def problems(**other: object) -> list[str]:
    """What is wrong with an element."""
    with pytest.raises(ConfigError) as caught:
        parse(element(**other), AMSTERDAM)
    return list(caught.value.problems)


def whole() -> dict[str, object]:
    """An element with every key of the format."""
    return element(
        policy="default",
        payer={
            "id": "p",
            "name": "Fictitious Person",
            "kind": "person",
            "customer_since": "2020-01-01",
            "country": "nl",
            "time_zone": AMSTERDAM,
            "phone_time_zone": AMSTERDAM,
            "language": "nl",
            "preferred_channel": "email",
            "contact_allowed": {"email": True, "sms": False, "call": None},
            "hold": {"cause": "manual", "until": "2026-04-01"},
            "holds": [{"cause": "dispute", "until": None}],
            "vulnerable": False,
            "segment": "gold",
            "value": 12,
            "risk": "low",
        },
        installments=[
            JAN
            | {
                "product": "gym",
                "claim_kind": "membership",
                "payment_method": "SEPA",
                "scheme": "sepa_core",
                "status": "Failed",
                "credential": "c",
                "mandate": "m",
            }
        ],
        payments=[
            {
                "id": "1",
                "installment": "jan",
                "amount": Decimal("40.00"),
                "at": "2026-01-05T03:00:00+01:00",
                "outcome": "failed",
                "scheme": "sepa_core",
                "code_set": "iso20022_return",
                "reason_code": "AM04",
                "reason_country": "NL",
                "advice_code": None,
                "payer_initiated": False,
            }
        ],
        cases=[
            {
                "id": "c",
                "status": "New",
                "is_closed": False,
                "type": "Complaint",
                "subject": "s",
                "opened_at": "2026-03-01T10:00:00Z",
                "owner": "o",
            }
        ],
        contacts=[{"at": "2026-03-01T10:00:00Z", "channel": "email", "kind": "remind", "key": "k", "conversation": False}],
        promises=[{"installment": "jan", "amount": "10.00", "on": "2026-03-25"}],
        plan={"id": "x", "state": "kept"},
        runs=[{"scheme": "sepa_core", "on": "2026-03-25"}],
        return_ratio={"overall": 0.12, "ach": {"administrative": "0.02"}},
        follow_ups=[{"key": "f", "kind": "retry", "status": "Planned", "at": "2026-03-25T07:00:00Z", "surfaced": True}],
    )


def test_every_key_of_the_format_reaches_the_position() -> None:
    """What the file says is what is judged, down to the last key."""
    (found,) = positions([parse(whole(), AMSTERDAM)], Table())
    (item,) = found.open_items
    assert (found.payer.country, found.payer.value, found.payer.allow_sms, found.payer.preferred_channel) == (
        "NL",
        "12",
        False,
        Channel.EMAIL,
    )
    assert (item.product, item.scheme, item.status, item.failures[0].reason.code) == ("gym", "sepa_core", "Failed", "AM04")
    assert [one.cause for one in found.holds] == ["dispute", "manual"]
    assert (found.cases[0].owner, found.contacts[0].key, found.promises[0].amount_minor) == ("o", "k", 1000)
    assert (found.plan and found.plan.state, found.runs and found.runs[0].on.day, dict(found.return_ratio)) == (
        "kept",
        25,
        {"ach.administrative": 0.02, "overall": 0.12},
    )
    assert found.shown["f"].surfaced


def test_only_now_payer_and_installments_are_needed() -> None:
    """Everything else may be left out."""
    (found,) = positions([parse(element(installments=[]), AMSTERDAM)], Table())
    assert (found.open_items, found.runs, found.failures_12m) == ((), None, 0)


def test_absent_and_null_mean_the_same() -> None:
    """A writer may name a key and know nothing."""
    full = whole()
    payer, installments = full["payer"], full["installments"]
    assert isinstance(payer, dict)
    assert isinstance(installments, list)
    nulls = {
        **dict.fromkeys(full),
        **element(payer={**dict.fromkeys(payer), "id": "p"}, installments=[{**dict.fromkeys(installments[0]), **JAN}]),
    }
    assert positions([parse(nulls, AMSTERDAM)], Table()) == positions([parse(element(), AMSTERDAM)], Table())


@pytest.mark.parametrize("written", ["9007199254740.93", '"9007199254740.93"'])
def test_an_amount_is_exact_as_text_and_as_a_number(written: str) -> None:
    """A number in JSON never passes through a float, which could not hold this one."""
    text = json.dumps(element(installments=[JAN | {"amount": 0}])).replace('"amount": 0', f'"amount": {written}')
    (one,), many = read(text)
    assert (parse(one, AMSTERDAM).rows["installments"][0]["amount_minor"], many) == (900719925474093, False)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"paymnts": []}, "paymnts: no such key; did you mean 'payments'?"),
        ({"payer": {"id": "p", "timezone": "x"}}, "payer.timezone: no such key; did you mean 'time_zone'?"),
        (
            {"payer": {"id": "p", "hold": {"cause": "disputed"}}},
            "payer.hold.cause: 'disputed' is not one of its words; did you mean 'dispute'?",
        ),
        ({"now": "2026-03-20T09:00:00"}, "now: needs an offset, such as 2026-03-02T09:00:00+01:00"),
        ({"now": None}, "now: a time is written 2026-03-02T09:00:00+01:00"),
        ({"installments": None}, "installments: must be a list"),
        ({"installments": [{"id": "a"}]}, "installments[0].amount: is needed"),
        ({"installments": [JAN | {"currency": "EUX"}]}, "installments[0].currency: 'EUX' is no currency of ISO 4217"),
        ({"installments": [JAN | {"amount": "40.005"}]}, "installments[0]: 40.005 has more decimals than EUR, which has 2"),
        ({"installments": [JAN | {"amount": "40,00"}]}, "installments[0].amount: an amount is a string or a number such as 40.00"),
        ({"installments": [JAN | {"amount": True}]}, "installments[0].amount: an amount is a string or a number such as 40.00"),
        (
            {"installments": [JAN | {"status": "failed"}]},
            "installments[0].status: 'failed' is not one of its words; did you mean 'Failed'?",
        ),
        ({"installments": [JAN, JAN | {"amount": "1"}]}, "installments[1].id: another installment has this id"),
        (
            {"payments": [{"installment": "jan", "outcome": "colected"}]},
            "payments[0].outcome: 'colected' is not one of its words; did you mean 'collected'?",
        ),
        (
            {"payments": [{"installment": "jna", "outcome": "failed"}]},
            "payments[0].installment: no installment of this file has this id; did you mean 'jan'?",
        ),
        ({"payments": [{"outcome": "collected"}]}, "payments[0].amount: is needed where no installment is named"),
        ({"promises": [{"installment": "feb", "on": "2026-03-25"}]}, "promises[0].installment: no installment of this file has this id"),
        ({"payer": {"id": "p", "time_zone": "Mars/Olympus"}}, "payer.time_zone: no IANA time zone such as Europe/Amsterdam"),
        ({"plan": {"state": "offred"}}, "plan.state: 'offred' is not one of its words; did you mean 'offered'?"),
        (
            {"follow_ups": [{"key": "k", "kind": "remnd", "status": "Done"}]},
            "follow_ups[0].kind: 'remnd' is not one of its words; did you mean 'remind'?",
        ),
    ],
)
def test_a_problem_names_its_path_and_what_was_probably_meant(wrong: dict[str, object], expected: str) -> None:
    """Who wrote the file finds the place without looking for it."""
    assert expected in problems(**wrong)


def test_all_problems_are_told_at_once() -> None:
    """Nobody should run it five times to find five mistakes."""
    assert len(problems(now="never", paymnts=[], installments=[JAN | {"currency": "EUX", "claim_kind": "loan"}])) == 4


def test_collected_money_that_is_negative_is_refused() -> None:
    """A sign error there would turn a payment into a debt."""
    (problem,) = problems(payments=[{"installment": "jan", "outcome": "collected", "amount": "-40.00"}])
    assert problem.startswith("payments[0].amount: collected money is positive")


def test_unplaced_money_of_no_certain_currency_is_refused() -> None:
    """With two currencies in the file, nobody knows which debt it settles."""
    two = [JAN, {**JAN, "id": "usd", "currency": "USD"}]
    (problem,) = problems(installments=two, payments=[{"outcome": "collected", "amount": "40"}])
    assert problem == "payments[0].currency: is needed, the installments are in EUR and USD"


@pytest.mark.parametrize("text", ["{", "[NaN]", "[" * 100_000])
def test_what_is_not_json_is_said_to_be_so(text: str) -> None:
    """A broken file is a problem of the file, not a crash."""
    with pytest.raises(ConfigError, match="not JSON"):
        read(text)


@pytest.mark.parametrize("wrong", [None, 3, "x", []])
def test_an_element_that_is_no_object_is_refused(wrong: object) -> None:
    """It is told, in its place."""
    with pytest.raises(ConfigError, match="must be an object"):
        parse(wrong, AMSTERDAM)


def test_a_day_alone_and_a_time_without_offset_are_the_creditors() -> None:
    """A file written by hand means local time."""
    rows = parse(
        element(payments=[{"installment": "jan", "outcome": "failed", "at": one} for one in ("2026-01-05", "2026-01-05T10:00:00")]),
        AMSTERDAM,
    ).rows
    assert [one["at"] for one in rows["payments"]] == [at("01-05", "00:00"), at("01-05", "10:00")]


def test_elements_are_worlds_of_their_own() -> None:
    """Ids repeat between elements and moments differ; each is judged as if alone."""
    paid = [{"id": "1", "installment": "jan", "amount": "40.00", "at": "2026-01-06T03:00:00Z", "outcome": "collected"}]
    elements = [
        element(),
        element(payments=paid, runs=[]),
        element(now="2026-01-02T09:00:00+01:00"),
        whole(),
        element(
            payer={"id": "q", "holds": [{"cause": "manual", "installments": ["jan"]}]},
            promises=[{"installment": "jan", "on": "2026-04-01"}],
        ),
    ]
    facts = [parse(one, AMSTERDAM) for one in elements]
    together = positions(facts, Table())
    assert together == [positions([one], Table())[0] for one in facts]
    assert [dict(one.overdue) for one in together] == [{"EUR": 4000}, {}, {}, {"EUR": 4000}, {"EUR": 4000}]
    assert (together[1].runs, together[4].holds[0].installments, together[4].promises[0].installment) == ((), ("jan",), "jan")


def test_a_decision_is_printed_as_the_format_says() -> None:
    """Readers of the output rely on every key, on text amounts and on times with an offset."""
    when = datetime(2026, 3, 21, 9, tzinfo=UTC)
    decision = Decision(
        payer="p",
        arrears=Arrears(ArrearsStatus.IN_ARREARS, {"USD": 0, "JPY": 500, "EUR": 4000}, date(2026, 1, 5), 74, 1, None),
        follow_ups=(
            FollowUp(
                Kind.REMIND,
                when,
                "remind-p",
                ("jan",),
                "rule",
                ("why",),
                channel=Channel.EMAIL,
                tone=Tone.GENTLE,
                template="t",
                assignee="credit_manager",
                subject="s",
            ),
        ),
        withheld=(Withheld(Kind.CALL, ("no_consent",), date(2026, 4, 1), "call-p"), Withheld(Kind.RETRY, ("no_run",), None, "r")),
        policy="default",
        policy_version="abc",
        category=None,
        why="w",
    )
    assert json.loads(json.dumps(render(decision))) == {
        "payer": "p",
        "arrears": {
            "status": "In Arrears",
            "amount": {"EUR": "40.00", "JPY": "500"},
            "since": "2026-01-05",
            "days_past_due": 74,
            "level": 1,
            "failures_12m": None,
        },
        "follow_ups": [
            {
                "kind": "remind",
                "at": "2026-03-21T09:00:00+00:00",
                "channel": "email",
                "tone": "gentle",
                "template": "t",
                "installments": ["jan"],
                "assignee": "credit_manager",
                "priority": "Normal",
                "subject": "s",
                "rule": "rule",
                "reasons": ["why"],
                "key": "remind-p",
            }
        ],
        "withheld": [
            {"kind": "call", "reasons": ["no_consent"], "until": "2026-04-01"},
            {"kind": "retry", "reasons": ["no_run"], "until": None},
        ],
        "policy": {"name": "default", "version": "abc"},
    }
