"""The functions of formulas, each from its arguments to SQL.

Must not read fields itself: the compiler does. Source: Salesforce Help, "Formula Operators and Functions A-Z".
Invariant: a function not listed here is refused by name, never guessed.
"""

from collections.abc import Callable

from sandbox.org.formula.syntax import FormulaError, Node
from sandbox.org.formula.typed import Compiles, Typed, as_text, is_blank

_DATE_PARTS = {"YEAR": "%Y", "MONTH": "%m", "DAY": "%d"}
_TIME_PARTS = {"HOUR": (12, 2), "MINUTE": (15, 2), "SECOND": (18, 2)}


def _if(compiler: Compiles, condition: Node, yes: Node, no: Node) -> Typed:
    when, then, other = (compiler.compile(each) for each in (condition, yes, no))
    kind = other.kind if then.kind == "blank" else then.kind
    if {then.kind, other.kind} == {"date", "datetime"}:
        raise FormulaError("IF gives a date in one case and a datetime in the other")
    return Typed(f"(CASE WHEN {when.sql} THEN {then.sql} ELSE {other.sql} END)", kind)


def _ifs(compiler: Compiles, *given: Node) -> Typed:
    if len(given) < 3 or len(given) % 2 == 0:
        raise TypeError
    pairs = [(compiler.compile(given[place]), compiler.compile(given[place + 1])) for place in range(0, len(given) - 1, 2)]
    other = compiler.compile(given[-1])
    arms = " ".join(f"WHEN {when.sql} THEN {then.sql}" for when, then in pairs)
    return Typed(f"(CASE {arms} ELSE {other.sql} END)", pairs[0][1].kind)


def _case(compiler: Compiles, subject: Node, *given: Node) -> Typed:
    if len(given) < 3 or len(given) % 2 == 0:
        raise TypeError
    value = compiler.compile(subject)
    arms, kind = [], "blank"
    for place in range(0, len(given) - 1, 2):
        when, then = compiler.compile(given[place]), compiler.compile(given[place + 1])
        kind = then.kind if kind == "blank" else kind
        test = is_blank(value) if when.kind == "blank" else f"{value.sql} = {when.sql}"
        arms.append(f"WHEN {test} THEN {then.sql}")
    other = compiler.compile(given[-1])
    return Typed(f"(CASE {' '.join(arms)} ELSE {other.sql} END)", other.kind if kind == "blank" else kind)


def _joined(word: str) -> Callable[..., Typed]:
    def function(compiler: Compiles, *given: Node) -> Typed:
        if not given:
            raise TypeError
        return Typed(f"({f' {word} '.join(f'COALESCE({compiler.compile(each).sql}, 0)' for each in given)})", "boolean")

    return function


def _not(compiler: Compiles, given: Node) -> Typed:
    return Typed(f"(NOT COALESCE({compiler.compile(given).sql}, 0))", "boolean")


def _is_blank(compiler: Compiles, given: Node) -> Typed:
    return Typed(is_blank(compiler.compile(given)), "boolean")


def _blank_value(compiler: Compiles, given: Node, instead: Node) -> Typed:
    value, other = compiler.compile(given), compiler.compile(instead)
    kind = other.kind if value.kind == "blank" else value.kind
    return Typed(f"(CASE WHEN {is_blank(value)} THEN {other.sql} ELSE {value.sql} END)", kind)


def _null_if(compiler: Compiles, given: Node, match: Node) -> Typed:
    value = compiler.compile(given)
    return Typed(f"NULLIF({value.sql}, {compiler.compile(match).sql})", value.kind)


def _is_pick(compiler: Compiles, given: Node, value: Node) -> Typed:
    return Typed(f"({compiler.compile(given).sql} = {compiler.compile(value).sql})", "boolean")


def _text(compiler: Compiles, given: Node) -> Typed:
    return Typed(as_text(compiler.compile(given)), "text")


def _simple(template: str, kind: str, count: int) -> Callable[..., Typed]:
    def function(compiler: Compiles, *given: Node) -> Typed:
        if len(given) != count:
            raise TypeError
        return Typed(template.format(*(compiler.compile(each).sql for each in given)), kind)

    return function


def _today(compiler: Compiles) -> Typed:
    return Typed(f"'{compiler.scope.statement.today}'", "date")


def _now(compiler: Compiles) -> Typed:
    return Typed(compiler.scope.statement.moment, "datetime")


def _date_value(compiler: Compiles, given: Node) -> Typed:
    value = compiler.compile(given)
    return Typed(f"date_value({value.sql}, {compiler.scope.statement.parameter(compiler.scope.statement.time_zone)})", "date")


