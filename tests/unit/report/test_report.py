"""The report of a pass: whole, escaped, alone in its file, the same each time, and kept as long as is said."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree, html

from connector.core.reconciliation import Matter
from connector.core.tally import Listed, Share, Tally
from connector.errors import PermanentError
from connector.report import Folder, data, lines, page, words
from connector.report.lines import compared, matter
from tests.unit.report.sample import NIGHT, ORG, a_pass, record, tally

ROOT = Path(__file__).parents[3]


def read(one, url=ORG):
    """The page as a tree."""
    return html.document_fromstring(page.render(one, url))


def said(tree, path) -> str:
    """Text of what a path leads to."""
    return " ".join(" ".join(found.itertext()) for found in tree.xpath(path)).strip()


def test_the_page_tells_all_that_a_person_asks():
    """Counts and amounts by status, reason and age, what changed, what needs a person, how it compares with the last pass."""
    tree = read(a_pass())
    assert said(tree, "//h1") == "Reconciliation of Wed 4 Mar 2026, 02:00"
    for section, telling in {
        "needs": "1 installment waits for a collection", "status": "In Arrears", "age": "Over 90 days", "reason": "Not enough money",
        "changed": "Arrears Positions", "new": "Remind", "next": "Call", "withheld": "Open case", "trend": "2 Mar, 02:00",
    }.items():  # fmt: skip
        assert telling in said(tree, f"//section[@id='{section}']"), section
    assert "12,747.00 EUR" in said(tree, "//*[@class='tiles']")
    assert "+1.00 EUR" in said(tree, "//*[@class='tiles']")
    assert "policy default 3" in said(tree, "//header")


def test_every_plot_says_what_it_shows_and_has_a_table_beside_it():
    """Who cannot see a plot reads its sentence, and its figures stand in the table of the same section."""
    tree = read(a_pass())
    drawings = tree.xpath("//svg")
    assert len(drawings) == 4
    for one in drawings:
        assert one.get("role") == "img"
        (label,) = tree.xpath(f"//*[@id='{one.get('aria-labelledby')}']")
        assert len(label.text_content()) > 30
        (section,) = one.xpath("ancestor::section")
        assert section.xpath(".//table//th[@scope='row']")
        table = section.xpath(".//table")[0].text_content()
        for figure in re.findall(r"\d[\d,]*\.\d\d \w{3}", label.text_content()):
            assert figure in table
    assert len({one.get("id") for one in tree.xpath("//*[@id]")}) == len(tree.xpath("//*[@id]"))


def test_the_page_asks_nothing_of_any_network():
    """No script, no image, no style or font from elsewhere: only links to records, and those only when clicked."""
    text = page.render(a_pass(), ORG)
    tree = html.document_fromstring(text)
    assert tree.xpath("//script | //img | //link | //iframe | //object | //image | //metadata") == []
    assert set(re.findall(r"https?://[^\"' <]*", text)) == set(tree.xpath("//a/@href[starts-with(., 'http')]"))
    assert all(one.startswith("#") for one in re.findall(r"url\(([^)]*)\)", text))
    assert "default-src 'none'" in tree.xpath("//meta[@http-equiv]/@content")[0]


def test_a_record_is_a_link_and_nothing_else_becomes_one():
    """Ids lead to the org; what is no id, or an address that is none, stays text."""
    bad = Matter("odd", 2, "Odd.", ("javascript:alert(1)", record(7)))
    links = read(a_pass(findings=(bad,))).xpath("//*[@data-kind='odd']//a/@href")
    assert links == [f"{ORG}/{record(7)}"]
    assert read(a_pass(findings=(bad,)), "javascript:alert(1)//").xpath("//*[@id='needs']//a") == []


def test_of_many_records_the_first_are_shown_and_the_number_is_told():
    """Sixty reviews are one heading with some links, not a page of them."""
    (found,) = read(a_pass()).xpath("//*[@data-kind='review']")
    assert len(found.xpath(".//a")) == page.LINKED
    assert "The first 25" in found.text_content()
    assert "60 payers" in found.text_content()


def test_hostile_words_are_read_and_not_run():
    """Whatever an org, a code or a refusal says is text."""
    evil = "<script>alert('1')</script>$x^2$"
    found = tally()
    found.parked = {evil: Listed(1, (evil,))}
    found.codes, found.made, found.updated = {f"x:{evil}": 1}, {evil: 1}, {evil: 1}
    found.reasons[evil] = Share(1, 99, {"EUR": 1})
    one = a_pass(tally=found, findings=(Matter(evil, 1, evil, (evil,)),), policy=evil, scope=evil)
    tree = read(one)
    assert tree.xpath("//script") == []
    assert said(tree, "//section").count("<script>alert('1')</script>$x^2$") >= 6
    assert json.loads(data.render(one, ORG))["needs_person"]


def python(code) -> str:
    """What a process of its own prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True, cwd=ROOT).stdout  # noqa: S603 - our own code


