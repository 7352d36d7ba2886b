"""A look at an org in which all is in order: what it costs, what it says, and what it leaves alone."""

import json

import pytest

from connector import settings
from connector.business import read_business
from connector.cli import checked
from connector.store import Store


def test_nothing_is_wrong_and_it_is_said_what_was_looked_at(place):
    """The shipped preset fits its world; the list names the org, its permissions, queues, events and allowances."""
    found = place.found()
    assert (found.problems, found.doubts) == ((), ())
    told = "\n".join(found.looked_at)
    for part in (
        f"the org {place.box.org.org_id} (Sandbox, a sandbox)", "Dunwell FinDock, Dunwell Integration", "Tasks go to Dunwell_Admins", "API calls: ",
        "event deliveries: 25,000 of 25,000", "events: may listen to /event/Payment_Outcome__e", "package cpm: the org does not tell", "clocks: ",
    ):  # fmt: skip
        assert part in told


@pytest.mark.parametrize("mistakes", [False, True])
def test_a_check_takes_less_than_ten_api_calls(place, mistakes):
    """As the org itself counts them, whatever is wrong: who grants it and what was meant is asked as well."""
    if mistakes:
        place.mapping("object: cpm__Payment_Schedule__c\n  on:", "object: cpm__Payment_Shedule__c\n  on:")
        place.box.run(
            lambda: place.box.org.set_access(place.box.integration.id, permission_sets=["Dunwell_Integration", "Dunwell_FinDock"])
        )
    before = place.box.run(place.box.platform.used_calls)
    done = place.check()
    assert bool(done.found.problems) is mistakes
    assert done.api_calls == place.box.run(place.box.platform.used_calls) - before
    assert done.api_calls == (8 if mistakes else 6)


def test_a_check_writes_nothing(place):
    """Neither to the org nor to the store: the org is pinned by the daemon, not by a look."""
    commits = []
    place.box.run(lambda: place.box.org.on_commit.append(commits.append))
    place.check()
    place.box.run(lambda: place.box.org.on_commit.remove(commits.append))
    assert commits == []
    with Store.open(f"sqlite:///{place.folder / 'store.db'}") as store:
        assert store.get_value("org_id") is None


def test_the_org_a_store_remembers_counts_as_pinned(place):
    """Without an org id in the settings, the first org the daemon saw is the right one."""
    with Store.open(f"sqlite:///{place.folder / 'store.db'}") as store:
        store.set_value("org_id", "00D000000000001EAA")
    (told,) = place.problems()
    assert told.startswith("DUNWELL_STORE_URL: this is the org ")
    assert told.endswith("begin with an empty store")


def test_no_streaming_client_is_left_behind(place):
    """The trial of the channels ends its session, and takes no event away from a daemon."""
    place.check()
    assert place.box.run(place.box.platform.used_deliveries) == 0


def test_json_has_each_problem_in_its_parts(place, capsys):
    """Programs read where, what and what to do apart; people read one line."""
    place.mapping("amount: cpm__Amount__c", "amount: cpm__Amout__c")
    done, loaded = place.check(), settings.load(place.settings(), env_file=None)
    assert checked.show(done, loaded, ["a doubt about a file"], as_json=True) is False
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["org"], told["doubts"]) == (False, place.box.org.org_id, ["a doubt about a file"])
    (problem,) = told["problems"]
    assert set(problem) == {"where", "what", "do"}
    assert checked.show(done, loaded, [], as_json=False) is False
    assert " ".join(capsys.readouterr().err.split()) == f"{problem['where']}: {problem['what']}; {problem['do']}"


def test_the_files_are_read_once_more_for_their_lines(place):
    """A mapping in the admin's own folder is the one that is looked at."""
    place.mapping("name: Northwind Energy (fictitious)", "name: Somebody Else")
    loaded = settings.load(place.settings(), env_file=None)
    assert read_business(loaded).mapping.creditor.name == "Somebody Else"
    assert place.problems() == []
