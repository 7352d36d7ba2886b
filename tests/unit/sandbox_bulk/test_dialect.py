"""The CSV of Bulk API: what is written is read back, whatever stands in the cells."""

import csv
import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.bulk.dialect import DELIMITERS, LINE_ENDINGS, Dialect, DialectError, number
from sandbox.bulk.export import locator, row_of
from sandbox.bulk.spool import Spool

CELLS = st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8), min_size=1, max_size=4)


@given(
    rows=st.lists(CELLS, min_size=1, max_size=5),
    delimiter=st.sampled_from(sorted(DELIMITERS)),
    ending=st.sampled_from(sorted(LINE_ENDINGS)),
)
def test_rows_written_are_read_back(rows, delimiter, ending):
    """By a CSV reader of the world and by our own, with the bytes of each row as they were."""
    dialect = Dialect(delimiter, ending)
    text = "".join(dialect.row(each) for each in rows)
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter=dialect.comma)) == rows
    spool = Spool()
    spool.append(text.encode())
    for pieces in (spool.lines(), spool.pieces()):
        read = list(dialect.rows(pieces))
        assert [cells for cells, _ in read] == rows
        assert b"".join(raw for _, raw in read).decode() == text
    spool.close()


def rows_or_refusal(pieces, dialect):
    """The rows before anything is wrong, and what is."""
    found = []
    try:
        for row in dialect.rows(iter(pieces)):
            found.append(row)  # noqa: PERF402 - those before a refusal count
    except DialectError as error:
        return found, str(error)
    return found, ""


@given(
    lines=st.lists(st.text(alphabet='a,"é\r', max_size=6).map(lambda text: f"{text}\n".encode()) | st.just(b"\xff\n"), max_size=7),
    cuts=st.sets(st.integers(1, 6)),
    ending=st.sampled_from(sorted(LINE_ENDINGS)),
)
def test_how_data_is_cut_into_pieces_changes_nothing(lines, cuts, ending):
    """Many lines at once are read as they are one by one: the same rows, the same bytes, refused at the same row."""
    bounds = [0, *sorted(cut for cut in cuts if cut < len(lines)), len(lines)]
    pieces = [b"".join(lines[start:end]) for start, end in pairwise(bounds) if start < end]
    dialect = Dialect(ending=ending)
    assert rows_or_refusal(pieces, dialect) == rows_or_refusal(lines, dialect)


def test_text_that_is_no_csv_is_refused():
    """A quote inside a cell that does not begin with one, and bytes that are no UTF-8."""
    for data in (b'a,"b" c\n', b"\xff\n"):
        with pytest.raises(DialectError):
            list(Dialect().rows(iter([data])))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.0"), (100.0, "100.0"), (12.34, "12.34"), (-7.5, "-7.5"), (9999999.99, "9999999.99"), (350000000.0, "3.5E8"), (10000000.0, "1.0E7"),
     (12345678.9, "1.23456789E7"), (0.0001, "1.0E-4"), (0.00025, "2.5E-4")],
)  # fmt: skip
def test_numbers_are_written_as_java_does(value, text):
    """Plain between a thousandth and ten million, in scientific notation outside; they mean the same."""
    assert number(value) == text
    assert float(text) == value


def test_locators_are_those_of_the_documentation():
    """MTAwMDA is what the guide shows; nonsense is no locator."""
    assert locator(10_000) == "MTAwMDA"
    assert [row_of(text) for text in ("MTAwMDA", "?", "YWJj")] == [10_000, None, None]


def test_a_spool_gives_back_what_it_was_given():
    """In blocks and in lines, from any place, in memory and in a file."""
    spool = Spool()
    for _ in range(3):
        spool.append(b"line\n" * 40_000 + b"rest")
    data = (b"line\n" * 40_000 + b"rest") * 3
    assert b"".join(spool.blocks()) == b"".join(spool.lines()) == data
    assert b"".join(spool.blocks(7, 400_123)) == data[7:400_123]
    spool.close()
