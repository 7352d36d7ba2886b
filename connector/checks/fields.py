"""Every field there is to be: that it exists, holds what it must, and that its lookup leads where it must.

Must not look at rights to write, nor at records. Invariant: one field is told of once, by its first fault; of an object that is missing
nothing is said.
"""

from connector.checks.advice import DEPLOY, assign, compound, field_page, givers, is_ours
from connector.checks.kinds import CURRENCY, DATE, LOOKUP, in_setup
from connector.checks.needs import Need
from connector.checks.paths import Reached, reach
from connector.checks.place import Places
from connector.checks.problems import Finding, Findings, meant
from connector.checks.said import Said
from connector.salesforce.describe import FieldDescription, ObjectDescription

SINGLE_CURRENCY = "CurrencyIsoCode"
"""On every object of an org with several currencies, on none of another (Object Reference)."""


def unseen(said: Said, needs: list[Need]) -> list[tuple[str, str]]:
    """Object and name (as field security knows it) of each field that is not shown."""
    found = []
    for one in needs:
        there = reach(said.objects, one.sobject, one.field)
        if there.sobject is not None and there.field is None and not there.is_relation:
            found.append((there.sobject.name, compound(there.missing)))
    return list(dict.fromkeys(found))


def fields(said: Said, needs: list[Need], places: Places) -> Findings:
    """Tell of each field that will not do."""
    found, told = Finding(), set[tuple[str, str]]()
    for one in needs:
        there = reach(said.objects, one.sobject, one.field)
        where = places.of(one.location, f"{one.sobject}.{one.field}")
        if there.sobject is None:
            continue
        if there.field is None and (there.sobject.name, there.missing) not in told:
            told.add((there.sobject.name, there.missing))
            _missing(said, there, where, found)
        if there.field is not None:
            if one.relation and there.field.relationship_name != one.relation:
                told.add((there.sobject.name, one.relation))  # its paths lead nowhere for the same reason
            _unfit(there.sobject, there.field, one, where, found)
    return found.done()


def _missing(said: Said, there: Reached, where: str, found: Finding) -> None:
    sobject, name = there.sobject, there.missing
    if sobject is None:
        return
    if there.is_relation:
        relations = [one.relationship_name for one in sobject.fields.values() if one.relationship_name]
        close = meant(name, relations)
        advice = f"did you mean '{close}'?" if close else "name a lookup's parent, such as Mandate__r for the field Mandate__c"
        found.wrong(where, f"{sobject.name} has no relationship '{name}'", advice)
        return
    secured = f"{sobject.name}.{compound(name)}"
    close = meant(name, sobject.fields)
    if givers(said, secured, "read"):
        found.wrong(
            where, f"field-level security hides {sobject.name}.{name} from {said.user()}", assign(said, secured, "read", f"Read for {name}")
        )
    elif name == SINGLE_CURRENCY:
        advice = "take this line out: every amount is then in the creditor's currency"
        found.wrong(where, f"{sobject.name} has no {name}: the org has a single currency", advice)
    elif is_ours(name) or is_ours(sobject.name):
        found.wrong(where, f"{sobject.name} has no field {name}, or {said.user()} may not see it", DEPLOY)
    elif close:
        found.wrong(where, f"{sobject.name} has no field '{name}'", f"did you mean '{close}'?")
    else:
        advice = f"check its API name in Setup > Object Manager > {sobject.name} > Fields & Relationships; if it is right, tick Read for it in a permission set of {said.user()}"
        found.wrong(where, f"{sobject.name} has no field '{name}', or field-level security hides it", advice)


def _unfit(sobject: ObjectDescription, field: FieldDescription, need: Need, where: str, found: Finding) -> None:
    name, shown = f"{sobject.name}.{field.name}", in_setup(field.type)
    if not need.kind.fits(field.type):
        target = f" to {need.target}" if need.kind is LOOKUP and need.target else ""
        found.wrong(where, f"{name} is {_a(shown)} field, and {_a(need.kind.words)}{target} is needed", _other(sobject, need))
    elif need.target and need.target not in field.reference_to:
        leads = " or ".join(field.reference_to[:3]) or "nothing"
        found.wrong(where, f"{name} is a lookup to {leads}, and one to {need.target} is needed", _other(sobject, need))
    elif need.relation and field.relationship_name != need.relation:
        advice = f"write installment_relation: {field.relationship_name}"
        found.wrong(where, f"the parent of {name} is read as {field.relationship_name}, not as {need.relation}", advice)
    elif need.unique and not field.unique:
        advice = f"tick Unique in {field_page(sobject.name, field.name)} > Edit"
        found.wrong(where, f"{name} is not unique, so a record could be made twice", advice)
    elif need.length and 0 < field.length < need.length:
        advice = f"make it longer in {field_page(sobject.name, field.name)} > Edit"
        found.wrong(where, f"{name} holds {field.length} characters, and {need.length} are needed", advice)


def _other(sobject: ObjectDescription, need: Need) -> str:
    """Which fields of the object would do."""
    fit = [
        one.name
        for one in sobject.fields.values()
        if need.kind.fits(one.type) and (not need.target or need.target in one.reference_to) and not _is_system(one.name)
    ]
    if is_ours(sobject.name):
        return DEPLOY
    if need.kind is CURRENCY and SINGLE_CURRENCY in sobject.fields:
        return f"name {SINGLE_CURRENCY}, the record's currency"
    if not fit:
        return "make such a field, or name another"
    if need.kind is DATE or need.kind is LOOKUP or len(fit) <= _FEW:
        return f"name another field, such as {', '.join(sorted(fit, key=_custom_first)[:_FEW])}"
    close = meant(need.field, fit)
    return f"name another field, such as {close}" if close else "name another field"


_FEW = 4


def _custom_first(name: str) -> tuple[bool, str]:
    return (not name.endswith("__c"), name)


def _is_system(name: str) -> bool:
    return name in {
        "Id",
        "OwnerId",
        "CreatedById",
        "LastModifiedById",
        "CreatedDate",
        "LastModifiedDate",
        "SystemModstamp",
        "MasterRecordId",
    }


def _a(words: str) -> str:
    return f"an {words}" if words[0] in "AEIOU" and not words.startswith("URL") else f"a {words}"
