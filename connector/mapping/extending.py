"""A mapping that extends another: what it says stands in place of what the other says, key by key.

Must not know what the keys mean; ``org`` holds the result against its model. Invariant: every value of the result knows the file and
the line it was written on, so that a fault is told where it can be mended.

Mappings merge key by key; lists and single values replace; ``null`` takes away what the other says. ``name`` and ``creditor`` say who
the file is about and are never taken over: a preset's example creditor must not sign letters to somebody else's customers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connector.errors import ConfigError
from connector.mapping.source import Location, Place, Source, meant, read

EXTENDS = "extends"
OWN = ("name", "creditor")
"""Keys of each file's own."""
SHIPPED = Path(__file__).resolve().parents[2] / "mappings"
"""The presets that come with the program, found from every folder."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class _Folders:
    """Where mappings are looked for: beside the admin's file, then among the shipped presets."""

    own: Path
    shipped: Path

    def path(self, name: str, *, other_than: Path) -> Path | None:
        """Give the first file of that name; a file that names itself means the shipped preset of its name."""
        paths = (folder / f"{name}.yaml" for folder in (self.own, self.shipped))
        return next((path for path in paths if path.is_file() and not path.samefile(other_than)), None)

    def known(self) -> list[str]:
        """Names of all mappings there are."""
        return sorted({path.stem for folder in (self.own, self.shipped) for path in folder.glob("*.yaml")})

    def read(self, path: Path) -> Source:
        """Read one file; a shipped preset is told apart from a file of the admin's that has its name."""
        is_theirs = path.parent == self.own
        return read(path, name=None if is_theirs else f"shipped {self.shipped.name}/{path.name}")


def whole(directory: Path, name: str, shipped: Path = SHIPPED) -> Source:
    """Read ``<directory>/<name>.yaml`` with everything that it takes over from the mappings it extends.

    Raises:
        ConfigError: a file that cannot be read, a preset that does not exist, or mappings that extend each other in a circle.

    """
    return _whole(_Folders(directory, shipped), directory / f"{name}.yaml", ())


def _whole(folders: _Folders, path: Path, before: tuple[Path, ...]) -> Source:
    source = folders.read(path)
    if not isinstance(source.data, Mapping) or EXTENDS not in source.data:
        return source
    met = (*before, path)
    base = _extended(folders, source, source.data[EXTENDS], path)
    if base in met:
        chain = " -> ".join(one.stem for one in (*met, base))
        raise ConfigError(source.problem((EXTENDS,), f"mappings extend each other in a circle: {chain}"))
    return merged(source, _whole(folders, base, met))


def _extended(folders: _Folders, source: Source, wanted: object, path: Path) -> Path:
    """Find the file that ``source`` extends."""
    if not isinstance(wanted, str) or not _NAME.fullmatch(wanted):
        raise ConfigError(source.problem((EXTENDS,), "extends: give the name of one mapping, such as findock"))
    if (found := folders.path(wanted, other_than=path)) is not None:
        return found
    if wanted == path.stem:
        raise ConfigError(source.problem((EXTENDS,), f"'{wanted}' extends itself"))
    raise ConfigError(source.problem((EXTENDS,), f"there is no mapping '{wanted}' to extend{meant(wanted, folders.known())}"))


def merged(over: Source, base: Source) -> Source:
    """Lay ``over`` on ``base``."""
    given = {key: value for key, value in _keys(over).items() if key != EXTENDS}
    taken = {key: value for key, value in _keys(base).items() if key not in OWN}
    places = {where: place for where, place in base.places.items() if where[:1] != (EXTENDS,) and (not where or where[0] not in OWN)}
    places[()] = over.place(())
    return Source(over.name, _laid(given, taken, (), over, places), places)


def _keys(source: Source) -> Mapping[str, object]:
    return source.data if isinstance(source.data, Mapping) else {}


def _laid(
    over: Mapping[str, object], base: Mapping[str, object], at: Location, source: Source, places: dict[Location, Place]
) -> dict[str, object]:
    """Give ``base`` with what ``over`` says; ``places`` follows."""
    result = dict(base)
    for key, value in over.items():
        where, below = (*at, key), base.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            result[key] = _laid(value, below, where, source, places)
        else:
            _forget(places, where)
            places.update({one: place for one, place in source.places.items() if one[: len(where)] == where})
            result[key] = value
            if value is None and key in base:  # where there is nothing to take away, the model says whether the key is known
                del result[key]
        places[where] = source.place(where)
    return result


def _forget(places: dict[Location, Place], where: Location) -> None:
    """Forget ``where`` and everything below it."""
    for one in [one for one in places if one[: len(where)] == where]:
        del places[one]
