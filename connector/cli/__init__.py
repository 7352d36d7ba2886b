"""The command line: one function a command, each a thin reading of arguments and a printing of results.

Must not decide or wire. Invariant: exit 0 done, 1 work failed, 2 the configuration is wrong (all problems
at once); ``--json`` prints one JSON value on stdout and nothing else.
"""

import gc
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.progress import Progress

from connector import app as wiring
from connector import demo as story
from connector import log, settings
from connector.business import decide_facts, doubts, read_business
from connector.cli import checked, deployed
from connector.cli.printing import complain, err, out, say, show_decision, show_facts, show_supposed, show_sweep
from connector.cli.replayed import print_replayed, show_replayed
from connector.core.facts import render as rendered
from connector.core.what_if import KEYS as SUPPOSABLE
from connector.errors import ConfigError, DunwellError
from connector.pipeline.sweep import sweep
from connector.pipeline.treat import treat
from connector.probes import Metrics, Probes
from connector.salesforce.ids import full_id

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # a defect's trace goes into logs: plain, and without values
    help="Customer-centric credit management for any Salesforce org.",
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]
WhatIf = Annotated[
    list[str] | None,
    typer.Option("--what-if", metavar="KEY=VALUE", help=f"And if it were otherwise; may be repeated. {', '.join(sorted(SUPPOSABLE))}."),
]
Dry = Annotated[bool, typer.Option("--dry-run", help="Decide and show; write nothing.")]


@contextmanager
def told() -> Iterator[None]:
    """Turn errors raised on purpose into words and an exit status; anything else is a defect and shows its trace."""
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            complain(problem)
        raise typer.Exit(2) from None
    except DunwellError as error:
        complain(str(error))
        raise typer.Exit(1) from None


@contextmanager
def opened() -> Iterator[wiring.App]:
    """Wire everything for a command that is not the daemon: its log goes to stderr, warnings and worse."""
    _quiet()
    with wiring.opened(settings.load()) as app:
        yield app


def _quiet() -> None:
    """Log to stderr, warnings and worse: JSON in a pipe, readable on a terminal."""
    log.configure("warning", json=not sys.stderr.isatty(), stream=sys.stderr)


@cli.command()
def run() -> None:
    """Run the daemon until SIGTERM; a second one ends it at once."""
    with told():
        loaded = settings.load()
        log.configure(loaded.log_level)
        with wiring.opened(loaded) as app:
            metrics = Metrics()
            daemon = wiring.daemon(app, metrics)
            _on_signals(daemon.stop, loaded.stop_seconds)
            probes = Probes(wiring.probed(daemon, metrics), port=loaded.http_port, host=loaded.http_host)
            scheduler = wiring.scheduler(app)
            probes.start()
            scheduler.start()
            log.get("dunwell.cli").info("daemon.started", position=probes.port, transport=loaded.transport, mode=loaded.mode)
            _collect_rarely()
            try:
                daemon.run()
            finally:
                scheduler.stop(loaded.stop_seconds)
                daemon.close(loaded.stop_seconds)
                probes.stop()
        log.get("dunwell.cli").info("daemon.stopped")


