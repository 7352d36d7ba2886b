"""What one file of the org side names, another defines: no deployment fails on a name, and no page shows a gap."""

import re

import pytest

from connector.core.words import FollowUpStatus, HoldCause, Kind
from connector.mapping import own
from connector.mapping.calls import NOBODY_SPOKEN_TO, STOPS
from connector.mapping.org import load_mapping
from tests.support.org_side import FORCE_APP, METADATA, ROOT, each, fields, grants, of_kind, read, text, texts

MAIN = FORCE_APP / "main" / "default"
STANDARD_FIELDS = {
    "Task": {"Subject", "Description", "Status", "WhoId", "WhatId", "Priority", "ActivityDate"},
    "Case": {"ContactId", "AccountId"},
}
EVERY_OBJECT = {"Id", "Name", "OwnerId", "CreatedById", "LastModifiedById", "CreatedDate"}
SHOWN_AS = {"NAME", "SUBJECT", "WHO_NAME", "WHAT_NAME", "PRIORITY", "DUE_DATE", "STATUS", "IS_CLOSED"}
"""Names that list views have for standard fields."""
SENSITIVE = {"Cause__c", "Evidence__c", "Category__c", "Reason_Code__c", "Reason_Text__c"}


def known(sobject: str) -> set[str]:
    """Fields that an object has, ours and standard ones."""
    return set(fields(packages=False).get(sobject, ())) | STANDARD_FIELDS.get(sobject, set()) | EVERY_OBJECT


def values(sobject: str, field: str) -> set[str]:
    """Values of a picklist of ours; empty for any other field."""
    folder = "Activity" if sobject == "Task" else sobject
    path = MAIN / "objects" / folder / "fields" / f"{field}.field-meta.xml"
    return {str(text(one, "fullName")) for one in each(read(path), "value")} if path.exists() else set()


def objects_of(kind: str):
    """Files of parts of objects, as (object, name, root)."""
    return [(path.parents[1].name, path.name.split(".")[0], read(path)) for path in sorted(MAIN.rglob(f"objects/*/*/*.{kind}-meta.xml"))]


@pytest.mark.parametrize(("sobject", "name", "root"), objects_of("listView"), ids=lambda value: value if isinstance(value, str) else "")
def test_a_list_view_shows_and_asks_what_there_is(sobject, name, root):
    """Columns and filters are fields of the object, filtered values are values of the picklist, and nothing sensitive is shown."""
    columns = set(texts(root, "columns"))
    asked = {str(text(one, "field")): str(text(one, "value")) for one in each(root, "filters")}
    assert columns | set(asked) <= known(sobject) | SHOWN_AS, name
    assert not columns & SENSITIVE
    for field, value in asked.items():
        if allowed := values(sobject, field):
            assert set(value.split(",")) <= allowed, (name, field)


def test_the_lists_that_people_work_from_are_there():
    """Calls, disputes, holds, plans, promises, parked outcomes and proposals each have their list."""
    labels = {str(text(root, "label")) for _, _, root in objects_of("listView")}
    wanted = "My Calls Today by Rank|Calls Today by Rank|Disputes|On Hold and Until When|Plans Due|Promises Broken|Parked|Proposals"
    assert set(wanted.split("|")) <= labels


def test_highlights_paths_and_pages_show_fields_that_exist():
    """Every object of ours has highlights and a page; every path stands on a picklist and guides through its values."""
    pages, layouts = of_kind("flexipage"), {sobject: root for sobject, _, root in objects_of("compactLayout")}
    for sobject, root in of_kind("object").items():
        if sobject.endswith("__e"):
            continue
        assert set(texts(layouts[sobject], "fields")) <= known(sobject) - SENSITIVE
        page = pages[str(text(root, "actionOverrides/content"))]
        assert text(page, "sobjectType") == sobject
        shows_path = "runtime_sales_pathassistant:pathAssistant" in texts(page, "componentName")
        assert shows_path == (f"{sobject.removesuffix('__c')}_Path" in of_kind("pathAssistant"))
    for root in of_kind("pathAssistant").values():
        sobject, field = str(text(root, "entityName")), str(text(root, "fieldName"))
        assert set(texts(root, "picklistValueName")) == values(sobject, field)
        assert set(texts(root, "fieldNames")) <= known(sobject) - SENSITIVE
        assert text(root, "active") == "true"
    assert [text(root, "pathAssistantEnabled") for root in of_kind("settings").values()] == ["true"]


def test_a_layout_shows_every_field_once_and_actions_that_exist():
    """Nobody looks for a field in vain; buttons lead somewhere; related lists follow a lookup."""
    found = set()
    for name, root in of_kind("layout").items():
        sobject = name.split("-", 1)[0]
        found.add(sobject)
        shown = [str(text(one, "field")) for one in each(root, "layoutItems")]
        assert len(shown) == len(set(shown))
        assert set(fields()[sobject]) <= set(shown) <= known(sobject)
        actions = [
            str(text(one, "actionName")) for one in each(root, "platformActionListItems") if text(one, "actionType") == "QuickAction"
        ]
        assert set(actions) == {one for one in of_kind("quickAction") if one.split(".")[0] == sobject}
        for one in each(root, "relatedLists"):
            child, lookup = str(text(one, "relatedList")).split(".")
            assert read(MAIN / "objects" / child / "fields" / f"{lookup}.field-meta.xml").findtext(f"{METADATA}referenceTo") == sobject
            assert {str(field.text) for field in one.iter(f"{METADATA}fields")} <= known(child) | SHOWN_AS
    assert found == {one for one in of_kind("object") if one.endswith("__c")}


