"""How many small mistakes in ``connector/core`` its own tests notice: a seeded sample of mutants, drawn evenly over the modules.

    .venv/bin/pip install mutmut && python benchmarks/mutants.py [--size 600] [--seed 1] [--workers 2] [--modules decide,retries] [--json FILE]

The mistakes are those of mutmut's operators; of decorated functions too, which mutmut itself leaves out. Each is put into the module's
source in memory, in a process of its own, forked from one that has loaded the libraries but nothing of ours; it is killed when a test
fails, raises or takes far too long. Run against it are the tests that pass over its line, quickest first, without hypothesis' shrinking.
Nothing is written into the project. By hand, not in CI: 600 mutants take about an hour of one core.
"""

import argparse
import importlib
import importlib.util
import json
import os
import random
import resource
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import libcst as cst
import pytest
from coverage import Coverage
from hypothesis import Phase, settings
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import Mutation, MutationVisitor, OuterFunctionProvider
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

ROOT = Path(__file__).parent.parent
CORE = ROOT / "connector" / "core"
TESTS = ("tests/unit/core_judge", "tests/unit/core_ledger", "tests/unit/core_changes", "tests/scenario/decide")
LIBRARIES = ("holidays", "jinja2", "numpy", "pandas", "pydantic", "yaml")
QUIET = (
    "-q",
    "-n",
    "0",
    "--no-header",
    "--tb=no",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:terminalreporter",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)
SECONDS = 120
"""CPU seconds after which a mutant is taken for one that never ends."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake. ``result``: ``killed``, ``survived``, ``timeout`` or ``untested`` (no test passes over its line)."""

    module: str
    line: int
    function: str
    before: str
    after: str
    source: str
    result: str = ""
    seconds: float = 0.0


class Everything(MutationVisitor):
    """Mutmut's visitor, which leaves decorated functions out only because it copies functions; here the file is changed."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef) and node.decorators:
            return False
        return bool(super()._skip_node_and_children(node))


def mutants_of(path: Path) -> list[Callable[[], Mutant]]:
    """Every mutant of the functions of one module, each made only when it is asked for."""
    wrapper = MetadataWrapper(cst.parse_module(path.read_text()))
    visitor = Everything(mutation_operators, IgnoredCode(set(), set(), set()))
    module = wrapper.visit(visitor)
    places, owners = wrapper.resolve(PositionProvider), wrapper.resolve(OuterFunctionProvider)
    found = []
    for one in visitor.mutations:
        owner = owners.get(one.original_node)
        if isinstance(owner, cst.FunctionDef):
            found.append(partial(_made, path.stem, module, one, (places[one.original_node].start.line, owner.name.value)))
    return found


def _made(name: str, module: cst.Module, one: Mutation, place: tuple[int, str]) -> Mutant:
    before, after = (module.code_for_node(node).strip() for node in (one.original_node, one.mutated_node))
    return Mutant(name, *place, before, after, module.deep_replace(one.original_node, one.mutated_node).code)


def sample(modules: Sequence[str], size: int, seed: int) -> list[Mutant]:
    """Draw ``size`` mutants, from each module as its share of all is, but at least four."""
    every = {path.stem: path for path in sorted(CORE.glob("*.py")) if not modules or path.stem in modules}
    strata = {name: found for name, path in every.items() if (found := mutants_of(path))}
    total, luck, drawn = sum(map(len, strata.values())), random.Random(seed), []  # noqa: S311 - a sample, not a secret
    for found in strata.values():
        drawn += [make() for make in luck.sample(found, min(len(found), max(4, round(size * len(found) / total))))]
    print(f"{total} mutants in {len(strata)} modules, {len(drawn)} drawn", flush=True)
    return drawn


class Watch:
    """Notes which test passes over which line, and how long each takes."""

    def __init__(self, coverage: Coverage) -> None:
        self.coverage = coverage
        self.seconds: dict[str, float] = defaultdict(float)
        self.failing: set[str] = set()
        self.file = ""

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A new file loads the policy anew, so that what loading runs is seen in every file."""
        if item.nodeid.partition("::")[0] != self.file:
            self.file = item.nodeid.partition("::")[0]
            from tests.scenario.decide.builders import default_policy  # noqa: PLC0415 - only the child may load what is ours

            default_policy.cache_clear()
        self.coverage.switch_context(item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add what each phase took; a test that fails as things are can notice nothing."""
        self.seconds[report.nodeid] += report.duration
        if report.failed:
            self.failing.add(report.nodeid)


class Chosen:
    """Runs the tests it is given, in their order."""

    def __init__(self, names: Sequence[str]) -> None:
        self.order = {name: place for place, name in enumerate(names)}

    def pytest_collection(self) -> None:
        """A failing example need not be made small; the profile stands before the test modules are loaded."""
        settings.register_profile("mutants", settings.get_profile("same"), phases=(Phase.explicit, Phase.generate))
        settings.load_profile("mutants")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the others out."""
        items[:] = sorted((one for one in items if one.nodeid in self.order), key=lambda one: self.order[one.nodeid])


class InMemory(MetaPathFinder, Loader):
    """Loads one module of ours from changed source."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002 - as importlib calls it
        """It alone."""
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed source."""
        exec(compile(self.source, f"{self.name} (mutant)", "exec"), module.__dict__)  # noqa: S102 - that is what it is for


def in_a_child(work: object) -> int:
    """Fork, do ``work`` there without a word, and give the child's id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):  # noqa: PTH123 - a device
            code = int(work())  # type: ignore[operator]
    finally:
        os._exit(code)


def passing(notes: Path) -> dict[tuple[str, int], list[str]]:
    """Tests by module and line, quickest first; those that fail already are named and left out."""

    def watched() -> int:
        coverage = Coverage(data_file=None, branch=False, source=[str(CORE)], config_file=False)
        watch = Watch(coverage)
        coverage.start()
        pytest.main([*QUIET, *TESTS], plugins=[watch])
        coverage.stop()
        data, lines = coverage.get_data(), []
        for file in data.measured_files():
            lines += [(Path(file).stem, line, names) for line, names in data.contexts_by_lineno(file).items()]
        notes.write_text(json.dumps({"lines": lines, "seconds": watch.seconds, "failing": sorted(watch.failing)}))
        return 0

    os.waitpid(in_a_child(watched), 0)
    told = json.loads(notes.read_text())
    for name in told["failing"]:
        print(f"fails as things are, left out: {name}", flush=True)
    seconds, failing = told["seconds"], {"", *told["failing"]}
    return {
        (module, line): sorted({*names} - failing, key=lambda one: (seconds.get(one, 0.0), one)) for module, line, names in told["lines"]
    }


def judged(drawn: Sequence[Mutant], by_line: dict[tuple[str, int], list[str]], workers: int) -> Iterator[Mutant]:
    """Each mutant with what came of it, as it ends."""
    running: dict[int, Mutant] = {}
    waiting = list(drawn)
    while waiting or running:
        while waiting and len(running) < workers:
            one = waiting.pop(0)
            names = by_line.get((one.module, one.line), [])
            if not names:
                yield _with(one, "untested", 0.0)
                continue
            running[in_a_child(_trial(one, names))] = one
        if running:
            child, status, used = os.wait3(0)
            one = running.pop(child)
            code = os.waitstatus_to_exitcode(status)
            yield _with(one, "survived" if code == 0 else "timeout" if code < 0 else "killed", round(used.ru_utime, 1))


def _trial(one: Mutant, names: Sequence[str]) -> object:
    def trial() -> int:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        sys.meta_path.insert(0, InMemory(f"connector.core.{one.module}", one.source))
        files = dict.fromkeys(name.partition("::")[0] for name in names)
        return int(pytest.main([*QUIET, "-x", *files], plugins=[Chosen(names)]))

    return trial


def _with(one: Mutant, result: str, seconds: float) -> Mutant:
    return Mutant(one.module, one.line, one.function, one.before, one.after, one.source, result, seconds)


def main() -> None:
    """Draw, try, and say what came of it by module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--modules", default="")
    parser.add_argument("--json", type=Path, help="a line of JSON for each mutant")
    asked = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    for name in LIBRARIES:
        importlib.import_module(name)
    drawn = sample([name for name in asked.modules.split(",") if name], asked.size, asked.seed)
    notes = Path(os.environ.get("TMPDIR", "/tmp")) / f"mutants-{os.getpid()}.json"  # noqa: S108 - removed again
    try:
        by_line = passing(notes)
    finally:
        notes.unlink(missing_ok=True)
    results: dict[str, list[Mutant]] = defaultdict(list)
    for one in judged(drawn, by_line, asked.workers):
        results[one.module].append(one)
        if one.result in ("survived", "untested"):
            print(f"{one.result}: {one.module}.py:{one.line} {one.function}: {one.before[:200]!r} -> {one.after[:200]!r}", flush=True)
        if asked.json:
            with asked.json.open("a") as file:
                file.write(json.dumps({name: value for name, value in asdict(one).items() if name != "source"}) + "\n")
    print(f"\n{'module':16} {'drawn':>6} {'killed':>7} {'survived':>9}")
    for name, ones in sorted(results.items()):
        lived = sum(one.result in ("survived", "untested") for one in ones)
        print(f"{name:16} {len(ones):6} {len(ones) - lived:7} {lived:9}")
    every = [one for ones in results.values() for one in ones]
    killed = sum(one.result not in ("survived", "untested") for one in every)
    print(f"{'all':16} {len(every):6} {killed:7} {len(every) - killed:9}   {killed / len(every):.1%} killed", flush=True)


if __name__ == "__main__":
    main()
