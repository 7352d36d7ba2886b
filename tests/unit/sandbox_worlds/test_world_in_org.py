"""The filled org shows what its users should see, and the package's own bookkeeping keeps up with every booking."""

from datetime import datetime

import pytest

from sandbox.org import Clock, OrgError, Session
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.worlds import findock
from sandbox.worlds.findock.staff import ADMIN, INTEGRATION, PACKAGE
from sandbox.worlds.findock.stories import read_book

NOW = datetime.fromisoformat("2026-03-02T09:00:00+01:00")
OUTSIDERS = 30


def world(payers: int = 19 + OUTSIDERS, seed: int = 1) -> Org:
    """A filled org whose clock stands at the beginning of the stories."""
    org = Org(load_schema(findock.DX), Clock(NOW))
    findock.build(org, payers=payers, seed=seed)
    findock.automate(org)
    return org


@pytest.fixture(scope="module")
def shared() -> Org:
    """One world for the tests that only read."""
    return world()


def session(org: Org, username: str) -> Session:
    """A session of the user with that name."""
    user = org.user_by_name(username)
    assert user is not None
    return Session(user_id=user.id)


def rows(org: Org, soql: str, username: str = INTEGRATION) -> list[dict[str, object]]:
    """What a user sees, attributes left out."""
    found = org.query(soql, user_id=session(org, username).user_id).records
    return [{name: value for name, value in one.items() if name != "attributes"} for one in found]


def installment(org: Org, external_id: str) -> dict[str, object]:
    """An installment of a story, all that bookkeeping touches."""
    fields = "Id, cpm__Status__c, cpm__Amount_Open__c, cpm__Collection_Count__c, cpm__of_times_reversed__c, cpm__of_times_failed__c, cpm__of_times_refunded__c, cpm__Last_Failed_Date__c, cpm__Last_Reversal_Date__c, cpm__Last_Collection_Date__c, cpm__Last_ReasonCode_Received__c"
    return rows(org, f"SELECT {fields} FROM cpm__Installment__c WHERE cpm__External_ID__c = '{external_id}'", ADMIN)[0]


def book(
    org: Org, to: dict[str, object], amount: float, why: tuple[str | None, str | None] = ("Collection", None), by: str = PACKAGE
) -> str:
    """Book a movement of money on an installment."""
    fields = {
        "cpm__Installment__c": to["Id"],
        "cpm__Amount__c": amount,
        "cpm__Collection_Date__c": "2026-03-04",
        "cpm__Reason_for_Mutation__c": why[0],
        "cpm__Reversal_Reason_Code__c": why[1],
    }
    return org.create("cpm__Payment__c", {name: value for name, value in fields.items() if value is not None}, session=session(org, by))


def test_every_story_has_its_payer_and_installment(shared: Org) -> None:
    """Each story's payer is found by Story__c and this month's installment by its external id."""
    payers = {
        one["Story__c"]
        for sobject in ("Contact", "Account")
        for one in rows(shared, f"SELECT Story__c FROM {sobject} WHERE Story__c != null")
    }
    assert payers == {story.name for story in read_book().stories}
    for story in read_book().stories:
        assert installment(shared, f"{story.name}:2026-03")["cpm__Status__c"] == "Pending Processing"


def test_the_same_arguments_give_the_same_world() -> None:
    """Two worlds of one seed agree in every installment."""
    soql = "SELECT cpm__Generated_Payment_Reference__c, cpm__Status__c, cpm__Amount__c FROM cpm__Installment__c ORDER BY cpm__Generated_Payment_Reference__c"
    assert rows(world(25), soql) == rows(world(25), soql)