def test_an_action_asks_and_fills_fields_of_what_it_makes():
    """Every field of an action exists, every value it fills in is one of the picklist, and its user may edit it."""
    edits = {name for name, edit in grants("Dunwell_Credit_Manager").fields.items() if edit}
    for name, root in of_kind("quickAction").items():
        source = name.split(".")[0]
        target = text(root, "targetObject") or source
        asked = [str(text(one, "field")) for one in each(root, "quickActionLayoutItems")]
        filled = {str(text(one, "field")): text(one, "literalValue") for one in each(root, "fieldOverrides")}
        assert set(asked) | set(filled) <= known(target), name
        custom = {field for field in (*asked, *filled) if field.endswith("__c")}
        assert {f"{target}.{field}" for field in custom} <= edits, name
        for field, value in filled.items():
            if value is not None and (allowed := values(target, field)):
                assert value in allowed, (name, field)
        if parent := text(root, "targetParentField"):
            assert read(MAIN / "objects" / target / "fields" / f"{parent}.field-meta.xml").findtext(f"{METADATA}referenceTo") == source
        assert text(root, "description")


def test_what_actions_say_is_what_the_connector_understands():
    """Outcomes, causes and states that a button fills in mean something to whoever reads them."""
    outcomes = values("Task", own.CALL_OUTCOME)
    assert {*STOPS, *NOBODY_SPOKEN_TO, "reached", "promise"} == outcomes
    causes = {str(one) for one in HoldCause} - {"open_case"}
    assert values(own.HOLD, "Cause__c") == causes
    assert values(own.FOLLOW_UP, "Kind__c") == {str(one) for one in Kind}
    assert values(own.FOLLOW_UP, "Status__c") == {str(one) for one in FollowUpStatus}
    filled = {name: {text(one, "literalValue") for one in each(root, "fieldOverrides")} for name, root in of_kind("quickAction").items()}
    for payer in ("Contact", "Account"):
        assert STOPS["dispute"] in filled[f"{payer}.Dunwell_Dispute"]
        assert STOPS["hardship"] in filled[f"{payer}.Dunwell_Hardship"]
        assert "Open" in filled[f"{payer}.Dunwell_Promise"]
    assert FollowUpStatus.DONE in filled[f"{own.FOLLOW_UP}.Approve"]
    assert FollowUpStatus.CANCELLED in filled[f"{own.FOLLOW_UP}.Decline"]


def test_reports_stand_on_their_types_and_the_dashboard_on_its_reports():
    """A report shows columns of its type, groups by what is not sensitive, and every tile has its report."""
    columns = {}
    for name, root in of_kind("reportType").items():
        base = str(text(root, "baseObject"))
        columns[f"{name}__c"] = {f"{text(one, 'table')}${text(one, 'field')}" for one in each(root, "columns")}
        named = {str(text(one, "field")) for one in each(root, "columns")}
        assert named <= known(base) - SENSITIVE
    for name, root in of_kind("report").items():
        buckets = set(texts(root, "developerName"))
        used = {str(text(one, "field")) for tag in ("columns", "groupingsDown", "groupingsAcross") for one in each(root, tag)}
        used |= set(texts(root, "column")) | set(texts(root, "sourceColumnName")) | set(texts(root, "dateColumn"))
        used |= set(texts(root, "groupingColumn")) | set(texts(root, "secondaryGroupingColumn"))
        assert used - buckets - {"RowCount"} <= columns[str(text(root, "reportType"))], name
        shown = {str(text(one, "field")) for one in each(root, "columns")}
        grouped = {str(text(one, "field")) for tag in ("groupingsDown", "groupingsAcross") for one in each(root, tag)}
        assert not shown & grouped, f"{name}: a column is shown or grouped by, not both"
        charted = set(texts(root, "groupingColumn")) | set(texts(root, "secondaryGroupingColumn"))
        assert charted <= grouped
    folder = FORCE_APP / "main" / "default" / "reports" / "Dunwell"
    (dashboard,) = of_kind("dashboard").values()
    assert all((folder / f"{one.removeprefix('Dunwell/')}.report-meta.xml").exists() for one in texts(dashboard, "report"))
    assert {"Arrears_Ageing", "Recovery_by_Reason", "Promises", "Follow_Ups_by_Stage"} == {
        one.split("/")[1] for one in texts(dashboard, "report")
    }
    assert {*of_kind("reportFolder"), *of_kind("dashboardFolder")} == {"Dunwell"}


