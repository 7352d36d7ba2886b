"""Reading from the org in as few calls as the platform allows.

Must not write. Invariant: a query's rows are complete or an error is raised; which queries share a call changes nothing
in what comes back.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from connector.errors import TransientError
from connector.salesforce.calls import Call, Calls, MalformedReplyError
from connector.salesforce.composite import OTHERS_PER_CALL, PER_CALL, Answer, Part, answers_in, composite_body, query_path
from connector.salesforce.describe import ObjectDescription, read_description
from connector.salesforce.failures import RefusedError, problems_in
from connector.salesforce.wire import Record, below_version, parents_in, same_id, strip, strip_rows

_LONGEST_URL = 12_000
"""Bytes of path. The platform answers 414 above 16,384 for the address and 431 for address and headers (salesforce.md C.4);
a longer query travels in the body of a composite call."""
_IDS = 2_000
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[dict[str, object]]
    total: int
    next_path: str | None


@dataclass(slots=True)
class _Result:
    parents: frozenset[str] | None
    rows: list[Record] = field(default_factory=list)
    pages: int = 0


class Reading:
    """Queries, retrieval by id, descriptions."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def query_many(self, soqls: Sequence[str], *, all_rows: bool | Sequence[bool]) -> list[list[Record]]:
        """The rows of each query; the pages still to come of several queries share calls."""
        wide = [all_rows] * len(soqls) if isinstance(all_rows, bool) else list(all_rows)
        results = [_Result(parents_in(soql)) for soql in soqls]
        waiting = deque((place, query_path(soql, all_rows=wide[place])) for place, soql in enumerate(soqls))
        while waiting:
            bundle = [waiting.popleft() for _ in range(min(PER_CALL, len(waiting)))]
            for (place, _), page in zip(bundle, self._pages([path for _, path in bundle]), strict=True):
                result = results[place]
                result.rows.extend(strip_rows(page.rows, result.parents))
                result.pages += 1
                if page.next_path is not None:
                    waiting.append((place, page.next_path))
                elif result.pages > 1 and len(result.rows) < page.total:
                    raise TransientError("a query gave fewer rows than it announced: rows vanished while it was read")
        return [result.rows for result in results]

    def count(self, soql: str) -> int:
        """``totalSize`` of a COUNT() query."""
        return self._pages([query_path(soql, all_rows=False)])[0].total

    def _pages(self, paths: Sequence[str]) -> list[_Page]:
        if len(paths) == 1 and len(paths[0]) <= _LONGEST_URL:
            return [self._calls.send(Call(paths[0]), _page)]
        return self._bundle([Part(path) for path in paths], lambda answers: [_page(_body(answer)) for answer in answers])

    def _bundle(self, parts: Sequence[Part], read: Callable[[list[Answer]], _T]) -> _T:
        body = composite_body(parts, self._calls.manner, in_order=False)
        return self._calls.send(Call("composite", "POST", body=body), lambda reply: read(answers_in(reply, len(parts))))

    def retrieve(self, sobject: str, ids: Sequence[str], fields: Sequence[str]) -> list[Record | None]:
        """By POST composite/sobjects/{type}: no long address, 2,000 ids to a call (salesforce.md C.4)."""
        found: list[Record | None] = []
        for start in range(0, len(ids), _IDS):
            chunk = ids[start : start + _IDS]
            body = {"ids": list(chunk), "fields": list(dict.fromkeys(["Id", *fields]))}
            found += self._calls.send(Call(f"composite/sobjects/{sobject}", "POST", body=body), partial(_retrieved, asked=chunk))
        return found

    def describe_many(self, sobjects: Sequence[str]) -> dict[str, ObjectDescription | None]:
        """25 descriptions to a call."""
        found: dict[str, ObjectDescription | None] = {}
        for start in range(0, len(sobjects), OTHERS_PER_CALL):
            names = sobjects[start : start + OTHERS_PER_CALL]
            described = self._bundle(
                [Part(f"sobjects/{name}/describe") for name in names], lambda answers: [_described(answer) for answer in answers]
            )
            found.update(zip(names, described, strict=True))
        return found


def _page(body: object) -> _Page:
    if not isinstance(body, Mapping) or not isinstance(body.get("records"), list) or not isinstance(body.get("done"), bool):
        raise MalformedReplyError("not a page of a query")
    next_url = body.get("nextRecordsUrl")
    if not body["done"] and not isinstance(next_url, str):
        raise MalformedReplyError("a page that goes on, but not where")
    total = body.get("totalSize")
    rows = body["records"]
    return _Page(rows, total if isinstance(total, int) else len(rows), None if body["done"] else below_version(str(next_url)))


def _body(answer: Answer) -> object:
    if not 200 <= answer.status < 300:
        raise RefusedError(answer.status, problems_in(answer.body))
    return answer.body


def _described(answer: Answer) -> ObjectDescription | None:
    return None if answer.status == 404 else read_description(_body(answer))


def _retrieved(reply: object, *, asked: Sequence[str]) -> list[Record | None]:
    if not isinstance(reply, list) or len(reply) != len(asked):
        raise MalformedReplyError("the records do not match the ids asked for")
    rows = [strip(row) if isinstance(row, dict) else None for row in reply]
    if any(row is not None and not same_id(str(row.get("Id")), one) for row, one in zip(rows, asked, strict=True)):
        raise MalformedReplyError("the records are not those asked for")
    return rows
