"""The folder reports are kept in: a page and a JSON file for each pass, the last sixty passes.

Must not touch a file that is no report. Invariant: a report is there whole or not at all.
"""

import re
from datetime import UTC
from pathlib import Path

from connector.core.reconciliation import Reconciliation
from connector.errors import PermanentError
from connector.report import data

KEEP = 60
"""Passes whose reports are kept."""
_REPORT = re.compile(r"run-\d{8}T\d{6}Z\.(html|json)")


class Folder:
    """Where reports go. ``keep`` None = all of them stay."""

    def __init__(self, path: Path, instance_url: str, *, keep: int | None = KEEP) -> None:
        self._path, self._instance_url, self._keep = path, instance_url, keep

    def write(self, one: Reconciliation) -> Path:
        """Write the report of a pass and remove those beyond the last ``keep``; the page's path.

        Raises:
            PermanentError: the folder cannot be written.

        """
        from connector.report import page  # noqa: PLC0415 - matplotlib is loaded only where a report is drawn

        name = f"run-{one.started_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        rendered = {".json": data.render(one, self._instance_url), ".html": page.render(one, self._instance_url)}
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            for ending, text in rendered.items():
                _replace(self._path / f"{name}{ending}", text)
            self._tidy()
        except OSError as error:
            raise PermanentError(f"the report cannot be written: {error.strerror}; the pass itself is done") from error
        return self._path / f"{name}.html"

    def _tidy(self) -> None:
        if self._keep is None:
            return
        reports = [one for one in self._path.iterdir() if _REPORT.fullmatch(one.name)]
        names = sorted({one.stem for one in reports})
        gone = set(names[: -self._keep])
        for one in reports:
            if one.stem in gone:
                one.unlink(missing_ok=True)


def _replace(path: Path, text: str) -> None:
    """Write beside it first, so that nobody reads half a report."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
