"""What a worker does, without a cluster; and a product that has none."""

import subprocess
import sys
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from connector.business import read_business
from connector.core.frames import snapshot
from connector.core.plain import to_json
from connector.errors import ConfigError
from connector.pipeline.cluster_work import differences, judge_apart, judgement_in, seal, seal_terms, version
from connector.pipeline.judgement import Terms, judge
from connector.settings import defaults, load

NOW = datetime(2026, 3, 2, 9, tzinfo=ZoneInfo("Europe/Amsterdam"))
NEEDED = {"DUNWELL_AUTH": "token", "DUNWELL_ACCESS_TOKEN": "t", "DUNWELL_INSTANCE_URL": "https://x.example"}


@pytest.fixture(scope="module")
def terms():
    """The shipped policy and reasons."""
    ours = read_business(defaults())
    return Terms(ours.policy("default"), ours.catalogue, "Europe/Amsterdam")


def facts(*payers, unlawful=None):
    """One overdue installment each; of ``unlawful`` in a status that is none, with a row that is missing of each other."""
    rows = {
        "payers": [{"id": one, "kind": "person", "missing": None if one == unlawful else "I0"} for one in payers],
        "installments": [
            {
                "id": f"I-{one}", "payer": one, "amount_minor": 4000, "currency": "EUR", "due_on": date(2026, 1, 5), "claim_kind": "debt",
                "status": "Sunny" if one == unlawful else "Failed",
            }
            for one in payers
        ],
        "payments": [
            {"id": f"P-{one}", "payer": one, "installment": f"I-{one}", "at": NOW.replace(month=1, day=7), "outcome": "rejected", "reason_code": "AM04", "scheme": "sepa_core"}
            for one in payers
        ],
    }  # fmt: skip
    return snapshot(rows)


def test_what_travels_comes_out_as_it_went_in(terms):
    """Facts, terms and judgement, the parked and the missing included."""
    given = facts("A", "B", "C", unlawful="B")
    here = judge(given, terms, NOW)
    there = judgement_in(judge_apart(version(), seal_terms(terms), seal(given), NOW))
    assert there == here
    assert to_json(there) == to_json(here)
    assert here.parked == {"B": "could not be assessed: ValueError"}
    assert here.halved == [(3, "ValueError"), (2, "ValueError"), (1, "ValueError")]
    assert here.missing == {"A": 1, "C": 1}
    assert [one.payer for one in here.decisions] == ["A", "C"]


def test_what_travels_is_not_shown():
    """A cluster logs the arguments of a task that failed."""
    assert "A-payer" in repr(seal(facts("A-payer")).data)
    assert "A-payer" not in repr(seal(facts("A-payer")))


def test_a_worker_that_is_not_like_us_does_not_judge(terms):
    """It may have joined after the cluster was looked at."""
    with pytest.raises(ConfigError, match=r"a worker of the cluster differs: code .{12} \(here 0\)"):
        judge_apart({**version(), "code": "0"}, seal_terms(terms), seal(facts("A")), NOW)


def test_differences_name_what_is_not_the_same():
    """For the admin who must install it."""
    assert differences({"python": "3.11", "pandas": "3.0"}, {"python": "3.11", "pandas": "3.0", "more": "1"}) == ""
    assert differences({"python": "3.11", "pandas": "3.0"}, {"python": "3.12"}) == "python 3.12 (here 3.11), pandas unknown (here 3.0)"
    assert differences({"python": "3.11"}, ModuleNotFoundError("connector")) == (
        "Dunwell cannot be imported there (ModuleNotFoundError): install dunwell[cluster]"
    )


def test_one_machine_needs_no_dask():
    """Without a cluster nothing of it is imported; with one an admin is told what to install."""
    script = f"""
import sys
sys.modules |= dict.fromkeys(["cloudpickle", "dask", "distributed"])
import connector.cli
from connector.app import judges
from connector.settings import defaults, load
assert judges(defaults()) is None
try:
    judges(load({NEEDED} | dict(DUNWELL_CLUSTER="tcp://127.0.0.1:8786"), env_file=None))
except connector.errors.ConfigError as error:
    print(error)
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    assert found.stdout == "DUNWELL_CLUSTER: Dask is not installed: pip install 'dunwell[cluster]'\n"


@pytest.mark.parametrize("address", ["127.0.0.1:8786", "http://127.0.0.1:8786", "tcp://127.0.0.1", "tcp://user@host:1"])
def test_an_address_that_is_none_is_refused_at_once(address):
    """At start, not at night."""
    with pytest.raises(ConfigError, match="DUNWELL_CLUSTER"):
        load({**NEEDED, "DUNWELL_CLUSTER": address}, env_file=None)
    assert load({**NEEDED, "DUNWELL_CLUSTER": "tls://dask.example:8786"}, env_file=None).cluster == "tls://dask.example:8786"
