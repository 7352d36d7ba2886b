"""Resources that clients ask for and this org does not have: SOSL search and the Tooling API.

Refusals only. Its invariant: a refusal has the code and the shape the platform has for an org without the feature or the object,
so that clients take their own way round; everything else that is not served is simply not found.

Source: a search without braces is refused in recorded words (restforce, search_error_response); a query of an object that is
not there as C.7 has it. The sf command line asks for ``tooling/sobjects/SourceMember/describe`` and takes 404 (E.6).
"""

import re

from sandbox.http.wire import Call, Reply, error, only
from sandbox.org.errors import OrgError, not_found

_TERM = re.compile(r"FIND\s*\{[^}]+\}", re.IGNORECASE)
_SOURCE = re.compile(r"\bFROM\s+(?P<name>\w+)", re.IGNORECASE)
_ADVICE = (
    "If you are attempting to use a custom object, be sure to append the '__c' after the entity name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)


def search(call: Call) -> Reply:
    """Refuse ``/search``."""
    if refusal := only(call, "GET"):
        return refusal
    if not _TERM.search(call.query.get("q", "")):
        return error(400, "MALFORMED_SEARCH", "No search term found. The search term must be enclosed in braces.")
    return error(400, "FUNCTIONALITY_NOT_ENABLED", "Search is not available in this organization")


def tooling(call: Call, parts: tuple[str, ...]) -> Reply:
    """Refuse ``/tooling``: its objects are unknown, everything else in it is not found. Raises OrgError."""
    if parts != ("query",):
        raise not_found()
    if refusal := only(call, "GET"):
        return refusal
    soql = call.query.get("q", "")
    found = _SOURCE.search(soql)
    if found is None:
        raise OrgError(400, "MALFORMED_QUERY", "A query string has to be specified")
    row, before = soql.count("\n", 0, found.start("name")) + 1, soql.rfind("\n", 0, found.start("name"))
    column = found.start("name") - before
    place = f"\n{soql}\n{' ' * (column - 1)}^\nERROR at Row:{row}:Column:{column}\n"
    raise OrgError(400, "INVALID_TYPE", f"{place}sObject type '{found['name']}' is not supported. {_ADVICE}")
