"""``/sobjects/{T}/updated`` and ``/deleted``: which records changed within a window of time.

Its invariant: the window is asked in whole minutes, as the platform does, and never reaches further back than it keeps.

Source: the REST API guide, sObject Get Updated and Get Deleted (seconds ignored, start before end, 30 days for changes, 15 for
deletions, 600,000 ids). The words of INVALID_REPLICATION_DATE are not recorded anywhere we know.
"""

from datetime import UTC, datetime, timedelta

from sandbox.http.platform import Platform
from sandbox.http.wire import Call, Reply, only
from sandbox.org.errors import OrgError
from sandbox.org.schema import ObjectType

DAYS_BACK = timedelta(days=30)
MOST_IDS = 600_000
_MINUTE = timedelta(minutes=1)


def replicated(platform: Platform, call: Call, kind: ObjectType, what: str) -> Reply:
    """Answer ``/updated`` or ``/deleted``."""
    if refusal := only(call, "GET"):
        return refusal
    now = platform.org.clock.now()
    start, end = _moment(call, "start"), _moment(call, "end")
    if end - start < _MINUTE:
        raise _refused("endDate must be at least one minute greater than startDate")
    if start < _minute(now - DAYS_BACK):
        raise _refused("startDate cannot be more than 30 days ago")
    covered = _told(min(end, _minute(now)))
    if what == "updated":
        found = [str(row["Id"]) for row in _rows(platform, call, f"SELECT Id FROM {kind.name} WHERE {_window(start, end)}", all_rows=False)]
        return Reply(200, {"ids": found, "latestDateCovered": covered})
    earliest = _minute(now - timedelta(days=platform.options.deleted_days))
    window = _window(max(start, earliest), end)
    rows = _rows(platform, call, f"SELECT Id, SystemModstamp FROM {kind.name} WHERE IsDeleted = true AND {window}", all_rows=True)
    records = [{"id": row["Id"], "deletedDate": row["SystemModstamp"]} for row in rows]
    return Reply(200, {"deletedRecords": records, "earliestDateAvailable": _told(earliest), "latestDateCovered": covered})


def _rows(platform: Platform, call: Call, soql: str, *, all_rows: bool) -> list[dict[str, object]]:
    found = platform.org.query(soql, user_id=call.session.user_id, all_rows=all_rows).records
    if len(found) > MOST_IDS:
        raise OrgError(400, "EXCEEDED_ID_LIMIT", "Too many ids: choose dates that are closer together")
    return found


def _window(start: datetime, end: datetime) -> str:
    return f"SystemModstamp >= {start:%Y-%m-%dT%H:%M:%SZ} AND SystemModstamp <= {end:%Y-%m-%dT%H:%M:%SZ}"


def _moment(call: Call, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(call.query.get(name, "").replace(" ", "+"))
    except ValueError as problem:
        raise _refused(f"{name} is no date and time") from problem
    if moment.tzinfo is None:
        raise _refused(f"{name} has no offset")
    return _minute(moment.astimezone(UTC))


def _minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"


def _refused(words: str) -> OrgError:
    return OrgError(400, "INVALID_REPLICATION_DATE", words)
