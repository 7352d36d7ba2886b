"""Polling: cursors that move only when told, an overlap for late commits, deletions, and no needless repeats."""

from datetime import UTC, datetime, timedelta

import pytest

from connector.errors import ConfigError, TransientError
from connector.salesforce.poll import Poller, PollQuery

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
INSTALLMENTS = PollQuery("installments", "SELECT Id, SystemModstamp, IsDeleted FROM I__c WHERE SystemModstamp >= {since}")
PAYMENTS = PollQuery("payments", "SELECT Id, SystemModstamp, IsDeleted FROM P__c WHERE SystemModstamp >= {since}")


def row(row_id, at, **fields):
    """A record as queries return it."""
    return {"Id": row_id, "SystemModstamp": f"{at:%Y-%m-%dT%H:%M:%S}.000+0000", "IsDeleted": False, **fields}


class Table:
    """Answers like the org: rows of an object stamped at or after ``since``, at the time of asking."""

    def __init__(self):
        self.rows: dict[str, list[dict]] = {"I__c": [], "P__c": []}
        self.asked: list[list[str]] = []
        self.all_rows: list[bool] = []
        self.failing = False

    def __call__(self, soqls, *, all_rows):
        """One answer per statement."""
        self.asked.append(list(soqls))
        self.all_rows.append(all_rows)
        if self.failing:
            raise TransientError("away")
        return [self._answer(soql) for soql in soqls]

    def _answer(self, soql):
        since = datetime.fromisoformat(soql.rpartition(" ")[2])
        name = soql.split("FROM ")[1].split()[0]
        return [row for row in self.rows[name] if datetime.fromisoformat(row["SystemModstamp"]) >= since]


class Texts(dict):
    """A cursor store."""

    def get_value(self, name):
        """As stored."""
        return self.get(name)

    def set_value(self, name, text):
        """Stored."""
        self[name] = text


def poller(table, texts=None, **more):
    """Two objects, five minutes of overlap."""
    return Poller(table, [INSTALLMENTS, PAYMENTS], Texts() if texts is None else texts, **more)


def ids(polled, name="installments"):
    """What came for one query."""
    return [record["Id"] for record in polled.records[name]]


def test_all_objects_are_asked_in_one_go_deleted_rows_included():
    """Few calls: the statements go together, to queryAll, with a literal the org understands."""
    table = Table()
    poller(table, lookback=timedelta(hours=1)).read(NOON)
    assert table.all_rows == [True]
    assert [soql.rpartition(" ")[2] for soql in table.asked[0]] == ["2026-03-02T11:00:00.000Z"] * 2


def test_nothing_moves_until_what_was_read_is_kept():
    """A crash between reading and marking due reads the same again."""
    table, texts = Table(), Texts()
    table.rows["I__c"] = [row("a", NOON - timedelta(minutes=1))]
    first = poller(table, texts)
    assert ids(first.read(NOON)) == ["a"]
    assert ids(first.read(NOON)) == ["a"]
    assert ids(poller(table, texts).read(NOON)) == ["a"]
    assert texts == {}


def test_a_row_kept_once_is_returned_again_only_when_it_changed():
    """The overlap is read every time, but payers are not looked at for nothing; the same second can hold two changes."""
    table = Table()
    table.rows["I__c"] = [row("b", NOON), row("a", NOON - timedelta(minutes=1), Status="Open")]
    watching = poller(table)
    polled = watching.read(NOON)
    assert ids(polled) == ["a", "b"]
    watching.keep(polled)
    again = watching.read(NOON + timedelta(minutes=1))
    assert not again
    watching.keep(again)
    table.rows["I__c"][1] = row("a", NOON - timedelta(minutes=1), Status="Failed")
    assert ids(watching.read(NOON + timedelta(minutes=2))) == ["a"]


