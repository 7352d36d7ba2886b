"""From grammar rules to the syntax tree: one method a rule.

Must not know the schema or make errors for clients: what cannot be read is an Unreadable with its place.
Source: SOQL and SOSL Reference, "Quoted String Escape Sequences", "Alias Notation" (reserved words). Invariant: every node knows its offset in the statement.
"""

import re

from lark import Token, Transformer, v_args

from sandbox.org.soql.syntax import (
    Call,
    ChildQuery,
    Compare,
    Condition,
    InList,
    InQuery,
    Item,
    Joined,
    Not,
    Operand,
    Order,
    Path,
    Query,
    TypeOf,
    Value,
)

_STRING = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "%": "%", "_": "_"}

Select = Item | ChildQuery | TypeOf
Refused = tuple[tuple[str, int], ...]
Listed = tuple[int, tuple[Value, ...]] | Query


class Unreadable(Exception):  # noqa: N818 - a signal from inside the parser, turned into an OrgError outside it
    """What the grammar allows and the platform does not: `at` is the place, `words` what the platform says."""

    def __init__(self, at: int, words: str) -> None:
        super().__init__(words)
        self.at = at
        self.words = words


def string_value(text: str, at: int) -> Value:
    """Undo the escapes of a string literal that begins at a place."""
    if "\\" not in text:
        return Value("string", text, at)

    def letter(match: re.Match[str]) -> str:
        found = match.group(1)
        if found[0] == "u" and len(found) == 5:
            return chr(int(found[1:], 16))
        if found.lower() not in _ESCAPES:
            words = f"Invalid string literal '{text}'. Illegal character sequence '{match.group(0)}' in string literal."
            raise Unreadable(max(at - 1, 0), words)
        return _ESCAPES[found.lower()]

    def kept(match: re.Match[str]) -> str:
        return match.group(0) if match.group(1) in "%_\\" else letter(match)

    return Value("string", _ESCAPE.sub(letter, text), at, _ESCAPE.sub(kept, text))


def _at(token: Token) -> int:
    return token.start_pos or 0


def _path(token: Token) -> Path:
    return Path(tuple(token.split(".")) if token.isidentifier() else tuple(each.strip() for each in token.split(".")), _at(token))


def _alias(token: Token) -> str:
    """Give an alias. GROUP is a reserved word that may name an object; the other ones are no names to the grammar at all."""
    if "." in token or token.lower() == "group":
        raise Unreadable(_at(token), f"unexpected token: '{token}'")
    return str(token)


def _names(parts: tuple[object, ...]) -> list[Token]:
    return [each for each in parts if isinstance(each, Token) and each.type == "NAME"]


