"""From a world's name to its org: filled when new, as it was left when its store exists.

Must not know HTTP, nor any world in particular. Invariant: a store is opened only by the world that filled it, and only when
it was filled to the end; everything that is wrong with a name, a parameter or a store is a WorldError that says what to do.
"""

import gc
import importlib
import importlib.util
import inspect
import pkgutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

import sandbox.worlds
from sandbox.org.clock import Clock
from sandbox.org.metadata import DEFAULT_FEATURES, load_schema
from sandbox.org.org import Org
from sandbox.org.types import Commit, Events

_WORLD, _CLOCK = "world", "clock"


class WorldError(ValueError):
    """The world asked for cannot be had."""


class World(Protocol):
    """What a world module offers: its metadata, how to fill it, and what its packages do by themselves."""

    DX: Sequence[Path]

    def build(self, org: Org, *, payers: int, seed: int, **shape: int) -> None:
        """Fill an empty org; each further keyword is a parameter of this world's own, with a default."""
        ...

    def automate(self, org: Org) -> None:
        """Register triggers of the org's own and of its packages."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """Which org is wanted. `shape`: parameters of the world's own; `now` (aware) freezes the clock; `store` keeps it on disk."""

    world: str
    payers: int
    seed: int
    now: datetime | None = None
    store: Path | None = None
    shape: Mapping[str, int] = field(default_factory=dict)


def known_worlds() -> list[str]:
    """Names of the worlds that come with the sandbox."""
    return sorted(each.name for each in pkgutil.iter_modules(sandbox.worlds.__path__) if each.ispkg)


def load_world(name: str) -> World:
    """Find a world: one of ours by name, another by the path of its package (with a /) or its dotted module. Raises WorldError."""
    if name in known_worlds():
        found = importlib.import_module(f"sandbox.worlds.{name}")
    elif "/" in name or (Path(name) / "__init__.py").is_file():
        found = _at(Path(name))
    elif "." in name:
        found = _module(name)
    else:
        raise WorldError(_unknown(name))
    lacking = [word for word in ("DX", "build", "automate") if not hasattr(found, word)]
    if lacking:
        raise WorldError(f"the world {name} lacks {', '.join(lacking)}: see sandbox/worlds/README.md")
    return cast(World, found)


def _unknown(name: str) -> str:
    return f"there is no world {name}; there are {', '.join(known_worlds())}, or give the path or the dotted module of another"


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise WorldError(_unknown(name)) from error


def _at(folder: Path) -> ModuleType:
    """Load the package in a folder as if it lay beside ours, so that its modules can import each other."""
    file, called = folder / "__init__.py", f"sandbox.worlds.{folder.resolve().name}"
    if not file.is_file():
        raise WorldError(f"{folder} is no world: it has no __init__.py")
    loaded = sys.modules.get(called)
    if loaded is not None and loaded.__file__ == str(file.resolve()):
        return loaded
    if loaded is not None or folder.name in known_worlds():
        raise WorldError(f"there already is a world {folder.resolve().name}: give the one in {folder} another name")
    spec = importlib.util.spec_from_file_location(called, file.resolve(), submodule_search_locations=[str(folder.resolve())])
    if spec is None or spec.loader is None:
        raise WorldError(f"{file} cannot be loaded")
    module = sys.modules[called] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[called]
        raise
    return module


def open_org(wish: Wish, events: Events | None = None) -> Org:
    """Give the org of a world, filled now or as its store was left: its rows, users and, unless `now` is given, its clock.

    Raises WorldError.
    """
    world = load_world(wish.world)
    own = set(inspect.signature(world.build).parameters) - {"org", "payers", "seed"}
    strange = sorted(set(wish.shape) - own)
    if strange:
        raise WorldError(f"the world {wish.world} has no parameter {', '.join(strange)}; it has {', '.join(sorted(own)) or 'none'}")
    new = wish.store is None or not wish.store.exists() or wish.store.stat().st_size == 0
    try:
        schema = load_schema(world.DX, features=getattr(world, "FEATURES", DEFAULT_FEATURES))
        org = Org(schema, Clock(wish.now), store=wish.store, events=events, **getattr(world, "SETTINGS", {}))
    except (ValueError, sqlite3.DatabaseError) as error:
        raise WorldError(f"{wish.store or wish.world}: {error}") from error
    try:
        if new:
            with org.filling(), _uncollected():
                world.build(org, payers=wish.payers, seed=wish.seed, **wish.shape)
            org.remember(_WORLD, _called(world))
        else:
            _go_on(org, wish, _called(world))
        world.automate(org)
        if wish.store is not None:
            _keep_time(org)
    except BaseException:
        org.close()
        if new and wish.store is not None:
            _remove(wish.store)
        raise
    return org


def _called(world: World) -> str:
    return str(getattr(world, "__name__", type(world).__name__)).removeprefix("sandbox.worlds.")


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let no garbage be looked for meanwhile: millions of rows are made and dropped, none in a circle (a sixth of the time)."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _go_on(org: Org, wish: Wish, called: str) -> None:
    filled_by = org.recall(_WORLD)
    if filled_by is None:
        raise WorldError(f"{wish.store} was not filled to the end: remove it and start again")
    if filled_by != called:
        raise WorldError(f"{wish.store} holds the world {filled_by}, not {called}: name another file, or remove this one")
    left_at = org.recall(_CLOCK)
    if wish.now is None and left_at:
        org.clock.set(datetime.fromisoformat(left_at))


def _keep_time(org: Org) -> None:
    """Let the store know where a frozen clock stands: now, and whenever something was written at another time."""
    kept: list[str] = []

    def note(_: Commit | None = None) -> None:
        at = org.clock.now().isoformat() if org.clock.frozen else ""
        if kept != [at]:
            kept[:] = [at]
            org.remember(_CLOCK, at)

    note()
    org.on_commit.append(note)
    org.on_close.append(note)


def _remove(store: Path) -> None:
    for name in ("", "-wal", "-shm", "-journal"):
        with suppress(OSError):
            store.with_name(store.name + name).unlink(missing_ok=True)
