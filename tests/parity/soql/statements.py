"""SOQL statements made from a grammar with a fixed seed: valid ones, and ones spoilt by a small change.

Must not know either parser. Invariant: the same seed makes the same statements, in the same order, on every machine.
"""

from collections.abc import Callable, Iterator
from random import Random

Words = list[str]

_NAMES = ("Id", "Name", "Amount__c", "CreatedDate", "Type", "IsClosed", "Owner.Name", "Account.Owner.Profile.Name", "a__r.b__c", "Status")
_OBJECTS = ("Account", "Contact", "Case", "Invoice__c", "Opportunity", "Task")
_CHILDREN = ("Contacts", "Cases", "Lines__r", "Account.Contacts")
_DAYS = (
    "TODAY",
    "yesterday",
    "LAST_90_DAYS",
    "THIS_WEEK",
    "NEXT_FISCAL_QUARTER",
    "LAST_N_DAYS:3",
    "N_MONTHS_AGO:2",
    "next_n_fiscal_years:1",
)
_VALUES = ("'a'", "'it\\'s'", "''", "'50\\%'", "5", "-2.5", "+1", "USD500", "EUR12.50", "null", "TRUE", "false", "2026-01-31")
_MOMENTS = ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00.000+01:00")
_PARTS = ("CALENDAR_YEAR", "fiscal_quarter", "DAY_ONLY", "HOUR_IN_DAY", "WEEK_IN_YEAR", "Day_In_Month")
_SPOILERS = (
    "(",
    ")",
    ",",
    "AND",
    "OR",
    "NOT",
    "FROM",
    "WHERE",
    "LIMIT",
    "'x'",
    "5",
    "=",
    "IN",
    "LIKE",
    "Name",
    "SELECT",
    "null",
    "BY",
    "ORDER",
)


