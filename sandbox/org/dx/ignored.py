"""Metadata the sandbox finds and does not carry out, said aloud.

Must not refuse anything: a source tree that deploys loads. Source: Metadata API Developer Guide for what each kind does.
Invariant: a kind that is not in the harmless list counts as changing behaviour.
"""

from pathlib import Path

from sandbox.org.dx.xml import Node
from sandbox.org.setup import Ignored

_LOOKS = frozenset(
    [
        "app",
        "tab",
        "layout",
        "flexipage",
        "page",
        "component",
        "aura",
        "labels",
        "translation",
        "objectTranslation",
        "globalValueSetTranslation",
        "standardValueSetTranslation",
        "webLink",
        "fieldSet",
        "quickAction",
        "customApplication",
        "contentasset",
        "resource",
        "staticresource",
        "report",
        "dashboard",
        "reportType",
        "reportFolder",
        "dashboardFolder",
        "documentFolder",
        "document",
        "emailFolder",
        "email",
        "letter",
        "site",
        "homePageLayout",
        "homePageComponent",
        "pathAssistant",
        "brandingSet",
        "lightningExperienceTheme",
        "businessProcess",
        "eca",
        "ecaOauth",
        "ecaGlblOauth",
        "ecaPlcy",
        "ecaOauthPlcy",
        "connectedApp",
        "platformEventChannel",
        "customPermission",
        "group",
    ]
)
_WHY = {
    "trigger": "Apex does not run",
    "cls": "Apex does not run",
    "flow": "flows do not run",
    "flowDefinition": "flows do not run",
    "workflow": "workflow rules do not run",
    "duplicateRule": "duplicates are not looked for",
    "matchingRule": "duplicates are not looked for",
    "escalationRules": "cases are not escalated",
    "autoResponseRules": "no e-mail is sent",
    "approvalProcess": "nothing is submitted for approval",
    "restrictionRule": "rows are not restricted by rules",
    "territory2": "there are no territories",
    "sharingReason": "there is no Apex sharing",
    "settings": "org settings are those of the sandbox's own switches",
    "managedEventSubscription": "there are no managed subscriptions",
}
_CODE = frozenset({"trigger", "cls", "page", "component"})
_PARTS = {
    "businessProcesses": (False, "every value of a status is open to every record type"),
    "sharingReasons": (True, "there is no Apex sharing"),
    "sharingRecalculations": (True, "there is no Apex sharing"),
    "nameFields": (False, "unknown"),
}


def file(path: Path, kind: str) -> list[Ignored]:
    """List a file of a kind the sandbox does not read; what is no metadata (a README, an image) is passed over."""
    if not path.name.endswith("-meta.xml") and kind not in _WHY:
        return []
    if kind in _CODE and path.name.endswith("-meta.xml"):
        return []
    return [Ignored(path.as_posix(), kind, kind not in _LOOKS, _WHY.get(kind, "it is only looked at" if kind in _LOOKS else "not known"))]


def parts(node: Node) -> list[Ignored]:
    """List what inside an object is not carried out."""
    return [Ignored(node.path.as_posix(), tag, *_PARTS[tag]) for tag in node.tags() if tag in _PARTS]


def standard_field(node: Node, sobject: str, name: str) -> list[Ignored]:
    """List the customisation of a standard field: its label, help and history are not taken over."""
    return [Ignored(node.path.as_posix(), f"{sobject}.{name}", False, "standard fields keep their own label and help")]


def channel_member(node: Node) -> list[Ignored]:
    """List a filtered channel member: all its events are delivered."""
    return [Ignored(node.path.as_posix(), "platformEventChannelMember", True, "filters are not carried out")]


def lookup_filter(node: Node, sobject: str, name: str) -> list[Ignored]:
    """List a lookup filter that looks at more than the record chosen: it lets everything pass."""
    return [Ignored(node.path.as_posix(), f"{sobject}.{name}", True, "its lookup filter looks beyond the record chosen")]


def rule_formula(node: Node) -> list[Ignored]:
    """List assignment rules with formula lines: these lines never fit."""
    return [Ignored(node.path.as_posix(), "assignmentRules", True, "lines with a formula never fit")]


def sharing_rules(node: Node) -> list[Ignored]:
    """List sharing rules, if the file has any."""
    if not node.tags():
        return []
    return [Ignored(node.path.as_posix(), "sharingRules", True, "rows are shared by owner, role and defaults only")]
