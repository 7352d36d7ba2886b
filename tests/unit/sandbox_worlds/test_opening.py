"""A world is found by name, path or module, and a kept org goes on as it was left or says why it cannot."""

import re
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.__main__ import main
from sandbox.org import Session
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.page.layout import read_layout
from sandbox.worlds import opening
from sandbox.worlds.opening import Wish, WorldError, known_worlds, load_world, open_org

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
README = Path(opening.__file__).with_name("README.md")


def written(folder: Path) -> Path:
    """The smallest world, file by file as the README shows it."""
    for name, text in re.findall(r"^#### `([^`]+)`\n\n```\w+\n(.*?)^```", README.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder / "tollbridge"


@pytest.fixture
def tollbridge(tmp_path: Path) -> Iterator[Path]:
    """The README's world in a directory of its own; forgotten afterwards."""
    yield written(tmp_path)
    for name in [name for name in sys.modules if "tollbridge" in name]:
        del sys.modules[name]


def rows(org: Org, soql: str) -> list[dict[str, object]]:
    """What the administrator sees."""
    return org.query(soql, user_id=org.admin.id).records


def count(org: Org, sobject: str) -> int:
    """How many records there are."""
    return org.query(f"SELECT COUNT() FROM {sobject}", user_id=org.admin.id).total_size


def test_the_readme_shows_a_world_that_works(tollbridge: Path) -> None:
    """What the README calls the smallest world fills an org, obeys its trigger and shows its integration user what it may see."""
    org = open_org(Wish(str(tollbridge), payers=7, seed=1, now=NOW))
    user = org.user_by_name("dunwell.integration@sandbox.example")
    assert user is not None
    seen = org.query("SELECT Id, Amount__c, Paid__c, Name FROM Toll__c ORDER BY Name", user_id=user.id).records
    assert [one["Name"] for one in seen] == [f"TOLL-000{n}" for n in range(1, 8)]
    assert not any(one["Paid__c"] for one in seen)
    org.update("Toll__c", str(seen[0]["Id"]), {"Amount__c": 0}, session=org.system)
    assert rows(org, "SELECT Id FROM Toll__c WHERE Paid__c = true")[0]["Id"] == seen[0]["Id"]


def test_a_world_given_by_module_is_the_same(tollbridge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dotted module below any package is a world as well."""
    (tollbridge.parent / "ours").mkdir()
    (tollbridge.parent / "ours" / "__init__.py").touch()
    tollbridge.rename(tollbridge.parent / "ours" / "tollbridge")
    monkeypatch.syspath_prepend(str(tollbridge.parent))
    assert count(open_org(Wish("ours.tollbridge", payers=3, seed=1, now=NOW)), "Toll__c") == 3
    for name in ("ours.tollbridge", "ours"):
        del sys.modules[name]


@pytest.mark.parametrize("name", ["nowhere", "no.such.world", "json.nothing"])
def test_an_unknown_world_is_refused_with_the_known_ones(name: str) -> None:
    """Whoever misspells a world is told which there are."""
    with pytest.raises(WorldError, match=r"there are findock, plain, skewed"):
        load_world(name)


def test_a_module_that_is_no_world_is_refused() -> None:
    """What a world must have is named when it is missing."""
    with pytest.raises(WorldError, match="lacks DX, build, automate"):
        load_world("json.decoder")
    with pytest.raises(WorldError, match="has no __init__"):
        load_world("/nowhere/at/all")


def test_a_fault_inside_a_world_is_not_called_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A world whose own import fails says which, or its author looks in the wrong place."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "__init__.py").write_text("")
    (tmp_path / "broken" / "world.py").write_text("import not_there_at_all\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        load_world("broken.world")
    (tmp_path / "broken" / "__init__.py").write_text("import not_there_at_all\n")
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        load_world(str(tmp_path / "broken"))


def test_a_path_cannot_hide_one_of_our_worlds(tmp_path: Path) -> None:
    """A directory called findock elsewhere is refused instead of taking its place."""
    (tmp_path / "findock").mkdir()
    (tmp_path / "findock" / "__init__.py").touch()
    with pytest.raises(WorldError, match="another name"):
        load_world(str(tmp_path / "findock"))


def test_a_parameter_the_world_does_not_have_is_refused() -> None:
    """`--children` means nothing to a world without a big Account, so it is not swallowed."""
    with pytest.raises(WorldError, match="no parameter children; it has months"):
        open_org(Wish("plain", 10, 1, NOW, shape={"children": 5}))


def test_the_command_says_it_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The command ends with status 2 and one line, not with a traceback."""
    with pytest.raises(SystemExit) as ended:
        main(["--world", "nowhere", "--port", "0", "--admin-port", "0"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("python -m sandbox: error: there is no world nowhere")


@pytest.mark.parametrize("wrong", [["--payers", "-1"], ["--months", "0"], ["--children", "x"]])
def test_senseless_sizes_are_refused(wrong: list[str]) -> None:
    """A world of minus one payer is not tried."""
    with pytest.raises(SystemExit):
        main(wrong)


def test_every_world_of_ours_is_listed() -> None:
    """The list in the error message is the one that --help shows."""
    assert known_worlds() == ["findock", "plain", "skewed"]


@pytest.mark.parametrize("name", known_worlds())
def test_what_the_page_is_to_show_is_there(name: str) -> None:
    """Every object and field a world's page.yaml names is one of its org."""
    layout = read_layout(README.parent / name / "page.yaml")
    schema = load_schema(load_world(name).DX)
    sources = [*layout.home, *layout.cards, *layout.timeline, *layout.panels]
    assert layout.title
    assert {*layout.tabs, *layout.search, *layout.payers, *(each.of for each in sources)} <= set(schema.objects)
    named = [(each, field) for each, fields in layout.search.items() for field in fields]
    named += [(each, field) for each, payer in layout.payers.items() for field in (*payer.facts, *(flag.field for flag in payer.flags))]
    named += [(each.of, field) for each in layout.timeline for field in (*each.at, *each.facts)]
    named += [(key.split(".")[0], key.split(".")[1]) for key in layout.tones]
    assert [(one, field) for one, field in named if schema.objects[one].field(field) is None] == []


def kept(tollbridge: Path, now: datetime | None = NOW) -> Wish:
    """A wish for an org in a file."""
    return Wish(str(tollbridge), payers=3, seed=1, now=now, store=tollbridge.parent / "org.db")


def test_a_kept_org_goes_on_as_it_was_left(tollbridge: Path) -> None:
    """Rows, users, numbering, triggers and the frozen clock are those of the run before; it is not filled again."""
    org = open_org(kept(tollbridge))
    org.clock.advance(3600)
    org.create("Toll__c", {"Amount__c": 5}, session=org.system)
    org.clock.advance(60)
    users = org.users
    org.close()
    again = open_org(kept(tollbridge, now=None))
    assert again.clock.now() == NOW + timedelta(seconds=3660)
    assert again.users == users
    made = again.create("Toll__c", {"Amount__c": 0}, session=again.system)
    assert count(again, "Toll__c") == 5
    assert rows(again, f"SELECT Name, Paid__c FROM Toll__c WHERE Id = '{made}'")[0]["Name"] == "TOLL-0005"
    assert rows(again, f"SELECT Paid__c FROM Toll__c WHERE Id = '{made}'")[0]["Paid__c"] is True
    again.close()


def test_a_clock_given_wins_over_the_one_kept(tollbridge: Path) -> None:
    """Whoever says --now gets it."""
    open_org(kept(tollbridge)).close()
    later = NOW + timedelta(days=9)
    org = open_org(kept(tollbridge, now=later))
    assert org.clock.now() == later
    org.close()


def test_a_killed_run_loses_no_time_it_wrote_at(tollbridge: Path) -> None:
    """The clock's last written moment is in the store before the run ends in order."""
    org = open_org(kept(tollbridge))
    org.clock.advance(86400)
    org.create("Toll__c", {"Amount__c": 5}, session=org.system)
    other = sqlite3.connect(tollbridge.parent / "org.db")
    assert dict(other.execute("SELECT name, value FROM _fact"))["clock"] == (NOW + timedelta(days=1)).isoformat()
    other.close()
    org.close()


def test_a_store_of_another_world_is_refused(tollbridge: Path) -> None:
    """A findock org is not opened as anything else, and the error says what to do."""
    open_org(kept(tollbridge)).close()
    with pytest.raises(WorldError, match=r"other objects.*remove the file"):
        open_org(Wish("plain", 10, 1, NOW, store=tollbridge.parent / "org.db"))


def test_a_store_of_a_world_with_the_same_objects_is_refused_by_name(tmp_path: Path) -> None:
    """Skewed has findock's objects; its store is still not findock's."""
    open_org(Wish("skewed", 19, 1, NOW, store=tmp_path / "org.db", shape={"children": 60})).close()
    with pytest.raises(WorldError, match="holds the world skewed, not findock"):
        open_org(Wish("findock", 19, 1, NOW, store=tmp_path / "org.db"))


def test_a_store_whose_filling_was_interrupted_is_refused(tollbridge: Path) -> None:
    """Half a world is no world."""
    open_org(kept(tollbridge)).close()
    store = sqlite3.connect(tollbridge.parent / "org.db")
    store.execute("DELETE FROM _fact WHERE name = 'world'")
    store.commit()
    store.close()
    with pytest.raises(WorldError, match="not filled to the end"):
        open_org(kept(tollbridge))


def test_a_filling_that_fails_leaves_no_store(tollbridge: Path) -> None:
    """After an error in a world's own code the next start begins anew."""
    source = tollbridge / "__init__.py"
    source.write_text(source.read_text("utf-8").replace('"Toll__c", bills', '"Tol__c", bills'), "utf-8")
    with pytest.raises(Exception, match="resource does not exist"):
        open_org(kept(tollbridge))
    assert not (tollbridge.parent / "org.db").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda fields: (fields / "Due_Date__c.field-meta.xml").unlink(), "Toll__c.Due_Date__c is not in this org"),
        (
            lambda fields: (fields / "Due_Date__c.field-meta.xml").write_text(
                (fields / "Due_Date__c.field-meta.xml").read_text("utf-8").replace("Date</type>", "Checkbox</type>")
            ),
            "Toll__c.Due_Date__c had another type",
        ),
    ],
)
def test_a_store_of_another_schema_is_refused(tollbridge: Path, change, words: str) -> None:
    """Rows that the schema has no place for are not silently left out."""
    open_org(kept(tollbridge)).close()
    change(tollbridge / "dx" / "objects" / "Toll__c" / "fields")
    with pytest.raises(WorldError, match=f"{words}.*remove the file"):
        open_org(kept(tollbridge))


def test_a_new_field_is_added_to_a_store(tollbridge: Path) -> None:
    """An admin may deploy a field to an org that is kept."""
    open_org(kept(tollbridge)).close()
    fields = tollbridge / "dx" / "objects" / "Toll__c" / "fields"
    text = (fields / "Due_Date__c.field-meta.xml").read_text("utf-8")
    (fields / "Paid_On__c.field-meta.xml").write_text(text.replace("Due_Date__c", "Paid_On__c"), "utf-8")
    org = open_org(kept(tollbridge))
    assert {one["Paid_On__c"] for one in rows(org, "SELECT Paid_On__c FROM Toll__c")} == {None}
    org.close()


def test_a_file_that_is_no_store_is_refused(tollbridge: Path) -> None:
    """A file of something else is left alone."""
    other = tollbridge.parent / "org.db"
    other.write_text("a letter to a friend " * 100)
    with pytest.raises(WorldError, match="not a database"):
        open_org(kept(tollbridge))
    assert other.read_text().startswith("a letter")


def test_loading_is_silent_but_triggers_are_not(tollbridge: Path) -> None:
    """What a world loads is told to nobody; what happens afterwards is."""
    org = open_org(kept(tollbridge))
    told: list[object] = []
    org.on_commit.append(told.append)
    org.create("Toll__c", {"Amount__c": 1}, session=Session(org.admin.id))
    assert len(told) == 1
    org.close()
