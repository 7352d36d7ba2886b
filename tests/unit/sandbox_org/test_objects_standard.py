"""Standard objects behave as their own documentation says: payments, files, opportunities, person accounts."""

import base64
from datetime import UTC, datetime

import pytest

from sandbox.org.clock import Clock
from sandbox.org.errors import OrgError
from sandbox.org.metadata import DEFAULT_FEATURES, load_schema
from sandbox.org.org import Org

NOW = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)


class Bought:
    """An org with features, and short words for what the tests do with it."""

    def __init__(self, *features, dx=()):
        self.org = Org(load_schema(dx, features={*DEFAULT_FEATURES, *features}), Clock(NOW))
        self.session = self.org.system

    def create(self, sobject, **fields):
        """Insert a record."""
        return self.org.create(sobject, fields, session=self.session)

    def update(self, sobject, record_id, **fields):
        """Change a record."""
        self.org.update(sobject, record_id, fields, session=self.session)

    def delete(self, sobject, record_id):
        """Delete a record."""
        self.org.delete(sobject, record_id, session=self.session)

    def read(self, sobject, record_id, *fields):
        """Read some fields of a record."""
        found = self.org.retrieve(sobject, record_id, fields, session=self.session)
        return tuple(found[name] for name in fields)

    def rows(self, soql, **more):
        """Ask, and give the rows without their attributes."""
        found = self.org.query(soql, user_id=self.session.user_id, **more).records
        return [{key: value for key, value in each.items() if key != "attributes"} for each in found]


def refusal(action, *arguments, **fields):
    """Give the refusal an action ends with."""
    with pytest.raises(OrgError) as caught:
        action(*arguments, **fields)
    return caught.value


@pytest.fixture(scope="module")
def plain():
    """An org that has bought nothing."""
    return Bought()


@pytest.fixture(scope="module")
def people():
    """An org with person accounts."""
    return Bought("PersonAccounts")


def test_an_object_needs_what_it_is_sold_with(plain):
    """Without Salesforce Payments there is no Payment, as in an org that has not bought it."""
    assert refusal(plain.create, "Payment").code == "NOT_FOUND"
    assert refusal(plain.rows, "SELECT Id FROM Invoice").code == "INVALID_TYPE"
    assert "Payment" in Bought("Payments").org.schema.objects
    with pytest.raises(ValueError, match=r"does not know the feature Payment$"):
        load_schema([], features={"Payment"})


def test_an_org_without_multi_currency_has_no_currency_field():
    """CurrencyIsoCode and CurrencyType come with the feature."""
    objects = load_schema([], features=()).objects
    assert "CurrencyIsoCode" not in objects["Account"].fields
    assert "CurrencyType" not in objects


def test_a_payment_is_edited_and_deleted_only_as_a_draft():
    """Draft becomes Processed, Processed becomes Canceled, and nothing goes back."""
    org = Bought("Payments")
    given = {"Amount": 10, "Status": "Draft", "Type": "Capture", "ProcessingMode": "External"}
    assert refusal(org.create, "Payment", **{**given, "Type": None}).fields == ["Type"]
    payment = org.create("Payment", **given)
    number, balance = org.read("Payment", payment, "PaymentNumber", "Balance")
    assert (number[:4], balance) == ("PMT-", 10.0)
    assert refusal(org.update, "Payment", payment, ProcessingMode="Salesforce").code == "INVALID_FIELD_FOR_INSERT_UPDATE"
    org.update("Payment", payment, Amount=11)
    org.update("Payment", payment, Status="Processed")
    assert refusal(org.update, "Payment", payment, Amount=12).fields == ["Status"]
    assert refusal(org.update, "Payment", payment, Status="Draft").fields == ["Status"]
    assert refusal(org.delete, "Payment", payment).fields == ["Status"]
    org.update("Payment", payment, Status="Canceled", CancellationDate="2026-03-03T00:00:00Z")
    org.delete("Payment", org.create("Payment", **given))


def test_invoices_are_made_by_clients_only_with_billing():
    """With Order Management alone an invoice can be read and changed, not made."""
    managed, billing = Bought("OrderManagement"), Bought("Billing")
    given = {"InvoiceDate": "2026-03-01", "DueDate": "2026-03-15"}
    refused = refusal(managed.create, "Invoice", **given, BillingAccountId=managed.create("Account", Name="Ford Mill"))
    assert refused.code == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    invoice = billing.create("Invoice", **given, BillingAccountId=billing.create("Account", Name="Ford Mill"))
    assert billing.read("Invoice", invoice, "DocumentNumber", "Status") == ("INV-000000001", "Draft")


