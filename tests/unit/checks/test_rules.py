"""Each rule over what an org says: the line it gives, and its silence where all is in order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connector.checks import budget, currency, events, fields, identity, inserts, licences, needs, objects, picklists, rights, roles, writes
from connector.checks.problems import Problem, listed, meant
from connector.checks.said import Access, Giver, Grant, Licence, Queue
from connector.checks.whole import findings
from connector.mapping.org import Role
from connector.salesforce.client import Limit
from connector.salesforce.describe import PicklistValue, RecordTypeInfo
from connector.salesforce.greeting import Greeting
from tests.unit.checks.orgs import MAPPING, NEEDS, PLACES, SOURCE, USER, orderly, with_field, with_object

INSTALLMENT, PAYMENT, HOLD = "cpm__Installment__c", "cpm__Payment__c", "Dunwell_Hold__c"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def lines(found):
    """The problems as an admin reads them, without where they are."""
    return [f"{one.what}; {one.do}" for one in found.problems]


def told(said):
    """Every problem of an org."""
    return lines(findings(said, MAPPING, SOURCE, channels=(), reserve_percent=20))


def test_an_orderly_org_gives_no_problem():
    """Silence means that everything was looked at and fits."""
    found = findings(orderly(), MAPPING, SOURCE, channels=(), reserve_percent=20)
    assert found.problems == ()


@pytest.mark.parametrize(
    ("name", "described", "words"),
    [
        ("cpm__Due_Date__c", "datetime", "is a Date/Time field, and a Date is needed"),
        ("cpm__Amount__c", "string", "is a Text field, and a Currency or Number is needed"),
        ("cpm__Contact__c", "string", "is a Text field, and a Lookup to Contact is needed"),
        ("cpm__Status__c", "boolean", "is a Checkbox field, and a Text or Picklist is needed"),
        ("cpm__of_times_failed__c", "date", "is a Date field, and a Number is needed"),
    ],
)
def test_a_field_of_another_type(name, described, words):
    """The type there is and the type that is needed, as Setup names them."""
    (line,) = lines(fields.fields(with_field(orderly(), INSTALLMENT, name, type=described), NEEDS, PLACES))
    assert line.startswith(f"{INSTALLMENT}.{name} {words}; ")


def test_a_number_will_do_for_an_amount():
    """Types that hold the same are not told apart."""
    assert fields.fields(with_field(orderly(), INSTALLMENT, "cpm__Amount__c", type="double"), NEEDS, PLACES).problems == ()


def test_a_field_of_ours_that_is_missing_is_deployed():
    """Nobody is asked what was meant: the field comes with Dunwell."""
    (line,) = told(with_field(orderly(), HOLD, "Cause__c", type=None))
    assert line.startswith(f"{HOLD} has no field Cause__c, or {USER} may not see it; deploy Dunwell's part of the org")


def test_a_field_that_nothing_resembles():
    """Where nothing was meant that there is, both causes are told."""
    (line,) = told(with_field(orderly(), INSTALLMENT, "Product__c", type=None))
    assert line.startswith(
        f"{INSTALLMENT} has no field 'Product__c', or field-level security hides it; check its API name in Setup > Object Manager"
    )


def test_a_part_of_an_address_is_shown_by_the_whole():
    """Field security knows MailingAddress, not MailingCountry (Object Reference, FieldPermissions)."""
    said = with_field(orderly(), "Contact", "MailingCountry", type=None)
    assert ("Contact", "MailingAddress") in fields.unseen(said, NEEDS)
    said = replace(said, givers=(Giver("Dunwell Integration Plus", "Contact.MailingAddress", Grant(read=True)),))
    (line,) = told(said)
    assert line == (
        f"field-level security hides Contact.MailingCountry from {USER}; assign the permission set 'Dunwell Integration Plus' to {USER} "
        "(Setup > Permission Sets > Dunwell Integration Plus > Manage Assignments)"
    )


def test_sets_for_people_are_never_offered():
    """A credit manager's set gives more than the integration user may have."""
    said = replace(
        with_object(orderly(), "Case", None), givers=(Giver("Dunwell Credit Manager", "Case", Grant(read=True)),), known_objects=("Case",)
    )
    (line,) = lines(objects.objects(said, needs.objects(MAPPING), PLACES))
    assert line == f"{USER} may not read Case; tick Read in Setup > Permission Sets > Dunwell Integration > Object Settings > Case"


def test_an_org_with_one_currency():
    """CurrencyIsoCode is on no object of such an org: the line is taken out."""
    said = with_field(orderly(), INSTALLMENT, "CurrencyIsoCode", type=None)
    (line,) = lines(fields.fields(said, NEEDS, PLACES))
    assert (
        line
        == f"{INSTALLMENT} has no CurrencyIsoCode: the org has a single currency; take this line out: every amount is then in the creditor's currency"
    )
    one = MAPPING.model_copy(update={"installments": MAPPING.installments.model_copy(update={"currency": None})})
    assert currency.currency(said, one, PLACES).problems == ()


