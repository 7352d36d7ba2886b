"""The syntax tree of a formula and the parser that makes it.

Must not know fields or SQL. Invariant: parsing is a function of the text alone, and its results are shared and immutable.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from lark import Lark, Token, Transformer
from lark.exceptions import LarkError


@dataclass(frozen=True, slots=True)
class Number:
    """A number literal, as written."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text literal, unescaped."""

    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A field path (`Account__r.Name`), TRUE, FALSE, NULL or a global (`$User.Id`)."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; the name in upper case."""

    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two expressions."""

    operator: str
    left: "Node"
    right: "Node"


Node = Number | Text | Name | Call | Binary


class FormulaError(ValueError):
    """A formula that cannot be read or that the sandbox cannot work out."""


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def _unescape(text: str) -> str:
    out, place = [], 0
    while place < len(text):
        letter = text[place]
        if letter == "\\" and place + 1 < len(text):
            place += 1
            letter = _ESCAPES.get(text[place], text[place])
        out.append(letter)
        place += 1
    return "".join(out)


class _Builder(Transformer[Token, Node]):
    def number(self, parts: list[Token]) -> Node:
        return Number(str(parts[0]))

    def text(self, parts: list[Token]) -> Node:
        return Text(_unescape(parts[0][1:-1]))

    def name(self, parts: list[Token]) -> Node:
        return Name(tuple(each.strip() for each in parts[0].split(".")))

    def call(self, parts: list[Node | Token | None]) -> Node:
        name, *arguments = parts
        return Call(str(name).upper(), tuple(each for each in arguments if each is not None and not isinstance(each, Token)))

    def chain(self, parts: list[Node]) -> Node:
        found = parts[0]
        for place in range(1, len(parts), 2):
            found = Binary(str(parts[place]), found, parts[place + 1])
        return found

    def _folded(self, operator: str, parts: list[Node]) -> Node:
        found = parts[0]
        for each in parts[1:]:
            found = Binary(operator, found, each)
        return found

    def joined(self, parts: list[Node]) -> Node:
        return self._folded("&", parts)

    def powers(self, parts: list[Node]) -> Node:
        return self._folded("^", parts)

    def any_of(self, parts: list[Node]) -> Node:
        return parts[0] if len(parts) == 1 else Call("OR", tuple(parts))

    def all_of(self, parts: list[Node]) -> Node:
        return parts[0] if len(parts) == 1 else Call("AND", tuple(parts))

    def negated(self, parts: list[Node]) -> Node:
        return Binary("-", Number("0"), parts[1])

    def same(self, parts: list[Node]) -> Node:
        return parts[1]

    def not_(self, parts: list[Node]) -> Node:
        return Call("NOT", (parts[1],))


_PARSER = Lark(
    files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8"), parser="lalr", transformer=_Builder(), maybe_placeholders=False
)


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """Read a formula. Raises FormulaError."""
    try:
        return _PARSER.parse(text)  # type: ignore[return-value]  # lark types the tree, the transformer gives nodes
    except LarkError as error:
        raise FormulaError(f"formula cannot be read: {str(error).splitlines()[0]}") from error
