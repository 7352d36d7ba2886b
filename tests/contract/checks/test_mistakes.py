"""An admin's typical mistakes against a local org: each gives one clear line, and nothing else."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connector.errors import TransientError
from sandbox.faults import FaultSpec
from sandbox.org import Session
from tests.contract.checks.conftest import ROOT

USER = "dunwell.integration@sandbox.example"
REQUIRED = """<?xml version="1.0" encoding="UTF-8"?>
<CustomField xmlns="http://soap.sforce.com/2006/04/metadata">
    <fullName>Payer_Note__c</fullName><label>Payer Note</label><length>20</length><required>true</required><type>Text</type>
</CustomField>
"""


def without(source, sobject, right):
    """The object permissions of one object without one right."""
    (block,) = [one for one in re.findall(r"<objectPermissions>.*?</objectPermissions>", source, re.DOTALL) if f"<object>{sobject}<" in one]
    return block, block.replace(f"<{right}>true<", f"<{right}>false<")


@pytest.fixture
def lacking(mistaken):
    """An org whose shipped permission set for FinDock lacks one right on one object."""

    def make(sobject, right):
        file = ROOT / "force-app/findock/default/permissionsets/Dunwell_FinDock.permissionset-meta.xml"
        return mistaken(file.name, *without(file.read_text(encoding="utf-8"), sobject, right))

    return make


def test_a_misspelt_field(place):
    """The line of the mapping is named, and the field that was meant."""
    line = place.mapping("amount: cpm__Amount__c", "amount: cpm__Amout__c")
    assert place.problems() == [
        f"mappings/findock.yaml:{line}: cpm__Installment__c has no field 'cpm__Amout__c'; did you mean 'cpm__Amount__c'?"
    ]


def test_a_misspelt_object(place):
    """An object that is not there is told once, and none of its fields is."""
    line = place.mapping("object: cpm__Payment_Schedule__c\n  on:", "object: cpm__Payment_Shedule__c\n  on:")
    assert place.problems() == [
        f"mappings/findock.yaml:{line}: the org has no object 'cpm__Payment_Shedule__c'; did you mean 'cpm__Payment_Schedule__c'?"
    ]


def test_a_misspelt_relationship(place):
    """A path is followed, and the part that leads nowhere is named."""
    line = place.mapping("mandate_active: cpm__Mandate__r.", "mandate_active: cpm__Mandat__r.")
    told = place.problems()
    assert told == [
        f"mappings/findock.yaml:{line}: cpm__Installment__c has no relationship 'cpm__Mandat__r'; did you mean 'cpm__Mandate__r'?"
    ]


def test_a_wrong_picklist_value(place):
    """A value that only differs in its letters' case is offered as it is written in the org."""
    line = place.mapping("value: Pending recollection", "value: Pending Recollection")
    assert place.problems() == [
        f"mappings/findock.yaml:{line}: cpm__Installment__c.cpm__Status__c has no value 'Pending Recollection'; did you mean 'Pending recollection'?"
    ]


def test_a_key_field_that_is_not_unique(mistaken):
    """Without Unique a record could be made twice after a crash."""
    told = mistaken("cpm__Payment__c/fields/Dunwell_Key__c.field-meta.xml", "<unique>true</unique>", "<unique>false</unique>").problems()
    page = "Setup > Object Manager > cpm__Payment__c > Fields & Relationships > Dunwell_Key__c > Edit"
    assert [one.partition(": ")[2] for one in told] == [
        f"cpm__Payment__c.Dunwell_Key__c is not unique, so a record could be made twice; tick Unique in {page}"
    ]


def test_a_missing_permission(lacking):
    """An object that may not be changed is told once, with the permission set in which to tick it."""
    assert lacking("cpm__Installment__c", "allowEdit").problems() == [
        (
            f"cpm__Installment__c: {USER} may not change records of cpm__Installment__c; "
            "tick Edit in Setup > Permission Sets > Dunwell FinDock > Object Settings > cpm__Installment__c"
        )
    ]


