"""One Account is bigger than all others, and the nightly job holds its lock."""

from datetime import datetime
from functools import cache

import pytest

from sandbox.org import OrgError, Session
from sandbox.org.org import Org
from sandbox.worlds.opening import Wish, open_org
from sandbox.worlds.skewed import HUB

NOW = datetime.fromisoformat("2026-03-02T09:00:00+01:00")
BELOW = (("cpm__Installment__c", "cpm__Account__c"), ("cpm__Payment__c", "cpm__Account__c"), ("Case", "AccountId"), ("Task", "WhatId"))


def opened(world: str = "skewed", **shape: int) -> Org:
    """A world with thirty other payers."""
    return open_org(Wish(world, 30, 1, NOW, shape=shape))


@cache
def hub_org() -> tuple[Org, str]:
    """A world with five hundred records below its big Account, and the Account's id."""
    org = opened(children=500)
    return org, org.ids_where("Account", "Name", HUB)[0]


def user(org: Org, name: str) -> Session:
    """Somebody's session."""
    found = org.user_by_name(f"{name}@sandbox.example")
    assert found is not None
    return Session(found.id)


@pytest.mark.parametrize("children", [0, 1, 77, 500])
def test_as_many_records_point_at_it_as_asked_for(children: int) -> None:
    """Installments, payments, cases and Tasks add up to the number, however small."""
    org = hub_org()[0] if children == 500 else opened(children=children)
    hub = org.ids_where("Account", "Name", HUB)[0]
    counts = [org.query(f"SELECT COUNT() FROM {what} WHERE {by} = '{hub}'", user_id=org.admin.id).total_size for what, by in BELOW]
    assert sum(counts) == children
    if children == 500:
        assert min(counts) >= 20
        assert counts[0] > 200


def test_ten_thousand_is_what_one_gets_unasked() -> None:
    """The default is the size the world is for."""
    org = opened()
    hub = org.ids_where("Account", "Name", HUB)[0]
    assert (
        sum(org.query(f"SELECT COUNT() FROM {what} WHERE {by} = '{hub}'", user_id=org.admin.id).total_size for what, by in BELOW) == 10_000
    )


def test_all_other_payers_are_findocks() -> None:
    """Nothing of anybody else changes because somebody is big."""
    soql = "SELECT Id, cpm__Generated_Payment_Reference__c, cpm__Status__c, cpm__Amount_Open__c FROM cpm__Installment__c WHERE cpm__Generated_Payment_Reference__c < 'NW9' ORDER BY Id"
    plain, skewed = opened("findock"), hub_org()[0]
    assert plain.query(soql, user_id=plain.admin.id).records == skewed.query(soql, user_id=skewed.admin.id).records


def test_the_recount_holds_the_lock_by_the_clock() -> None:
    """In that quarter of an hour nobody but the package writes the Account or anything below it; others are free, and so is everybody afterwards."""
    org = opened(children=60)
    hub = org.ids_where("Account", "Name", HUB)[0]
    other = org.ids_where("Account", "Name", "Testhuber Werkstatt GmbH") or [org.bulk_load("Account", [{"Name": "Other"}])[0]]
    below = org.query(f"SELECT Id FROM cpm__Installment__c WHERE cpm__Account__c = '{hub}' LIMIT 1", user_id=org.admin.id).records[0]["Id"]
    org.clock.set(datetime.fromisoformat("2026-03-03T02:00:00+00:00"))
    for sobject, record, fields in (
        ("cpm__Installment__c", below, {"cpm__Status__c": "Failed"}),
        ("Account", hub, {"Site": "x"}),
    ):
        with pytest.raises(OrgError) as refused:
            org.update(sobject, record, fields, session=user(org, "admin"))
        assert (refused.value.code, refused.value.status) == ("UNABLE_TO_LOCK_ROW", 400)
    with pytest.raises(OrgError, match=hub[:15]):
        org.create("Task", {"WhatId": hub, "Subject": "x"}, session=user(org, "case_owner"))
    org.create("Task", {"WhatId": other[0], "Subject": "x"}, session=user(org, "case_owner"))
    org.update("cpm__Installment__c", below, {"cpm__Status__c": "Failed"}, session=user(org, "package"))
    org.clock.advance(15 * 60)
    org.create("Task", {"WhatId": hub, "Subject": "x"}, session=user(org, "case_owner"))
