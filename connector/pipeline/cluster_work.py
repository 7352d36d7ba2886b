"""What a worker of the cluster does: judge the facts it is sent by the terms it is sent. Facts, terms and judgement travel as bytes.

Must not know the cluster, the org, the store or a setting: workers see none of them. Invariants: a worker judges only by the very code
and tables that the daemon has (``version``); what travels is never shown by whoever logs it.
"""

import io
import pickle
import platform
import zlib
from collections.abc import Mapping
from copyreg import dispatch_table
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from hashlib import sha256
from importlib.metadata import version as installed
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import cloudpickle

import connector
from connector.core.frames import Snapshot
from connector.errors import ConfigError
from connector.pipeline.judgement import Judgement, Terms, collector_at_rest, judge

PACKAGES = ("dunwell", "holidays", "msgspec", "numpy", "pandas", "pyarrow", "tzdata")
"""What a judgement rests on besides the facts."""
CODE = ("core/*.py", "errors.py", "pipeline/judgement.py", "pipeline/cluster_work.py")
"""Modules that run on a worker; a version alone does not tell two working copies apart."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Bytes that say nothing of themselves: the cluster logs the arguments of a task that failed."""

    data: bytes = field(repr=False)


@cache
def version() -> Mapping[str, str]:
    """What must be the same here and there: Python, Dunwell, its code, and what it calculates with."""
    home, code = Path(connector.__file__).parent, sha256()
    for one in sorted(file for pattern in CODE for file in home.glob(pattern)):
        code.update(f"{one.relative_to(home).as_posix()}\n".encode() + one.read_bytes())
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "code": code.hexdigest()[:12],
        **{name: installed(name) for name in PACKAGES},
    }


def differences(ours: Mapping[str, str], theirs: Mapping[str, str] | Exception) -> str:
    """Say what is not the same, for an admin; nothing = all is. An exception came instead of an answer."""
    if isinstance(theirs, Exception):
        return f"Dunwell cannot be imported there ({type(theirs).__name__}): install dunwell[cluster]"
    return ", ".join(f"{name} {theirs.get(name, 'unknown')} (here {one})" for name, one in ours.items() if theirs.get(name) != one)


def judge_apart(ours: Mapping[str, str], terms: Sealed, facts: Sealed, now: datetime) -> Sealed:
    """Judge ``facts``: the one task there is.

    Raises:
        ConfigError: this worker has not what the daemon has, which is ``ours``.

    """
    if other := differences(ours, version()):
        raise ConfigError(f"a worker of the cluster differs: {other}")
    with collector_at_rest():
        return seal(judge(_facts_in(facts), _terms_in(terms.data), now))


def seal(value: Snapshot | Judgement) -> Sealed:
    """Pack facts or a judgement: as they are, so that they come out as they went in."""
    into = io.BytesIO()
    packer = pickle.Pickler(into, protocol=pickle.HIGHEST_PROTOCOL)
    packer.dispatch_table = _PACKED
    packer.dump(value)
    return Sealed(into.getvalue())


def judgement_in(sealed: Sealed) -> Judgement:
    """Unpack what a worker gave back."""
    return cast(Judgement, pickle.loads(sealed.data))  # noqa: S301 - from the cluster, which runs what we send anyway


def seal_terms(terms: Terms) -> Sealed:
    """Pack the terms, which hold the tests of the policy: code, that only the same version of Python and Dunwell understands."""
    return Sealed(zlib.compress(cloudpickle.dumps(terms)))


@lru_cache(maxsize=2)
def _terms_in(data: bytes) -> Terms:
    """Unpack terms once a pass, with all that is worked out of them and kept."""
    return cast(Terms, pickle.loads(zlib.decompress(data)))  # noqa: S301 - from the daemon


def _facts_in(sealed: Sealed) -> Snapshot:
    return cast(Snapshot, pickle.loads(sealed.data))  # noqa: S301 - from the daemon


def _frozen(values: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(values)


_PACKED = dispatch_table.copy() | {MappingProxyType: lambda one: (_frozen, (dict(one),))}
"""Read-only mappings cannot be pickled by themselves; cloudpickle can, but takes many times as long for a million small objects."""
