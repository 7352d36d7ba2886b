"""The work of a query job: rows of a stream written as CSV, and pages of it found again.

Must not know HTTP. Source: Bulk API 2.0 and Bulk API Developer Guide, "Get Results for a Query Job" (quoted cells, columns in
the order asked for, alphabetical in versions up to 49.0; the locators shown there are base64 of the number of rows before).
Invariant: the pages of one result, in whatever sizes, together hold each row once.
"""

import base64
import binascii
import time
from collections.abc import Iterator

from sandbox.bulk.dialect import cell_of
from sandbox.bulk.host import Host
from sandbox.bulk.job import QueryJob
from sandbox.org.soql.stream import RowStream
from sandbox.org.values import Stored

_MARK_EVERY = 1000
_FIRST_IN_ORDER = 50.0


def export(host: Host, job: QueryJob, rows: RowStream) -> Iterator[None]:
    """Write the rows of a stream as the result of a job, piece by piece."""
    dialect = job.dialect
    order = list(range(len(rows.columns)))
    if float(job.version) < _FIRST_IN_ORDER:
        order.sort(key=lambda place: rows.columns[place])
    job.header = dialect.row([rows.columns[place] for place in order]).encode()
    offset = host.options.bulk_datetimes == "offset"
    cells = [(place, cell_of(rows.kinds[place], offset=offset)) for place in order]
    row = dialect.row
    with rows:
        for chunk in rows.chunks():
            began = time.perf_counter()
            shown = [_column(chunk, place, cell) for place, cell in cells]
            lines = [row(each) for each in zip(*shown, strict=True)]
            for start in range(0, len(lines), _MARK_EVERY):
                _append(job, lines[start : start + _MARK_EVERY])
            job.total_ms += max(1, round((time.perf_counter() - began) * 1000))
            yield
    now = host.org.clock.now()
    host.usage.bulk_result_bytes.add(now, job.result.size)
    host.usage.counts["rows_read"] += job.processed


def _column(chunk: list[tuple[Stored, ...]], place: int, cell: object) -> list[str]:
    if not callable(cell):
        return ["" if row[place] is None else str(row[place]) for row in chunk]
    return ["" if row[place] is None else cell(row[place]) for row in chunk]


def _append(job: QueryJob, lines: list[str]) -> None:
    """Add rows, with a mark where every thousandth begins."""
    room = -job.processed % _MARK_EVERY
    for part in (lines[:room], lines[room:]):
        if part:
            if job.processed % _MARK_EVERY == 0:
                job.marks.append(job.result.size)
            job.result.append("".join(part).encode())
            job.processed += len(part)


def locator(row: int) -> str:
    """Name a row as the start of a page."""
    return base64.b64encode(str(row).encode()).decode().rstrip("=")


def row_of(text: str) -> int | None:
    """Read a locator; None for what is none."""
    try:
        return int(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None


def place_of(job: QueryJob, row: int) -> int:
    """Find where a row begins in the result."""
    if row >= job.processed:
        return job.result.size
    place = job.marks[row // _MARK_EVERY]
    left, inside = row % _MARK_EVERY, False
    if not left:
        return place
    for line in job.result.lines(place):
        place += len(line)
        inside ^= line.count(b'"') % 2 == 1
        if not inside:
            left -= 1
            if not left:
                break
    return place