def test_rows_that_are_not_visible(lacking):
    """Invisible is not paid: an object whose rows may be hidden is a problem although every row is visible today."""
    assert lacking("cpm__Payment__c", "viewAllRecords").problems() == [
        (
            f"cpm__Payment__c: {USER} does not see every record of cpm__Payment__c, and what it does not see it takes for paid; "
            "tick View All Records in Setup > Permission Sets > Dunwell FinDock > Object Settings > cpm__Payment__c, or assign a set that gives it, such as 'Northwind Staff'"
        )
    ]


def test_a_permission_set_that_is_not_assigned(place):
    """Fields that field security hides are told with the set that shows them, line by line of the mapping."""
    place.box.run(lambda: place.box.org.set_access(place.box.integration.id, permission_sets=["Dunwell_Integration", "Dunwell_FinDock"]))
    told = place.problems()
    assert len(told) > 10
    assert all(", or assign a set that gives it, such as 'Northwind Payer Facts'" in one for one in told)
    assert all(re.match(r"mappings/findock.yaml:\d+: field-level security hides \w+\.\w+__c from ", one) for one in told)


def test_a_wrong_currency_field(place):
    """An amount is no currency code; the field that holds it is named."""
    line = place.mapping("currency: CurrencyIsoCode", "currency: cpm__Amount_Open__c")
    told = place.problems()
    assert (
        f"mappings/findock.yaml:{line}: cpm__Installment__c.cpm__Amount_Open__c is a Currency field, and a Picklist or Text with currency codes "
        "such as EUR is needed; name CurrencyIsoCode, the record's currency"
    ) in told
    assert {one.partition(": ")[0] for one in told} == {f"mappings/findock.yaml:{line}"}


def test_no_currency_field_in_an_org_with_several(place):
    """Amounts in other currencies are never taken for the creditor's."""
    place.mapping("  currency: CurrencyIsoCode\n", "")
    (told,) = place.problems()
    assert told.endswith(
        "the org has several currencies, and every amount would count as EUR; add currency: CurrencyIsoCode under installments"
    )


def test_a_text_field_where_a_lookup_is_needed(place):
    """The lookups that would do are named."""
    line = place.mapping("installment: cpm__Installment__c\n", "installment: cpm__Payment_Reference__c\n")
    assert place.problems() == [
        (
            f"mappings/findock.yaml:{line}: cpm__Payment__c.cpm__Payment_Reference__c is a Text field, and a Lookup to cpm__Installment__c is needed; "
            "name another field, such as cpm__Installment__c"
        )
    ]


def test_a_lookup_to_another_object(place):
    """A payer's link that leads to another object is told for each object it stands on."""
    line = place.mapping("link: cpm__Contact__c", "link: cpm__Account__c")
    assert place.problems() == [
        f"mappings/findock.yaml:{line}: {name}.cpm__Account__c is a lookup to Account, and one to Contact is needed; "
        "name another field, such as cpm__Contact__c"
        for name in ("cpm__Installment__c", "cpm__Payment__c")
    ]


def test_a_queue_that_is_not_there(place):
    """A queue's developer name is told from its label."""
    line = place.mapping("specialist: {queue: Dunwell_Specialists}", "specialist: {queue: Dunwell_Specialist}")
    assert place.problems() == [
        f"mappings/findock.yaml:{line}: the org has no queue 'Dunwell_Specialist'; did you mean 'Dunwell_Specialists'?"
    ]


def test_an_inactive_queue(place):
    """A queue whose only member has left is told: its Tasks would wait for nobody."""
    org, noor = place.box.org, place.box.org.user_by_name("specialist@sandbox.example")

    def active(value):
        place.box.run(lambda: org.update("User", noor.id, {"IsActive": value}, session=Session(org.admin.id)))

    active(value=False)
    told = place.problems()
    active(value=True)
    assert [one.partition(": ")[2] for one in told] == [
        (
            "the queue Dunwell_Specialists is inactive: none of its members is an active user; "
            "add active members in Setup > Queues > Dunwell_Specialists > Edit"
        )
    ]


def test_a_queue_that_may_not_own_tasks(mistaken):
    """A queue for other objects gets no Task."""
    told = mistaken("Dunwell_Admins.queue-meta.xml", "<sobjectType>Task</sobjectType>", "<sobjectType>Case</sobjectType>").problems()
    assert [one.partition(": ")[2] for one in told] == [
        "the queue Dunwell_Admins may not own Tasks; add Task to its Supported Objects in Setup > Queues > Dunwell_Admins > Edit"
    ]


