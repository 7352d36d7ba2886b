"""``/query`` and ``/queryAll``: running SOQL, paging, ``columns=true``; pages of rows found in other ways too.

SOQL itself is the org's affair. The invariant: the pages of one query together hold each row once, children's rows too.

Source: C.4 of the platform notes (form of nextRecordsUrl, page sizes, COUNT() replies, child rows count towards the size of a
page); the page on queryMore (a child's further rows have a locator of their own).
"""

import re
from dataclasses import dataclass

from sandbox.http.cursors import Cursor
from sandbox.http.platform import Platform
from sandbox.http.wire import Call, JsonObject, Reply, batch_size, error, only
from sandbox.org.types import QueryResult, Record

_LOCATOR = re.compile(r"^(?P<cursor>(?:01g|0r8)\w{15})-(?P<offset>\d+)$")


@dataclass(frozen=True, slots=True)
class _Page:
    """One page being made: which rows, from where, of which cursor (None while it needs none)."""

    rows: list[Record]
    start: int
    cursor_id: str | None = None


def query(platform: Platform, call: Call) -> Reply:
    """Answer ``/query?q=`` and ``/query/<cursor>-<offset>``, and the same below ``/queryAll``."""
    if refusal := only(call, "GET"):
        return refusal
    if len(call.parts) > 1:
        return _next_page(platform, call, call.parts[1])
    soql = call.query.get("q", "")
    if not soql.strip():
        if "explain" in call.query:
            return error(400, "FUNCTIONALITY_NOT_ENABLED", "Query plans are not available in this organization")
        return error(400, "MALFORMED_QUERY", "A query string has to be specified")
    result = platform.org.query(soql, user_id=call.session.user_id, all_rows=call.parts[0] == "queryAll", api_version=call.version)
    if call.query.get("columns", "").lower() == "true":
        return Reply(200, _columns(result))
    platform.usage.counts["rows_read"] += len(result.records)
    if result.viewed:
        _remember(platform, call, result)
    return Reply(200, pages(platform, call, result.records, result.total_size))


def _remember(platform: Platform, call: Call, result: QueryResult) -> None:
    """FOR VIEW and FOR REFERENCE put the rows found among the recent records, the first row first."""
    for row in reversed(result.records):
        record_id = str(row["attributes"]["url"]).rpartition("/")[2]
        platform.recent.note(call.session.user_id, result.entity, record_id)


def pages(platform: Platform, call: Call, records: list[Record], total: int) -> JsonObject:
    """The first page of rows found by any request; the rest is read through ``/query``."""
    return _page(platform, call, _Page(records, 0), total)


def _next_page(platform: Platform, call: Call, locator: str) -> Reply:
    found = _LOCATOR.match(locator)
    cursor = platform.cursors.get(found["cursor"], call.session.user_id, platform.org.clock.now()) if found else None
    if found is None or cursor is None or int(found["offset"]) >= len(cursor.records):
        return error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    platform.cursors.release_children(found["cursor"])
    return Reply(200, _page(platform, call, _Page(cursor.records, int(found["offset"]), found["cursor"]), len(cursor.records)))


def _page(platform: Platform, call: Call, page: _Page, total: int) -> JsonObject:
    size = batch_size(call.headers, platform.options.query_batch)
    families = _families(page.rows[page.start : page.start + size])
    end = _end(page, size) if families else page.start + size
    done = end >= len(page.rows)
    cursor_id = page.cursor_id
    if not done and cursor_id is None:
        cursor_id = _open(platform, call, page.rows)
    told: JsonObject = {"totalSize": total, "done": done}
    if not done:
        told["nextRecordsUrl"] = f"{_resource(call)}/{cursor_id}-{end}"
    rows = page.rows[page.start : end]
    told["records"] = [_shown(platform, call, row, size, cursor_id or "") for row in rows] if families else rows
    return told


def _open(platform: Platform, call: Call, rows: list[Record], parent: str | None = None) -> str:
    options = platform.options
    cursor = Cursor(rows, call.session.user_id, platform.org.clock.now(), child=parent is not None, parent=parent or "")
    return platform.cursors.open(cursor, prefix=options.cursor_prefix, most=options.cursors_per_user)


def _resource(call: Call) -> str:
    return f"{call.root}/{'queryAll' if call.parts[0] == 'queryAll' else 'query'}"


def _families(rows: list[Record]) -> bool:
    """Whether any of the rows has rows of its own."""
    return any(isinstance(value, dict) and "records" in value for row in rows for value in row.values())


def _end(page: _Page, size: int) -> int:
    """Where a page ends whose rows have children: those shown count too, and one parent always fits."""
    end, weight = page.start, 0
    for row in page.rows[page.start :]:
        weight += 1 + sum(min(len(value["records"]), size) for value in row.values() if isinstance(value, dict) and "records" in value)
        if weight > size and end > page.start:
            break
        end += 1
    return end


def _shown(platform: Platform, call: Call, row: Record, size: int, parent: str) -> Record:
    """A row whose long families are cut after the size of a page and go on behind a locator of their own."""
    shown = row
    for name, value in row.items():
        if isinstance(value, dict) and "records" in value and len(value["records"]) > size:
            url = f"{_resource(call)}/{_open(platform, call, value['records'], parent)}-{size}"
            cut = {"totalSize": value["totalSize"], "done": False, "nextRecordsUrl": url, "records": value["records"][:size]}
            shown = {**shown, name: cut}
    return shown


def _columns(result: QueryResult) -> JsonObject:
    return {
        "columnMetadata": result.columns,
        "entityName": result.entity,
        "groupBy": result.group_by,
        "idSelected": result.id_selected,
        "keyPrefix": result.key_prefix,
    }
