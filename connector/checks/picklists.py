"""Every picklist value that the mapping or the code names: that it exists and is active.

Must not look at other texts: a field without a list of values holds anything. Invariant: a value is told at the line that names it.

A value that the field does not list can still stand on records of a picklist that is not restricted, but nothing new gets it; so it is a
problem as well. Where a value is missing and one like it exists, that one is offered.
"""

from connector.checks.advice import field_page
from connector.checks.needs import Need
from connector.checks.paths import reach
from connector.checks.place import Places
from connector.checks.problems import Finding, Findings, listed, meant
from connector.checks.said import Said
from connector.core.words import InstallmentStatus
from connector.mapping.org import Mapping
from connector.salesforce.describe import FieldDescription

_LISTED = frozenset({"picklist", "combobox", "multipicklist"})


def picklists(said: Said, needs: list[Need], places: Places) -> Findings:
    """Tell of each value that is not there."""
    found = Finding()
    for one in needs:
        there = reach(said.objects, one.sobject, one.field)
        if there.field is None or there.field.type not in _LISTED or not there.field.picklist_values:
            continue
        for value, location in one.values:
            _value(one, there.field, value, places.of(location, f"{one.sobject}.{one.field}"), found)
    return found.done()


def _value(need: Need, field: FieldDescription, value: str, where: str, found: Finding) -> None:
    if value in field.values:
        return
    name = f"{need.sobject}.{field.name}"
    page = field_page(need.sobject, field.name)
    if value in {one.value for one in field.picklist_values}:
        found.wrong(where, f"the value '{value}' of {name} is inactive", f"activate it in {page}, or name another")
        return
    close = next((one for one in field.values if one.lower() == value.lower()), None) or meant(value, field.values)
    advice = f"did you mean '{close}'?" if close else f"it has {listed(sorted(field.values))}; name one of them, or add '{value}' in {page}"
    found.wrong(where, f"{name} has no value '{value}'", advice)


def untranslated(said: Said, mapping: Mapping, places: Places) -> Findings:
    """Doubt values of the org that Dunwell would not understand: statuses without a word of the model, methods without a scheme."""
    found, one = Finding(), mapping.installments
    strange = _strange(said, one.object, one.status, {*one.statuses, *map(str, InstallmentStatus)})
    if strange:
        where, what = places.of(("installments", "status"), one.object), f"values of {one.status} have no meaning for Dunwell: {strange}"
        found.doubt(where, what, "say under installments.statuses what they mean")
    strange = _strange(said, one.object, one.payment_method, set(mapping.schemes))
    if strange:
        what = f"values of {one.payment_method} have no scheme, so no scheme's limits are kept: {strange}"
        found.doubt(places.of(("schemes",), one.object), what, "add them under schemes")
    strange = _strange(said, one.object, one.processor, set(mapping.processors))
    if strange:
        what = f"values of {one.processor} fall under default_processor: {strange}"
        found.doubt(places.of(("processors",), one.object), what, "add them under processors, or leave it so")
    return found.done()


def _strange(said: Said, sobject: str, field: str | None, known: set[str]) -> str:
    """Active values of a picklist that are not among the known."""
    there = reach(said.objects, sobject, field).field if field else None
    if there is None or there.type != "picklist":
        return ""
    return listed([value for value in there.values if value not in known])
