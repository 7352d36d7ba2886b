"""What a REST request can reach: the org, and the state of its HTTP front.

A bundle, no behaviour of its own beyond reading counters. Its invariant: handlers keep no state anywhere else.
"""

from dataclasses import dataclass, field

from sandbox.faults import Faults
from sandbox.http.cursors import Cursors
from sandbox.http.metadata import Descriptions
from sandbox.http.recent import Recent
from sandbox.http.revisions import Revisions
from sandbox.options import Options
from sandbox.org.org import Org
from sandbox.streaming.schemas import Schemas
from sandbox.usage import Usage


@dataclass(slots=True)
class Platform:
    """Everything the handlers of one org share. ``instance_url`` is known once the port is."""

    org: Org
    options: Options = field(default_factory=Options)
    faults: Faults = field(default_factory=Faults)
    usage: Usage = field(default_factory=Usage)
    cursors: Cursors = field(default_factory=Cursors)
    recent: Recent = field(default_factory=Recent)
    revisions: Revisions = field(default_factory=Revisions)
    descriptions: Descriptions = field(init=False)
    schemas: Schemas = field(init=False)
    instance_url: str = ""

    def __post_init__(self) -> None:
        self.descriptions = Descriptions(self.org)
        self.schemas = Schemas(self.org.schema, lambda _: None)
        self.org.on_commit.extend((self.revisions.note, self.descriptions.note))

    def used_calls(self) -> int:
        """REST calls of the last 24 hours of org time."""
        return self.usage.calls.recent(self.org.clock.now())

    def used_deliveries(self) -> int:
        """Events delivered in the last 24 hours of org time."""
        return self.usage.deliveries.recent(self.org.clock.now())

    def used_publications(self) -> int:
        """Platform events published in the last hour of org time."""
        return self.usage.publications.recent(self.org.clock.now())
