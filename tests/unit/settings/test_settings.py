"""Settings: read strictly, told all at once, and written down for the admin exactly as they are."""

from pathlib import Path

import pytest
from dotenv import dotenv_values
from pydantic import SecretStr

from connector.errors import ConfigError
from connector.settings import PREFIX, Settings, defaults, load

EXAMPLE = Path(__file__).parents[3] / "config.example.env"
TOKEN = {"DUNWELL_AUTH": "token", "DUNWELL_ACCESS_TOKEN": "x", "DUNWELL_INSTANCE_URL": "http://localhost:1"}


def test_the_example_names_every_setting_with_its_default_and_its_meaning():
    """config.example.env and the code never disagree: same names, same defaults, same words."""
    text, values = EXAMPLE.read_text(), dotenv_values(EXAMPLE)
    assert {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} == set(values)
    for name, field in Settings.model_fields.items():
        default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
        assert values[f"{PREFIX}{name.upper()}"] == ("" if default is None else str(default)), name
        assert f"# {field.description}." in text, name


def test_all_problems_are_told_at_once_and_none_holds_a_value():
    """An admin mends everything in one go, and no secret is repeated in an error."""
    with pytest.raises(ConfigError) as caught:
        load({**TOKEN, "DUNWELL_LOGINURL": "secret-value", "DUNWELL_BATCH_PAYERS": "9999", "DUNWELL_MODE": "secret-mode"}, env_file=None)
    assert len(caught.value.problems) == 3
    assert "did you mean DUNWELL_LOGIN_URL?" in str(caught.value)
    assert "secret-value" not in str(caught.value)


@pytest.mark.parametrize(
    ("auth", "needed"), [("jwt", "DUNWELL_KEY_FILE"), ("client_credentials", "DUNWELL_CLIENT_SECRET"), ("token", "DUNWELL_ACCESS_TOKEN")]
)
def test_each_way_to_log_in_names_what_it_needs(auth, needed):
    """A login that cannot work is refused at start, naming the missing setting."""
    with pytest.raises(ConfigError, match=needed):
        load({"DUNWELL_AUTH": auth}, env_file=None)


def test_the_environment_beats_the_file_and_an_empty_line_means_the_default(tmp_path):
    """A container's environment wins over a .env file; an empty value is no value."""
    file = tmp_path / ".env"
    file.write_text("DUNWELL_MODE=shadow\nDUNWELL_POLICY=\n")
    assert load(TOKEN, env_file=file).mode == "shadow"
    assert load({**TOKEN, "DUNWELL_MODE": "live"}, env_file=file).mode == "live"
    assert load(TOKEN, env_file=file).policy == "default"


def test_a_command_that_needs_no_org_reads_the_same_files_as_the_daemon(tmp_path):
    """`dunwell check --offline` beside a .env checks the mapping and policy that the daemon will take, and needs no credentials."""
    file = tmp_path / ".env"
    file.write_text("DUNWELL_MAPPING=own\nDUNWELL_POLICY=soft\nDUNWELL_MAPPINGS_DIR=here\nDUNWELL_AUTH=nonsense\n")
    found = defaults({"DUNWELL_POLICY": "milder"}, env_file=file)
    assert (found.mapping, found.policy, found.mappings_dir) == ("own", "milder", Path("here"))
    assert defaults({}, env_file=None).mapping == "findock"