def test_a_file_is_a_document_its_versions_and_its_links(plain):
    """The first version makes the document and the links, a second one becomes the latest."""
    account = plain.create("Account", Name="Ford Mill")
    data = base64.b64encode(b"paid in full").decode()
    first = plain.create("ContentVersion", PathOnClient="letter.pdf", VersionData=data, FirstPublishLocationId=account)
    document, size, kind, title = plain.read("ContentVersion", first, "ContentDocumentId", "ContentSize", "FileExtension", "Title")
    assert (size, kind, title) == (12, "pdf", "letter")
    links = plain.rows(f"SELECT LinkedEntityId, ShareType FROM ContentDocumentLink WHERE ContentDocumentId = '{document}'")
    assert {(each["LinkedEntityId"], each["ShareType"]) for each in links} == {(account, "V"), (plain.session.user_id, "I")}
    second = plain.create("ContentVersion", PathOnClient="letter.pdf", VersionData=data, ContentDocumentId=document)
    latest = plain.rows(f"SELECT Id, VersionNumber FROM ContentVersion WHERE ContentDocumentId = '{document}' AND IsLatest = true")
    assert latest == [{"Id": second, "VersionNumber": "2"}]
    assert refusal(plain.create, "ContentVersion", PathOnClient="x.txt", VersionData="no base64!").code == "JSON_PARSER_ERROR"
    assert refusal(plain.create, "ContentVersion", VersionData=data).fields == ["PathOnClient"]


def test_an_opportunity_follows_its_stage(plain):
    """Probability, forecast, closing and the expected revenue come from the stage, unless a probability is given with it."""
    deal = plain.create("Opportunity", Name="Deal", StageName="Qualification", CloseDate="2026-05-04", Amount=200)
    names = ("Probability", "ForecastCategory", "IsClosed", "IsWon", "ExpectedRevenue", "Fiscal")
    assert plain.read("Opportunity", deal, *names) == (10.0, "Pipeline", False, False, 20.0, "2026 2")
    plain.update("Opportunity", deal, Probability=15)
    assert plain.read("Opportunity", deal, "Probability") == (15.0,)
    plain.update("Opportunity", deal, StageName="Closed Won")
    assert plain.read("Opportunity", deal, *names) == (100.0, "Closed", True, True, 200.0, "2026 2")


def test_a_task_about_a_lead_is_about_nothing_else(plain):
    """A lead as WhoId leaves no room for a WhatId, on create and on update; recurring tasks are not had."""
    lead = plain.create("Lead", LastName="Vane", Company="Ford Mill")
    account = plain.create("Account", Name="Ford Mill")
    task = plain.create("Task", Subject="Call", WhoId=lead)
    assert refusal(plain.update, "Task", task, WhatId=account).fields == ["WhatId"]
    assert refusal(plain.create, "Task", Subject="Call", IsRecurrence=True).code == "FUNCTIONALITY_NOT_ENABLED"


def test_an_address_is_read_whole_and_in_parts(plain):
    """The compound field holds its parts, and is null when all of them are."""
    payer = plain.create("Contact", LastName="Vane", MailingCity="Utrecht", MailingCountry="Netherlands")
    assert plain.read("Contact", payer, "MailingAddress", "OtherAddress") == (
        {
            "city": "Utrecht",
            "country": "Netherlands",
            "geocodeAccuracy": None,
            "latitude": None,
            "longitude": None,
            "postalCode": None,
            "state": None,
            "street": None,
        },
        None,
    )
    assert refusal(plain.update, "Contact", payer, MailingAddress={"city": "Breda"}).code == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_an_order_sums_its_products(plain):
    """TotalAmount is the sum of the order's lines, and activation is dated."""
    account = plain.create("Account", Name="Ford Mill")
    order = plain.create("Order", AccountId=account, EffectiveDate="2026-03-01", Status="Draft")
    plain.create("OrderItem", OrderId=order, Quantity=3, UnitPrice="2.50")
    assert plain.read("Order", order, "TotalAmount", "StatusCode") == (7.5, "Draft")
    plain.update("Order", order, Status="Activated")
    assert plain.read("Order", order, "StatusCode", "ActivatedDate") == ("Activated", "2026-03-02T09:30:15.000+0000")


def test_what_was_deleted_together_comes_back_together(plain):
    """Undeleting a master brings its details back and sets again the lookups that were cleared."""
    account = plain.create("Account", Name="Ford Mill")
    payer = plain.create("Contact", LastName="Vane", AccountId=account)
    branch = plain.create("Account", Name="Ford Mill Bakery", ParentId=account)
    plain.delete("Account", account)
    assert refusal(plain.read, "Contact", payer, "Id").code == "ENTITY_IS_DELETED"
    assert plain.read("Account", branch, "ParentId") == (None,)
    plain.org.undelete("Account", account, session=plain.session)
    assert plain.read("Contact", payer, "AccountId") == (account,)
    assert plain.read("Account", branch, "ParentId") == (account,)


