"""Everyone else in the demo: the package's automation, colleagues and the hand on the clock, over public HTTP alone.

Must not act as the daemon. Invariant: every person works with a token of their own, so that the org's records
show who did what; the admin port is used only for time, tokens and what a test may hide.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import requests

from connector.errors import PermanentError

Record = dict[str, Any]
CHUNK = 200


class People:
    """The org as other people and programs use it."""

    def __init__(self, sandbox: Mapping[str, str]) -> None:
        self._instance, self._admin = sandbox["instance_url"], sandbox["admin_url"]
        self._base = f"{self._instance}/services/data/v{sandbox['api_version']}"
        self._http = requests.Session()
        self._tokens: dict[str, str] = {}

    def now(self) -> datetime:
        """The org's time."""
        return datetime.fromisoformat(self._http.get(f"{self._admin}/clock", timeout=10).json()["now"])

    def set_clock(self, at: datetime) -> None:
        """Move the org's time."""
        self._post_admin("clock", {"now": at.isoformat()})

    def hide(self, sobject: str, ids: Sequence[str]) -> None:
        """Make records invisible to the integration user."""
        self._post_admin("hide", {"sobject": sobject, "ids": list(ids)})

    def stats(self) -> dict[str, Any]:
        """Counters of the sandbox."""
        return dict(self._http.get(f"{self._admin}/stats", timeout=10).json())

    def query(self, soql: str, *, all_rows: bool = False) -> list[Record]:
        """Rows as an administrator sees them, over all pages."""
        path = "queryAll" if all_rows else "query"
        answer = self._send("GET", f"{self._base}/{path}", "admin", params={"q": soql})
        rows = list(answer["records"])
        while not answer["done"]:
            answer = self._send("GET", f"{self._instance}{answer['nextRecordsUrl']}", "admin")
            rows += answer["records"]
        return rows

    def insert(self, sobject: str, rows: Sequence[Mapping[str, object]], who: str = "package") -> list[str]:
        """Make records (or publish events); their ids."""
        ids: list[str] = []
        for at in range(0, len(rows), CHUNK):
            records = [{"attributes": {"type": sobject}, **row} for row in rows[at : at + CHUNK]]
            ids += self._saved(self._send("POST", f"{self._base}/composite/sobjects", who, json={"allOrNone": False, "records": records}))
        return ids

    def update(self, sobject: str, rows: Sequence[Mapping[str, object]], who: str = "package") -> None:
        """Change records; each row has its ``Id``."""
        for at in range(0, len(rows), CHUNK):
            records = [
                {"attributes": {"type": sobject}, **{("id" if name == "Id" else name): value for name, value in row.items()}}
                for row in rows[at : at + CHUNK]
            ]
            self._saved(self._send("PATCH", f"{self._base}/composite/sobjects", who, json={"allOrNone": False, "records": records}))

    def delete(self, sobject: str, record_id: str, who: str = "package") -> None:
        """Put a record into the recycle bin."""
        self._send("DELETE", f"{self._base}/sobjects/{sobject}/{record_id}", who)

    def _saved(self, results: Sequence[Mapping[str, Any]]) -> list[str]:
        for one in results:
            if not one["success"]:
                raise PermanentError(
                    f"the org refused a record of the story: {one['errors'][0]['statusCode']} {one['errors'][0]['message']}"
                )
        return [str(one["id"]) for one in results]

    def _send(self, method: str, url: str, who: str, **more: Any) -> Any:  # noqa: ANN401 - JSON of any shape
        answer = self._http.request(
            method, url, headers={"Authorization": f"Bearer {self._token(who)}", "Sforce-Auto-Assign": "FALSE"}, timeout=60, **more
        )
        if answer.status_code >= 300:
            raise PermanentError(f"the org answered the story with {answer.status_code}: {answer.text[:300]}")
        return answer.json() if answer.content else None

    def _token(self, who: str) -> str:
        if who not in self._tokens:
            self._tokens[who] = str(self._post_admin("tokens/issue", {"username": f"{who}@sandbox.example"})["access_token"])
        return self._tokens[who]

    def _post_admin(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        answer = self._http.post(f"{self._admin}/{path}", json=body, timeout=10)
        if answer.status_code >= 300:
            raise PermanentError(f"the sandbox's admin port answered {answer.status_code}: {answer.text[:300]}")
        return dict(answer.json()) if answer.content else {}
