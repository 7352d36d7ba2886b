"""``/query`` and ``/queryAll``: running SOQL, paging, ``columns=true``.

SOQL itself is the org's affair. The invariant: the pages of one query together hold each row once.
Source: C.4 of the platform notes (nextRecordsUrl form, page sizes, COUNT() replies).
"""

import re

from sandbox.http.platform import Platform
from sandbox.http.wire import Call, JsonObject, Reply, batch_size, error
from sandbox.org.types import QueryResult, Record

_LOCATOR = re.compile(r"^(?P<cursor>01g\w+)-(?P<offset>\d+)$")


def query(platform: Platform, call: Call) -> Reply:
    """Answer ``/query?q=`` and ``/query/<cursor>-<offset>``, and the same below ``/queryAll``."""
    if call.method != "GET":
        return error(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed. Allowed are HEAD,GET")
    if len(call.parts) > 1:
        return _next_page(platform, call, call.parts[1])
    soql = call.query.get("q", "")
    if not soql.strip():
        return error(400, "MALFORMED_QUERY", "A query string has to be specified")
    result = platform.org.query(soql, user_id=call.session.user_id, all_rows=call.parts[0] == "queryAll", api_version=call.version)
    if call.query.get("columns", "").lower() == "true":
        return Reply(200, _columns(result))
    return Reply(200, _first_page(platform, call, result))


def _first_page(platform: Platform, call: Call, result: QueryResult) -> JsonObject:
    size = batch_size(call.headers, platform.options.query_batch)
    platform.usage.counts["rows_read"] += len(result.records)
    page: JsonObject = {"totalSize": result.total_size, "done": len(result.records) <= size}
    if len(result.records) > size:
        cursor_id = platform.cursors.open(result.records, call.session.user_id, platform.org.clock.now())
        page["nextRecordsUrl"] = f"{call.root}/{call.parts[0]}/{cursor_id}-{size}"
    page["records"] = result.records[:size]
    return page


def _next_page(platform: Platform, call: Call, locator: str) -> Reply:
    found = _LOCATOR.match(locator)
    cursor = platform.cursors.get(found["cursor"], call.session.user_id, platform.org.clock.now()) if found else None
    if found is None or cursor is None or int(found["offset"]) >= len(cursor.records):
        return error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    start = int(found["offset"])
    end = start + batch_size(call.headers, platform.options.query_batch)
    rows: list[Record] = cursor.records[start:end]
    page: JsonObject = {"totalSize": len(cursor.records), "done": end >= len(cursor.records)}
    if end < len(cursor.records):
        page["nextRecordsUrl"] = f"{call.root}/{call.parts[0]}/{found['cursor']}-{end}"
    page["records"] = rows
    return Reply(200, page)


def _columns(result: QueryResult) -> JsonObject:
    return {
        "columnMetadata": result.columns,
        "entityName": result.entity,
        "groupBy": result.group_by,
        "idSelected": result.id_selected,
        "keyPrefix": result.key_prefix,
    }
