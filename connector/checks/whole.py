"""All rules over all that an org said.

Must not ask the org. Invariant: every rule runs, whatever another one found.
"""

from connector.checks import budget, currency, events, fields, inserts, licences, needs, objects, picklists, rights, roles, writes
from connector.checks.place import Places
from connector.checks.problems import Findings
from connector.checks.said import Said
from connector.mapping.org import Mapping
from connector.mapping.source import Source


def findings(said: Said, mapping: Mapping, source: Source, *, channels: tuple[str, ...], reserve_percent: int) -> Findings:
    """Everything that is wrong or doubtful, and what was looked at. ``channels`` empty: events are not listened to."""
    places, wanted, needed = Places(source), needs.objects(mapping), needs.needs(mapping)
    asked = [one.sobject for one in wanted]
    more = [name for name in said.objects if name not in asked]
    return (
        Findings(looked_at=(f"{len(said.objects)} objects and {len(needed)} of their fields",))
        + objects.objects(said, wanted, places)
        + fields.fields(said, needed, places)
        + currency.currency(said, mapping, places)
        + picklists.picklists(said, needed, places)
        + picklists.untranslated(said, mapping, places)
        + writes.writes(said, mapping, needed, places)
        + inserts.inserts(said, mapping)
        + rights.rights(said, [*needs.ledger(mapping), *more])
        + licences.licences(said, asked)
        + roles.roles(said, mapping, places)
        + events.events(said, channels)
        + budget.budget(said, reserve_percent=reserve_percent, listens=bool(channels))
    )