def _add_months(compiler: Compiles, given: Node, months: Node) -> Typed:
    value = compiler.compile(given)
    return Typed(f"add_months({value.sql}, {compiler.compile(months).sql})", value.kind)


def _extreme(word: str) -> Callable[..., Typed]:
    def function(compiler: Compiles, *given: Node) -> Typed:
        values = [compiler.compile(each) for each in given]
        if not values:
            raise TypeError
        sql = values[0].sql if len(values) == 1 else f"{word}({', '.join(each.sql for each in values)})"
        return Typed(sql, values[0].kind)

    return function


def _mid(compiler: Compiles, *given: Node) -> Typed:
    text, start, length = (compiler.compile(each).sql for each in given)
    return Typed(f"substr({text}, MAX(CAST({start} AS INTEGER), 1), CAST({length} AS INTEGER))", "text")


def _find(compiler: Compiles, wanted: Node, text: Node, *start: Node) -> Typed:
    if start:
        raise FormulaError("FIND with a start is not known to the sandbox")
    return Typed(f"CAST(instr({compiler.compile(text).sql}, {compiler.compile(wanted).sql}) AS REAL)", "number")


def _pad(compiler: Compiles, text: Node, length: Node, *fill: Node) -> Typed:
    value, width = compiler.compile(text).sql, compiler.compile(length).sql
    by = compiler.compile(fill[0]).sql if fill else "' '"
    missing = f"replace(hex(zeroblob(CAST({width} AS INTEGER))), '00', {by})"
    return Typed(f"substr({missing} || {value}, -CAST({width} AS INTEGER))", "text")


def _hyperlink(compiler: Compiles, url: Node, label: Node, *_target: Node) -> Typed:
    link = f"'<a href=\"' || {compiler.compile(url).sql} || '\">' || {as_text(compiler.compile(label))} || '</a>'"
    return Typed(f"({link})", "text")


CALLS: dict[str, Callable[..., Typed]] = {
    "IF": _if,
    "IFS": _ifs,
    "CASE": _case,
    "AND": _joined("AND"),
    "OR": _joined("OR"),
    "NOT": _not,
    "ISBLANK": _is_blank,
    "ISNULL": _is_blank,
    "BLANKVALUE": _blank_value,
    "NULLVALUE": _blank_value,
    "NULLIF": _null_if,
    "ISPICKVAL": _is_pick,
    "TEXT": _text,
    "TODAY": _today,
    "NOW": _now,
    "DATEVALUE": _date_value,
    "DATETIMEVALUE": _simple("datetime_value({0})", "datetime", 1),
    "DATE": _simple("make_date({0}, {1}, {2})", "date", 3),
    "ADDMONTHS": _add_months,
    "WEEKDAY": _simple("CAST(strftime('%w', {0}) + 1 AS REAL)", "number", 1),
    "VALUE": _simple("number_value({0})", "number", 1),
    "ABS": _simple("ABS({0})", "number", 1),
    "ROUND": _simple("half_up({0}, {1})", "number", 2),
    "FLOOR": _simple("floor_of({0})", "number", 1),
    "CEILING": _simple("ceiling_of({0})", "number", 1),
    "MOD": _simple("remainder_of({0}, {1})", "number", 2),
    "MAX": _extreme("MAX"),
    "MIN": _extreme("MIN"),
    "LEN": _simple("CAST(length({0}) AS REAL)", "number", 1),
    "LEFT": _simple("substr({0}, 1, CAST({1} AS INTEGER))", "text", 2),
    "RIGHT": _simple("substr({0}, -MIN(CAST({1} AS INTEGER), length({0})))", "text", 2),
    "MID": _mid,
    "UPPER": _simple("upper_text({0})", "text", 1),
    "LOWER": _simple("lower_text({0})", "text", 1),
    "TRIM": _simple("trim({0})", "text", 1),
    "CONTAINS": _simple("(instr({0}, {1}) > 0)", "boolean", 2),
    "BEGINS": _simple("(substr({0}, 1, length({1})) = {1})", "boolean", 2),
    "INCLUDES": _simple("(instr(';' || {0} || ';', ';' || {1} || ';') > 0)", "boolean", 2),
    "SUBSTITUTE": _simple("replace({0}, {1}, {2})", "text", 3),
    "FIND": _find,
    "LPAD": _pad,
    "BR": _simple("char(10)", "text", 0),
    "CASESAFEID": _simple("{0}", "text", 1),
    "HYPERLINK": _hyperlink,
    **{name: _simple(f"CAST(strftime('{part}', {{0}}) AS REAL)", "number", 1) for name, part in _DATE_PARTS.items()},
    **{name: _simple(f"CAST(substr({{0}}, {start}, {size}) AS REAL)", "number", 1) for name, (start, size) in _TIME_PARTS.items()},
}