def test_who_has_cases_cannot_be_deleted(plain):
    """Cases hold on to their Account and their Contact, in recorded words; nothing is deleted by the attempt."""
    account = plain.create("Account", Name="Ford Mill")
    person = plain.create("Contact", AccountId=account, Salutation="Mr.", FirstName="Josh", LastName="Testdavis")
    case = plain.create("Case", ContactId=person, AccountId=account)
    (number,) = plain.read("Case", case, "CaseNumber")
    for sobject, record_id, name in (("Account", account, "Ford Mill"), ("Contact", person, "Mr. Josh Testdavis")):
        refused = refusal(plain.delete, sobject, record_id)
        words = f"Your attempt to delete {name} could not be completed because it is associated with the following cases.: {number}\n"
        assert (refused.status, refused.code, refused.message) == (400, "DELETE_FAILED", words)
    assert plain.read("Contact", person, "AccountId") == (account,)
    plain.delete("Case", case)
    plain.delete("Account", account)
    assert plain.rows(f"SELECT Id FROM Contact WHERE Id = '{person}'") == []


def test_an_activated_contract_holds_on_to_its_account_and_a_draft_goes_with_it(plain):
    """Only what was agreed is kept from being deleted."""
    account = plain.create("Account", Name="Ford Mill")
    draft = plain.create("Contract", AccountId=account)
    agreed = plain.create("Contract", AccountId=account)
    plain.update("Contract", agreed, Status="Activated")
    assert "associated with the following contracts" in refusal(plain.delete, "Account", account).message
    plain.delete("Contract", agreed)
    plain.delete("Account", account)
    assert plain.rows(f"SELECT Id FROM Contract WHERE Id = '{draft}'") == []


def test_a_person_account_is_an_account_and_a_contact(people):
    """The contact is made with the account, and both say the same from then on."""
    person = people.create("Account", FirstName="Mara", LastName="Vane", PersonEmail="vane@example.com", Phone="1")
    name, flag, contact = people.read("Account", person, "Name", "IsPersonAccount", "PersonContactId")
    assert (name, flag) == ("Mara Vane", True)
    assert people.read("Contact", contact, "Name", "Email", "Phone", "AccountId", "IsPersonAccount") == (
        "Mara Vane",
        "vane@example.com",
        "1",
        person,
        True,
    )
    people.update("Account", person, LastName="Vale")
    assert people.read("Contact", contact, "LastName") == ("Vale",)
    people.update("Contact", contact, Email="vale@example.com")
    assert people.read("Account", person, "PersonEmail", "Name") == ("vale@example.com", "Mara Vale")
    kind = people.rows(f"SELECT RecordType.IsPersonType FROM Account WHERE Id = '{person}'")[0]["RecordType"]
    assert kind["IsPersonType"] is True


def test_a_person_account_goes_whole(people):
    """Deleting either half deletes both."""
    person = people.create("Account", LastName="Vane")
    contact = people.read("Account", person, "PersonContactId")[0]
    people.delete("Contact", contact)
    assert refusal(people.read, "Account", person, "Id").code == "ENTITY_IS_DELETED"
    other = people.create("Account", LastName="Vane")
    contact = people.read("Account", other, "PersonContactId")[0]
    people.delete("Account", other)
    assert refusal(people.read, "Contact", contact, "Id").code == "ENTITY_IS_DELETED"


def test_each_kind_of_account_has_its_own_fields(people):
    """A business has no last name, a person no name of its own, and a business without a name is refused."""
    business = people.create("Account", Name="Ford Mill")
    error = refusal(people.update, "Account", business, LastName="Vane")
    assert error.message == "Account: bad field names on insert/update call: LastName"
    assert refusal(people.create, "Account", LastName="Vane", Name="X").fields == ["Name"]
    assert refusal(people.create, "Account", Phone="1").code == "REQUIRED_FIELD_MISSING"
    assert people.read("Account", business, "IsPersonAccount") == (False,)


def test_custom_fields_of_contact_appear_on_person_accounts(source):
    """`Level__c` of Contact is `Level__pc` of the account, and a formula follows its contact."""
    source.field("Contact", "Level__c", "Text", length="20")
    source.field("Contact", "Shout__c", "Text", formula='Level__c &amp; "!"')
    org = Bought("PersonAccounts", dx=[source.root])
    person = org.create("Account", LastName="Vane", Level__pc="gold")
    contact = org.read("Account", person, "PersonContactId")[0]
    assert org.read("Contact", contact, "Level__c") == ("gold",)
    assert org.read("Account", person, "Shout__pc") == ("gold!",)
