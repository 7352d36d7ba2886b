"""A field path or a list view's column → the field it means, with its label.

Pure; knows the schema and nothing of records. Standard columns of list views are tokens of the user interface, not API
names (``CASES.CASE_NUMBER``, ``CORE.USERS.ALIAS``); no list of them is published, so those seen in public metadata are
known here, and one that is not known is told to the caller instead of guessed.
Sources: Metadata API Developer Guide, ListView; list views in public repositories.
"""

from dataclasses import dataclass

from sandbox.org.schema import Field, ObjectType, Schema

_TOKENS = {
    "CORE.USERS.ALIAS": "OwnerId",
    "CORE.USERS.FULL_NAME": "OwnerId",
    "CREATEDBY_USER": "CreatedById",
    "CREATEDBY_USER.ALIAS": "CreatedById",
    "DUE_DATE": "ActivityDate",
    "LAST_UPDATE": "LastModifiedDate",
    "OWNER.ALIAS": "OwnerId",
    "OWNER_NAME": "OwnerId",
    "PHONE1": "Phone",
    "PHONE3": "MobilePhone",
    "RECORDTYPE": "RecordTypeId",
    "UPDATEDBY_USER": "LastModifiedById",
    "UPDATEDBY_USER.ALIAS": "LastModifiedById",
    "WHAT_NAME": "WhatId",
    "WHO_NAME": "WhoId",
}
_NAMES = ("NAME", "FULL_NAME")
_DATE_ONLY = "_DATE_ONLY"


@dataclass(frozen=True, slots=True)
class Column:
    """A field as one object sees it. `prefix` are the relationships that lead to it, each with its dot."""

    path: str
    prefix: str
    field: Field
    owner: ObjectType
    label: str

    @property
    def key(self) -> str:
        """The field with its object: ``Task.Priority``."""
        return f"{self.owner.name}.{self.field.name}"

    @property
    def numeric(self) -> bool:
        """Whether values are set at the right."""
        return self.field.is_number

    def name_path(self, schema: Schema) -> str | None:
        """Give the path to the name of the record a lookup points at, or None for no lookup, or one without a name."""
        if self.field.type != "reference" or not self.field.relationship:
            return None
        if self.field.polymorphic:
            return f"{self.prefix}{self.field.relationship}.Name"
        target = schema.get(self.field.reference_to[0]) if self.field.reference_to else None
        if target is None or target.name_field is None:
            return None
        return f"{self.prefix}{self.field.relationship}.{target.name_field.name}"


def resolve(schema: Schema, one: ObjectType, path: str) -> Column | None:
    """Find the field a path leads to from an object, or None."""
    *relationships, last = path.split(".")
    owner, prefix, labels = one, "", []
    for name in relationships:
        lookup = owner.lookup(name)
        if lookup is None or not lookup.relationship:
            return None
        labels.append(label_of(lookup))
        prefix += f"{lookup.relationship}."
        target = None if lookup.polymorphic else schema.get(lookup.reference_to[0])
        if target is None:
            return _named(lookup, owner, prefix, last, labels)
        owner = target
    field = owner.field(last)
    if field is None:
        return None
    return Column(f"{prefix}{field.name}", prefix, field, owner, ": ".join([*labels, label_of(field)]))


def _named(lookup: Field, owner: ObjectType, prefix: str, last: str, labels: list[str]) -> Column | None:
    """What may be read of a lookup that points at several objects: the name."""
    if last.lower() != "name":
        return None
    shown = Field("Name", label_of(lookup), "string", length=255)
    return Column(f"{prefix}Name", prefix, shown, owner, ": ".join(labels))


def label_of(field: Field) -> str:
    """Give the label people know: that of a standard lookup without its ``ID``."""
    return field.label.removesuffix(" ID") if field.type == "reference" else field.label


def of_token(schema: Schema, one: ObjectType, token: str) -> Column | None:
    """Find the field that a list view's column or filter means, or None for a token that is not known."""
    upper = token.upper()
    bare = upper.rpartition(".")[2]
    if upper.endswith(".NAME") and (named := _name_column(schema, one, upper)) is not None:
        return named
    if (exact := resolve(schema, one, token)) is not None:
        return exact
    if bare in _NAMES:
        return _name_column(schema, one, upper)
    for known in (upper, bare):
        if known in _TOKENS:
            return resolve(schema, one, _TOKENS[known])
    plain = bare.removesuffix(_DATE_ONLY).replace("_", "").lower()
    for field in one.fields.values():
        if plain in {field.name.lower(), field.name.lower().removeprefix("is"), f"{field.name.lower()}__c"}:
            return resolve(schema, one, field.name)
    return None


def _name_column(schema: Schema, one: ObjectType, token: str) -> Column | None:
    """Find what ``NAME`` means: the record's own name, that of the object named before it, or a Case's contact."""
    before = token.rpartition(".")[0]
    if before and before not in (one.name.upper(), f"{one.name.upper()}S"):
        lookup = one.lookup(before)
        return resolve(schema, one, lookup.name) if lookup is not None else None
    if not before and one.name == "Case":
        return resolve(schema, one, "ContactId")
    return resolve(schema, one, one.name_field.name) if one.name_field is not None else None
