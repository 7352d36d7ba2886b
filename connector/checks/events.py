"""Events: whether the integration user may listen to what Dunwell listens to.

Must not subscribe: ``salesforce/trial`` has tried. Invariant: every channel that was refused is told, with the page where it is switched
on. A channel that is granted and never fed cannot be told from a quiet one.
"""

from connector.checks.advice import DEPLOY, assign
from connector.checks.problems import Finding, Findings
from connector.checks.said import Said

_CAPTURE = "Setup > Change Data Capture"


def events(said: Said, channels: tuple[str, ...]) -> Findings:
    """Tell of each channel that cannot be listened to."""
    found = Finding()
    if said.refused_channels is None:
        found.looked_at.append("events: not tried, changes are polled for" if not channels else "events: not tried")
        return found.done()
    for channel, words in said.refused_channels.items():
        _refused(said, channel, words, found)
    granted = [channel for channel in channels if channel not in said.refused_channels]
    found.looked_at.append(f"events: may listen to {', '.join(granted) or 'nothing'}")
    return found.done()


def _refused(said: Said, channel: str, words: str, found: Finding) -> None:
    sobject, name = captured(channel), channel.rpartition("/")[2]
    if sobject is not None and "view all" in words.lower():
        found.wrong(channel, f"{said.user()} may not listen to changes of {sobject}", assign(said, sobject, "view_all", "View All Records"))
    elif sobject is not None:
        found.wrong(channel, f"changes of {sobject} are not captured ({words})", f"select {sobject} in {_CAPTURE}, or {DEPLOY}")
    elif said.objects.get(name) is not None:
        found.wrong(channel, f"{said.user()} may not listen to it ({words})", assign(said, name, "read", "Read"))
    elif name not in said.objects:
        found.wrong(channel, f"the channel {name} is not deployed, or may not be listened to ({words})", DEPLOY)


def captured(channel: str) -> str | None:
    """The object whose changes a channel carries; None for a platform event's."""
    name = channel.rpartition("/")[2]
    if not channel.startswith("/data/") or not name.endswith("ChangeEvent"):
        return None
    bare = name.removesuffix("ChangeEvent")
    return f"{bare}c" if bare.endswith("__") else bare