def test_an_event_that_is_not_deployed(mistaken):
    """The event is told once, not again for its channel."""
    assert mistaken("objects/Payment_Outcome__e").problems() == [
        (
            f"Payment_Outcome__e: the org has no event Payment_Outcome__e, or {USER} may not read it; "
            "deploy Dunwell's part of the org (`dunwell deploy`) and assign the permission set 'Dunwell Integration'"
        )
    ]


def test_changes_that_are_not_captured(mistaken):
    """A channel of changes that is not there is told with what to do; polling needs none."""
    place = mistaken("platformEventChannelMembers")
    told = place.problems()
    assert told
    assert all(one.startswith("/data/") and "`dunwell deploy`" in one for one in told)
    assert place.problems(DUNWELL_TRANSPORT="poll") == []


def test_an_org_with_too_many_listeners(place):
    """Where nobody may listen for the moment, that is told with the org's own words, and the rest is looked at."""
    place.box.run(lambda: place.box.platform.faults.arm(FaultSpec(kind="concurrent_limit", count=None)))
    line = place.mapping("amount: cpm__Amount__c", "amount: cpm__Amout__c")
    events, misspelt = place.problems()
    assert events.startswith("events: the org lets nobody listen now (")
    assert "concurrent user limit exceeded" in events
    assert misspelt.startswith(f"mappings/findock.yaml:{line}: ")


def test_a_required_field_that_dunwell_does_not_fill(mistaken):
    """What an admin made required on an object of ours would block every insert."""
    told = mistaken(
        "Payer_Note__c.field-meta.xml", "", "", added={"objects/Dunwell_Attempt__c/fields/Payer_Note__c.field-meta.xml": REQUIRED}
    ).problems()
    assert told == [
        (
            "Dunwell_Attempt__c.Payer_Note__c: Payer_Note__c is required, and Dunwell does not fill it: new records would be refused; "
            "take Required away or give a default value in Setup > Object Manager > Dunwell_Attempt__c > Fields & Relationships > Payer_Note__c > Edit"
        )
    ]


@pytest.mark.parametrize(
    ("words", "what_to_do"),
    [
        ("user hasn't approved this consumer", "pre-authorise the app"),
        ("invalid assertion", "check that the certificate uploaded to the app belongs to this private key"),
        ("audience is invalid", "set the login URL to the org's My Domain"),
        ("inactive user", "activate the integration user"),
        ("ip restricted", "allow this machine's address"),
    ],
)
def test_a_login_that_is_refused(place, words, what_to_do):
    """The org's own words and what to do, in one line; nothing else can be looked at."""
    place.box.run(lambda: place.box.platform.faults.arm(FaultSpec(kind="token_refused", reason=words)))
    (told,) = place.problems()
    assert told.startswith(f"login: the org refused the login (invalid_grant: {words}); {what_to_do}")


def test_an_expired_certificate(place, tmp_path):
    """The certificate beside the key is looked at before the org says anything; one that lasts is not told of."""
    key = tmp_path / "integration.key"
    key.write_bytes(place.box.key_file.read_bytes())
    key.chmod(0o600)
    _certificate(key, datetime.now(UTC) - timedelta(days=1))
    (told,) = place.problems(DUNWELL_KEY_FILE=str(key))
    assert re.match(r"DUNWELL_KEY_FILE: the certificate beside the key expired on \d{4}-\d\d-\d\d; make a new key and certificate, ", told)
    _certificate(key, datetime.now(UTC) + timedelta(days=10))
    found = place.found(DUNWELL_KEY_FILE=str(key))
    assert (found.problems, [one.where for one in found.doubts]) == ((), ["DUNWELL_KEY_FILE"])
    _certificate(key, datetime.now(UTC) + timedelta(days=365))
    assert place.found(DUNWELL_KEY_FILE=str(key)).doubts == ()


