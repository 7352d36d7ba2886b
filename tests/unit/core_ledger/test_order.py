"""Order and repetition of rows change nothing; a batch is its payers one by one."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.core.ledger import assess
from tests.unit.core_ledger.build import AMSTERDAM, NOW, Row, Table, at, claim, paid, position, snap

OUTCOMES = ("collected", "failed", "rejected", "returned", "reversed", "refunded", "charged_back", "pending")
DAYS = ("01-05", "01-06", "01-20", "02-05", "03-02", "03-15")


@st.composite
def movements(draw: st.DrawFn) -> list[Row]:
    """A handful of rows on three installments and on none."""
    rows = []
    for number in range(draw(st.integers(1, 7))):
        outcome = draw(st.sampled_from(OUTCOMES))
        sign = -1 if outcome in ("reversed", "refunded", "charged_back") or (outcome == "returned" and draw(st.booleans())) else 1
        rows.append(
            paid(
                f"m{number}",
                outcome,
                at(draw(st.sampled_from(DAYS)), draw(st.sampled_from(("00:00", "03:00", "10:30")))),
                draw(st.sampled_from(("jan", "feb", "note", None))),
                sign * draw(st.sampled_from((1000, 2500, 4000))),
                scheme=draw(st.sampled_from((None, "card", "sepa_core"))),
                reference=draw(st.sampled_from((None, "R1", "R2"))),
                reason_code=draw(st.sampled_from((None, "AM04", "TM01"))),
            )
        )
    return rows


CLAIMS = [claim(times_failed=1, last_failed_on="2026-01-05"), claim("feb", "02-05", status="Failed"), claim("note", "02-10", -1500)]


@settings(max_examples=40, deadline=None)
@given(rows=movements(), data=st.data())
def test_rows_out_of_order_and_told_twice_come_to_the_same(rows: list[Row], data: st.DataObject) -> None:
    """What is owed depends on what happened, not on how it was told."""
    again = data.draw(st.lists(st.sampled_from(rows), max_size=4))
    copies = [{**row, "id": f"copy{number}"} if row["reference"] and row["at"] is not None else row for number, row in enumerate(again)]
    shuffled = data.draw(st.permutations([*rows, *again, *copies]))
    assert position(data.draw(st.permutations(CLAIMS)), shuffled) == position(CLAIMS, rows)


@settings(max_examples=40, deadline=None)
@given(rows=movements())
def test_nobody_ever_owes_more_than_their_installments(rows: list[Row]) -> None:
    """Open is between nothing and the amount, and credit set off never exceeds what is open."""
    found = position(CLAIMS, rows)
    for item in found.open_items:
        assert 0 <= item.credit_minor < item.open_minor <= item.amount_minor
        assert item.paid_minor + item.open_minor == item.amount_minor
    overdue = sum(item.open_minor - item.credit_minor for item in found.open_items if item.overdue)
    assert sum(found.overdue.values()) == overdue
    assert all(minor > 0 for minor in (*found.overdue.values(), *found.credits.values()))


@settings(max_examples=15, deadline=None)
@given(people=st.lists(movements(), min_size=2, max_size=4))
def test_a_batch_gives_each_payer_what_they_would_get_alone(people: list[list[Row]]) -> None:
    """Nobody's money, failures or credits ever touch another payer."""
    payers, claims, rows = [], [], []
    for number, own in enumerate(people):
        payers.append({"id": f"p{number}"})
        claims += [{**one, "id": f"{one['id']}{number}", "payer": f"p{number}"} for one in CLAIMS]
        rows += [
            {
                **one,
                "id": f"{one['id']}/{number}",
                "payer": f"p{number}",
                "installment": one["installment"] and f"{one['installment']}{number}",
            }
            for one in own
        ]
    together = assess(snap(claims, rows, payers=payers), Table(), NOW, AMSTERDAM)
    for number in range(len(people)):
        who = f"p{number}"
        alone = assess(
            snap([one for one in claims if one["payer"] == who], [one for one in rows if one["payer"] == who], payers=[{"id": who}]),
            Table(),
            NOW,
            AMSTERDAM,
        )
        assert together[who] == alone[who]


def test_the_same_id_with_another_outcome_is_another_row() -> None:
    """A provider's id is pending first and collected later: both are told, the later one holds."""
    found = position([claim()], [paid("pi", "collected", at("03-18")), paid("pi", "pending", at("03-16"))])
    assert found.open_items == ()


def test_rows_of_somebody_who_is_not_in_the_snapshot_are_left_out() -> None:
    """An installment of a payer that was not loaded belongs to nobody here."""
    assert position([claim(), claim("x", payer="q")]) == replace(position([claim()]))
