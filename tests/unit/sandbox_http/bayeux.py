"""A streaming client for tests: it sends exactly what it is told to and hides nothing."""

from dataclasses import dataclass, field

import requests

from sandbox.server import Box

EVENTS = "/event/Outcome__e"
CASES = "/data/CaseChangeEvent"


@dataclass
class Bayeux:
    """A streaming client that sends exactly what it is told to."""

    box: Box
    token: str
    version: str = "66.0"
    scheme: str = "Bearer"
    session: requests.Session = field(default_factory=requests.Session)
    client_id: str = ""

    def post(self, *messages):
        """Post messages and return the whole answer."""
        url = f"{self.box.instance_url}/cometd/{self.version}"
        headers = {"Authorization": f"{self.scheme} {self.token}"} if self.token else {}
        return self.session.post(url, json=list(messages), headers=headers, timeout=10)

    def send(self, *messages):
        """Post messages and return the replies."""
        return self.post(*messages).json()

    def handshake(self):
        """Open a session."""
        (reply,) = self.send({"channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": ["long-polling"], "id": "1"})
        self.client_id = reply.get("clientId", "")
        return reply

    def connect(self, **more):
        """One poll: the events, then the reply to the poll."""
        message = {"channel": "/meta/connect", "clientId": self.client_id, "connectionType": "long-polling", "id": "2", **more}
        *events, reply = self.send(message)
        return events, reply

    def subscribe(self, channel=EVENTS, replay=None):
        """Subscribe; the reply alone is returned."""
        ext = {} if replay is None else {"ext": {"replay": {channel: replay}}}
        return self.send({"channel": "/meta/subscribe", "clientId": self.client_id, "subscription": channel, "id": "3", **ext})[-1]

    def opened(self, channel=EVENTS, replay=None):
        """Handshake, first connect and subscription in one go."""
        assert self.handshake()["successful"]
        assert self.connect()[1]["successful"]
        assert self.subscribe(channel, replay)["successful"]
        return self


def references(events):
    """The references of delivered events."""
    return [event["data"]["payload"]["Reference__c"] for event in events]


def payloads(events):
    """The payloads of delivered events."""
    return [event["data"]["payload"] for event in events]