def test_dunwells_user_reads_all_the_mapping_needs(shared: Org) -> None:
    """The permission sets show the integration user every payer with the facts a decision rests on."""
    persons = rows(
        shared,
        "SELECT Id, Name, MailingCountry, HasOptedOutOfEmail, Time_Zone__c, Language__c, Preferred_Channel__c, Allow_SMS__c, Allow_Call__c, Customer_Since__c, Segment__c FROM Contact",
    )
    assert persons
    assert {one["MailingCountry"] for one in persons} <= {"NL", "DE", "GB"}
    companies = rows(shared, "SELECT Id, BillingCountry, Time_Zone__c FROM Account WHERE Customer_Since__c != null")
    assert len(persons) + len(companies) == 19 + OUTSIDERS
    money = rows(
        shared,
        "SELECT Id, cpm__Installment__r.cpm__Contact__c, Paid_At__c, Payer_Initiated__c, cpm__Payment_Reference__c, cpm__Reversal_Reason_Code__c, Dunwell_Key__c FROM cpm__Payment__c",
    )
    assert len(money) > 500
    runs = rows(
        shared, "SELECT cpm__Collection_Date__c, cpm__Payment_Method__c FROM cpm__Payment_Schedule__c WHERE cpm__Status__c = 'Scheduled'"
    )
    assert len(runs) > 50
    assert rows(shared, "SELECT Id, ContactId, AccountId, Type, Subject, IsClosed, CreatedDate, OwnerId FROM Case WHERE IsClosed = false")


def test_dunwells_user_may_set_a_retry_and_nothing_else_of_an_installment() -> None:
    """Status, due date and stamp are Dunwell's to set; amounts are not."""
    org = world(19)
    target, own = str(installment(org, "loyal-first-failure:2026-03")["Id"]), session(org, INTEGRATION)
    org.update(
        "cpm__Installment__c",
        target,
        {"cpm__Status__c": "Pending recollection", "cpm__Due_Date__c": "2026-03-26", "Dunwell_Retry_Key__c": "k"},
        session=own,
    )
    with pytest.raises(OrgError):
        org.update("cpm__Installment__c", target, {"cpm__Amount__c": 1}, session=own)


def test_dunwells_user_makes_its_own_records_once() -> None:
    """Positions, follow-ups, attempts, holds, runs and Tasks can be made by the daemon; a second of one key is refused."""
    org = world(19)
    own = session(org, INTEGRATION)
    payer = rows(org, "SELECT Id FROM Contact WHERE Story__c = 'gift'")[0]["Id"]
    position = org.create(
        "Dunwell_Position__c",
        {"Dunwell_Key__c": "p", "Contact__c": payer, "Status__c": "Watch", "Since__c": "2026-02-20", "Currency__c": "EUR", "Amount__c": 10},
        session=own,
    )
    org.update("Contact", str(payer), {"Dunwell_Position__c": position}, session=own)
    for sobject in ("Dunwell_Follow_Up__c", "Dunwell_Attempt__c", "Dunwell_Run__c"):
        org.create(sobject, {"Dunwell_Key__c": "k"}, session=own)
        with pytest.raises(OrgError) as refused:
            org.create(sobject, {"Dunwell_Key__c": "k"}, session=own)
        assert refused.value.code == "DUPLICATE_VALUE"
    org.create(
        "Task", {"Dunwell_Key__c": "t", "WhoId": payer, "Subject": "Call", "Description": "x", "ActivityDate": "2026-03-03"}, session=own
    )
    seen = rows(org, "SELECT Arrears_Status__c, Arrears_Amount__c, Arrears_Since__c, Arrears_Days__c FROM Contact WHERE Story__c = 'gift'")[
        0
    ]
    assert seen == {"Arrears_Status__c": "Watch", "Arrears_Amount__c": 10.0, "Arrears_Since__c": "2026-02-20", "Arrears_Days__c": 10.0}


