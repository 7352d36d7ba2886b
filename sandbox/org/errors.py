"""What the org refuses, with the status, the code and the words the platform uses.

Must not decide anything: callers choose when to raise. Codes and wordings follow the REST API Developer
Guide's "Status Codes and Error Responses" and recorded answers (CumulusCI cassettes).
Invariant: an OrgError always renders to one element of the REST error array.
"""

from collections.abc import Sequence


class OrgError(Exception):
    """A refusal: `status` is the HTTP status, `fields` the API names concerned."""

    def __init__(self, status: int, code: str, message: str, fields: Sequence[str] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = list(fields)

    def as_rest(self) -> dict[str, object]:
        """One element of the REST error array: message, errorCode and, where there are any, fields."""
        body: dict[str, object] = {"message": self.message, "errorCode": self.code}
        if self.fields:
            body["fields"] = self.fields
        return body

    def as_saved(self) -> dict[str, object]:
        """One element of a save result's `errors`: here the code is called statusCode."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields}


def not_found() -> OrgError:
    """Refuse an object, record or resource that is not there or may not be seen."""
    return OrgError(404, "NOT_FOUND", "The requested resource does not exist")


def no_external_id(name: str) -> OrgError:
    """Refuse an upsert by a field that is not an external id."""
    return OrgError(404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {name}")


def deleted() -> OrgError:
    """Refuse a record that lies in the recycle bin."""
    return OrgError(404, "ENTITY_IS_DELETED", "entity is deleted")


def no_such_column(name: str, sobject: str) -> OrgError:
    """Refuse a write that names a field the object does not have."""
    return OrgError(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject}")


def not_writable(names: Sequence[str]) -> OrgError:
    """Refuse a write to fields that are read only, by their nature or by field-level security."""
    listed = ", ".join(names)
    words = "Please check the security settings of this field and verify that it is read/write for your profile or permission set."
    return OrgError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", f"Unable to create/update fields: {listed}. {words}", names)


def required_missing(names: Sequence[str]) -> OrgError:
    """Refuse required fields without a value."""
    return OrgError(400, "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(names)}]", names)


def too_long(label: str, name: str, value: str, length: int) -> OrgError:
    """Refuse a text longer than its field."""
    return OrgError(400, "STRING_TOO_LONG", f"{label}: data value too large: {value} (max length={length})", [name])


def bad_picklist(label: str, name: str, value: str) -> OrgError:
    """Refuse a value a restricted picklist does not have."""
    return OrgError(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"{label}: bad value for restricted picklist field: {value}", [name])


def bad_number(label: str, name: str, value: str) -> OrgError:
    """Refuse a number with more digits before the point than its field."""
    return OrgError(400, "NUMBER_OUTSIDE_VALID_RANGE", f"{label}: value outside of valid range on numeric field: {value}", [name])


def bad_json(kind: str, token: str, value: object) -> OrgError:
    """Refuse a value that cannot be read as the field's type."""
    return OrgError(
        400,
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {kind} from {token} value {value} or request may be missing a required field",
    )


def duplicate(name: str, other_id: str) -> OrgError:
    """Refuse a unique value another live record already has; `other_id` of 18 characters is shown in its 15 character form."""
    return OrgError(400, "DUPLICATE_VALUE", f"duplicate value found: {name} duplicates value on record with id: {other_id[:15]}")


def wrong_id_type(label: str, name: str, value: str) -> OrgError:
    """Refuse an id of an object the lookup cannot point at, or no id at all."""
    return OrgError(400, "MALFORMED_ID", f"{label}: id value of incorrect type: {value}", [name])


def bad_cross_reference(name: str) -> OrgError:
    """Refuse a lookup to a record that is not there."""
    return OrgError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [name])


def no_access_to_reference(value: str) -> OrgError:
    """Refuse a lookup to a record the user may not see."""
    return OrgError(400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", f"insufficient access rights on cross-reference id: {value[:15]}")


def no_access() -> OrgError:
    """Refuse an operation the user's object permissions do not allow."""
    return OrgError(403, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")


def locked(record_id: str) -> OrgError:
    """Refuse a row another transaction holds."""
    return OrgError(400, "UNABLE_TO_LOCK_ROW", f"unable to obtain exclusive access to this record or 1 records: {record_id[:15]}")


def associated(name: str, children: str, listed: Sequence[str]) -> OrgError:
    """Refuse to delete a record that others must not lose; the words for cases are recorded (a public client quotes them)."""
    words = f"Your attempt to delete {name} could not be completed because it is associated with the following {children}.: "
    return OrgError(400, "DELETE_FAILED", f"{words}{', '.join(listed)}\n")
