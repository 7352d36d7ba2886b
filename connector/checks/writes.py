"""What Dunwell writes: that the integration user may make and change these records, and fill these fields.

Must not look at what is read. Invariant: an object that may not be written is told once, and none of its fields is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from connector.checks.advice import INTEGRATION_SET, assign, compound
from connector.checks.needs import Need
from connector.checks.place import Places
from connector.checks.problems import Finding, Findings
from connector.checks.said import Said
from connector.checks.written import written
from connector.mapping.org import Mapping
from connector.salesforce.describe import FieldDescription, ObjectDescription


@dataclass(frozen=True, slots=True)
class Refused:
    """A write that would be refused: of records (``field`` None) or of one field. ``right``: create or edit."""

    sobject: ObjectDescription
    right: str
    field: FieldDescription | None = None


def refused(said: Said, mapping: Mapping) -> Iterator[Refused]:
    """Every write that would be refused; an object before its fields."""
    for name, one in written(mapping).items():
        sobject = said.objects.get(name)
        if sobject is None:
            continue
        made = one.made if sobject.createable else ()
        changed = one.changed if sobject.updateable else ()
        if one.made and not made:
            yield Refused(sobject, "create")
        if one.changed and not changed:
            yield Refused(sobject, "edit")
        for field in (sobject.fields[held] for held in dict.fromkeys((*made, *changed)) if held in sobject.fields):
            if (field.name in made and not field.createable) or (field.name in changed and not field.updateable):
                yield Refused(sobject, "edit", field)


def unwritable(said: Said, mapping: Mapping) -> tuple[list[str], list[tuple[str, str]]]:
    """Objects, and fields as field security knows them, that some permission set may give."""
    all_of_them = list(refused(said, mapping))
    fields = [(one.sobject.name, compound(one.field.name)) for one in all_of_them if one.field is not None]
    return [one.sobject.name for one in all_of_them if one.field is None], fields


def writes(said: Said, mapping: Mapping, needs: list[Need], places: Places) -> Findings:
    """Tell of each write that would be refused."""
    found = Finding()
    lines = {(one.sobject, one.field): one.location for one in needs}
    for one in refused(said, mapping):
        name = one.sobject.name
        if one.field is None:
            _records(said, name, one.right, found)
        else:
            _field(said, one, one.field, places.of(lines.get((name, one.field.name)), f"{name}.{one.field.name}"), found)
    return found.done()


def _records(said: Said, name: str, right: str, found: Finding) -> None:
    verb = "make" if right == "create" else "change"
    if name == "Task":
        page = f"Setup > Permission Sets > {INTEGRATION_SET} > System Permissions"
        found.wrong(name, f"{said.user()} may not {verb} Tasks", f"tick Edit Tasks and Access Activities in {page}, and assign that set")
    else:
        found.wrong(name, f"{said.user()} may not {verb} records of {name}", assign(said, name, right, right.capitalize()))


def _field(said: Said, one: Refused, field: FieldDescription, where: str, found: Finding) -> None:
    name = f"{one.sobject.name}.{field.name}"
    if field.calculated:
        found.wrong(where, f"Dunwell writes {name}, which is a formula", "name a field that can be written")
    elif not field.permissionable:
        found.wrong(where, f"Dunwell writes {name}, which the platform fills itself", "name a field that can be written")
    else:
        secured = f"{one.sobject.name}.{compound(field.name)}"
        found.wrong(where, f"{said.user()} may not fill {name}", assign(said, secured, "edit", f"Edit for {field.name}"))
