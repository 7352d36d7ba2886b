"""Rows of one chunk that name one record: by its id, or by the key of an upsert.

Pure. Source: Salesforce knowledge article 000384876 (rows of an update or upsert with one id in one batch fail with
`Duplicate id specified: ...`; in different batches the last one wins); SOAP API Developer Guide, upsert() (the same of external
ids). Whether the first of them passes is not told, hence the switch. Invariant: rows that name no record are no doubles.
"""

from collections import Counter
from collections.abc import Sequence

from sandbox.org import ids
from sandbox.org.cells import read_cell
from sandbox.org.errors import OrgError
from sandbox.org.schema import Field
from sandbox.org.task import NULL, Task
from sandbox.org.values import Stored, reader


def doubles(task: Task, rows: Sequence[Sequence[str]]) -> dict[int, OrgError]:
    """Find the rows, by place, that may not be written because another row names their record."""
    key = task.key if task.operation == "upsert" else None
    at = next((place for place, each in enumerate(task.columns) if (each.field is key if key else each.field.name == "Id")), -1)
    if at < 0 or task.operation not in ("update", "upsert"):
        return {}
    names = [_name(key, cells[at]) for cells in rows]
    counts = Counter(name for name in names if name is not None)
    if len(counts) + names.count(None) == len(names):
        return {}
    found: dict[int, OrgError] = {}
    met: set[Stored] = set()
    for place, name in enumerate(names):
        if name is not None and counts[name] > 1 and (task.all_duplicates_fail or name in met):
            found[place] = _refusal(key, rows[place][at])
        met.add(name)
    return found


def _name(key: Field | None, cell: str) -> Stored:
    """Give the same for cells that name the same record, None for one that names none."""
    if cell in ("", NULL):
        return None
    if key is None or key.name == "Id":
        return ids.normal(cell) or cell
    try:
        kept = read_cell(key, reader(key), cell)
    except OrgError:
        return None
    return kept.lower() if isinstance(kept, str) and not key.case_sensitive else kept


def _refusal(key: Field | None, cell: str) -> OrgError:
    if key is None or key.name == "Id":
        return OrgError(400, "DUPLICATE_VALUE", f"Duplicate id specified: {cell}")
    return OrgError(400, "DUPLICATE_VALUE", f"Duplicate external id specified: {cell}", [key.name])
