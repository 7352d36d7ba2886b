"""A deployment by the Metadata API: the zip of a package, sent, watched, and its errors told file by file.

Must not decide what is deployed. Invariants: a deployment is all or nothing (``rollbackOnError``); it ends with a result, or with an error
that says the deployment goes on in the org; nothing is sent twice.

simple-salesforce speaks the API (salesforce.md B.3). It writes Python's own words for what it is not told, so everything is told.
"""

import io
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import requests
from simple_salesforce.api import Salesforce

from connector.errors import ConfigError, PermanentError, TransientError
from connector.salesforce.auth import TokenSource
from connector.salesforce.dx_source import Package
from connector.salesforce.failures import RefusedError, judge
from connector.salesforce.transport import Manner, connect

_T = TypeVar("_T")
WHO_MAY: Final = "an admin's login may deploy, Dunwell's own user should not (docs/org-side.md)"
MOST_BYTES: Final = 39 * 1024 * 1024
"""A zip may have 39 MB, which are 50 MB as base64 (Metadata API Developer Guide, "deploy()")."""
ENDED = frozenset({"Succeeded", "SucceededPartial", "Failed", "Canceled"})
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
_STAMP = (1980, 1, 1, 0, 0, 0)
"""The same source gives the same zip, byte for byte."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What the org says of one file."""

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a deployment is."""

    state: str
    done: int = 0
    of: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What came of it."""

    id: str
    state: str
    check_only: bool
    components: int
    faults: tuple[Fault, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything is, or with ``check_only`` would be, in the org."""
        return self.state == "Succeeded" and not self.faults


def zipped(package: Package) -> bytes:
    """The zip of a package. Raises ConfigError where it is larger than an org takes."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in package.files.items():
            archive.writestr(zipfile.ZipInfo(path, _STAMP), content, zipfile.ZIP_DEFLATED)
    found = kept.getvalue()
    if len(found) > MOST_BYTES:
        raise ConfigError(f"the package has {len(found) // 1024 // 1024} MB, more than the org takes at once")
    return found


def deploy(  # noqa: PLR0913 - what a caller may set, by name
    tokens: TokenSource,
    manner: Manner,
    package: Package,
    *,
    check_only: bool = False,
    patience: float = 1800.0,
    on_progress: Callable[[Progress], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Deployed:
    """Send a package and wait for its end, at most ``patience`` seconds of pauses.

    Raises:
        ConfigError: the user may not deploy, or the login is wrong.
        TransientError: the org does not answer, or is still at it when patience ends.

    """
    content = zipped(package)
    org = connect(tokens.current(), manner, on_sent=lambda: None, on_reply=lambda _: None)
    try:
        sent = _asked(
            lambda: _send(org, content, check_only=check_only),
            "whether the deployment began is not known: look at Setup > Deployment Status",
        )
        return _watched(org, sent, package.components, check_only, patience, on_progress, sleep)
    finally:
        org.session.close()


def _send(org: Salesforce, content: bytes, *, check_only: bool) -> str:
    said = {"ignoreWarnings": "false", "allowMissingFiles": "false", "autoUpdatePackage": "false", "performRetrieve": "false"}
    found = org.deploy(
        io.BytesIO(content),
        sandbox=True,  # so that what follows is taken as said
        checkOnly="true" if check_only else "false",
        purgeOnDelete="false",
        rollbackOnError="true",
        testLevel="NoTestRun",  # there is no Apex in it
        tests="",
        client="dunwell",
        **said,
    )
    name = found.get("asyncId")
    if not isinstance(name, str) or not name:
        raise PermanentError("the org took the deployment and gave it no id")
    return name


def _watched(  # noqa: PLR0913, PLR0917 - the deployment and what watching it needs
    org: Salesforce,
    name: str,
    components: int,
    check_only: bool,
    patience: float,
    on_progress: Callable[[Progress], None],
    sleep: Callable[[float], None],
) -> Deployed:
    pause, waited, unheard = FIRST_PAUSE, 0.0, 0
    while True:
        try:
            told: Mapping[str, object] = _asked(lambda: org.checkDeployStatus(name, client="dunwell"))
            unheard = 0
        except TransientError:
            unheard += 1
            if unheard > 3:
                raise
            told = {}
        detail = told.get("deployment_detail")
        counts = detail if isinstance(detail, Mapping) else {}
        state = str(told.get("state") or "")
        if told:
            on_progress(
                Progress(
                    state,
                    _number(counts, "deployed_count"),
                    _number(counts, "total_count") or components,
                    str(told.get("state_detail") or ""),
                )
            )
        if state in ENDED:
            return Deployed(name, state, check_only, _number(counts, "total_count"), _faults(counts, state))
        if waited >= patience:
            raise TransientError(f"deployment {name} goes on in the org; look at Setup > Deployment Status")
        sleep(pause)
        waited += pause
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _number(counts: Mapping[str, object], name: str) -> int:
    value = str(counts.get(name) or "")
    return int(value) if value.isdecimal() else 0


def _faults(counts: Mapping[str, object], state: str) -> tuple[Fault, ...]:
    listed = counts.get("errors")
    found = [
        Fault(str(one.get("file") or one.get("type") or "package.xml"), str(one.get("message") or "refused without a word"))
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, Mapping) and one.get("status") != "Warning"
    ]
    if not found and state != "Succeeded":
        found.append(Fault("package.xml", f"the deployment ended as {state}; Setup > Deployment Status says why"))
    return tuple(sorted(set(found), key=str))


def _asked(ask: Callable[[], _T], lost: str = "the org cannot be reached") -> _T:
    """One exchange; every way to fail in our own words. ``lost`` says what it means that there is no answer."""
    try:
        return ask()
    except RefusedError as refusal:
        if refusal.code == "INVALID_SESSION_ID":
            raise ConfigError("the org does not accept the access token: log in anew") from refusal
        if refusal.status == 500 and refusal.code:  # how SOAP refuses
            raise ConfigError(f"the org refused the deployment: {refusal.problems[0].message or refusal.code}; {WHO_MAY}") from refusal
        raise judge(refusal, writes=False).error from refusal
    except requests.RequestException as error:
        raise TransientError(f"{lost} ({type(error).__name__})") from error
