"""The plain world as tests see it: opened small, its rows read as somebody, its bills by number.

Must not know stories. Invariant: worlds opened alike are alike.
"""

from datetime import datetime
from functools import cache

from sandbox.org import Session
from sandbox.org.org import Org
from sandbox.worlds.opening import Wish, open_org

NOW = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
RULE = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
"""What a validation rule refuses with."""


def opened(payers: int = 6) -> Org:
    """A world of its own."""
    return open_org(Wish("plain", payers, 1, NOW))


@cache
def crowd() -> Org:
    """One world for the tests that only read."""
    return opened(400)


def rows(org: Org, soql: str, username: str = "admin@sandbox.example") -> list[dict[str, object]]:
    """What a user sees."""
    user = org.user_by_name(username)
    assert user is not None
    return org.query(soql, user_id=user.id).records


def as_user(org: Org, role: str) -> Session:
    """A session of somebody by role."""
    user = org.user_by_name("dunwell.integration@sandbox.example" if role == "integration" else f"{role}@sandbox.example")
    assert user is not None
    return Session(user.id)


def receivable(org: Org, number: str) -> dict[str, object]:
    """A bill by its number."""
    fields = "Id, Amount__c, Amount_Paid__c, Amount_Open__c, Status__c, Collection_Tries__c, Last_Tried_On__c, Return_Code__c, Days_Overdue__c, Contact__c, Account__c, CurrencyIsoCode"
    return rows(org, f"SELECT {fields} FROM Receivable__c WHERE Invoice_Number__c = '{number}'")[0]
