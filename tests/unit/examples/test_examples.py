"""The files that an admin copies from docs/examples run Dunwell as it wants to be run."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from connector.settings import PREFIX, Settings, load

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs" / "examples"
UNIT = EXAMPLES / "dunwell.service"
COMPOSE = EXAMPLES / "compose.yaml"
STOP_SECONDS = Settings.model_fields["stop_seconds"].default


def told(*command):
    """Run a tool that knows such files; gives how it ended and what it said."""
    program = shutil.which(command[0])
    if program is None:
        return None, f"there is no {command[0]}"
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)  # noqa: S603 - the tool's own path
    return done.returncode, done.stdout + done.stderr


needs_systemd = pytest.mark.skipif(told("systemd-analyze", "--version")[0] != 0, reason="needs systemd-analyze")
needs_compose = pytest.mark.skipif(told("docker", "compose", "version")[0] != 0, reason="needs docker compose")


@pytest.fixture(scope="module")
def unit():
    """The lines of the unit: key → its values in order."""
    found = {}
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


@pytest.fixture(scope="module")
def compose():
    """The parsed compose file."""
    return yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", [*sorted(EXAMPLES.iterdir()), ROOT / "docs" / "admin-guide.md"], ids=lambda file: file.name)
def test_every_setting_that_is_named_exists(file):
    """A misspelt setting ends the daemon with exit code 2, which an example must not do."""
    text = "".join(line for line in file.read_text(encoding="utf-8").splitlines(keepends=True) if "no such setting" not in line)
    named = {name.removeprefix(PREFIX).lower() for name in re.findall(rf"\b{PREFIX}[A-Z_]+[A-Z]\b", text)}
    assert named <= set(Settings.model_fields)


def test_the_unit_runs_as_nobody_in_particular_and_reads_its_settings_from_a_file(unit):
    """A daemon that talks to the internet is not root, and its secrets are on no command line."""
    assert unit["User"] == ["dunwell"]
    assert unit["NoNewPrivileges"] == ["yes"]
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["CapabilityBoundingSet"] == [""]
    assert unit["EnvironmentFile"] == ["/etc/dunwell/dunwell.env"]
    assert unit["ExecStart"][0].endswith("/dunwell run")


def test_the_unit_starts_again_what_may_heal_and_nothing_else(unit):
    """Exit code 1 is an org or a database that is away, 2 a person's work; no number of failures is too many."""
    assert (unit["Restart"], unit["RestartPreventExitStatus"]) == (["on-failure"], ["2"])
    assert unit["StartLimitIntervalSec"] == ["0"]


def test_both_wait_longer_for_the_end_than_the_daemon_takes(unit, compose):
    """Who kills sooner leaves work in hand to be begun again."""
    assert int(unit["TimeoutStopSec"][0]) > STOP_SECONDS
    assert int(compose["services"]["dunwell"]["stop_grace_period"].removesuffix("s")) > STOP_SECONDS


@needs_systemd
def test_systemd_takes_the_unit(tmp_path):
    """Its own tool finds nothing to say, where the program is there."""
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", UNIT.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert told("systemd-analyze", "verify", "--man=no", copy) == (0, "")


@needs_systemd
def test_systemd_finds_the_unit_hardened():
    """An exposure above 2.0 of 10 means that a line was lost."""
    ended, said = told("systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", UNIT)
    assert ended == 0, said[-200:]


@needs_compose
def test_docker_compose_takes_the_file(tmp_path):
    """Its own tool finds nothing to say."""
    folder = tmp_path / "dunwell"
    (folder / "secrets").mkdir(parents=True)
    for name in ("dunwell.env", "dunwell.key", "store_password"):
        (folder / "secrets" / name).touch()
    shutil.copy(COMPOSE, folder)
    assert told("docker", "compose", "-f", folder / COMPOSE.name, "config", "--quiet") == (0, "")


def test_whatever_a_service_names_is_declared(compose):
    """A secret, volume or network that is only named does not start."""
    for service in compose["services"].values():
        for kind in ("secrets", "networks"):
            named = {one["source"] if isinstance(one, dict) else one for one in service.get(kind, ())}
            assert named <= set(compose[kind])
        volumes = {one.split(":")[0] for one in service["volumes"]}
        assert {one for one in volumes if not one.startswith(".")} <= set(compose["volumes"])


def test_the_containers_can_change_little_and_hold_no_secret_in_the_open(compose):
    """The root is read-only, nothing gains rights, and what is secret comes from files."""
    for service in compose["services"].values():
        assert service["read_only"] is True
        assert "no-new-privileges:true" in service["security_opt"]
        assert service["healthcheck"]["test"][0] == "CMD"
        assert not any(re.search(r"PASSWORD$|SECRET|TOKEN|STORE_URL", name) for name in service["environment"])
    assert compose["services"]["dunwell"]["cap_drop"] == ["ALL"]
    assert not any("ports" in service for service in compose["services"].values())
    assert all(set(secret) == {"file"} for secret in compose["secrets"].values())


def test_the_settings_of_the_container_load_with_its_secret_file(compose, tmp_path):
    """What the file leaves out stands in dunwell.env, and both together are enough."""
    secret = tmp_path / "dunwell.env"
    secret.write_text(
        "DUNWELL_CLIENT_ID=consumer-key\nDUNWELL_USERNAME=dunwell@example.com\nDUNWELL_ORG_ID=00D000000000001EAA\n"
        "DUNWELL_STORE_URL=postgresql+pg8000://dunwell:password@store/dunwell\n"
    )
    given = {
        name: re.sub(r"^\$\{\w+:-(\w+)\}$", r"\1", str(value)) for name, value in compose["services"]["dunwell"]["environment"].items()
    }
    found = load(given, env_file=secret)
    assert (found.mode, found.auth) == ("shadow", "jwt")
    assert found.store_url.get_secret_value().startswith("postgresql+pg8000://")


@pytest.mark.parametrize(("ended", "shown"), [(0, 0), (1, 1), (2, 0)])
def test_the_container_ends_well_where_only_a_person_helps(compose, tmp_path, ended, shown):
    """Docker starts again whatever ends badly; a wrong configuration (2) is not started again and again."""
    assert compose["services"]["dunwell"]["restart"] == "on-failure"
    running = _container(compose, tmp_path, f"exit {ended}")
    running.communicate(timeout=30)
    assert running.returncode == shown


def test_the_container_hands_sigterm_on_and_waits_for_the_daemon(compose, tmp_path):
    """What is in hand is finished before the container ends."""
    running = _container(compose, tmp_path, "trap 'echo finished; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
    assert running.stdout.readline() == "ready\n"
    running.send_signal(signal.SIGTERM)
    assert running.communicate(timeout=30)[0] == "finished\n"
    assert running.returncode == 0


def _container(compose, folder, daemon):
    """Run the container's command with a daemon that is a line of shell."""
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{daemon}\n")
    python.chmod(0o700)
    service = compose["services"]["dunwell"]
    command = [*service["entrypoint"], service["command"][0].replace("$$", "$")]
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(command, env={"PATH": path}, stdout=subprocess.PIPE, text=True)  # noqa: S603 - the example's own words
