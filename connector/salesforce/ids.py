"""Record ids as people give them: 15 characters from a report or 18 from an address bar.

Must not ask the org. Invariant: what comes out has 18 characters, as the API gives them, so it equals the id of a record read.
"""

import re

from connector.errors import PermanentError

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def full_id(text: str) -> str:
    """Give the id with 18 characters; its last three say which of the first fifteen are capitals (Salesforce's own rule).

    Raises:
        PermanentError: it cannot be an id, or its last three characters contradict the others.

    """
    given = text.strip()
    if not re.fullmatch(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?", given):
        raise PermanentError("a record id has 15 or 18 letters and digits, as in the record's address in Salesforce")
    parts = [given[at : at + 5] for at in (0, 5, 10)]
    full = given[:15] + "".join(_ALPHABET[sum(1 << bit for bit, one in enumerate(part) if one.isupper())] for part in parts)
    if len(given) == 18 and full.upper() != given.upper():
        raise PermanentError(f"{given} is no record id: capitals matter, so copy it from the record's address in Salesforce")
    return full
