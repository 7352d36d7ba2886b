"""What Bulk jobs are worked on with: the org, and the settings, faults and counters of the place that serves it.

A bundle, no behaviour. Invariant: it names no more of its surroundings than the jobs need.
"""

from dataclasses import dataclass

from sandbox.faults import Faults
from sandbox.options import Options
from sandbox.org.org import Org
from sandbox.usage import Usage


@dataclass(frozen=True, slots=True)
class Host:
    """Where jobs run."""

    org: Org
    options: Options
    faults: Faults
    usage: Usage
