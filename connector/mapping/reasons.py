"""Reason codes: CSV that admins can read and extend → the ``Catalogue``.

Must not judge a payment. Invariant: a catalogue that loads holds only words of the closed lists, and every
fault of every file is told at once as ``file:line: what``.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from connector.core.codes import plain
from connector.core.reasons import Catalogue, Entry
from connector.core.words import Category, CodeSet
from connector.errors import ConfigError

COLUMNS = ("code_set", "code", "meaning", "category", "retry", "act", "sensitive", "country", "source", "effective_on")
OPTIONAL = ("wait_hours", "also")
NEVER_AGAIN = frozenset(
    {
        Category.DECEASED, Category.DISPUTED, Category.FRAUD, Category.LEGAL, Category.UNKNOWN, Category.BLOCKED_BY_PAYER,
        Category.MANDATE_INVALID,
    }
)  # fmt: skip
"""Categories no row may declare retryable."""
_COUNTRY = re.compile(r"^[A-Z]{2}$")
Word = TypeVar("Word", bound=StrEnum)
RETRY, FLAG, ACT = ("yes", "no", "ask"), ("yes", "no"), ("payer", "creditor", "bank", "specialist", "nobody")


def load_reasons(folder: Path, own: Path | None = None) -> Catalogue:
    """Read every ``*.csv`` of ``folder``, then the admin's ``own`` file, whose rows add and replace.

    Raises:
        ConfigError: every fault of every file, each ``file:line: what, did you mean``.

    """
    problems: list[str] = []
    entries: list[Entry] = []
    files = sorted(folder.glob("*.csv"))
    if not files:
        problems.append(f"{folder.name}:1: no reason codes; at least one .csv is needed")
    for path in files:
        entries += _read(path, problems)
    if own is not None:
        entries += _read(own, problems)
    if problems:
        raise ConfigError(problems)
    return Catalogue(entries)


def _read(path: Path, problems: list[str]) -> list[Entry]:
    name = f"{path.parent.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError:
        problems.append(f"{name}:1: no such file")
        return []
    except UnicodeDecodeError as error:
        problems.append(f"{name}:1: not UTF-8 text (byte {error.start}); save the file as UTF-8")
        return []
    reader = csv.DictReader(text.splitlines(), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        problems.append(f"{name}:{reader.line_num}: not CSV: {error}")
        return []
    if not _columns_right(name, reader.fieldnames or (), problems):
        return []
    entries, seen = [], dict[tuple[str, str, str], int]()
    for line, row in rows:
        entry = _entry(f"{name}:{line}", row, problems)
        if entry is None:
            continue
        same = (entry.code_set, plain(entry.code_set, entry.code), entry.country or "")
        if same in seen:
            problems.append(f"{name}:{line}: {entry.code_set} {entry.code} stands on line {seen[same]} already")
        seen[same] = line
        entries.append(entry)
    return entries


def _columns_right(name: str, columns: Iterable[str], problems: list[str]) -> bool:
    found = list(columns)
    faults = [f"{name}:1: column '{column}' is missing" for column in COLUMNS if column not in found]
    faults += [
        f"{name}:1: column '{column}' is not known{_meant(column, (*COLUMNS, *OPTIONAL))}"
        for column in found
        if column not in COLUMNS + OPTIONAL
    ]
    problems += faults
    return not faults


def _entry(where: str, row: dict[str, str | None], problems: list[str]) -> Entry | None:
    """Give one row as an entry; its faults go to ``problems``."""
    faults: list[str] = []
    cell = {column: (row.get(column) or "").strip() for column in (*COLUMNS, *OPTIONAL)}
    if None in row or any(value is None for column, value in row.items() if column in COLUMNS):
        faults.append("the row has another number of cells than the first line")
    code_set = _word(CodeSet, cell["code_set"], "code_set", faults)
    category = _word(Category, cell["category"], "category", faults)
    faults += _cell_faults(cell)
    if cell["retry"] == "yes" and category in NEVER_AGAIN:
        faults.append(f"retry yes is not lawful for {category}")
    problems += [f"{where}: {fault}" for fault in faults]
    if faults or code_set is None or category is None:
        return None
    return Entry(
        code_set, cell["code"], cell["meaning"], category, cell["retry"], cell["act"], cell["sensitive"] == "yes",
        cell["country"] or None, cell["source"], cell["effective_on"], int(cell["wait_hours"]) if cell["wait_hours"] else None,
        tuple(name.strip() for name in cell["also"].split("|") if name.strip()),
    )  # fmt: skip


def _cell_faults(cell: dict[str, str]) -> list[str]:
    """Give what is wrong with the cells that hold no word of a closed list of the model."""
    faults = []
    for column, allowed in (("retry", RETRY), ("act", ACT), ("sensitive", FLAG)):
        if cell[column] not in allowed:
            faults.append(f"{column} '{cell[column]}' is none of {', '.join(allowed)}{_meant(cell[column], allowed)}")
    if not cell["code"]:
        faults.append("code is empty")
    if not cell["meaning"]:
        faults.append("meaning is empty; say in your own words what the code means")
    if cell["country"] and not _COUNTRY.match(cell["country"]):
        faults.append(f"country '{cell['country']}' is no two-letter code such as AT")
    if not _is_date(cell["effective_on"]):
        faults.append(f"effective_on '{cell['effective_on']}' is no date such as 2026-01-01")
    if cell["wait_hours"] and not cell["wait_hours"].isdecimal():
        faults.append(f"wait_hours '{cell['wait_hours']}' is no number of hours")
    return faults


def _word(kind: type[Word], text: str, column: str, faults: list[str]) -> Word | None:
    try:
        return kind(text)
    except ValueError:
        faults.append(f"{column} '{text}' is not known{_meant(text, [str(word) for word in kind])}")
        return None


def _is_date(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _meant(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