def _certificate(key_file, ends):
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Dunwell")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(ends - timedelta(days=700)).not_valid_after(ends)
    key_file.with_suffix(".crt").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def test_a_token_that_has_ended(place):
    """A token that was given and cannot be renewed is told like a refused login, beside whatever else is wrong."""
    dead = f"{place.box.org.org_id[:15]}!no.longer"
    more = {
        "DUNWELL_AUTH": "token",
        "DUNWELL_ACCESS_TOKEN": dead,
        "DUNWELL_INSTANCE_URL": place.box.instance_url,
        "DUNWELL_POLICY": "harsh",
    }
    policy, token = place.problems(**more)
    assert policy == "DUNWELL_POLICY: there is no policy 'harsh'; there are: default"
    assert token.startswith("the org: the org no longer accepts the access token; set a new one, or use jwt or client_credentials")


def test_a_token_that_is_good(place):
    """The other way in: the org tells who the token belongs to."""
    more = {"DUNWELL_AUTH": "token", "DUNWELL_ACCESS_TOKEN": place.box.token(), "DUNWELL_INSTANCE_URL": place.box.instance_url}
    done = place.check(**more)
    assert (done.found.problems, done.api_calls) == ((), 7)


def test_a_wrong_login_host(place):
    """A host that does not answer is not a wrong configuration for sure: it is said so, and what to look at."""
    with pytest.raises(
        TransientError, match=r"DUNWELL_LOGIN_URL: the login server cannot be reached .*localhost:1 is your org's login host"
    ):
        place.check(DUNWELL_LOGIN_URL="http://localhost:1")


def test_a_host_that_is_no_login_server(place):
    """Something that answers, but not as Salesforce does."""
    (told,) = place.problems(DUNWELL_LOGIN_URL=place.box.admin_url)
    assert told.startswith("login: the login URL does not answer as a Salesforce login server; ")


def test_a_wrong_org(place):
    """Another org than the one the settings name: nothing else of it is looked at."""
    (told,) = place.problems(DUNWELL_ORG_ID="00D000000000001EAA")
    reached = place.box.org.org_id
    assert told == (
        f"DUNWELL_ORG_ID: this is the org {reached}, and Dunwell is set up for 00D000000000001EAA; check DUNWELL_LOGIN_URL and the credentials; "
        "if the org was refreshed or copied on purpose, set DUNWELL_ORG_ID to the new one"
    )


def test_a_version_the_org_does_not_speak(place):
    """A version not yet there is told, with the newest there is."""
    (told,) = place.problems(DUNWELL_API_VERSION="99.0")
    assert re.fullmatch(r"DUNWELL_API_VERSION: the org does not speak version 99.0 of the API; set one it speaks, at most \d+.0", told)


@pytest.mark.parametrize(("seconds", "direction"), [(300, "behind"), (-300, "ahead of")])
def test_a_clock_that_is_wrong(place, seconds, direction):
    """More than a minute between the machine and the org is told."""
    place.box.run(lambda: place.box.platform.faults.arm(FaultSpec(kind="clock_skew", seconds=seconds, count=None, path="/services/data$")))
    (told,) = place.problems()
    assert told.startswith(f"this machine's clock: it is {300} seconds {direction} the org's")
    assert told.endswith("; let it be set by a time server (NTP)")


def test_allowances_that_are_used_up(place):
    """A check still works while the daemon would wait, and says why it waits."""
    usage, now = place.box.platform.usage, place.box.org.clock.now()
    place.box.run(lambda: (usage.calls.set(now, 90_000), usage.deliveries.set(now, 25_000)))
    told = place.problems()
    place.box.run(lambda: (usage.calls.set(now, 0), usage.deliveries.set(now, 0)))
    assert [one.partition(": ")[0] for one in told] == ["API calls", "event deliveries"]
    assert re.search(r": 9,9\d\d of 100,000 of today's are left, and 20 percent are kept for others: Dunwell would wait; ", told[0])
    assert ": 0 of 25,000 of today's are left: no event would come; " in told[1]


def test_many_mistakes_at_once(place):
    """An admin is told everything in one go, and mends it in one go."""
    place.mapping("amount: cpm__Amount__c", "amount: cpm__Amout__c")
    place.mapping("value: Pending recollection", "value: Pending Recollection")
    place.mapping("specialist: {queue: Dunwell_Specialists}", "specialist: {queue: Dunwell_Specialist}")
    place.box.run(lambda: place.box.platform.faults.arm(FaultSpec(kind="clock_skew", seconds=300, count=None, path="/services/data$")))
    assert len(place.problems(DUNWELL_POLICY="harsh")) == 5
