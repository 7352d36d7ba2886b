"""Look at an org: every question in as few calls as the platform allows, the answers as one ``Said``.

Must not judge, write or log in. Invariant: at most nine calls in an org of any size with up to 25 objects in its mapping; what is asked
only to mend a problem (who grants it, what was meant) is asked only where there is one.

    1 describes · 2 describes of parents on paths · 3 and 4 questions · 5 limits · 6 validation rules · on need: 7 all names · 8 who grants
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from connector.checks import fields, licences, needs, objects, questions, rights
from connector.checks.paths import parents
from connector.checks.said import Rows, Said, access_of, givers_of, licences_of, queues_of
from connector.checks.writes import unwritable
from connector.checks.written import written
from connector.mapping.org import Mapping as OrgMapping
from connector.salesforce.client import Limit
from connector.salesforce.describe import ObjectDescription


class Asked(Protocol):
    """An org that answers (``salesforce.asking.Asking`` in life)."""

    def describe_many(self, sobjects: Sequence[str]) -> dict[str, ObjectDescription | None]:
        """Objects by name; None for one that is not shown."""
        ...

    def rows(self, soqls: Sequence[str]) -> list[Rows]:
        """The rows of each question; None where the org refuses it."""
        ...

    def names(self) -> tuple[str, ...]:
        """Names of all objects."""
        ...

    def tooling(self, soql: str) -> Rows:
        """The rows of a question about metadata; None where the org refuses it."""
        ...

    def limits(self) -> Mapping[str, Limit] | None:
        """Limits by name; None where the org refuses to tell."""
        ...


def look(org: Asked, mapping: OrgMapping, user: Callable[[], str]) -> Said:
    """Ask everything; ``user`` gives the integration user's id, and is called once the org has answered.

    Raises what the org's client raises when it cannot be asked at all.
    """
    wanted, needed = needs.objects(mapping), needs.needs(mapping)
    described = org.describe_many([one.sobject for one in wanted])
    more = parents(described, needed)
    described |= org.describe_many(more) if more else {}
    ledger = [*needs.ledger(mapping), *more]
    said = replace(
        _answers(org, mapping, user(), ledger, described),
        limits=org.limits(),
        rules=_rules(org.tooling(questions.rules(list(written(mapping))))),
    )
    return _hints(org, mapping, said, ledger)


def _answers(org: Asked, mapping: OrgMapping, user: str, ledger: list[str], described: Mapping[str, ObjectDescription | None]) -> Said:
    queues = [one.queue for one in mapping.roles.values() if one.queue]
    usernames = [one.username for one in mapping.roles.values() if one.username]
    first, sets, granted, all_queues, owning, members, active, people, packages, held = org.rows(
        [
            questions.ORGANIZATION,
            questions.sets(user),
            questions.objects(user, ledger),
            questions.QUEUES,
            questions.OWN_TASKS,
            questions.members(queues),
            questions.active_members(queues),
            questions.users(user, usernames),
            questions.packages(licences.packages(described)),
            questions.package_users(user),
        ]
    )
    found = {str(one.get("Username")): one for one in people or ()}
    return Said(
        username=next((name for name, one in found.items() if one.get("Id") == user), ""),
        objects=described,
        organization=_organization(first),
        access=access_of(sets, granted),
        queues=queues_of(all_queues, owning, members, active),
        users=None if people is None else {name: one.get("IsActive") is True for name, one in found.items()},
        licences=licences_of(packages, held),
    )


def _hints(org: Asked, mapping: OrgMapping, said: Said, ledger: list[str]) -> Said:
    """What helps to mend: names that were perhaps meant, permission sets that give what is missing."""
    wanted, needed = needs.objects(mapping), needs.needs(mapping)
    gone = objects.missing(said, wanted)
    said = replace(said, known_objects=org.names() if gone else ())
    refused, unfilled = unwritable(said, mapping)
    secured = list(dict.fromkeys((*fields.unseen(said, needed), *unfilled)))
    lacking = list(dict.fromkeys((*gone, *rights.hidden(said, ledger), *refused, *(sobject for sobject, _ in secured))))
    asked = [questions.giving_objects(lacking)] if lacking else []
    asked += [questions.giving_fields(secured)] if secured else []
    return replace(said, givers=givers_of(org.rows(asked))) if asked else said


def _organization(rows: Rows) -> str:
    if not rows:
        return ""
    return f"{rows[0].get('Name')}{', a sandbox' if rows[0].get('IsSandbox') is True else ''}"


def _rules(rows: Rows) -> tuple[tuple[str, str], ...] | None:
    if rows is None:
        return None
    found = []
    for row in rows:
        entity = row.get("EntityDefinition")
        if isinstance(entity, Mapping):
            found.append((str(entity.get("QualifiedApiName")), str(row.get("ValidationName"))))
    return tuple(found)