@v_args(inline=True)
class _Builder(Transformer[Token, Query]):
    """Builds the tree while parsing; each method is named after its grammar rule."""

    def start(self, query: Query) -> Query:
        return query

    def query(  # noqa: PLR0913, PLR0917 - the clauses of a statement, as the parser hands them over
        self,
        _select: Token,
        items: tuple[Select, ...],
        _from: Token,
        source: tuple[Path, str | None, tuple[tuple[str, Path], ...]],
        scope: str | None,
        where: Condition | None,
        withs: Refused,
        groups: tuple[tuple[Operand, ...], Condition | None],
        order: tuple[Order, ...],
        limit: int | None,
        offset: int | None,
        viewed: bool,
        _updates: None,
        all_rows: bool,
    ) -> Query:
        name, alias, aliases = source
        return Query(items, name, alias, aliases, scope, where, *groups, order, limit, offset, withs, all_rows, viewed)

    def items(self, *items: Select) -> tuple[Select, ...]:
        return items

    def column(self, operand: Operand) -> Item:
        return Item(operand)

    def aliased(self, operand: Operand, alias: Token) -> Item:
        return Item(operand, _alias(alias))

    def child_query(self, query: Query) -> ChildQuery:
        return ChildQuery(query)

    def when(self, *parts: object) -> tuple[Path, tuple[Path, ...]]:
        first, *rest = _names(parts)
        return _path(first), tuple(_path(each) for each in rest)

    def else_(self, *parts: object) -> tuple[Path, ...] | None:
        return tuple(_path(each) for each in _names(parts)) or None

    def type_of(self, _typeof: Token, lookup: Token, *parts: object) -> TypeOf:
        *arms, other, _end = parts
        return TypeOf(_path(lookup), tuple(arms), other)  # type: ignore[arg-type]  # the grammar gives arms, then ELSE

    def fields(self, word: Token, which: Token) -> Item:
        return Item(Call("FIELDS", (_path(which),), _at(word)))

    def path(self, token: Token) -> Path:
        return _path(token)

    def count(self, name: Token) -> Call:
        return Call("COUNT", (), _at(name))

    def call(self, name: Token, argument: Operand) -> Call:
        return Call(name.upper(), (argument,), _at(name))

    def zoned_path(self, name: Token, argument: Token) -> Call:
        return Call(name.upper(), (_path(argument),), _at(name))

    def distance(self, name: Token, place: Token, other: Operand, unit: Token) -> Call:
        return Call("DISTANCE", (_path(place), other, Value("string", unit[1:-1].lower(), _at(unit))), _at(name))

    def geolocation(self, name: Token, latitude: Token, longitude: Token) -> Call:
        return Call("GEOLOCATION", (self.number(latitude), self.number(longitude)), _at(name))

    def source(self, *names: Token) -> tuple[Path, str | None, tuple[tuple[str, Path], ...]]:
        first, *rest = names
        alias = _alias(rest.pop(0)) if len(rest) % 2 else None
        return _path(first), alias, tuple((_alias(rest[place + 1]), _path(rest[place])) for place in range(0, len(rest), 2))

    def scope(self, *parts: Token) -> str | None:
        return str(parts[-1]) if parts else None

    def where(self, *parts: object) -> Condition | None:
        return parts[-1] if parts else None  # type: ignore[return-value]  # WHERE, then the condition

    having = where

    def compare(self, operand: Operand, operator: Token, value: Value) -> Compare:
        return Compare(operand, "!=" if operator == "<>" else str(operator), value, _at(operator))

    def like(self, operand: Operand, operator: Token, value: Value) -> Compare:
        return Compare(operand, "LIKE", value, _at(operator))

    def _listed(self, operand: Operand, operator: str, listed: Listed) -> InList | InQuery:
        if isinstance(listed, Query):
            return InQuery(operand, operator, listed)
        at, values = listed
        return InList(operand, operator, values, at)

    def in_(self, operand: Operand, _word: Token, listed: Listed) -> InList | InQuery:
        return self._listed(operand, "IN", listed)

    def not_in(self, operand: Operand, _word: Token, listed: Listed) -> InList | InQuery:
        return self._listed(operand, "NOT IN", listed)

    def includes(self, operand: Operand, _word: Token, listed: Listed) -> InList | InQuery:
        return self._listed(operand, "INCLUDES", listed)

    def excludes(self, operand: Operand, _word: Token, listed: Listed) -> InList | InQuery:
        return self._listed(operand, "EXCLUDES", listed)

    def not_(self, _not: Token, condition: Condition) -> Not:
        return Not(condition)

    def all_of(self, *parts: Condition | Token) -> Joined:
        return Joined("AND", tuple(each for each in parts if not isinstance(each, Token)))

    def any_of(self, *parts: Condition | Token) -> Joined:
        return Joined("OR", tuple(each for each in parts if not isinstance(each, Token)))

    def string(self, token: Token) -> Value:
        return string_value(token[1:-1], _at(token))

    def number(self, token: Token) -> Value:
        return Value("number", str(token), _at(token))

    def money(self, token: Token) -> Value:
        return Value("money", token.upper(), _at(token))

    def date(self, token: Token) -> Value:
        return Value("date", str(token), _at(token))

    def time(self, token: Token) -> Value:
        return Value("time", str(token), _at(token))

    def datetime(self, token: Token) -> Value:
        return Value("datetime", str(token), _at(token))

    def boolean(self, token: Token) -> Value:
        return Value("boolean", token.upper(), _at(token))

    def null(self, token: Token) -> Value:
        return Value("null", "NULL", _at(token))

    def days(self, token: Token) -> Value:
        return Value("range", "".join(token.split()).upper(), _at(token))

    def bind(self, token: Token) -> Value:
        raise Unreadable(_at(token), "Bind variables only allowed in Apex code")

    def strings(self, token: Token) -> Listed:
        start = _at(token)
        return start, tuple(string_value(each.group(1), start + each.start()) for each in _STRING.finditer(token))

    def values(self, *values: Value) -> Listed:
        return values[0].at, values

    def semi_join(self, query: Query) -> Query:
        return query

    def with_mode(self, _with: Token, _mode: Token) -> None:
        return None

    def category(self, *_parts: Token) -> None:
        return None

    def setting(self, *_parts: Token) -> None:
        return None

    def with_category(self, first: Token, *_parts: object) -> tuple[str, int]:
        return ("WITH DATA CATEGORY is not supported by the sandbox", _at(first))

    def with_visibility(self, first: Token, *_parts: object) -> tuple[str, int]:
        return ("WITH RecordVisibilityContext is not supported by the sandbox", _at(first))

    def withs(self, *parts: tuple[str, int] | None) -> Refused:
        return tuple(each for each in parts if each is not None)

    def grouping_sets(self, name: Token, *operands: Operand) -> Call:
        return Call(name.upper(), operands, _at(name))

    def groups(self, *parts: object) -> tuple[tuple[Operand, ...], Condition | None]:
        if not parts:
            return (), None
        _word, *operands, having = parts
        return tuple(operands), having  # type: ignore[return-value, arg-type]  # the grammar gives operands, then HAVING

    def order_item(self, operand: Operand, *parts: Token) -> Order:
        words = " ".join(parts).upper()
        return Order(operand, "DESC" in words.split(), words.endswith("LAST") if "NULLS" in words else None)

    def order(self, *parts: object) -> tuple[Order, ...]:
        return tuple(each for each in parts if isinstance(each, Order))

    def limit(self, *parts: Token) -> int | None:
        if parts and parts[-1].type == "BIND":
            raise Unreadable(_at(parts[-1]), "Bind variables only allowed in Apex code")
        return int(parts[-1]) if parts else None

    offset = limit

    def views(self, *parts: Token) -> bool:
        return any(each.lower() in {"view", "reference"} for each in parts)

    def updates(self, *_parts: Token) -> None:
        return None

    def all_rows(self, *parts: Token) -> bool:
        return bool(parts)


def builder() -> Transformer[Token, Query]:
    """Make what turns grammar rules into the tree."""
    return _Builder()
