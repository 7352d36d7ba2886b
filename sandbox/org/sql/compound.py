"""Compound fields as SQL: an address or a geolocation put together from its parts.

Must not look at permissions: the parts share those of the whole. Source: SOQL and SOSL Reference, "Compound Fields".
Invariant: a compound of which every part is null is null.
"""

from sandbox.org.schema import Field, ObjectType
from sandbox.org.storage import quoted

_PARTS = ("City", "Country", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode", "State", "Street")


def compound_sql(alias: str, one: ObjectType, field: Field) -> str:
    """Give a JSON text with the parts of a compound field, for a table alias."""
    found = {}
    for each in one.fields.values():
        if each.compound == field.name and each.stored:
            found[_part(each.name)] = f"{alias}.{quoted(each.name)}"
    if not found:
        return "NULL"
    pairs = ", ".join(f"'{name}', {sql}" for name, sql in sorted(found.items()))
    return f"CASE WHEN COALESCE({', '.join([*found.values(), 'NULL'])}) IS NOT NULL THEN json_object({pairs}) END"


def _part(name: str) -> str:
    ending = next((each for each in _PARTS if name.removesuffix("__s").endswith(each)), name)
    return ending[0].lower() + ending[1:]
