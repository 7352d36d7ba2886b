"""The findock company with one client that is bigger than all others: an Account with ten thousand records below it.

Must not know HTTP, and copies nothing: package, people and generators are findock's. Invariant: all other payers are those
of findock for the same size, seed and time.
"""

from sandbox.org.org import Org
from sandbox.worlds import findock
from sandbox.worlds.findock import DX, INTEGRATION, PACKAGE, STORIES
from sandbox.worlds.skewed import locks
from sandbox.worlds.skewed.hub import HUB, settle_hub


def build(org: Org, *, payers: int, seed: int, months: int | None = None, children: int = 10_000) -> None:
    """Fill `org` like findock, then add the big Account with so many installments, payments, cases and Tasks below it."""
    findock.build(org, payers=payers, seed=seed, months=months)
    settle_hub(org, children=children, seed=seed)


def automate(org: Org) -> None:
    """Let the package's triggers run, and its nightly recount of the big Account."""
    locks.automate(org)
    findock.automate(org)


__all__ = ["DX", "HUB", "INTEGRATION", "PACKAGE", "STORIES", "automate", "build"]
