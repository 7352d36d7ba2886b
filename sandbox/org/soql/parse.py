"""SOQL text → syntax tree, or the platform's MALFORMED_QUERY.

Must not know the schema. Wordings: recorded REST answers ("ERROR at Row:1:Column:n", "unexpected token: 'x'").
Invariant: every refusal shows the line, a caret and the one-based row and column.
"""

import re
from importlib.resources import files

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from sandbox.org.errors import OrgError
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

MAX_LENGTH = 100_000
_STRING = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "N": "\n", "r": "\r", "R": "\r", "t": "\t", "T": "\t", "b": "\b", "B": "\b", "f": "\f", "F": "\f"}
_RANGE = re.compile(r"(TODAY|YESTERDAY|TOMORROW|(LAST|THIS|NEXT|N)_\w+)(:\d+)?", re.IGNORECASE)
_MONEY = re.compile(r"[A-Za-z]{3}(\d+(\.\d+)?)")


def refuse(soql: str, at: int, message: str, code: str = "MALFORMED_QUERY") -> OrgError:
    """Make the error for a place in a statement, with the line, a caret, row and column."""
    before = soql[:at]
    row = before.count("\n") + 1
    start = before.rfind("\n") + 1
    end = soql.find("\n", at)
    column = at - start + 1
    line = soql[start : end if end >= 0 else len(soql)]
    cut = max(column - 61, 0)
    shown = line[cut : cut + 120]
    return OrgError(400, code, f"\n{shown}\n{' ' * (column - 1 - cut)}^\nERROR at Row:{row}:Column:{column}\n{message}")


def unescape(text: str) -> str:
    r"""Undo the escapes of a string literal; `\%` and `\_` keep their backslash for LIKE."""

    def one(match: re.Match[str]) -> str:
        letter = match.group(1)
        if letter in "%_":
            return match.group(0)
        if letter[0] == "u" and len(letter) == 5:
            return chr(int(letter[1:], 16))
        return _ESCAPES.get(letter, letter)

    return _ESCAPE.sub(one, text) if "\\" in text else text


class _Bind(Exception):  # noqa: N818 - a signal, turned into OrgError
    def __init__(self, at: int) -> None:
        super().__init__("bind")
        self.at = at


class _Word(Exception):  # noqa: N818 - a signal, turned into OrgError
    def __init__(self, text: str, at: int) -> None:
        super().__init__("word")
        self.text = text
        self.at = at


def _at(token: Token) -> int:
    return token.start_pos or 0


def _path(token: Token) -> Path:
    steps = tuple(token.split(".")) if " " not in token and "\n" not in token else tuple(each.strip() for each in token.split("."))
    return Path(steps, _at(token))


def _names(parts: tuple[object, ...], kind: str = "PATH") -> list[Token]:
    return [each for each in parts if isinstance(each, Token) and each.type == kind]


