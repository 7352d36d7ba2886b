"""Where this daemon runs: read once from the environment (prefix ``DUNWELL_``) and handed on as values.

What the business wants stands in ``mappings/``; this holds only addresses, credentials, sizes and switches.
Only ``app`` and ``cli`` import it. Invariant: an unknown ``DUNWELL_`` name is an error, with the name
probably meant, and every fault is reported at once; no message holds a value.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from connector.errors import ConfigError

PREFIX = "DUNWELL_"


class Settings(BaseSettings):
    """Every setting: its type and default here, its meaning and unit in ``description``."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    login_url: str = Field(
        "https://login.salesforce.com",
        description="Where tokens are fetched: production, test.salesforce.com, or the org's My Domain (client credentials work only there)",
    )
    auth: Literal["jwt", "client_credentials", "token"] = Field(
        "jwt",
        description="How to log in: jwt (key pair), client_credentials (id and secret) or token (an access token you give; it cannot be renewed)",
    )
    client_id: str = Field("", description="Consumer key of the external client app")
    client_secret: SecretStr = Field(SecretStr(""), description="Consumer secret; only for client_credentials")
    username: str = Field("", description="Integration user's username; only for jwt")
    key_file: Path | None = Field(
        None, description="Private key (PEM) of the app's certificate; only for jwt; readable by the daemon's user alone (chmod 600)"
    )
    access_token: SecretStr = Field(SecretStr(""), description="Access token; only for token")
    instance_url: str = Field("", description="The org's address; only for token")
    org_id: str = Field(
        "",
        description="Organization id (00D...) this configuration belongs to; the daemon refuses any other org. Empty: the first org seen is remembered in the store and pinned",
    )
    api_version: str = Field("66.0", description="Salesforce API version, for REST and streaming alike", pattern=r"^\d{2}\.0$")

    mapping: str = Field("findock", description="Name of the mapping: mappings/<name>.yaml")
    policy: str = Field("default", description="Name of the policy: mappings/policies/<name>.yaml")
    mappings_dir: Path | None = Field(
        None, description="Directory of mappings, policies, reasons and templates. Empty: the ones that come with Dunwell"
    )
    mode: Literal["live", "shadow"] = Field(
        "live",
        description="live writes; shadow decides and logs everything and writes only follow-ups marked so: the switch that stops all writing at once",
    )
    transport: Literal["stream", "poll"] = Field(
        "stream",
        description="How changes are noticed: stream (platform events and Change Data Capture, polling beside it) or poll (polling alone)",
    )

    store_url: SecretStr = Field(
        SecretStr("sqlite:///dunwell.db"),
        description="The daemon's own memory: sqlite:////folder/store.db, or postgresql+pg8000://user:password@host/database for several daemons",
    )
    instance: str = Field(
        "",
        description="Name of this daemon among several on one PostgreSQL; must stay the same over restarts and differ from the others'. Empty: the host and the port of its probes",
        pattern=r"^[\w.:-]{0,64}$",
    )
    cluster: str = Field(
        "",
        description="Dask scheduler whose workers assess and decide the pass over everyone: tcp://host:port, or tls://host:port (docs/cluster.md). Empty: this process does",
        pattern=r"^((tcp|tls)://[^\s/@]+:\d+)?$",
    )
    batch_payers: Annotated[int, Field(ge=1, le=200)] = Field(200, description="Payers treated in one batch, at most 200")
    debounce_seconds: Annotated[float, Field(ge=0, le=10)] = Field(
        1.0, description="Longest wait for a burst of events to gather into one batch, in seconds"
    )
    poll_seconds: Annotated[int, Field(ge=5)] = Field(60, description="Seconds between two polls of installments, payments and Tasks")
    poll_overlap_seconds: Annotated[int, Field(ge=0)] = Field(
        300, description="How far each poll looks back before the last one, in seconds"
    )
    reconcile_cron: str = Field(
        "0 2 * * *", description="When the reconciliation runs: minute hour day month weekday, in the creditor's time zone"
    )
    catch_up_cron: str = Field(
        "20 */4 * * *",
        description="When those are looked at whose records changed since the last pass or whose day has come: minute hour day month weekday, in the creditor's time zone",
    )
    reconcile_hours: str = Field(
        "",
        description="Hours in which scheduled passes may work, such as 22:00-06:00, in the creditor's time zone; what is left is done in the next. Empty: at any hour",
        pattern=r"^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$",
    )
    bulk_rows: Annotated[int, Field(ge=1)] = Field(
        5_000,
        description="From so many rows of one object on a pass writes them by a Bulk API job, which takes ten calls; 200 rows take one",
    )
    reconcile_api_percent: Annotated[int, Field(ge=1, le=100)] = Field(
        25, description="Share of the org's daily API calls that one pass may make, in percent; what is left is done by the next"
    )
    prune_cron: str = Field(
        "30 3 * * *", description="When old rows leave the store: minute hour day month weekday, in the creditor's time zone"
    )
    reports_dir: Path | None = Field(
        None,
        description="Folder for the reports of the passes over everyone, a page and a JSON file each, the last 60 passes. Empty: none are written",
    )
    keep_days: Annotated[int, Field(ge=1)] = Field(
        90, description="Days that decisions are kept in the store (the org keeps its own records)"
    )

    request_timeout_seconds: Annotated[float, Field(gt=0)] = Field(60.0, description="Longest wait for one answer of the org, in seconds")
    api_reserve_percent: Annotated[int, Field(ge=0, le=95)] = Field(
        20, description="Share of the org's daily API calls left for everyone else, in percent"
    )
    stop_seconds: Annotated[float, Field(gt=0)] = Field(
        25.0, description="Longest time to finish what is in hand after SIGTERM, in seconds"
    )
    http_host: str = Field("127.0.0.1", description="Address of /healthz, /readyz, /metrics and /status")
    http_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8850, description="Port of /healthz, /readyz, /metrics and /status; 0 picks a free one"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe log lines written")
    clock_url: str = Field("", description="For a sandbox on this machine only: where the time comes from. Empty: the system's clock")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic's own signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what ``load`` and ``defaults`` hand over: they read the environment, and tell all its faults."""
        return (init_settings,)

    @field_validator("login_url", "instance_url", "clock_url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")


