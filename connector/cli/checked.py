"""``dunwell check`` against the org: log in, look, tell everything that is wrong in one go.

Must not judge: the rules are ``connector/checks``. Invariants: nothing is written, neither to the org nor to the store; a login that is
refused is told in one line like any other problem, and ends the look.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from connector import app as wiring
from connector.business import SHIPPED, Business
from connector.checks import budget, identity
from connector.checks.look import look
from connector.checks.problems import Finding, Findings, Problem
from connector.checks.whole import findings
from connector.cli.printing import complain, say
from connector.clock import Clock, SystemClock
from connector.errors import ConfigError, DunwellError, PermanentError, TransientError
from connector.mapping import own
from connector.mapping.org import load_mapping
from connector.salesforce.asking import Asking
from connector.salesforce.auth import Token
from connector.salesforce.certificates import ends_at
from connector.salesforce.client import Org
from connector.salesforce.greeting import greet
from connector.salesforce.limits import ApiBudget
from connector.salesforce.trial import refusals
from connector.settings import Settings
from connector.store import Store


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found, and of which org; ``org`` is empty when none was reached."""

    found: Findings
    org: str = ""
    api_calls: int = 0


def check(settings: Settings, ours: Business) -> Checked:
    """Look at everything. Raises TransientError when the org cannot be asked now."""
    clock, before = _clock(settings)
    before += _told(lambda: ours.policy(settings.policy), "DUNWELL_POLICY")
    if settings.auth == "jwt" and settings.key_file is not None:
        before += identity.certificate(ends_at(settings.key_file), datetime.now(UTC))
    pinned = Finding()
    wanted = settings.org_id or _pinned(settings, pinned)
    before += pinned.done()
    try:
        tokens = wiring.token_source(settings)
        token = tokens.current()
    except ConfigError as error:
        refused = Findings(tuple(_login(one) for one in error.problems))
        return Checked(before + refused + identity.clocks(greet(settings.login_url or settings.instance_url, clock.now)))
    except TransientError as error:
        raise _unreachable(settings, error) from error
    greeting = greet(token.instance_url, clock.now)
    found = before + identity.versions(greeting, settings.api_version) + identity.clocks(greeting)
    org = Org(tokens, api_version=settings.api_version, budget=ApiBudget(0.0), timeout=settings.request_timeout_seconds)
    reached = ""
    try:
        reached = org.org_id
        wrong = identity.right_org(reached, wanted, pinned=bool(settings.org_id))
        found += wrong
        if not wrong.problems and not identity.versions(greeting, settings.api_version).problems:
            found += _looked(settings, ours, org, token) + _cluster(settings)
    except (ConfigError, PermanentError) as error:
        problems = error.problems if isinstance(error, ConfigError) else (str(error),)
        found += Findings(tuple(_split("the org", one, ": ") for one in problems))
    finally:
        org.close()
    return Checked(found, reached, org.calls)


def _looked(settings: Settings, ours: Business, org: Org, token: Token) -> Findings:
    mapping = ours.mapping
    _, source = load_mapping(settings.mappings_dir or SHIPPED, settings.mapping)
    channels = (own.OUTCOME_CHANNEL, *own.CHANGE_CHANNELS) if settings.transport == "stream" else ()
    said = look(Asking(org), mapping, lambda: token.user_id or org.userinfo().user_id)
    tried = Finding()
    if channels:
        try:
            said = said.with_channels(refusals(token, settings.api_version, channels))
        except TransientError as error:
            if not budget.undeliverable(said):  # told by its rule
                tried.wrong("events", f"the org lets nobody listen now ({error})", "try again later, or set DUNWELL_TRANSPORT=poll")
    named = Findings(looked_at=(f"the org {org.org_id}{f' ({said.organization})' if said.organization else ''}",))
    return named + tried.done() + findings(said, mapping, source, channels=channels, reserve_percent=settings.api_reserve_percent)


def _clock(settings: Settings) -> tuple[Clock, Findings]:
    try:
        return wiring.clock(settings), Findings()
    except ConfigError as error:
        return SystemClock(), Findings(tuple(_split("DUNWELL_CLOCK_URL", one) for one in error.problems))


def _pinned(settings: Settings, found: Finding) -> str:
    """The org that the store remembers; empty where there is none."""
    try:
        with Store.open(settings.store_url.get_secret_value()) as store:
            return store.get_value("org_id") or ""
    except ConfigError as error:
        found.problems += [_split("DUNWELL_STORE_URL", one) for one in error.problems]
        return ""


def _cluster(settings: Settings) -> Findings:
    def ask() -> None:
        judges = wiring.judges(settings)
        if judges is not None:
            judges.check()

    return _told(ask, "DUNWELL_CLUSTER")


def _told(work: Callable[[], object], where: str) -> Findings:
    """What is wrong with one setting."""
    try:
        work()
    except ConfigError as error:
        return Findings(tuple(_split(where, one) for one in error.problems))
    return Findings()


def _split(where: str, text: str, between: str = "; ") -> Problem:
    """A message made elsewhere, parted into what is wrong and what to do."""
    what, parted, do = text.removeprefix(f"{where}: ").partition(between)
    return Problem(where, what, do if parted else "see docs/check.md")


def _login(text: str) -> Problem:
    """``the org refused the login (code: words): advice``."""
    said, refused, advice = text.partition("): ")
    if refused:
        return Problem("login", f"{said})", advice)
    return _split("login", text, ": ")


def _unreachable(settings: Settings, error: TransientError) -> DunwellError:
    host = (settings.login_url if settings.auth != "token" else settings.instance_url).partition("//")[2]
    return TransientError(f"DUNWELL_LOGIN_URL: {error}; check that {host} is your org's login host, and this machine's network and proxy")


def show(checked: Checked, settings: Settings, doubts: list[str], *, as_json: bool) -> bool:
    """Print what was found; whether all is well. ``doubts`` are those about the files."""
    found, well = checked.found, not checked.found.problems
    if as_json:
        told = {
            "ok": well, "org": checked.org, "mapping": settings.mapping, "policy": settings.policy, "mode": settings.mode,
            "problems": [asdict(one) for one in found.problems], "doubts": [*doubts, *map(str, found.doubts)],
            "looked_at": list(found.looked_at), "api_calls": checked.api_calls,
        }  # fmt: skip
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        return well
    for doubt in (*doubts, *map(str, found.doubts)):
        complain(doubt, "yellow")
    for problem in found.problems:
        complain(str(problem))
    if well:
        say(f"All in order: org {checked.org}, mapping {settings.mapping}, policy {settings.policy}, mode {settings.mode}")
        for line in found.looked_at:
            say(f"  {line}")
    return well