def test_a_currency_the_org_does_not_have():
    """The creditor's currency must be one of the org's."""
    values = (PicklistValue(value="USD"), PicklistValue(value="GBP"))
    (line,) = told(with_field(orderly(), INSTALLMENT, "CurrencyIsoCode", picklist_values=values))
    assert line.startswith(f"{INSTALLMENT}.CurrencyIsoCode has no value 'EUR'; it has GBP, USD; name one of them, or add 'EUR' in ")


def test_an_inactive_picklist_value():
    """A value that is there and switched off is told from one that is not there."""
    status = orderly().objects[INSTALLMENT].fields["cpm__Status__c"]
    values = tuple(PicklistValue(value=one.value, active=one.value != "Paid") for one in status.picklist_values)
    (line,) = told(with_field(orderly(), INSTALLMENT, "cpm__Status__c", picklist_values=values))
    assert line.startswith(f"the value 'Paid' of {INSTALLMENT}.cpm__Status__c is inactive; activate it in Setup > Object Manager")


def test_renamed_statuses_of_tasks():
    """An admin who renamed a Task's status would have every Task refused."""
    (line,) = told(
        with_field(orderly(), "Task", "Status", picklist_values=(PicklistValue(value="Not Started"), PicklistValue(value="Completed")))
    )
    assert line.endswith("or add 'Deferred' in Setup > Object Manager > Activity > Fields & Relationships > Status")


def test_values_that_dunwell_would_not_understand_are_doubts():
    """A payment method without a scheme keeps no scheme's limits: said, and no reason to stop."""
    values = (PicklistValue(value="CreditCard"), PicklistValue(value="Cheque"))
    said = with_field(orderly(), INSTALLMENT, "cpm__Payment_Method__c", type="picklist", picklist_values=values)
    found = picklists.untranslated(said, MAPPING, PLACES)
    assert [one.what for one in found.doubts if "scheme" in one.what] == [
        "values of cpm__Payment_Method__c have no scheme, so no scheme's limits are kept: Cheque"
    ]


def test_the_parent_of_a_payment_read_under_another_name():
    """The relationship's name is checked against the lookup it belongs to."""
    said = with_field(orderly(), PAYMENT, "cpm__Installment__c", relationship_name="Instalment__r")
    assert told(said) == [
        f"the parent of {PAYMENT}.cpm__Installment__c is read as Instalment__r, not as cpm__Installment__r; write installment_relation: Instalment__r"
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"unique": False}, "is not unique, so a record could be made twice; tick Unique in "),
        ({"length": 40}, "holds 40 characters, and 100 are needed; make it longer in "),
    ],
)
def test_a_key_that_does_not_hold(changes, words):
    """A key must fit, and must be refused the second time."""
    (line,) = told(with_field(orderly(), PAYMENT, "Dunwell_Key__c", **changes))
    assert line.startswith(f"{PAYMENT}.Dunwell_Key__c {words}Setup > Object Manager > {PAYMENT}")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"calculated": True}, "Dunwell writes cpm__Installment__c.cpm__Due_Date__c, which is a formula; name a field that can be written"),
        (
            {"permissionable": False},
            "Dunwell writes cpm__Installment__c.cpm__Due_Date__c, which the platform fills itself; name a field that can be written",
        ),
        ({}, f"{USER} may not fill cpm__Installment__c.cpm__Due_Date__c; tick Edit for cpm__Due_Date__c in Setup > Permission Sets"),
    ],
)
def test_a_field_that_may_not_be_filled(changes, words):
    """A formula, a field of the platform's own, and a read-only right are three different things to mend."""
    (line,) = told(with_field(orderly(), INSTALLMENT, "cpm__Due_Date__c", createable=False, updateable=False, **changes))
    assert line.startswith(words)


def test_tasks_that_may_not_be_made():
    """Tasks are governed by user permissions, not by object settings."""
    task = orderly().objects["Task"].model_copy(update={"createable": False, "updateable": False})
    assert told(with_object(orderly(), "Task", task)) == [
        f"{USER} may not {verb} Tasks; tick Edit Tasks and Access Activities in Setup > Permission Sets > Dunwell Integration > System Permissions, "
        "and assign that set"
        for verb in ("make", "change")
    ]


