"""What a field must be able to hold, told by the types of describe (salesforce.md C.11), and their names in Setup.

Must not look at a field. Invariant: every kind says in words what it accepts.
"""

from dataclasses import dataclass
from typing import Final

_WORDS = frozenset({"string", "picklist", "textarea", "combobox", "email", "phone", "url", "encryptedstring"})

IN_SETUP: Final = {
    "string": "Text", "picklist": "Picklist", "textarea": "Text Area", "combobox": "Picklist", "reference": "Lookup", "currency": "Currency",
    "double": "Number", "int": "Number", "percent": "Percent", "date": "Date", "datetime": "Date/Time", "boolean": "Checkbox", "id": "Record ID",
    "multipicklist": "Picklist (Multi-Select)", "email": "Email", "phone": "Phone", "url": "URL", "encryptedstring": "Text (Encrypted)",
    "time": "Time", "address": "Address", "location": "Geolocation", "base64": "File",
}  # fmt: skip
"""Types of describe → field types as Setup shows them."""


@dataclass(frozen=True, slots=True)
class Kind:
    """``types`` are those of describe that will do; empty = any."""

    words: str
    types: frozenset[str] = frozenset()

    def fits(self, described: str) -> bool:
        """Whether a field of that type will do."""
        return not self.types or described in self.types


ANY: Final = Kind("any field")
TEXT: Final = Kind("Text or Picklist", _WORDS)
AMOUNT: Final = Kind("Currency or Number", frozenset({"currency", "double", "int"}))
NUMBER: Final = Kind("Number", frozenset({"currency", "double", "int", "percent"}))
DATE: Final = Kind("Date", frozenset({"date"}))
DAY: Final = Kind("Date or Date/Time", frozenset({"date", "datetime"}))
MOMENT: Final = Kind("Date/Time", frozenset({"datetime"}))
FLAG: Final = Kind("Checkbox", frozenset({"boolean"}))
CURRENCY: Final = Kind("Picklist or Text with currency codes such as EUR", frozenset({"picklist", "string"}))
LOOKUP: Final = Kind("Lookup", frozenset({"reference"}))
NAMED: Final = Kind("Lookup, Text or Picklist", _WORDS | {"reference"})
"""Something that is only told from others of its kind: a mandate, a product."""


def in_setup(described: str) -> str:
    """A type as Setup names it."""
    return IN_SETUP.get(described, described)