OFFLINE = ("mapping", "policy", "mappings_dir")
"""Settings of commands that need no org: which files are read."""


def defaults(environ: Mapping[str, str] | None = None, *, env_file: Path | None = Path(".env")) -> Settings:
    """Settings of a command that needs no org: only which files are read is taken from the environment and ``env_file``."""
    ours = _given(environ, env_file)
    return Settings.model_validate({name: ours[name] for name in OFFLINE if ours.get(name)})


def load(environ: Mapping[str, str] | None = None, *, env_file: Path | None = Path(".env")) -> Settings:
    """Read the settings from the environment and, below it, from ``env_file`` (python-dotenv) where that exists.

    Raises:
        ConfigError: unknown names and unusable values, all at once, one line each, never with the value.

    """
    ours = _given(environ, env_file)
    problems = [_unknown(name) for name in sorted(ours) if name not in Settings.model_fields]
    try:
        settings = Settings.model_validate({name: value for name, value in ours.items() if name in Settings.model_fields and value != ""})
    except ValidationError as error:
        problems += [f"{PREFIX}{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors()]
        raise ConfigError(problems) from None
    problems += _missing(settings)
    if problems:
        raise ConfigError(problems)
    return settings


def _given(environ: Mapping[str, str] | None, env_file: Path | None) -> dict[str, str]:
    """What the environment says of us and, below it, the file; by name without prefix."""
    given: dict[str, str] = {}
    if env_file is not None and env_file.is_file():
        given.update({name: value for name, value in dict(dotenv_values(env_file)).items() if value is not None})
    given.update(os.environ if environ is None else environ)
    return {name.removeprefix(PREFIX).lower(): value for name, value in given.items() if name.startswith(PREFIX)}


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, Settings.model_fields, n=1)
    hint = f"; did you mean {PREFIX}{close[0].upper()}?" if close else "; see config.example.env"
    return f"{PREFIX}{name.upper()}: no such setting{hint}"


def _missing(settings: Settings) -> list[str]:
    ways: dict[str, dict[str, object]] = {
        "jwt": {"client_id": settings.client_id, "username": settings.username, "key_file": settings.key_file},
        "client_credentials": {"client_id": settings.client_id, "client_secret": settings.client_secret.get_secret_value()},
        "token": {"access_token": settings.access_token.get_secret_value(), "instance_url": settings.instance_url},
    }
    needed = ways[settings.auth]
    return [f"{PREFIX}{name.upper()}: needed when {PREFIX}AUTH={settings.auth}" for name, value in needed.items() if not value]
