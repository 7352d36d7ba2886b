"""What goes into an ingest job and comes out of it, as CSV.

Must not send. Invariants: an upload names each row's columns the same way, whatever order its values came in; a value that is None
empties its field and a value that is absent leaves it alone; amounts never pass through a float.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from connector.errors import PermanentError

EMPTIED = "#N/A"
"""What empties a field: an empty cell leaves it as it is (salesforce.md B.4)."""
UPLOAD_BYTES = 90_000_000
"""The platform takes 150 MB, counted as base64 (salesforce.md C.10)."""


def uploads(rows: Sequence[Mapping[str, object]], *, most_bytes: int = UPLOAD_BYTES) -> Iterator[tuple[bytes, int]]:
    """Cut ``rows`` into uploads; each with the number of its rows, in the order given."""
    columns = sorted({name for row in rows for name in row})
    header = _line(columns)
    lines, size = [header], len(header)
    for row in rows:
        line = _line([cell(row[name]) if name in row else "" for name in columns])
        if len(lines) > 1 and size + len(line) > most_bytes:
            yield b"".join(lines), len(lines) - 1
            lines, size = [header], len(header)
        lines.append(line)
        size += len(line)
    if len(lines) > 1:
        yield b"".join(lines), len(lines) - 1


def results(body: bytes) -> list[dict[str, str]]:
    """The rows of a result; a cell may hold line ends (so no ``splitlines``: salesforce.md B.4)."""
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def cell(value: object) -> str:
    """One value as Bulk API 2.0 reads it. Raises PermanentError for what it cannot hold."""
    match value:
        case None | "":
            return EMPTIED
        case bool():
            return "true" if value else "false"
        case str():
            return str(value)
        case int():
            return str(value)
        case Decimal() if value.is_finite():
            return format(value, "f")
        case datetime() if value.tzinfo is not None:
            return value.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
        case date() if not isinstance(value, datetime):
            return value.isoformat()
    raise PermanentError(f"a {type(value).__name__} to be written is no value of a field")


def _line(cells: Sequence[str]) -> bytes:
    return (",".join(['"' + one.replace('"', '""') + '"' for one in cells]) + "\n").encode()
