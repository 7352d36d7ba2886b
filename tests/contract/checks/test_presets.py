"""Every preset we ship fits the org it is made for: ``dunwell check`` finds nothing to mend."""

from datetime import datetime

import pytest

from connector import settings
from connector.business import read_business
from connector.cli import checked
from connector.demo.world import NAMES
from sandbox.server import Box, Setup

MONDAY = datetime.fromisoformat("2026-03-02T09:00:00+01:00")


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_in_order_on_its_own_world(name, tmp_path):
    """Each object, field, type, picklist value, permission and queue that the preset names is there, without a line of the admin's."""
    with Box(Setup(world=name, payers=30, now=MONDAY)) as box:
        loaded = settings.load(
            {
                "DUNWELL_LOGIN_URL": box.instance_url, "DUNWELL_CLIENT_ID": box.client_id, "DUNWELL_USERNAME": box.username,
                "DUNWELL_KEY_FILE": str(box.key_file), "DUNWELL_STORE_URL": f"sqlite:///{tmp_path / 'store.db'}",
                "DUNWELL_CLOCK_URL": f"{box.admin_url}/clock", "DUNWELL_MAPPING": name,
            },
            env_file=None,
        )  # fmt: skip
        found = checked.check(loaded, read_business(loaded)).found
    assert [str(one) for one in found.problems] == []