def test_a_transaction_that_commits_late_is_found_by_the_overlap():
    """A row can become visible minutes after the time stamped on it."""
    table = Table()
    watching = poller(table)
    watching.keep(watching.read(NOON))
    table.rows["I__c"].append(row("late", NOON - timedelta(minutes=4)))
    assert ids(watching.read(NOON + timedelta(minutes=1))) == ["late"]


def test_a_deleted_row_comes_once_more():
    """Deletion moves the stamp; the caller sees IsDeleted and looks at the payer again."""
    table = Table()
    table.rows["I__c"] = [row("a", NOON)]
    watching = poller(table)
    watching.keep(watching.read(NOON))
    table.rows["I__c"] = [row("a", NOON + timedelta(minutes=1)) | {"IsDeleted": True}]
    polled = watching.read(NOON + timedelta(minutes=2))
    assert [record["IsDeleted"] for record in polled.records["installments"]] == [True]


def test_the_cursor_moves_with_time_even_when_nothing_happens():
    """Else one busy minute would be read again all night."""
    table = Table()
    table.rows["I__c"] = [row("a", NOON)]
    watching = poller(table)
    watching.keep(watching.read(NOON))
    watching.keep(watching.read(NOON + timedelta(hours=1)))
    table.asked.clear()
    watching.read(NOON + timedelta(hours=2))
    assert table.asked[0][0].endswith("2026-03-02T12:55:00.000Z")


def test_the_cursor_follows_the_org_when_our_clock_is_behind():
    """The newest stamp seen counts if it is later than our own now."""
    table = Table()
    table.rows["I__c"] = [row("a", NOON + timedelta(minutes=30))]
    watching = poller(table)
    watching.keep(watching.read(NOON))
    assert watching.cursor("installments") == NOON + timedelta(minutes=30)
    watching.keep(watching.read(NOON + timedelta(minutes=1)))
    assert watching.cursor("installments") == NOON + timedelta(minutes=30)


def test_a_failed_pass_leaves_everything_as_it_was():
    """The next one reads the same again."""
    table, texts = Table(), Texts()
    watching = poller(table, texts)
    watching.keep(watching.read(NOON))
    before = dict(texts)
    table.failing = True
    with pytest.raises(TransientError):
        watching.read(NOON + timedelta(minutes=1))
    assert texts == before


def test_after_a_gap_the_past_is_read_again_in_full():
    """Events were lost since then: rows returned before come again, and the cursor never jumps forward."""
    table = Table()
    table.rows["I__c"] = [row("a", NOON - timedelta(hours=2))]
    watching = poller(table)
    watching.keep(watching.read(NOON))
    watching.rewind("installments", NOON - timedelta(hours=3))
    watching.rewind("installments", NOON - timedelta(hours=1))
    assert ids(watching.read(NOON, ["installments"])) == ["a"]


def test_a_cursor_survives_a_restart():
    """It is text in the store."""
    table, texts = Table(), Texts()
    first = poller(table, texts)
    first.keep(first.read(NOON))
    poller(table, texts).read(NOON + timedelta(minutes=1))
    assert table.asked[-1][0].endswith("2026-03-02T11:55:00.000Z")


@pytest.mark.parametrize("soql", ["SELECT Id, SystemModstamp FROM X", "SELECT Id FROM X WHERE CreatedDate >= {since}"])
def test_a_query_that_cannot_be_polled_is_refused(soql):
    """At start, not in the first night."""
    with pytest.raises(ConfigError):
        PollQuery("x", soql)


@pytest.mark.parametrize("broken", [{"Id": "a"}, {"SystemModstamp": "2026-03-02T12:00:00.000+0000"}, {"Id": "a", "SystemModstamp": "now"}])
def test_rows_without_their_stamps_are_a_configuration_error(broken):
    """They could not be told apart from rows already seen."""
    table = Table()
    table._answer = lambda _soql: [broken]
    with pytest.raises(ConfigError):
        Poller(table, [INSTALLMENTS], Texts()).read(NOON)
