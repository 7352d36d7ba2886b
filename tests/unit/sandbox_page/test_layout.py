"""What a world's page.yaml may say."""

from pathlib import Path

import pytest

from sandbox.page.layout import Layout, read_layout


def test_a_world_without_the_file_has_an_empty_layout(tmp_path: Path) -> None:
    """Nothing has to be said for there to be a page."""
    assert read_layout(tmp_path / "page.yaml") == Layout()


@pytest.mark.parametrize(
    "text", ["titel: x", "home: [{show: pie, title: x}]", "home: [{show: table, title: x, of: Task, columns: []}]", "a: [", "- 1"]
)
def test_a_mistake_is_told_with_the_name_of_the_file(tmp_path: Path, text: str) -> None:
    """A misspelt member is never passed over."""
    path = tmp_path / "page.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"page\.yaml"):
        read_layout(path)


def test_worlds_share_what_they_have_in_common(tmp_path: Path) -> None:
    """An included file comes first: lists are joined, and of two equal keys the file's own counts."""
    (tmp_path / "base.yaml").write_text("title: Base\ntabs: [Task]\nlabels: {Task.Subject: What, Task.Status: State}\n", encoding="utf-8")
    path = tmp_path / "world" / "page.yaml"
    path.parent.mkdir()
    path.write_text("include: [../base.yaml]\ntitle: World\ntabs: [Case]\nlabels: {Task.Status: Where}\n", encoding="utf-8")
    layout = read_layout(path)
    assert (layout.title, layout.tabs) == ("World", ("Task", "Case"))
    assert layout.labels == {"Task.Subject": "What", "Task.Status": "Where"}


@pytest.mark.parametrize("text", ["include: [page.yaml]", "include: [nothing.yaml]", "include: [list.yaml]"])
def test_a_wrong_include_is_told(tmp_path: Path, text: str) -> None:
    """A file that includes itself, one that is not there and one that is no layout end in words."""
    (tmp_path / "list.yaml").write_text("- 1\n", encoding="utf-8")
    path = tmp_path / "page.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"includes itself|no file|no mapping"):
        read_layout(path)
