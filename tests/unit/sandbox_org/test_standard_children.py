"""How the records below a standard record are named, as recorded describes of Account and Contact have it."""

import pytest

from sandbox.org.metadata import load_schema

RECORDED = {
    "Contact": {
        ("Case", "ContactId"): "Cases",
        ("Event", "WhoId"): "Events",
        ("Opportunity", "ContactId"): "Opportunities",
        ("OpportunityContactRole", "ContactId"): "OpportunityContactRoles",
        ("Task", "WhoId"): "Tasks",
    },
    "Account": {
        ("Account", "ParentId"): "ChildAccounts",
        ("Case", "AccountId"): "Cases",
        ("Contact", "AccountId"): "Contacts",
        ("Opportunity", "AccountId"): "Opportunities",
        ("Task", "WhatId"): "Tasks",
    },
}


@pytest.mark.parametrize("parent", RECORDED)
def test_children_have_their_recorded_names(parent):
    """A client that builds subqueries from a describe finds the names it knows from a real org."""
    found = {(end.child, end.field): end.name for end in load_schema([]).children[parent]}
    wanted = RECORDED[parent]
    assert {end: found.get(end) for end in wanted} == wanted
