"""SOQL text → syntax tree, or the platform's MALFORMED_QUERY.

Must not know the schema. Wordings: answers recorded in public issue trackers; "line 1:50 no viable alternative at character" and
"mismatched character" are those of the platform's own lexer. Invariant: parsing is a function of the text alone, and its
results are shared and immutable.
"""

import re
from functools import cache, lru_cache
from importlib.resources import files

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from sandbox.org.errors import OrgError
from sandbox.org.soql.build import Unreadable, builder
from sandbox.org.soql.refusal import malformed, refuse
from sandbox.org.soql.syntax import Query

MAX_LENGTH = 100_000
_KEPT = 512


@cache
def _parser() -> Lark:
    grammar = files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", transformer=builder(), maybe_placeholders=False)


@lru_cache(maxsize=_KEPT)
def parse(soql: str) -> Query:
    """Read a statement. Raises OrgError MALFORMED_QUERY, pointing at the place."""
    if len(soql) > MAX_LENGTH:
        raise malformed(f"SOQL statements cannot be longer than {MAX_LENGTH} characters.")
    try:
        return _parser().parse(soql)  # type: ignore[return-value]  # lark types the tree, the builder gives the query
    except UnexpectedToken as error:
        raise _unexpected(soql, error) from error
    except UnexpectedCharacters as error:
        raise _strange(soql, error.pos_in_stream or 0) from error
    except UnexpectedInput as error:
        raise refuse(soql, len(soql), "unexpected token: '<EOF>'") from error
    except VisitError as error:
        if isinstance(error.orig_exc, Unreadable):
            raise refuse(soql, error.orig_exc.at, error.orig_exc.words) from error
        raise
    except Unreadable as error:
        raise refuse(soql, error.at, error.words) from error


def _unexpected(soql: str, error: UnexpectedToken) -> OrgError:
    token = error.token
    if token.type == "$END":
        return refuse(soql, len(soql), "unexpected token: '<EOF>'")
    return refuse(soql, token.start_pos or 0, f"unexpected token: '{token.split()[0]}'")


def _strange(soql: str, at: int) -> OrgError:
    """Word what no token begins with: an open quote, a character out of place, or a word where none may stand."""
    word = re.match(r"\w+|[<>=!(),]", soql[at:])
    if word:
        return refuse(soql, at, f"unexpected token: '{word.group()}'")
    first = soql.rfind("\n", 0, at) + 1
    row = soql.count("\n", 0, at) + 1
    if soql[at] == "'":
        last = soql.rfind("\n") + 1
        return malformed(f"line {soql.count(chr(10)) + 1}:{len(soql) - last} mismatched character '<EOF>' expecting '''")
    return malformed(f"line {row}:{at - first} no viable alternative at character '{soql[at]}'")