def test_the_app_its_tabs_and_who_sees_them_fit_together():
    """Every tab of the app exists, and the sets of people open it."""
    app = of_kind("app")["Dunwell"]
    tabs = {one for one in texts(app, "tabs") if not one.startswith("standard-")}
    assert tabs == set(of_kind("tab")) == {one for one in of_kind("object") if one.endswith("__c")}
    for name in ("Dunwell_Credit_Manager", "Dunwell_Specialist", "Dunwell_Read_Only"):
        root = of_kind("permissionset")[name]
        assert set(texts(root, "tab")) == tabs
        assert texts(root, "application") == ["Dunwell"]


def test_the_channel_carries_what_people_change_and_is_what_the_daemon_listens_to():
    """Cases, holds and promises, filtered by fields that exist, on the one channel the daemon subscribes to."""
    members = list(of_kind("platformEventChannelMember").values())
    assert tuple(f"/data/{one}" for one in of_kind("platformEventChannel")) == own.CHANGE_CHANNELS
    assert {str(text(one, "eventChannel")) for one in members} == set(of_kind("platformEventChannel"))
    for root in members:
        entity = str(text(root, "selectedEntity")).removesuffix("ChangeEvent")
        sobject = f"{entity}c" if entity.endswith("__") else entity
        named = set(re.findall(r"[A-Za-z]\w+(?= *(?:!=|=))", str(text(root, "filterExpression"))))
        assert named
        assert named <= known(sobject)
    assert {str(text(one, "selectedEntity")) for one in members} == {
        "CaseChangeEvent",
        "Dunwell_Hold__ChangeEvent",
        "Dunwell_Promise__ChangeEvent",
    }


def test_the_app_for_logins_lets_in_who_has_the_permission_set_and_holds_no_secret():
    """Pre-approved by permission set, no flow with a secret, and nothing of the consumer in source."""
    (app,) = of_kind("eca")
    for kind in ("ecaOauth", "ecaPlcy", "ecaOauthPlcy"):
        assert [text(root, "externalClientApplication") for root in of_kind(kind).values()] == [app]
    (policy,) = of_kind("ecaOauthPlcy").values()
    assert text(policy, "permittedUsersPolicyType") == "AdminApprovedPreAuthorized"
    assert text(policy, "commaSeparatedPermissionSet") in of_kind("permissionset")
    assert text(policy, "isClientCredentialsFlowEnabled") == "false"
    assert of_kind("ecaGlblOauth") == {}


def test_the_queues_are_those_of_the_mapping():
    """Every queue the mapping hands Tasks to is deployed, for Tasks, and no other."""
    mapping = load_mapping(ROOT / "mappings", "findock")[0]
    queues = of_kind("queue")
    assert set(queues) == {one.queue for one in mapping.roles.values() if one.queue}
    assert all(texts(root, "sobjectType") == ["Task"] for root in queues.values())


LANGUAGES = ("nl_NL", "de", "fr")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_label_has_its_word_in_every_language(language):
    """Fields, picklist values and actions are all translated, and nothing is translated that is not there."""
    translated = {name: root for name, root in of_kind("objectTranslation").items() if name.endswith(f"-{language}")}
    actions = of_kind("quickAction")
    for sobject in (*(one for one in of_kind("object") if one.endswith("__c")), "Account", "Contact", "Activity", "Task"):
        root = translated.pop(f"{sobject}-{language}")
        done = {str(text(one, "name")): one for one in root.findall(f"{METADATA}fields")}
        ours = set() if sobject == "Task" else set(fields(packages=False)[sobject])
        assert set(done) == ours
        for name in ours:
            path = MAIN / "objects" / sobject / "fields" / f"{name}.field-meta.xml"
            labels = [str(text(one, "label")) for one in each(read(path), "value")]
            assert [str(text(one, "masterLabel")) for one in each(done[name], "picklistValues")] == labels
            assert text(done[name], "label")
            assert all(text(one, "translation") for one in each(done[name], "picklistValues"))
        named = {str(text(one, "name")) for one in root.findall(f"{METADATA}quickActions")}
        assert named == {one.split(".")[1] for one in actions if one.split(".")[0] == sobject}
    assert translated == {}
    assert {str(text(one, "name")) for one in each(of_kind("translation")[language], "reportTypes")} == set(of_kind("reportType"))


def test_formulas_follow_lookups_that_exist():
    """Every name in a formula is a field of the object it is reached on."""
    for path in sorted(FORCE_APP.rglob("*.field-meta.xml")):
        formula = text(read(path), "formula")
        if formula is None:
            continue
        bare = re.sub(r'"[^"]*"', "", formula)
        for name in re.findall(r"[A-Za-z]\w*(?:__r|__c)(?:\.\w+)*", bare):
            sobject = path.parents[1].name
            for step in name.split("."):
                field = step.removesuffix("__r") + "__c" if step.endswith("__r") else step
                assert field in fields()[sobject], (path.name, name)
                if step.endswith("__r"):
                    sobject = str(text(read(MAIN / "objects" / sobject / "fields" / f"{field}.field-meta.xml"), "referenceTo"))
