"""Rows loaded by column are what they would be row by row, and loading leaves the database as it found it."""

import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from sandbox.org import Clock, OrgError, bulk
from sandbox.org.ids import numbered, series
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.worlds import plain

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def opened(store: Path | None = None) -> Org:
    """An org of the plain world's objects with nobody in it."""
    return Org(load_schema(plain.DX), Clock(NOW), store=store)


def stored(org: Org, sobject: str, *fields: str) -> list[tuple[object, ...]]:
    """The rows as they are kept, in the order of their numbers."""
    return [*org._database.rows(f'SELECT {", ".join(fields)} FROM "{sobject}" ORDER BY "Id"')]


def test_what_is_not_given_is_the_default_and_null_is_not_false() -> None:
    """A missing key leaves the default; a null leaves the default as well, but for a checkbox it is false."""
    org = opened()
    given: list[dict[str, object]] = [{"Due_Date__c": "2026-01-01", "Amount__c": 1}, {"Due_Date__c": "2026-01-01", "Amount__c": 1}]
    given[0]["Status__c"] = None
    given[1]["Status__c"] = "Paid"
    org.bulk_load("Receivable__c", given)
    assert stored(org, "Receivable__c", "Status__c", "Collection_Tries__c") == [("Open", 0.0), ("Paid", 0.0)]


@pytest.mark.parametrize("order", [1, -1])
def test_true_and_one_are_not_mixed_up(order: int) -> None:
    """A text field takes 1 and refuses true, whichever of the two comes first."""
    with pytest.raises(OrgError):
        opened().bulk_load("Account", [{"Name": "A", "Site": 1}, {"Name": "B", "Site": True}][::order])
    org = opened()
    org.bulk_load("Account", [{"Name": "A", "Site": 1}, {"Name": "B", "Site": 1.5}, {"Name": "C", "Site": 1.0}])
    assert stored(org, "Account", "Site") == [("1",), ("1.5",), ("1.0",)]


def test_one_moment_in_two_zones_can_be_two_days() -> None:
    """Equal moments are not read as one value where only their days count."""
    org = opened()
    midnight = datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    days = [midnight, midnight.astimezone(UTC)]
    org.bulk_load("Contact", [{"LastName": "A", "Birthdate": day} for day in days])
    assert stored(org, "Contact", "Birthdate") == [("2026-01-01",), ("2025-12-31",)]


def test_keys_count_in_any_case() -> None:
    """Two rows may spell a field differently."""
    org = opened()
    org.bulk_load("Account", [{"name": "A", "SITE": "x"}, {"Name": "B", "Site": "y"}])
    assert stored(org, "Account", "Name", "Site") == [("A", "x"), ("B", "y")]


def test_ids_given_stay_and_others_count_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids come in the order of the rows, over the edges of portions too."""
    monkeypatch.setattr(bulk, "PORTION", 3)
    org = opened()
    own = numbered("001", 999)
    made = org.bulk_load("Account", [{"Name": f"A{n}"} for n in range(4)] + [{"Name": "own", "Id": own}] + [{"Name": "last"}])
    assert made == [*series("001", 1, 4), own, numbered("001", 6)]
    assert {name: record for record, name in stored(org, "Account", "Id", "Name")}["own"] == own


@pytest.mark.parametrize(("first", "many"), [(0, 3), (3840, 10), (62**3 - 2, 4000), (62**5 - 3, 8)])
def test_a_series_of_ids_is_the_ids_one_by_one(first: int, many: int) -> None:
    """Counting in a hurry gives the same ids, whichever letter turns over."""
    assert series("a0B", first, many) == [numbered("a0B", number) for number in range(first, first + many)]


def test_a_wrong_row_in_a_late_portion_undoes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading is all or nothing."""
    monkeypatch.setattr(bulk, "PORTION", 2)
    org = opened()
    with pytest.raises(OrgError, match="Name"):
        org.bulk_load("Account", [{"Name": "A"}, {"Name": "B"}, {"Name": "C"}, {"Name": None}])
    assert stored(org, "Account", "Id") == []


def test_every_missing_field_of_the_first_bad_row_is_named() -> None:
    """As the platform does, all of them at once."""
    with pytest.raises(OrgError) as refused:
        opened().bulk_load("Receivable__c", [{"Due_Date__c": "2026-01-01", "Amount__c": 1}, {"Course__c": "x"}])
    assert refused.value.code == "REQUIRED_FIELD_MISSING"
    assert set(refused.value.fields) == {"Due_Date__c", "Amount__c"}


def pragmas(org: Org) -> list[tuple[object, ...]]:
    """Settings and indexes."""
    run = org._database.connection.execute
    names = ("journal_mode", "synchronous", "temp_store", "cache_size", "threads")
    return [run(f"PRAGMA {name}").fetchone() for name in names] + sorted(
        run("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
    )


@pytest.mark.parametrize("fails", [False, True])
def test_filling_leaves_the_database_as_it_found_it(tmp_path: Path, fails: bool) -> None:
    """Whether it ended well or not, settings and indexes are as before, and rows are kept."""
    org = opened(tmp_path / "org.db")
    before = pragmas(org)
    assert len(before) > 50

    def fill() -> None:
        with org.filling():
            assert pragmas(org) != before
            org.bulk_load("Account", [{"Name": "A"}])
            if fails:
                raise KeyError("a fault of the world's")

    if fails:
        with pytest.raises(KeyError):
            fill()
    else:
        fill()
    assert pragmas(org) == before
    assert len(stored(org, "Account", "Id")) == 1
    org.close()


def test_a_unique_value_given_twice_while_filling_is_told_at_the_end() -> None:
    """The index that would have refused it comes later, but it comes."""
    org = opened()

    def twice() -> None:
        with org.filling():
            for _ in range(2):
                org.bulk_load("Receivable__c", [{"Due_Date__c": "2026-01-01", "Amount__c": 1, "Invoice_Number__c": "same"}])

    with pytest.raises(sqlite3.IntegrityError, match=r"Receivable__c\.Invoice_Number__c"):
        twice()
