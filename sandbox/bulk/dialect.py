"""The CSV of Bulk API: delimiters, line endings, and how values are written into cells.

Pure. Source: Bulk API 2.0 and Bulk API Developer Guide, "Prepare CSV Files" (delimiters, line endings, double-quotes, numbers
"in scientific notation if the number is large enough"); results quote every cell ("Get Results for a Query Job").
That datetimes end in Z (REST answers +0000) is engineering knowledge, hence the switch. Invariant: what is written here
and read by a CSV reader with the same delimiter gives the same texts.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sandbox.org.values import Stored

DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
_LARGEST_CELL = 131_072
_PLAIN_FROM, _PLAIN_TO = 1e-3, 1e7
Cell = Callable[[Stored], str]
Line = tuple[list[str], bytes]
"""A row: its cells, and its bytes as they came."""

csv.field_size_limit(_LARGEST_CELL * 4)


class DialectError(Exception):
    """Data that is not the CSV its job declares; the text is the job's error message."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the CSV of one job is written: the names the API uses for delimiter and line ending."""

    delimiter: str = "COMMA"
    ending: str = "LF"

    @property
    def comma(self) -> str:
        """The character between cells."""
        return DELIMITERS[self.delimiter]

    @property
    def end(self) -> str:
        """The characters after a row."""
        return LINE_ENDINGS[self.ending]

    def row(self, cells: Sequence[str]) -> str:
        """Write a row, every cell quoted."""
        joint = f'"{self.comma}"'
        text = joint.join(cells)
        if text.count('"') != 2 * (len(cells) - 1):
            text = joint.join([each.replace('"', '""') for each in cells])
        return f'"{text}"{self.end}'

    def rows(self, pieces: Iterable[bytes]) -> Iterator[Line]:
        """Read rows out of pieces of whole lines: their cells, and their bytes as they came. Raises DialectError.

        Only the ends of rows must be those declared: inside double quotes any line break may stand.
        """
        remaining = iter(pieces)
        for piece in remaining:
            yield from self._quickly(piece) or self._carefully(piece, remaining)

    def _quickly(self, piece: bytes) -> list[Line]:
        """Read a piece in which every line is a row; nothing if one is not, or if anything is wrong with it."""
        returns = piece.count(b"\r")
        if returns and (self.ending != "CRLF" or not returns == piece.count(b"\n") == piece.count(b"\r\n")):
            return []
        if self.ending == "CRLF" and returns != piece.count(b"\n"):
            return []
        lines = piece.splitlines(keepends=True)
        try:
            rows = list(csv.reader(piece.decode().removesuffix("\n").split("\n"), delimiter=self.comma, strict=True))
        except (UnicodeDecodeError, csv.Error):
            return []
        return list(zip(rows, lines, strict=True)) if len(rows) == len(lines) and all(rows) else []

    def _carefully(self, piece: bytes, more: Iterator[bytes]) -> Iterator[Line]:
        """Read a piece line by line, and the next ones as long as a row goes on in them."""
        taken: list[bytes] = []

        def feed() -> Iterator[str]:
            lines = piece.split(b"\n")
            while True:
                last = lines.pop()
                for line in [each + b"\n" for each in lines] + ([last] if last else []):
                    taken.append(line)
                    yield line.decode("utf-8")
                following = next(more, None) if taken else None
                if following is None:
                    return
                lines = following.split(b"\n")

        crlf = self.ending == "CRLF"
        try:
            for cells in csv.reader(feed(), delimiter=self.comma, strict=True):
                raw = taken[0] if len(taken) == 1 else b"".join(taken)
                taken.clear()
                if raw.endswith(b"\n") and raw.endswith(b"\r\n") != crlf:
                    words = f"LineEnding is invalid on user data. Current LineEnding setting is {self.ending}"
                    raise DialectError(f"ClientInputError : {words}")
                if cells:
                    yield cells, raw
        except UnicodeDecodeError as error:
            raise DialectError("ClientInputError : The data is not in UTF-8") from error
        except csv.Error as error:
            raise DialectError(f"InvalidBatch : Failed to parse CSV: {error}") from error


def number(value: Stored) -> str:
    """Write a number with fractions as Java does: 100.0, 3.5E8, 1.0E-4."""
    found = float(value or 0)
    if found == 0 or _PLAIN_FROM <= abs(found) < _PLAIN_TO:
        return repr(found)
    sign, digits, power = Decimal(repr(found)).normalize().as_tuple()
    text = "".join(map(str, digits))
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{len(text) + int(power) - 1}"


def cell_of(kind: str, *, offset: bool) -> Cell | None:
    """Give the function that writes values of a type; None where the text stands as it is. `offset`: +0000 instead of Z."""
    if kind == "boolean":
        return lambda value: "true" if value else "false"
    if kind == "int":
        return lambda value: str(int(value or 0))
    if kind in ("double", "currency", "percent"):
        return number
    if kind == "datetime" and offset:
        return lambda value: str(value).replace("Z", "+0000")
    return None if kind != "anyType" else str
