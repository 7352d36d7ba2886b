"""``dunwell deploy``: the org-side metadata packed, sent, and its errors told as ``file: what``.

Must not convert or speak to the org itself (``salesforce/``). Invariants: nothing is sent to another org than the one that is set up; a
certificate is put into what is sent and written nowhere else.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from rich.progress import Progress as Bar

from connector import app as wiring
from connector.business import SHIPPED
from connector.cli.printing import complain, err, say
from connector.errors import ConfigError, DunwellError
from connector.mapping.org import load_mapping
from connector.salesforce.consumer import consumer
from connector.salesforce.deploying import Deployed, Progress, deploy, zipped
from connector.salesforce.dx_source import Package, package
from connector.salesforce.transport import Manner
from connector.settings import Settings

SOURCE = Path(wiring.__file__).resolve().parent.parent / "force-app"
"""Beside ``mappings``, in a checkout as in an installed package."""


def packed(settings: Settings, *, preset: str | None = None, languages: bool = False, certificate: Path | None = None) -> Package:
    """Pack the metadata for every org, what the package in it needs (``preset``), and what is asked for beside it."""
    if preset is not None and preset not in _presets():
        raise ConfigError(f"--preset: there is no metadata for '{preset}'; there is: {', '.join(_presets())}")
    chosen = _presets_of(settings) if preset is None else [preset]
    directories = [SOURCE / one for one in ("main", *chosen, *(["languages"] if languages else []))]
    more: Mapping[str, bytes] = {} if certificate is None else consumer(certificate)
    return package(directories, settings.api_version, more)


def _presets() -> list[str]:
    if not SOURCE.is_dir():
        raise ConfigError("force-app does not come with this installation: deploy from a checkout")
    return sorted(one.name for one in SOURCE.iterdir() if one.is_dir() and one.name not in {"main", "languages"})


def _presets_of(settings: Settings) -> list[str]:
    """Presets whose fields stand on objects that the mapping names: also for a mapping that extends one."""
    mapping = load_mapping(settings.mappings_dir or SHIPPED, settings.mapping)[0]
    named = {mapping.installments.object, mapping.payments.object}
    return [one for one in _presets() if named & {path.name for path in (SOURCE / one).glob("*/objects/*")}]


def keep(found: Package, file: Path) -> None:
    """Write the zip to a file: for an admin who deploys it by other means."""
    try:
        file.write_bytes(zipped(found))
    except OSError as error:
        raise DunwellError(f"{file.name}: cannot be written ({error.strerror})") from None
    say(f"{file}: {found.components} components in {len(found.files)} files")


def send(settings: Settings, found: Package, *, check_only: bool, as_json: bool) -> bool:
    """Deploy, show how far it is on a terminal, and tell what came of it; gives whether all is well."""
    tokens = wiring.token_source(settings)
    if settings.org_id:
        tokens.pin(settings.org_id)
    manner = Manner(settings.api_version, settings.request_timeout_seconds, "dunwell")
    with Bar(console=err, disable=not sys.stderr.isatty() or as_json, transient=True) as bar:
        done = deploy(tokens, manner, found, check_only=check_only, on_progress=_moving(bar, found.components))
    tell(done, as_json=as_json)
    return done.ok


def _moving(bar: Bar, components: int) -> Callable[[Progress], None]:
    task = bar.add_task("components", total=components)

    def moved(progress: Progress) -> None:
        bar.update(task, completed=progress.done, total=progress.of or components, description=progress.detail or progress.state)

    return moved


def tell(done: Deployed, *, as_json: bool) -> None:
    """Print what came of a deployment."""
    if as_json:
        sys.stdout.write(json.dumps({**asdict(done), "ok": done.ok}) + "\n")
        return
    for fault in done.faults:
        complain(str(fault))
    if done.ok:
        say(f"{'Checked' if done.check_only else 'Deployed'}: {done.components} components, deployment {done.id}")
    else:
        complain(f"Nothing was changed: {len(done.faults)} problems, deployment {done.id} {done.state}")
