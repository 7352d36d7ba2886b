"""Our describes beside recorded ones, key by key and field by field: each difference is in a table, with its reason.

Recordings: SFDO-Tooling/CumulusCI (BSD-3-Clause), commit 598cda5ad628, five of them kept by the project's shared data; where
that is absent these tests skip. Facts.json holds, for every recording, the facts a client relies on (names, types, limits,
flags), so that CI compares these always.
"""

import json
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from sandbox.org.clock import Clock
from sandbox.org.metadata import DEFAULT_FEATURES, load_schema
from sandbox.org.org import Org

HERE = Path(__file__).parent
SHARED = HERE.parents[3] / "shared" / "data" / "salesforce" / "describe"
RECORDED = {
    "Account": "cci_Account_describe.json",
    "PersonAccount": "cci_Account_PersonAccount_describe.json",
    "Contact": "cci_Contact_describe.json",
    "Case": "cci_Case_describe.json",
    "Opportunity": "cci_Opportunity_describe.json",
}
FACTS = [
    "type",
    "length",
    "precision",
    "scale",
    "nillable",
    "createable",
    "updateable",
    "defaultedOnCreate",
    "restrictedPicklist",
    "referenceTo",
    "relationshipName",
    "permissionable",
    "filterable",
    "sortable",
    "groupable",
    "aggregatable",
    "idLookup",
    "nameField",
    "autoNumber",
    "compoundFieldName",
    "byteLength",
    "digits",
    "soapType",
]

DIFFERENCES = {
    # (object, field or "" for the object itself, key): why ours differs
    ("*", "", "urls"): "host names and user interface pages of the recorded org; ours lists the REST resources",
    ("*", "", "recordTypeInfos"): "the recorded org's own record types",
    ("*", "", "childRelationships"): "only objects the sandbox has are children; compared in a test of its own",
    ("*", "", "fields"): "compared one by one below",
    ("*", "CurrencyIsoCode", "+"): "the sandbox has multi-currency switched on, the recorded orgs had not",
    ("Account", "", "associate*"): "recorded with version 48.0, before this key",
    ("Account", "", "sobjectDescribeOption"): "the same",
    ("Case", "", "associate*"): "the same",
    ("Case", "", "sobjectDescribeOption"): "the same",
    ("Account", "", "supportedScopes"): "the later recording of Account is the one followed",
    ("Account", "*", "length"): "picklists had 40 characters in version 48.0 and have 255 since; ours are the later ones",
    ("Account", "*", "byteLength"): "the same",
    ("PersonAccount", "Type", "picklistValues"): "that org's own values; ours are those a new org has",
    ("PersonAccount", "Salutation", "picklistValues"): "the same; ours follow Contact.Salutation",
    ("Account", "IsPartner", "-"): "portal fields come with features the sandbox does not sell",
    ("Account", "IsCustomerPortal", "-"): "the same",
    ("Account", "ChannelProgram*", "-"): "the same",
    ("Account", "OperatingHoursId", "-"): "the same",
    ("Contact", "HasOptedOutOfEmail", "+"): "consent fields the recorded org had off its layouts; Object Reference, Contact",
    ("Contact", "DoNotCall", "+"): "the same",
    ("Case", "Contact*", "calculated"): "worked out from the contact by a formula; the platform derives them in its own way",
}


@cache
def org(*features: str) -> Org:
    """Give an empty org with some features."""
    return Org(load_schema([], features={*DEFAULT_FEATURES, *features}), Clock())


def ours(name: str) -> dict[str, object]:
    """Describe an object as the sandbox does."""
    place = org("PersonAccounts") if name == "PersonAccount" else org()
    return place.describe("Account" if name == "PersonAccount" else name, place.admin.id)


def standard(described: dict[str, object]) -> dict[str, dict[str, object]]:
    """Field name → description, without what the recorded org had added."""
    return {each["name"]: each for each in described["fields"] if "__" not in each["name"]}


def plain(value: object) -> object:
    """Drop what holds order or the recorded org's own values."""
    if isinstance(value, list):
        return sorted(json.dumps(each, sort_keys=True) for each in value)
    return value


def differences(name: str, recorded: dict[str, object]) -> set[tuple[str, str, str]]:
    """List every place where ours is not the recorded one."""
    mine = ours(name)
    found = {(name, "", key) for key in {*recorded, *mine} if plain(recorded.get(key)) != plain(mine.get(key)) or key not in recorded}
    theirs, own = standard(recorded), standard(mine)
    found |= {(name, field, "-") for field in theirs.keys() - own.keys()}
    found |= {(name, field, "+") for field in own.keys() - theirs.keys()}
    for field in theirs.keys() & own.keys():
        keys = {*theirs[field], *own[field]}
        found |= {(name, field, key) for key in keys if plain(theirs[field].get(key)) != plain(own[field].get(key))}
    return found


def known(place: tuple[str, str, str]) -> str | None:
    """Give the reason a difference is known by, or None."""
    fits = (why for pattern, why in DIFFERENCES.items() if all(fnmatchcase(*pair) for pair in zip(place, pattern, strict=True)))
    return next(fits, None)


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_a_describe_is_the_recorded_one_but_for_known_differences(name):
    """All 42 keys of an object and all 57 of a field are there, with the recorded values."""
    path = SHARED / RECORDED[name]
    if not path.exists():
        pytest.skip("the recorded describes are not on this machine; test_facts_are_the_recorded_ones compares what is kept of them")
    recorded = json.loads(path.read_text(encoding="utf-8"))
    assert sorted(each for each in differences(name, recorded) if known(each) is None) == []


def test_a_difference_that_is_gone_leaves_the_table():
    """The table lists what is, so that it can be read as the truth."""
    if not all((SHARED / each).exists() for each in RECORDED.values()):
        pytest.skip("the recorded describes are not on this machine")
    seen = {
        place for name, file in RECORDED.items() for place in differences(name, json.loads((SHARED / file).read_text(encoding="utf-8")))
    }
    unused = [pattern for pattern in DIFFERENCES if not any(all(map(fnmatchcase, place, pattern)) for place in seen)]
    assert unused == []


@cache
def facts() -> dict[str, dict[str, list[object]]]:
    """Read the kept facts: object → field → the values of FACTS in order."""
    return json.loads((HERE / "facts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(facts()))
def test_facts_are_the_recorded_ones(name):
    """Names, types, limits and flags of every recorded standard field are ours, on any machine."""
    own = standard(ours(name))
    found = []
    for field, values in facts()[name].items():
        for key, value in zip(FACTS, values, strict=True):
            mine = own.get(field, {}).get(key)
            if key == "referenceTo":
                mine, value = None, None  # noqa: PLW2901 - targets depend on which objects an org has
            if field not in own and known((name, field, "-")):
                continue
            if plain(mine) != plain(value) and not known((name, field, key)):
                found.append((field, key, mine, value))
    assert found == []