@v_args(inline=True)
class _Builder(Transformer[Token, Query]):
    """Builds the tree while parsing; each method is named after its grammar rule."""

    def start(self, query: Query) -> Query:
        return query

    def path(self, token: Token) -> Path:
        return _path(token)

    def call(self, name: Token, *arguments: Operand | Value | None) -> Call:
        return Call(name.upper().strip(), tuple(each for each in arguments if each is not None), _at(name))

    def string(self, token: Token) -> Value:
        return Value("string", unescape(token[1:-1]), _at(token))

    def number(self, token: Token) -> Value:
        return Value("number", str(token), _at(token))

    def date(self, token: Token) -> Value:
        return Value("date", str(token), _at(token))

    def datetime(self, token: Token) -> Value:
        return Value("datetime", str(token), _at(token))

    def word(self, token: Token) -> Value:
        upper = token.upper()
        if upper in ("TRUE", "FALSE"):
            return Value("boolean", upper, _at(token))
        if upper == "NULL":
            return Value("null", upper, _at(token))
        if _RANGE.fullmatch(token):
            return Value("range", upper, _at(token))
        money = _MONEY.fullmatch(token)
        if money:
            return Value("number", money.group(1), _at(token))
        raise _Word(str(token), _at(token))

    def bind(self, token: Token) -> Value:
        raise _Bind(_at(token))

    def string_list(self, token: Token) -> tuple[Value, ...]:
        start = _at(token)
        return tuple(Value("string", unescape(each.group(1)), start + each.start()) for each in _STRING.finditer(token))

    def value_list(self, *values: Value) -> tuple[Value, ...]:
        return values

    def semi_join(self, query: Query) -> Query:
        return query

    def column(self, operand: Operand) -> Item:
        return Item(operand)

    def aliased(self, operand: Operand, alias: Token) -> Item:
        return Item(operand, str(alias))

    def child_query(self, query: Query) -> ChildQuery:
        return ChildQuery(query)

    def when(self, *parts: object) -> tuple[str, tuple[Path, ...]]:
        first, *rest = _names(parts)
        return str(first), tuple(_path(each) for each in rest)

    def else_(self, *parts: object) -> tuple[Path, ...]:
        return tuple(_path(each) for each in _names(parts))

    def type_of(self, _typeof: Token, lookup: Token, *arms: object) -> TypeOf:
        pairs = tuple(each for each in arms if isinstance(each, tuple) and each and isinstance(each[0], str))
        other = next((each for each in arms if isinstance(each, tuple) and (not each or isinstance(each[0], Path))), ())
        return TypeOf(_path(lookup), pairs, other)

    def select_list(self, *items: Item | ChildQuery | TypeOf) -> tuple[Item | ChildQuery | TypeOf, ...]:
        return items

    def from_object(self, *parts: Token) -> dict[str, object]:
        names = _names(parts)
        more = [each for each in parts if each.type == "PATH"][2:]
        found: dict[str, object] = {"source": _path(names[0]), "alias": str(names[1]) if len(names) > 1 else None}
        if more:
            found["refused"] = (("more than one object in FROM", _at(more[0])),)
        return found

    def scope(self, *parts: Token) -> dict[str, object]:
        return {"scope": str(parts[-1])}

    def compare(self, operand: Operand, operator: Token, value: Value) -> Compare:
        return Compare(operand, "!=" if operator == "<>" else str(operator), value, _at(operator))

    def like(self, operand: Operand, operator: Token, value: Value) -> Compare:
        return Compare(operand, "LIKE", value, _at(operator))

    def _listed(self, operand: Operand, operator: str, listed: tuple[Value, ...] | Query) -> InList | InQuery:
        return InQuery(operand, operator, listed) if isinstance(listed, Query) else InList(operand, operator, listed)

    def in_(self, operand: Operand, _in: Token, listed: tuple[Value, ...] | Query) -> InList | InQuery:
        return self._listed(operand, "IN", listed)

    def not_in(self, operand: Operand, _not: Token, _in: Token, listed: tuple[Value, ...] | Query) -> InList | InQuery:
        return self._listed(operand, "NOT IN", listed)

    def includes(self, operand: Operand, _word: Token, listed: tuple[Value, ...]) -> InList | InQuery:
        return self._listed(operand, "INCLUDES", listed)

    def excludes(self, operand: Operand, _word: Token, listed: tuple[Value, ...]) -> InList | InQuery:
        return self._listed(operand, "EXCLUDES", listed)

    def not_(self, _not: Token, condition: Condition) -> Not:
        return Not(condition)

    def all_of(self, *parts: Condition | Token) -> Joined:
        return Joined("AND", tuple(each for each in parts if not isinstance(each, Token)))

    def any_of(self, *parts: Condition | Token) -> Joined:
        return Joined("OR", tuple(each for each in parts if not isinstance(each, Token)))

    def where(self, _where: Token, condition: Condition) -> dict[str, object]:
        return {"where": condition}

    def with_mode(self, _with: Token, mode: Token) -> dict[str, object]:
        known = mode.upper() in ("SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE")
        return {} if known else {"refused": ((f"unexpected token: '{mode}'", _at(mode)),)}

    def category(self, *_parts: Token) -> None:
        return None

    def with_category(self, first: Token, *_parts: object) -> dict[str, object]:
        return {"refused": (("WITH DATA CATEGORY is not supported by the sandbox", _at(first)),)}

    def group_by(self, _group: Token, _by: Token, *operands: Operand) -> dict[str, object]:
        return {"group": operands}

    def having(self, _having: Token, condition: Condition) -> dict[str, object]:
        return {"having": condition}

    def order_item(self, operand: Operand, *parts: Token) -> Order:
        words = [each.upper() for each in parts]
        nulls = None if "NULLS" not in words else "LAST" in words
        return Order(operand, "DESC" in words, nulls)

    def order_by(self, _order: Token, _by: Token, *items: Order) -> dict[str, object]:
        return {"order": items}

    def _whole(self, token: Token) -> int:
        if token.type == "BIND":
            raise _Bind(_at(token))
        if not token.isdigit():
            raise _Word(str(token), _at(token))
        return int(token)

    def limit(self, _limit: Token, number: Token) -> dict[str, object]:
        return {"limit": self._whole(number)}

    def offset(self, _offset: Token, number: Token) -> dict[str, object]:
        return {"offset": self._whole(number)}

    def for_clause(self, _for: Token, _what: Token) -> dict[str, object]:
        return {}

    def all_rows(self, first: Token, _rows: Token) -> dict[str, object]:
        return {"refused": (("ALL ROWS not allowed in this context", _at(first)),)}

    def query(self, _select: Token, items: tuple[Item | ChildQuery | TypeOf, ...], _from: Token, *clauses: dict[str, object]) -> Query:
        found: dict[str, object] = {}
        refused: list[object] = []
        for clause in clauses:
            refused += clause.get("refused", ())  # type: ignore[arg-type]  # clauses are dictionaries only inside this builder
            found.update(clause)
        found["refused"] = tuple(refused)
        return Query(items=items, **found)  # type: ignore[arg-type]  # the same


