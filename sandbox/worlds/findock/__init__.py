"""A company that collects monthly money with FinDock: electricity, memberships and gifts, in three countries.

Must not know HTTP. Invariant: everything a story needs is a record that the org's public interfaces can show.
"""

from pathlib import Path

from sandbox.worlds.findock.automation import automate
from sandbox.worlds.findock.fill import build
from sandbox.worlds.findock.staff import INTEGRATION, PACKAGE

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[2]

DX: list[Path] = [_ROOT / "force-app" / "main", _ROOT / "force-app" / "findock", _HERE / "dx"]
"""DX source this world's org consists of: Dunwell's own, its fields on the package's objects, the package and the org's own fields."""
STORIES: Path = _HERE / "stories.yaml"

__all__ = ["DX", "INTEGRATION", "PACKAGE", "STORIES", "automate", "build"]