def _collect_rarely() -> None:
    """Spare the garbage collector what it would not find.

    What was read at start stays, and a batch makes a quarter of a million objects that go by themselves: with Python's own
    settings a fifth of the CPU went into searching them for cycles (benchmarks/burst.py).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def _on_signals(stop: Callable[[], None], seconds: float) -> None:
    """First signal: stop in order, within ``seconds``; second: at once. Ending hard is as safe as ending in order."""

    def handle(number: int, _frame: FrameType | None) -> None:
        log.get("dunwell.cli").info("daemon.stop_requested")
        signal.signal(number, signal.SIG_DFL)
        threading.Thread(target=stop, name="stop", daemon=True).start()
        late = threading.Timer(seconds, os._exit, args=[0])
        late.daemon = True
        late.start()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


@cli.command()
def decide(
    facts: Annotated[Path, typer.Argument(metavar="FACTS.json", help="One object or an array; - reads standard input.")],
    what_if: WhatIf = None,
    as_json: Json = False,
) -> None:
    """Say what would be done, and why, for facts in a file. Needs no org."""
    with told():
        text = _text_of(facts)
        found = decide_facts(text, read_business(settings.defaults()), what_if or ())
        many = text.lstrip().startswith("[")
        if as_json or not sys.stdout.isatty():
            sys.stdout.write(json.dumps(found if many else found[0], indent=2, ensure_ascii=False) + "\n")
        else:
            show_supposed(what_if or ())
            for one in found:
                show_decision(one)
        if not many and "error" in found[0]:
            raise typer.Exit(1)


def _text_of(facts: Path) -> str:
    """Read a facts file, or standard input for ``-``."""
    try:
        return sys.stdin.buffer.read().decode() if str(facts) == "-" else facts.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{facts.name or facts}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{facts.name or facts}: not UTF-8 text") from None


@cli.command()
def explain(
    payer: Annotated[str, typer.Argument(metavar="PAYER", help="Record id of the payer (Contact or Account).")],
    what_if: WhatIf = None,
    as_json: Json = False,
) -> None:
    """Say what would be done now for one payer of the org, and why. Writes nothing."""
    with told():
        payer = full_id(payer)
        _explain(payer, what_if or (), as_json=as_json)


def _explain(payer: str, supposed: Sequence[str], *, as_json: bool) -> None:
    with opened() as app:
        batch = treat(app.context, [payer], app.clock.now(), dry=True, supposed=supposed)
        if payer in batch.parked:
            raise DunwellError(f"{payer}: {batch.parked[payer]}")
        (decision,) = batch.decisions
        result = rendered(decision)
        if as_json:
            sys.stdout.write(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
        else:
            show_supposed(supposed)
            show_decision(result, why=decision.why)


@cli.command()
def replay(
    payer: Annotated[str | None, typer.Argument(metavar="PAYER", help="Record id of the payer; none = everybody.")] = None,
    as_json: Json = False,
) -> None:
    """Make the decisions of the log once more, and say which differ. Needs no org."""
    with told():
        loaded = settings.load()
        _quiet()
        found = wiring.replay(loaded, None if payer is None else full_id(payer))
        broken = print_replayed(found) if as_json else show_replayed(found)
        if broken:
            raise typer.Exit(1)


@cli.command()
def reconcile(  # noqa: PLR0913, PLR0917 - an argument for each option
    as_json: Json = False,
    dry_run: Dry = False,
    yes: Annotated[bool, typer.Option("--yes", help="Go on although a safety stop would refuse.")] = False,
    recent: Annotated[
        bool, typer.Option("--recent", help="Only those whose records changed since the last pass, or whose day has come.")
    ] = False,
    bulk: Annotated[
        bool | None, typer.Option("--bulk/--rest", help="How to load and write; chosen by how much the org holds where not said.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FOLDER", help="Write the report, a page and a JSON file, into this folder.")
    ] = None,
) -> None:
    """Look at everyone now: the nightly pass."""
    with told(), opened() as app, wiring.alone(app, "reconcile") as place:
        with Progress(console=err, disable=not sys.stderr.isatty() or as_json, transient=True) as progress:
            bar = progress.add_task("payers", total=None)

            def moved(done: int, of: int) -> None:
                place.keep()
                progress.update(bar, completed=done, total=of)

            found = sweep(
                place.context,
                batch_payers=app.settings.batch_payers,
                dry=dry_run,
                force=yes,
                wide=bulk,
                only_recent=recent,
                by_hand=True,
                progress=moved,
            )
        page = wiring.reports(report, app.tokens).write(found.told) if report is not None and found.told is not None else None
        if as_json:
            where = {} if page is None else {"report": str(page)}
            sys.stdout.write(json.dumps({**found.summary(), "api_calls": app.org.calls, **where}) + "\n")
        else:
            show_sweep(found, dry=dry_run, report=page)
        for payer, why in sorted(found.parked.items()):
            complain(f"{payer}: {why}")
        if found.parked:
            raise typer.Exit(1)


@cli.command()
def status(as_json: Json = False) -> None:
    """Show how much work there is, and what is put aside."""
    with told():
        loaded = settings.load()
        _quiet()
        found = wiring.status(loaded)
        if as_json:
            sys.stdout.write(json.dumps(found) + "\n")
            return
        parked: dict[str, str] = found.pop("parked")  # type: ignore[assignment]
        codes: dict[str, str] = found.pop("unknown_codes")  # type: ignore[assignment]
        for name, value in found.items():
            say(f"{name.replace('_', ' '):<16} {'-' if value is None else value}")
        for payer, why in sorted(parked.items()):
            say(f"{payer}: {why}")
        for code, since in sorted(codes.items()):
            say(f"reason code {code}: in no table since {since}; add a row to own_reasons.csv")


@cli.command()
def unpark(payers: Annotated[list[str] | None, typer.Argument(metavar="PAYER", help="Record ids; none = all.")] = None) -> None:
    """Take up again what was put aside. Payers, and reported outcomes that could not be placed."""
    with told(), opened() as app:
        count = wiring.unpark(app, [full_id(one) for one in payers] if payers else None)
        say(f"{count} taken up again")


@cli.command()
def check(
    as_json: Json = False,
    offline: Annotated[bool, typer.Option("--offline", help="Check the files alone; the org is not asked.")] = False,
    facts: Annotated[bool, typer.Option("--facts", help="Tell what each fact that a policy may ask about means, and end.")] = False,
) -> None:
    """Check settings, mapping, policies, reasons and the org. Says every problem it finds (docs/check.md)."""
    with told():
        if facts:
            show_facts(as_json=as_json)
            return
        loaded = settings.defaults() if offline else settings.load()
        ours = read_business(loaded)
        told_of = doubts(ours)
        if offline:
            for doubt in told_of if not as_json else ():
                complain(doubt, "yellow")
            if as_json:
                sys.stdout.write(json.dumps({"mapping": loaded.mapping, "policy": loaded.policy, "doubts": told_of}) + "\n")
            else:
                say(f"The files are in order: mapping {loaded.mapping}, policy {loaded.policy}")
            return
        _quiet()
        if not checked.show(checked.check(loaded, ours), loaded, told_of, as_json=as_json):
            raise typer.Exit(2)


@cli.command()
def deploy(  # noqa: PLR0913, PLR0917 - an argument for each option
    check_only: Annotated[bool, typer.Option("--check-only", help="Let the org check everything; change nothing.")] = False,
    as_json: Json = False,
    languages: Annotated[bool, typer.Option("--languages", help="With the labels in Dutch, German and French.")] = False,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", metavar="FILE", help="The daemon's certificate (PEM), for the external client app.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset", metavar="NAME", help="Whose package's fields to bring; those whose objects the mapping names, where not said."
        ),
    ] = None,
    to_file: Annotated[Path | None, typer.Option("--to-file", metavar="FILE.zip", help="Write the package; send nothing.")] = None,
) -> None:
    """Bring objects, pages, permission sets and reports into the org. Run it with an admin's login (docs/org-side.md)."""
    with told():
        loaded = settings.load() if to_file is None else settings.defaults()
        _quiet()
        found = deployed.packed(loaded, preset=preset, languages=languages, certificate=certificate)
        if to_file is not None:
            deployed.keep(found, to_file)
        elif not deployed.send(loaded, found, check_only=check_only, as_json=as_json):
            raise typer.Exit(1)


@cli.command()
def demo(
    as_json: Json = False,
    payers: Annotated[int, typer.Option(help="Payers of the world, story payers included.", min=50)] = 300,
    seed: Annotated[int, typer.Option(help="Seed of the world.")] = 1,
    keep: Annotated[Path | None, typer.Option(help="Directory to keep the org, the daemon's log and its store in.")] = None,
    world: Annotated[str, typer.Option(help="Whose org: findock, or plain (no payment package at all).")] = "findock",
) -> None:
    """Tell the whole story on a local sandbox org."""
    with told():
        # what the daemon says is in its own log; errors of the story are part of it
        log.configure("error", stream=StringIO())
        told_story = story.play(payers=payers, seed=seed, keep=keep, console=None if as_json else err, name=world)
        if as_json:
            sys.stdout.write(json.dumps(told_story.summary(), ensure_ascii=False) + "\n")
        else:
            story.show(told_story, out)
            if keep is not None:
                say(story.how_to_look(told_story, keep))
        if told_story.untold:
            for name, what in told_story.untold.items():
                complain(f"not told: {name}: {what}")
            raise typer.Exit(1)


def main() -> None:
    """Entry point of ``dunwell``."""
    cli()
