"""The rows of an ingest job on a platform event: each is published, nothing is kept.

Must not know jobs. Source: Platform Events Developer Guide, "Publish Event Messages with Salesforce APIs" (any Salesforce API
publishes by inserting: SOAP API, REST API, Bulk API 2.0). Invariant: rows are published in their order, each by itself.
"""

from collections.abc import Sequence

from sandbox.bulk.host import Host
from sandbox.org.cells import read_cell
from sandbox.org.errors import OrgError
from sandbox.org.task import Admit, Outcome, Task
from sandbox.org.values import reader
from sandbox.publishing import publish


def publish_rows(host: Host, task: Task, rows: Sequence[Sequence[str]], admit: Admit | None) -> list[Outcome]:
    """Publish rows of cells; say what came of each."""
    return [_publish(host, task, cells, admit(place, ()) if admit else None) for place, cells in enumerate(rows)]


def _publish(host: Host, task: Task, cells: Sequence[str], refused: OrgError | None) -> Outcome:
    if refused is not None:
        return Outcome(error=refused)
    try:
        fields = {
            each.field.name: read_cell(each.field, reader(each.field), cell) for each, cell in zip(task.columns, cells, strict=True) if cell
        }
        record_id, _ = publish(host, task.object, fields, task.session)
    except OrgError as error:
        return Outcome(error=error)
    return Outcome(record_id, created=True)