def test_the_same_pass_gives_the_same_bytes():
    """Drawn twice, in one process or another, nothing differs: no date of drawing, no random id."""
    elsewhere = python(
        "from tests.unit.report.sample import *; from connector.report import page; print(page.render(a_pass(), ORG), end='')"
    )
    assert page.render(a_pass(), ORG) == page.render(a_pass(), ORG) == elsewhere


def test_drawing_leaves_matplotlib_as_it_was():
    """Another user of the library in this process sees its own settings, and pyplot, which keeps every figure, is never loaded."""
    from matplotlib import rcParams

    before = dict(dict.items(rcParams))  # asked otherwise, it would choose a backend
    page.render(a_pass(), ORG)
    assert dict(dict.items(rcParams)) == before
    drawn = "from tests.unit.report.sample import *; from connector.report import page; page.render(a_pass(), ORG); "
    assert python(drawn + "import sys; print('matplotlib.pyplot' in sys.modules)") == "False\n"


def test_matplotlib_is_loaded_only_where_a_report_is_drawn():
    """A daemon that writes no report does not pay for it."""
    assert python("import sys, connector.cli; print('matplotlib' in sys.modules)") == "False\n"


def test_a_first_pass_has_nothing_to_compare_with():
    """No trend of one point and no movement; the page says so."""
    tree = read(a_pass(1))
    assert tree.xpath("//*[@id='trend']") == []
    assert tree.xpath("//small") == []
    assert "no earlier pass" in said(tree, "//header")
    assert compared(a_pass(1)) == ""


def test_an_empty_org_has_a_page():
    """Nobody, nothing, no plot: still a page and a file."""
    one = a_pass(1, tally=Tally(), findings=())
    tree = read(one)
    assert said(tree, "//section[@id='needs']/p") == "Nothing."
    assert tree.xpath("//svg") == []
    assert json.loads(data.render(one, ORG))["overdue"] == {"payers": 0, "installments": 0, "amounts": {}}
    assert "Nothing needs a person." in said(tree, "//header")


def test_what_stopped_being_is_still_compared():
    """A reason that nothing is open for any more shows that it went."""
    now = tally(2)
    del now.reasons["do_not_contact"]
    now.gifts = Share()
    rows = read(a_pass(tally=now)).xpath("//section[@id='reason']//tbody/tr")
    (gone,) = [row for row in rows if "Do not contact" in row.text_content()]
    assert "-1" in gone.text_content()
    assert "Gifts" in rows[-1].text_content()


@pytest.mark.parametrize(
    ("mode", "words_"),
    [("live", "18 records made or changed."), ("dry run", "nothing was written"), ("shadow", "none that anybody notices")],
)
def test_the_summary_says_what_was_really_done(mode, words_):
    """A dry run made nothing."""
    assert words_ in said(read(a_pass(mode=mode)), "//header")


def test_json_holds_exact_amounts_and_all_that_the_page_tells():
    """Amounts are text with the decimals of their currency; the last pass stands beside this one."""
    found = json.loads(data.render(a_pass(), ORG))
    assert found["run"] == {
        "started_at": "2026-03-04T02:00:00+01:00", "ended_at": "2026-03-04T02:01:12+01:00", "seconds": 72.0, "mode": "live",
        "scope": "everyone", "policy": "default 3", "instance_url": ORG, "api_calls": 117,
    }  # fmt: skip
    assert found["overdue"] == {"payers": 42, "installments": 46, "amounts": {"EUR": "12747.00", "GBP": "70.00"}}
    assert found["last_run"]["overdue"]["amounts"]["EUR"] == "12746.00"
    assert list(found["by_age"]) == ["not yet due", "due today", "1-30", "31-60", "61-90", "over 90"]
    assert [one["kind"] for one in found["needs_person"]] == ["parked", "recollection", "review", "unknown_code"]
    assert [point["payers"] for point in found["trend"]] == [400, 401, 402]
    assert json.loads(data.render(a_pass(1), ORG))["last_run"] is None