def test_a_required_field_with_a_default_blocks_nothing():
    """Required is what nobody fills: not what has a default, not what may be empty, not what we fill."""
    said = with_field(orderly(), HOLD, "Channel__c", nillable=False, defaulted_on_create=True)
    assert inserts.inserts(said, MAPPING).problems == ()
    (line,) = lines(inserts.inserts(with_field(orderly(), HOLD, "Channel__c", nillable=False), MAPPING))
    assert line.startswith(
        "Channel__c is required, and Dunwell does not fill it: new records would be refused; take Required away or give a default"
    )


def test_record_types_and_validation_rules_are_doubts():
    """What only a try could tell is said, and does not stop anything."""
    info = RecordTypeInfo(name="Call back", default_record_type_mapping=True)
    master = RecordTypeInfo(name="Master", master=True, default_record_type_mapping=True)
    task = orderly().objects["Task"]
    said = with_object(orderly(), "Task", task.model_copy(update={"record_type_infos": (info,)}))
    found = inserts.inserts(replace(said, rules=(("Task", "Needs_Phone"), ("Lead", "Other"))), MAPPING)
    assert found.problems == ()
    assert [one.what.partition(",")[0] for one in found.doubts] == [
        "new records get the record type 'Call back'",
        "validation rules are active",
    ]
    assert "Needs_Phone" in found.doubts[1].what
    plain = with_object(orderly(), "Task", task.model_copy(update={"record_type_infos": (master,)}))
    assert inserts.inserts(plain, MAPPING).doubts == ()


def test_an_org_that_does_not_tell_its_permissions_is_a_problem():
    """Invisible is not paid: what cannot be checked is not taken for right."""
    (line,) = told(replace(orderly(), access=None))
    assert line == (
        f"the org does not tell what {USER} may see, so records could be hidden and taken for paid; "
        "tick View Setup and Configuration in Setup > Permission Sets > Dunwell Integration > System Permissions, and assign that set"
    )


@pytest.mark.parametrize("permission", ["ViewAllData", "ModifyAllData"])
def test_seeing_all_data_is_seeing_every_object(permission):
    """A permission over everything needs none over each object."""
    ledger = needs.ledger(MAPPING)
    assert len(rights.rights(replace(orderly(), access=Access((), frozenset(), {})), ledger).problems) == len(ledger)
    assert rights.rights(replace(orderly(), access=Access((), frozenset({permission}), {})), ledger).problems == ()


@pytest.mark.parametrize(
    ("licence", "words"),
    [
        (Licence("Active", site_wide=False, held=False), [f"{USER} has no licence of it"]),
        (Licence("Expired", site_wide=True, held=None), ["its licence has expired"]),
        (Licence("Active", site_wide=True, held=False), []),
        (Licence("Active", site_wide=False, held=True), []),
        (Licence("Active", site_wide=False, held=None), []),
    ],
)
def test_package_licences(licence, words):
    """Without a licence a package shows nothing, whatever the permissions."""
    found = licences.licences(replace(orderly(), licences={"cpm": licence}), [INSTALLMENT, PAYMENT, "Case", "Dunwell_Hold__c"])
    assert [one.what for one in found.problems] == words


@pytest.mark.parametrize(
    ("queues", "users", "role", "words"),
    [
        (
            {},
            {},
            Role(queue="Nobody"),
            "the org has no queue 'Nobody'; make it in Setup > Queues > New, with Task among its Supported Objects",
        ),
        ({"Q": Queue(owns_tasks=False)}, {}, Role(queue="Q"), "the queue Q may not own Tasks; "),
        ({"Q": Queue(owns_tasks=True, idle=True)}, {}, Role(queue="Q"), "the queue Q is inactive: none of its members is an active user; "),
        ({}, {}, Role(username="a@b.c"), "the org has no user 'a@b.c'; check the username"),
        ({}, {"a@b.c": False}, Role(username="a@b.c"), "the user a@b.c is inactive; activate the user in Setup > Users"),
    ],
)
def test_who_gets_no_tasks(queues, users, role, words):
    """Each way in which a Task would be found by nobody."""
    mapping = MAPPING.model_copy(update={"roles": {"credit_manager": role}})
    (line,) = lines(roles.roles(replace(orderly(), queues=queues, users=users), mapping, PLACES))
    assert line.startswith(words)


def test_doubts_about_roles():
    """A queue without members, an org that does not tell, a mapping without a credit manager."""
    mapping = MAPPING.model_copy(update={"roles": {"admin": Role(queue="Q"), "specialist": Role(username="a@b.c")}})
    empty = roles.roles(replace(orderly(), queues={"Q": Queue(empty=True)}, users={"a@b.c": True}), mapping, PLACES)
    silent = roles.roles(replace(orderly(), queues=None, users=None), mapping, PLACES)
    assert (empty.problems, silent.problems) == ((), ())
    assert [one.what for one in empty.doubts] == [
        "the queue Q has no members",
        "no role 'credit_manager', so Tasks for it belong to the integration user",
    ]
    assert len(silent.doubts) == 3