_PARSER = Lark(
    files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8"),
    parser="lalr",
    lexer="contextual",
    transformer=_Builder(),
    maybe_placeholders=False,
)


def parse(soql: str) -> Query:
    """Read a statement. Raises OrgError MALFORMED_QUERY, pointing at the place."""
    if len(soql) > MAX_LENGTH:
        raise OrgError(400, "MALFORMED_QUERY", f"SOQL statements cannot be longer than {MAX_LENGTH} characters.")
    try:
        return _PARSER.parse(soql)  # type: ignore[return-value]  # lark types the tree, the transformer gives the query
    except UnexpectedToken as error:
        raise _unexpected(soql, error) from error
    except UnexpectedCharacters as error:
        text = re.match(r"\w+|.", soql[error.pos_in_stream or 0 :], re.DOTALL)
        raise refuse(soql, error.pos_in_stream or 0, f"unexpected token: '{text.group(0) if text else ''}'") from error
    except UnexpectedInput as error:
        raise refuse(soql, len(soql), "unexpected token: '<EOF>'") from error
    except VisitError as error:
        raise _signalled(soql, error.orig_exc) from error
    except (_Bind, _Word) as error:
        raise _signalled(soql, error) from error


def _unexpected(soql: str, error: UnexpectedToken) -> OrgError:
    token = error.token
    if token.type == "$END":
        return refuse(soql, len(soql), "unexpected token: '<EOF>'")
    return refuse(soql, _at(token), f"unexpected token: '{token}'")


def _signalled(soql: str, error: Exception) -> OrgError:
    if isinstance(error, _Bind):
        return refuse(soql, error.at, "Bind variables only allowed in Apex code")
    if isinstance(error, _Word):
        return refuse(soql, error.at, f"unexpected token: '{error.text}'")
    raise error