def test_plain_lines_tell_what_the_record_in_the_org_shows():
    """A heading a line; what is zero is not told."""
    told = lines(a_pass())
    assert told[0] == "402 payers looked at, 42 in arrears, on hold or watched."
    assert told[1] == "Overdue: 12,747.00 EUR, 70.00 GBP."
    assert "By age: Not yet due 1 (5.00 EUR); 1 to 30 days 30 (11,747.00 EUR, 70.00 GBP); Over 90 days 9 (1,000.00 EUR)." in told
    assert "Records made: Follow-Ups 7; Tasks 2." in told
    assert lines(a_pass(1, tally=Tally())) == ["0 payers looked at, 0 in arrears, on hold or watched.", "Overdue: nothing."]
    assert compared(a_pass()) == "Compared with Tue 3 Mar 2026, 02:00: payers +1; in arrears +1; overdue +1.00 EUR."
    assert compared(a_pass(tally=tally(1))).endswith(": nothing moved.")


def test_a_line_names_the_first_records_and_says_how_many_more():
    """Ids alone, ten of them."""
    told = {one.kind: matter(one) for one in a_pass().matters}
    assert told["review"].endswith(f"{record(109)}, and 50 more")
    assert told["unknown_code"].endswith("they count as unknown.")


@pytest.mark.parametrize(("seconds", "told"), [(8.44, "8.4 s"), (72, "1 min 12 s"), (3_725, "1 h 2 min")])
def test_durations_are_told_in_words(seconds, told):
    """As people say them."""
    assert words.duration(seconds) == told


def test_amounts_keep_the_decimals_of_their_currency():
    """Yen have none, dinars three."""
    assert words.amounts({"KWD": 1_234_567, "JPY": 5_000, "EUR": 0}) == ("5,000 JPY", "1,234.567 KWD")


def test_a_currency_beside_others_gets_its_own_panel():
    """Amounts of two currencies are never bars of one length; a fourth currency stands in the table alone."""
    found = tally()
    found.ageing["1-30"] = Share(4, 4, {"EUR": 100, "GBP": 200, "JPY": 300, "SEK": 50})
    tree = read(a_pass(tally=found))
    label = said(tree, "//*[@id='age-says']")
    assert "3.00" not in label
    assert all(text in label for text in ("300 JPY", "2.00 GBP", "EUR"))
    assert "0.50 SEK" not in label
    assert "0.50 SEK" in said(tree, "//section[@id='age']//table")


def test_sixty_passes_are_kept_and_nothing_else_is_touched(tmp_path):
    """The oldest report goes with its JSON; a file that is no report stays."""
    for name in ("notes.txt", "run-mine.html"):
        (tmp_path / name).write_text("mine")
    folder = Folder(tmp_path, ORG, keep=3)
    for number in range(5):
        at = NIGHT + timedelta(days=number)
        written = folder.write(a_pass(1, started_at=at, ended_at=at))
    assert written.name == "run-20260306T010000Z.html"
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "notes.txt", *(f"run-2026030{day}T010000Z.{ending}" for day in (4, 5, 6) for ending in ("html", "json")), "run-mine.html",
    ]  # fmt: skip


def test_a_folder_of_ones_own_keeps_everything(tmp_path):
    """Where a person asked for a report, none is removed; the folder is made."""
    folder = Folder(tmp_path / "new", ORG, keep=None)
    for number in range(2):
        folder.write(replace(a_pass(1), started_at=NIGHT + timedelta(days=number)))
    assert len(list((tmp_path / "new").iterdir())) == 4


def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path):
    """The pass is done all the same, and the error says so."""
    (tmp_path / "file").write_text("")
    with pytest.raises(PermanentError, match=r"the report cannot be written: .*; the pass itself is done"):
        Folder(tmp_path / "file", ORG).write(a_pass(1))


def test_the_page_is_well_formed():
    """A strict parser reads it."""
    text = page.render(a_pass(), ORG)
    parser = etree.HTMLParser(recover=False)
    etree.fromstring(text.replace("<main>", "<div>").replace("</main>", "</div>").encode(), parser)