@pytest.mark.parametrize(
    ("channel", "words", "what", "do"),
    [
        ("/data/CaseChangeEvent", "400::The channel doesn't exist", "changes of Case are not captured", "select Case in Setup > Change Data Capture"),
        ("/data/Dunwell_Hold__ChangeEvent", "403::User not allowed to subscribe CDC without View All Data permissions",
         f"{USER} may not listen to changes of {HOLD}", "tick View All Records in "),
        ("/data/Dunwell__chn", "400::The channel doesn't exist", "the channel Dunwell__chn is not deployed", "deploy Dunwell's part"),
        ("/event/Payment_Outcome__e", "403::Restricted channel", f"{USER} may not listen to it (403::Restricted channel)", "tick Read in "),
    ],
)  # fmt: skip
def test_a_channel_that_is_refused(channel, words, what, do):
    """Each refusal by its cause; the org's own words are kept."""
    (found,) = events.events(orderly().with_channels({channel: words}), (channel,)).problems
    assert (found.where, found.what.startswith(what), found.do.startswith(do)) == (channel, True, True)


def test_channels_that_are_granted_are_listed():
    """And polling alone is said to be so."""
    assert events.events(orderly().with_channels({}), ("/event/A__e",)).looked_at == ("events: may listen to /event/A__e",)
    assert events.events(orderly(), ()).looked_at == ("events: not tried, changes are polled for",)


def test_limits_that_are_not_told_or_nearly_used_up_are_doubts():
    """The API's reserve is a problem only when it is reached."""
    assert len(budget.budget(orderly(), reserve_percent=20, listens=True).doubts) == 1
    limits = {"DailyApiRequests": Limit(100, 20), "DailyDeliveredPlatformEvents": Limit(1000, 100)}
    found = budget.budget(replace(orderly(), limits=limits), reserve_percent=20, listens=True)
    assert (found.problems, [one.where for one in found.doubts]) == ((), ["event deliveries"])
    assert budget.budget(replace(orderly(), limits=limits), reserve_percent=20, listens=False).doubts == ()
    assert len(budget.budget(replace(orderly(), limits=limits), reserve_percent=21, listens=True).problems) == 1


@pytest.mark.parametrize(("ahead", "problems"), [(60, 0), (-60, 0), (61, 1), (-61, 1), (None, 0)])
def test_a_minute_of_difference_between_clocks_is_allowed(ahead, problems):
    """In either direction; an org that does not tell its time is no problem."""
    assert len(identity.clocks(Greeting(("66.0",), ahead)).problems) == problems


def test_versions_and_orgs():
    """An org that tells no versions is taken at its word; ids of 15 and 18 characters are the same org."""
    assert identity.versions(Greeting(), "66.0").problems == ()
    assert identity.versions(Greeting(("65.0", "66.0")), "66.0").problems == ()
    (late,) = identity.versions(Greeting(("9.0", "66.0")), "67.0").problems
    assert late.do == "set one it speaks, at most 66.0"
    assert identity.right_org("00D5e0000000001EAA", "00D5e0000000001", pinned=True).problems == ()
    assert identity.right_org("00D5e0000000001EAA", "", pinned=False).problems == ()


def test_certificates():
    """None found is nothing to complain about."""
    assert identity.certificate(None, NOW).problems == ()
    assert len(identity.certificate(NOW, NOW).problems) == 1
    assert len(identity.certificate(NOW + timedelta(days=29), NOW).doubts) == 1
    assert identity.certificate(NOW + timedelta(days=31), NOW).doubts == ()


def test_writes_are_told_where_the_mapping_names_them():
    """A mapped field carries its line, a field of ours its name."""
    said = with_field(with_field(orderly(), INSTALLMENT, "cpm__Due_Date__c", updateable=False), HOLD, "Evidence__c", createable=False)
    places = [one.where for one in writes.writes(said, MAPPING, NEEDS, PLACES).problems]
    assert min(places) == "Dunwell_Hold__c.Evidence__c"
    assert sorted(places)[1].startswith("mappings/findock.yaml:")


def test_what_was_meant_ignores_prefixes_and_endings():
    """Two names of one package are not alike for its prefix's sake."""
    assert meant("cpm__Amout__c", ["cpm__Amount__c", "cpm__About__c", "cpm__Status__c"]) == "cpm__Amount__c"
    assert meant("Amount__c", ["cpm__Amount__c"]) == "cpm__Amount__c"
    assert meant("cpm__Foo__c", ["cpm__Bar__c", "cpm__Status__c"]) is None


def test_a_problem_is_one_line():
    """Where, what is wrong, what to do."""
    assert str(Problem("a.yaml:3", "it is wrong", "mend it")) == "a.yaml:3: it is wrong; mend it"
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"
