"""Questions to an org whose refusal is an answer: what this user may not ask, the org does not tell.

Must not know what is asked for. Invariants: five questions to a call; only the first page of an answer is read; a refusal that is
about the call and not about the question (no allowance left, the org not available) is an error as everywhere.
"""

from collections.abc import Mapping, Sequence

from connector.errors import ConfigError, PermanentError
from connector.salesforce.calls import Call, Calls, MalformedReplyError
from connector.salesforce.client import Limit, Org
from connector.salesforce.composite import PER_CALL, Answer, Part, answers_in, composite_body, query_path
from connector.salesforce.describe import ObjectDescription
from connector.salesforce.failures import RefusedError, is_total_limit, problems_in
from connector.salesforce.wire import Record, parents_in, strip_rows

_OF_THE_QUESTION = frozenset({400, 403, 404})


class Asking:
    """Asks one org through the ``Org`` given."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._calls: Calls = org.wire[0]

    @property
    def calls(self) -> int:
        """Requests sent so far."""
        return self._calls.made

    def describe_many(self, sobjects: Sequence[str]) -> dict[str, ObjectDescription | None]:
        """Several objects, 25 to a call; None for one that does not exist or may not be seen."""
        return self._org.describe_many(sobjects)

    def rows(self, soqls: Sequence[str]) -> list[Sequence[Record] | None]:
        """The rows of each question, at most one page; None where the org refuses the question."""
        found: list[Sequence[Record] | None] = []
        for start in range(0, len(soqls), PER_CALL):
            chunk = soqls[start : start + PER_CALL]
            body = composite_body([Part(query_path(one, all_rows=False)) for one in chunk], self._calls.manner, in_order=False)

            def read(reply: object, asked: Sequence[str] = chunk) -> list[Sequence[Record] | None]:
                return [_rows(answer, soql) for answer, soql in zip(answers_in(reply, len(asked)), asked, strict=True)]

            found += self._calls.send(Call("composite", "POST", body=body), read)
        return found

    def names(self) -> tuple[str, ...]:
        """Names of all objects this user sees."""
        return self._calls.send(Call("sobjects"), _names)

    def tooling(self, soql: str) -> Sequence[Record] | None:
        """The rows of a question about metadata; None where the org refuses it."""
        try:
            return self._calls.send(Call("tooling/query", params={"q": soql}), lambda body: _page(body, soql))
        except (ConfigError, PermanentError):
            return None

    def limits(self) -> Mapping[str, Limit] | None:
        """The org's limits; None for a user without View Setup and Configuration (salesforce.md C.8)."""
        try:
            return self._org.limits()
        except (ConfigError, PermanentError):
            return None


def _rows(answer: Answer, soql: str) -> Sequence[Record] | None:
    if 200 <= answer.status < 300:
        return _page(answer.body, soql)
    refusal = RefusedError(answer.status, problems_in(answer.body))
    if answer.status in _OF_THE_QUESTION and not is_total_limit(refusal) and refusal.code != "REQUEST_LIMIT_EXCEEDED":
        return None
    raise refusal


def _page(body: object, soql: str) -> Sequence[Record]:
    if not isinstance(body, Mapping) or not isinstance(body.get("records"), list):
        raise MalformedReplyError("not a page of a query")
    return strip_rows(body["records"], parents_in(soql))


def _names(body: object) -> tuple[str, ...]:
    listed = body.get("sobjects") if isinstance(body, Mapping) else None
    if not isinstance(listed, list):
        raise MalformedReplyError("the list of objects could not be read")
    return tuple(str(one.get("name")) for one in listed if isinstance(one, Mapping))
