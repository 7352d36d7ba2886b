"""Where a field stands in a change event: names of people and addresses are nested, all else is flat.

Pure. Its invariant: a field has one place, and every component of a compound field is found under it.
Source: "Get Compound Fields in Change Events" of the Change Data Capture Developer Guide: ``BillingStreet`` is
``BillingAddress.Street``, and an account's name is a plain text unless the account is a person.
"""

from collections.abc import Iterable, Mapping

from sandbox.org.schema import ObjectType
from sandbox.org.types import Json, Record

_PERSONAL = frozenset({"Salutation", "FirstName", "MiddleName", "LastName", "Suffix"})

Place = tuple[str, ...]


def place(one: ObjectType, name: str, record: Mapping[str, Json]) -> Place | None:
    """The path of a field: one name, or compound and component; None for a full name, which its components replace."""
    if name == "Name" or name in _PERSONAL:
        return _place_of_name(one, name, record)
    field = one.fields.get(name)
    if field is None or field.compound is None:
        return (name,)
    return field.compound, name.removeprefix(field.compound.removesuffix("Address"))


def nested(values: Iterable[tuple[Place, Json]]) -> Record:
    """Put values at their places."""
    found: Record = {}
    for path, value in values:
        if len(path) == 1:
            found[path[0]] = value
        else:
            found.setdefault(path[0], {})[path[1]] = value
    return found


def without(payload: Mapping[str, Json], hidden: Iterable[Place]) -> Record:
    """A payload without some fields; a compound left empty goes as well."""
    found = dict(payload)
    for path in hidden:
        if len(path) == 1:
            found.pop(path[0], None)
        elif isinstance(found.get(path[0]), dict):
            left = {name: value for name, value in found[path[0]].items() if name != path[1]}
            found[path[0]] = left
            if not left:
                del found[path[0]]
    return found


def _place_of_name(one: ObjectType, name: str, record: Mapping[str, Json]) -> Place | None:
    person = "LastName" in one.fields and (one.name != "Account" or bool(record.get("IsPersonAccount")))
    if not person:
        return (name,)
    return None if name == "Name" else ("Name", name)