@pytest.mark.parametrize(
    ("fields", "active"),
    [
        ({"Cause__c": "manual", "Until__c": "2026-03-02"}, True),
        ({"Cause__c": "manual", "Until__c": "2026-03-01"}, False),
        ({"Cause__c": "manual"}, True),
        ({"Cause__c": "breathing_space", "From__c": "2026-03-03", "Until__c": "2026-04-01"}, False),
        ({"Cause__c": "complaint", "Until__c": "2026-01-01"}, True),
        ({"Cause__c": "complaint", "Released_At__c": "2026-03-01T10:00:00Z"}, False),
    ],
)
def test_a_hold_knows_whether_it_is_in_force(shared: Org, fields: dict[str, object], active: bool) -> None:
    """Dated causes end after their last day; the others only when a person releases them."""
    made = shared.create("Dunwell_Hold__c", fields, session=session(shared, "credit_manager@sandbox.example"))
    assert rows(shared, f"SELECT Active__c FROM Dunwell_Hold__c WHERE Id = '{made}'") == [{"Active__c": active}]


def test_collecting_in_full_settles_an_installment() -> None:
    """Money for all of it: Collected, nothing open, counted and dated by the payment's collection date."""
    org = world(19)
    book(org, installment(org, "technical:2026-03"), 71.0, (None, None), by=INTEGRATION)
    after = installment(org, "technical:2026-03")
    assert (after["cpm__Status__c"], after["cpm__Amount_Open__c"], after["cpm__Collection_Count__c"]) == ("Collected", 0.0, 1.0)
    assert after["cpm__Last_Collection_Date__c"] == "2026-03-04"


def test_half_the_money_leaves_half_open() -> None:
    """A part paid: Partially paid, and the rest stays open."""
    org = world(19)
    book(org, installment(org, "partial-payment:2026-03"), 25.0)
    after = installment(org, "partial-payment:2026-03")
    assert (after["cpm__Status__c"], after["cpm__Amount_Open__c"]) == ("Partially paid", 25.0)


def test_a_reversal_opens_its_own_month_again() -> None:
    """January taken back in March opens January, with its reason code, and leaves February alone."""
    org = world(19)
    book(org, installment(org, "reversed-after-collected:2026-01"), -180.0, ("Reversal", "MD01"))
    after = installment(org, "reversed-after-collected:2026-01")
    assert (after["cpm__Status__c"], after["cpm__Amount_Open__c"], after["cpm__of_times_reversed__c"]) == ("Reversed", 180.0, 1.0)
    assert (after["cpm__Last_ReasonCode_Received__c"], after["cpm__Last_Reversal_Date__c"]) == ("MD01", "2026-03-04")
    assert installment(org, "reversed-after-collected:2026-02")["cpm__Status__c"] == "Collected"


def test_a_refund_opens_nothing() -> None:
    """Money given back is not owed again."""
    org = world(19)
    book(org, installment(org, "gift:2026-02"), -10.0, ("Refund", None))
    after = installment(org, "gift:2026-02")
    assert (after["cpm__Status__c"], after["cpm__Amount_Open__c"], after["cpm__of_times_refunded__c"]) == ("Refunded", 0.0, 1.0)


def test_a_failure_is_dated_and_counted() -> None:
    """Setting Failed dates and counts the failure by today in the org's time zone; setting it again counts again."""
    org = world(19)
    target = str(installment(org, "gift:2026-03")["Id"])
    for status in ("Failed", "Pending recollection", "Failed"):
        org.update("cpm__Installment__c", target, {"cpm__Status__c": status}, session=session(org, PACKAGE))
    after = installment(org, "gift:2026-03")
    assert (after["cpm__of_times_failed__c"], after["cpm__Last_Failed_Date__c"]) == (2.0, "2026-03-02")


def test_queues_are_served_by_their_people(shared: Org) -> None:
    """Each of Dunwell's queues has at least one member who can see its Tasks."""
    members = rows(shared, "SELECT Group.DeveloperName, UserOrGroupId FROM GroupMember", ADMIN)
    served = [one["Group"]["DeveloperName"] for one in members if isinstance(one["Group"], dict)]
    assert set(served) == {"Dunwell_Credit_Managers", "Dunwell_Specialists", "Dunwell_Admins"}
