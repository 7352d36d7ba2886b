"""What the org says about its objects: which fields there are, for this user, and what may be done with them.

Must not send. Invariant: what field-level security hides is absent here, exactly as it is absent from a query.
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from connector.salesforce.calls import MalformedReplyError


class _Described(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class PicklistValue(_Described):
    """One value of a picklist."""

    value: str
    active: bool = True


class RecordTypeInfo(_Described):
    """One record type of an object, as this user may use it."""

    name: str = ""
    available: bool = True
    master: bool = False
    default_record_type_mapping: bool = False
    """What a new record gets that names none."""


class FieldDescription(_Described):
    """One field as this user sees it (salesforce.md C.11). ``length`` in characters, ``precision`` and ``scale`` in digits."""

    name: str
    label: str = ""
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    createable: bool = False
    updateable: bool = False
    nillable: bool = True
    defaulted_on_create: bool = False
    calculated: bool = False
    permissionable: bool = True
    """Whether field security governs it; what it does not govern is everybody's, or the platform's own."""
    unique: bool = False
    external_id: bool = False
    restricted_picklist: bool = False
    relationship_name: str | None = None
    reference_to: tuple[str, ...] = ()
    picklist_values: tuple[PicklistValue, ...] = ()

    @property
    def required(self) -> bool:
        """Whether an insert must give it."""
        return self.createable and not self.nillable and not self.defaulted_on_create

    @property
    def values(self) -> tuple[str, ...]:
        """The active picklist values."""
        return tuple(held.value for held in self.picklist_values if held.active)


class ObjectDescription(_Described):
    """One object as this user sees it; ``fields`` by name."""

    name: str
    label: str = ""
    key_prefix: str | None = None
    createable: bool = False
    updateable: bool = False
    deletable: bool = False
    queryable: bool = False
    record_type_infos: tuple[RecordTypeInfo, ...] = ()
    fields: Mapping[str, FieldDescription] = Field(default_factory=dict)

    @field_validator("fields", mode="before")
    @classmethod
    def _by_name(cls, given: object) -> object:
        """The platform sends a list."""
        if isinstance(given, list):
            return {str(field.get("name")): field for field in given if isinstance(field, Mapping)}
        return given


def read_description(body: object) -> ObjectDescription:
    """From a describe reply. Raises MalformedReplyError."""
    try:
        return ObjectDescription.model_validate(body)
    except ValidationError as error:
        raise MalformedReplyError("the description of an object could not be read") from error
