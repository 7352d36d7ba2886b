"""The client against a filled org, as the integration user with no more than its permission sets."""

import sandbox
from connector.salesforce.auth import Credentials, TokenSource
from connector.salesforce.client import Org


def test_a_filled_org_is_read_whole_and_a_task_is_written_with_dunwells_own_permissions():
    """The permission sets we ship suffice to read a package's installments and to leave a Task once."""
    with sandbox.serve(world="findock", payers=10, seed=1) as box:
        tokens = TokenSource(
            Credentials(box.instance_url, "jwt", client_id=box.client_id, username=box.username, key_file=box.key_file),
            sleep=lambda _: None,
        )
        org = Org(tokens, api_version="66.0", timeout=10.0, sleep=lambda _: None)
        org.verify(box.org.org_id)
        announced = org.count("SELECT COUNT() FROM cpm__Installment__c")
        rows = org.query("SELECT Id FROM cpm__Installment__c")
        [first] = org.insert([("Task", {"Subject": "Call", "Dunwell_Key__c": "call-0001"})])
        [second] = org.insert([("Task", {"Subject": "Call", "Dunwell_Key__c": "call-0001"})])
        org.close()
    assert 0 < announced == len({row["Id"] for row in rows})
    assert first.ok
    assert second.duplicate_of == first.id
