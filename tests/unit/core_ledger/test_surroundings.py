"""Holds, cases, contacts, promises, runs and what the org shows."""

from datetime import date

import pytest

from connector.core.frames import Run
from connector.core.ledger import assess
from connector.core.words import HoldCause, Kind
from tests.unit.core_ledger.build import AMSTERDAM, NOW, Table, at, claim, day, paid, position, snap


def test_a_hold_of_several_rows_is_one_hold() -> None:
    """One row per installment comes back as one hold naming both; one without any covers all."""
    rows = [{"id": "h", "payer": "p", "cause": "dispute", "installment": name} for name in ("b", "a")]
    found = position(holds=[*rows, {"payer": "p", "cause": "manual", "until": "2026-04-01"}]).holds
    assert [(one.cause, one.installments) for one in found] == [(HoldCause.DISPUTE, ("a", "b")), (HoldCause.MANUAL, ())]


def test_a_hold_of_an_unknown_cause_is_an_error() -> None:
    """A hold is never dropped because its word is not understood."""
    with pytest.raises(ValueError, match="grief"):
        position(holds=[{"payer": "p", "cause": "grief"}])


def test_unfinished_follow_ups_are_shown_and_finished_ones_are_never_made_again() -> None:
    """Done and Cancelled are over; a superseded one may come back; a contact made under a key is done."""
    rows = [
        {"payer": "p", "key": key, "kind": "remind", "status": key, "at": at("03-21")}
        for key in ("Planned", "Withheld", "Done", "Superseded", "Cancelled")
    ]
    found = position(follow_ups=rows, contacts=[{"payer": "p", "at": at("03-01"), "key": "made"}])
    assert {key: (one.kind, one.withheld) for key, one in found.shown.items()} == {
        "Planned": (Kind.REMIND, False),
        "Withheld": (Kind.REMIND, True),
    }
    assert found.finished == {"Done", "Cancelled", "made"}


def test_shadow_follow_ups_are_read_by_no_decision() -> None:
    """Shadow mode leaves no trace in what is done for real."""
    row = {"payer": "p", "key": "shadow-x", "kind": "remind", "status": "Done"}
    found = position(follow_ups=[row], contacts=[{"payer": "p", "at": at("03-01"), "key": "shadow-y"}])
    assert (found.finished, found.shown, found.contacts) == (frozenset(), {}, ())


def test_things_stand_oldest_first() -> None:
    """Contacts, promises and cases are read in the order they happened."""
    found = position(
        contacts=[{"payer": "p", "at": at(one)} for one in ("03-02", "03-01")],
        promises=[{"payer": "p", "on": one} for one in ("2026-04-02", "2026-04-01")],
        cases=[{"id": one, "payer": "p", "opened_at": at(one)} for one in ("03-02", "03-01")],
    )
    assert [one.at for one in found.contacts] == [at("03-01"), at("03-02")]
    assert [str(one.on) for one in found.promises] == ["2026-04-01", "2026-04-02"]
    assert [one.id for one in found.cases] == ["03-01", "03-02"]


def test_no_runs_planned_is_not_the_same_as_not_collecting_by_schedule() -> None:
    """None lets a retry fall on any lawful day; empty lets it fall on none."""
    late, soon = Run("sepa_core", date(2026, 4, 1)), Run(None, date(2026, 3, 25))
    given = {runs: assess(snap(runs=runs), Table(), NOW, AMSTERDAM)["p"].runs for runs in (None, (), (late, soon))}
    assert (given[None], given[()]) == (None, ())
    assert [one.on.day for one in given[late, soon] or ()] == [25, 1]


PLAN = {
    "id": "p",
    "plan_state": "kept",
    "plan_id": "plan",
    "plan_starts_on": day("02-01"),
    "plan_ends_on": day("06-01"),
    "plan_installments": "jan feb",
}


def test_a_plan_stands_as_its_parts_stand():
    """Missed when a part is late, over when all it lists is settled, and as people left it where that cannot be known."""
    parts = [claim("jan"), claim("feb", "02-05", status="Failed")]
    assert position(payers=[PLAN], installments=parts).plan.state == "missed"
    assert position(payers=[PLAN | {"missing": "mar"}], installments=parts).plan.state == "kept"
    money = [
        paid("one", "collected", at("02-20"), "jan"),
        paid("two", "collected", at("03-18"), "feb"),
        paid("no", "failed", at("03-17"), "feb"),
    ]
    assert position(payers=[PLAN], installments=parts, payments=money).plan is None
    early = position(payers=[PLAN], installments=[claim("jan", status="Failed"), claim("feb", "04-05")]).plan
    assert (early.state, early.starts_on.isoformat(), early.installments) == ("kept", "2026-02-01", ("jan", "feb"))
