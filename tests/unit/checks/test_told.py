"""docs/check.md tells of every line an admin may see."""

import ast
import re

import pytest

from tests.unit.checks.orgs import ROOT

PAGE = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
MODULES = sorted((ROOT / "connector" / "checks").glob("*.py"))


def longest(node):
    """The longest stretch of text that stands in a string whatever is put into it."""
    parts = (
        [node.value]
        if isinstance(node, ast.Constant)
        else [one.value for one in getattr(node, "values", ()) if isinstance(one, ast.Constant)]
    )
    return max(parts, key=len, default="").strip(" ,:;'(")


def told(function):
    """What the problems and doubts of one function say is wrong."""
    known = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                names, values = (
                    (target.elts, node.value.elts)
                    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                    else ([target], [node.value])
                )
                known |= {(one.id, value.lineno): value for one, value in zip(names, values, strict=True) if isinstance(one, ast.Name)}
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"wrong", "doubt"}
            and len(node.args) == 3
        ):
            what = node.args[1]
            if isinstance(what, ast.Name):
                before = [
                    value
                    for (name, line), value in sorted(known.items(), key=lambda one: one[0][1])
                    if name == what.id and line <= node.lineno
                ]
                what = before[-1] if before else what
            yield longest(what)


LINES = [
    (path.stem, line)
    for path in MODULES
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(function, ast.FunctionDef) and function.name not in {"wrong", "doubt"}
    for line in told(function)
    if line
]


def test_lines_are_found():
    """The test looks at what it thinks it looks at."""
    assert len(LINES) > 40


@pytest.mark.parametrize(("module", "line"), LINES)
def test_every_line_stands_on_the_page(module, line):
    """An admin who searches the page for the words on the screen finds them."""
    page = re.sub(r"[`*']", "", PAGE)
    assert re.sub(r"[`*']", "", line) in page, module