class Maker:
    """Makes statements, one after another."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - statements to test with

    def _maybe(self, share: float, make: Callable[[], Words]) -> Words:
        return make() if self._random.random() < share else []

    def _one(self, *choices: Callable[[], Words]) -> Words:
        return self._random.choice(choices)()

    def _pick(self, words: tuple[str, ...]) -> str:
        return self._random.choice(words)

    def _list(self, make: Callable[[], Words], most: int = 3) -> Words:
        found = make()
        for _ in range(self._random.randint(0, most - 1)):
            found += [",", *make()]
        return found

    def _name(self) -> Words:
        return [self._pick(_NAMES)]

    def _date_part(self) -> Words:
        inner = self._name()
        if self._random.random() < 0.3:
            inner = ["convertTimezone", "(", *inner, ")"]
        return [self._pick(_PARTS), "(", *inner, ")"]

    def _aggregate(self) -> Words:
        return [self._pick(("COUNT", "SUM", "avg", "MIN", "Max", "COUNT_DISTINCT")), "(", *self._name(), ")"]

    def _shown(self) -> Words:
        return [self._pick(("toLabel", "FORMAT", "convertCurrency")), "(", *self._name(), ")"]

    def _nested(self) -> Words:
        return ["FORMAT", "(", *self._one(self._aggregate, lambda: ["convertCurrency", "(", *self._name(), ")"]), ")"]

    def _distance(self) -> Words:
        place = ["GEOLOCATION", "(", "37.775", ",", "-122.418", ")"]
        return ["DISTANCE", "(", "Place__c", ",", *place, ",", self._pick(("'km'", "'mi'")), ")"]

    def _type_of(self) -> Words:
        found = ["TYPEOF", "What"]
        for _ in range(self._random.randint(1, 2)):
            found += ["WHEN", self._pick(_OBJECTS), "THEN", *self._list(self._name)]
        return [*found, *self._maybe(0.5, lambda: ["ELSE", *self._list(self._name)]), "END"]

    def _child(self) -> Words:
        return ["(", *self.query(self._pick(_CHILDREN), grouped=False, depth=1), ")"]

    def _item(self) -> Words:
        return self._one(self._name, self._name, self._name, self._shown, self._nested, self._distance, self._type_of)

    def _value(self) -> Words:
        return [self._pick(self._random.choice((_VALUES, _DAYS, _MOMENTS)))]

    def _comparison(self, depth: int) -> Words:
        kind = self._random.randint(0, 9)
        operand = self._one(self._name, self._name, self._name, self._date_part, self._shown)
        if kind < 4:
            return [*operand, self._pick(("=", "!=", "<>", "<", ">", "<=", ">=")), *self._value()]
        if kind == 4:
            return [*operand, "LIKE", self._pick(("'a%'", "'_b\\_c'"))]
        if kind == 5:
            return [*self._distance(), self._pick(("<", ">")), "20"]
        if kind == 6:
            return [*self._name(), self._pick(("INCLUDES", "excludes")), "(", *self._list(lambda: [self._pick(("'a'", "'a;b'"))]), ")"]
        if kind == 7 and depth < 1:
            return [*self._name(), *self._in(), "(", *self.query(self._pick(_OBJECTS), grouped=False, depth=2), ")"]
        return [*operand, *self._in(), "(", *self._list(self._value), ")"]

    def _in(self) -> Words:
        return self._random.choice((["IN"], ["NOT", "IN"]))

    def _condition(self, depth: int, left: int) -> Words:
        kind = self._random.randint(0, 5)
        if left == 0 or kind < 3:
            return self._comparison(depth)
        if kind == 3:
            return ["NOT", *self._comparison(depth)]
        if kind == 4:
            return ["(", *self._condition(depth, left - 1), ")"]
        word = self._pick(("AND", "OR", "and"))
        parts = self._unary(depth, left)
        for _ in range(self._random.randint(1, 2)):
            parts += [word, *self._unary(depth, left)]
        return parts

    def _unary(self, depth: int, left: int) -> Words:
        return self._one(
            lambda: self._comparison(depth),
            lambda: ["NOT", *self._comparison(depth)],
            lambda: ["(", *self._condition(depth, left - 1), ")"],
        )

    def _with(self) -> Words:
        return self._one(
            lambda: ["WITH", "SECURITY_ENFORCED"],
            lambda: ["WITH", "DATA", "CATEGORY", "Geography__c", self._pick(("AT", "ABOVE", "ABOVE_OR_BELOW")), "usa__c"],
            lambda: ["WITH", "DATA", "CATEGORY", "Product__c", "BELOW", "(", "a__c", ",", "b__c", ")", "AND", "Area__c", "AT", "c__c"],
        )

    def _order(self) -> Words:
        def one() -> Words:
            way = self._maybe(0.5, lambda: [self._pick(("ASC", "desc"))])
            return [*self._name(), *way, *self._maybe(0.3, lambda: ["NULLS", self._pick(("FIRST", "last"))])]

        return ["ORDER", "BY", *self._list(one)]

    def _groups(self) -> Words:
        def having() -> Words:
            return ["HAVING", *self._aggregate(), self._pick((">", "=", "<=")), "5"]

        kind = self._random.randint(0, 3)
        if kind == 0:
            return ["GROUP", "BY", self._pick(("ROLLUP", "CUBE")), "(", *self._list(self._name), ")", *self._maybe(0.3, having)]
        by = self._list(self._name) if kind < 3 else self._date_part()
        return ["GROUP", "BY", *by, *self._maybe(0.4, having)]

    def _page(self) -> Words:
        offset = self._maybe(0.4, lambda: ["OFFSET", str(self._random.randint(0, 200))])
        return ["LIMIT", str(self._random.randint(1, 200)), *offset]

    def query(self, source: str | None = None, *, grouped: bool | None = None, depth: int = 0) -> Words:
        """Make the words of one valid statement. depth: 1 for a child query, 2 for a semi-join."""
        groups = self._random.random() < 0.25 if grouped is None else grouped
        if depth == 2:
            items = self._name()
        elif groups:
            items = self._list(lambda: self._one(self._name, lambda: [*self._aggregate(), *self._maybe(0.5, lambda: ["total"])]))
        elif depth == 0 and self._random.random() < 0.05:
            items = ["COUNT", "(", ")"]
        else:
            items = self._list(self._item, 4)
            if depth == 0:
                items += self._maybe(0.2, lambda: [",", *self._child()])
        found = ["SELECT", *items, "FROM", source or self._pick(_OBJECTS)]
        if depth == 0:
            found += self._maybe(0.05, lambda: ["USING", "SCOPE", self._pick(("mine", "Everything", "delegated"))])
        found += self._maybe(0.6, lambda: ["WHERE", *self._condition(depth, 3)])
        if depth == 0:
            found += self._maybe(0.1, self._with)
        if groups:
            found += self._groups()
        if depth != 2:
            found += self._maybe(0.3, self._order)
            found += self._maybe(0.3, self._page)
        if depth == 0:
            found += self._maybe(0.05, lambda: ["FOR", self._pick(("VIEW", "REFERENCE"))])
            found += self._maybe(0.03, lambda: ["UPDATE", self._pick(("TRACKING", "VIEWSTAT"))])
        return found

    def spoilt(self, words: Words) -> Words:
        """Change one word: leave it out, say it twice, swap it with the next, put another in its place, or stop there."""
        place = self._random.randrange(1, len(words))
        kind = self._random.randint(0, 4)
        if kind == 0:
            return [*words[:place], *words[place + 1 :]]
        if kind == 1:
            return [*words[:place], words[place], *words[place:]]
        if kind == 2 and place + 1 < len(words):
            return [*words[:place], words[place + 1], words[place], *words[place + 2 :]]
        if kind == 3:
            return [*words[:place], self._pick(_SPOILERS), *words[place + 1 :]]
        return words[:place]


def statements(seed: int, count: int) -> Iterator[tuple[str, bool]]:
    """Make pairs of a valid statement and a spoilt one; the flag tells which is which. Some of the spoilt are valid still."""
    maker = Maker(seed)
    for _ in range(count):
        words = maker.query()
        yield " ".join(words), True
        yield " ".join(maker.spoilt(words)), False
