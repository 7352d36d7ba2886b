"""A school for music and languages that bills its clients from objects of its own: no payment package anywhere.

Must not know HTTP. Invariant: everything a story needs is a record that the org's public interfaces can show.
"""

from collections.abc import Mapping
from pathlib import Path

from sandbox.worlds.plain.automation import automate
from sandbox.worlds.plain.fill import build
from sandbox.worlds.plain.staff import INTEGRATION, PACKAGE

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[2]

DX: list[Path] = [_ROOT / "force-app" / "main", _HERE / "dx"]
"""DX source this world's org consists of: Dunwell's own, and everything this company's admin built."""
SETTINGS: Mapping[str, str] = {"time_zone": "Europe/London", "currency": "GBP", "name": "Tidewater Lessons"}
STORIES: Path = _HERE / "stories.yaml"

__all__ = ["DX", "INTEGRATION", "PACKAGE", "SETTINGS", "STORIES", "automate", "build"]
