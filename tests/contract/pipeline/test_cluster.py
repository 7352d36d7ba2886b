"""A pass judged by a cluster: two worker processes come to the same as this one, and what befalls them costs nothing but time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import dask.config
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import sandbox
from connector import app as wiring
from connector.core.facts import render
from connector.core.plain import to_json
from connector.errors import ConfigError, TransientError
from connector.pipeline import judging
from connector.pipeline.cluster import Cluster
from connector.pipeline.cluster_work import version
from connector.pipeline.load_wide import everyone
from connector.pipeline.sweep import sweep
from connector.salesforce.saved import Saved
from connector.settings import load as load_settings
from connector.store import Store
from tests.support.cluster import Dask

NOW = datetime(2026, 3, 2, 9, tzinfo=ZoneInfo("Europe/Amsterdam"))
PAYERS = 2_000
SLICE = 40


class Standing:
    """A clock that stands."""

    def now(self):
        """An hour after the org was made."""
        return NOW + timedelta(hours=1)


class Recorder:
    """An org whose rows are read and to which nothing is written: what would have been is kept, and every row counts as saved."""

    def __init__(self, bulk):
        self._bulk, self.written = bulk, []

    def __getattr__(self, name):
        return getattr(self._bulk, name)

    def write(self, inserts, updates, *, serial=False):
        """Keep it, and answer with ids in the order of the rows."""
        self.written.append(repr((inserts, updates, serial)))
        saved = [Saved(id=f"a0X{len(self.written):05}{place:07}AAA", ok=True) for place in range(len(inserts) + len(updates))]
        return saved[: len(inserts)], saved[len(inserts) :]


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The product against a world that is only read."""
    with sandbox.serve(world="findock", payers=PAYERS, seed=3, now=NOW) as box:
        requests.post(f"{box.admin_url}/clock", json={"advance_seconds": 3600}, timeout=10).raise_for_status()
        settings = load_settings(
            {
                "DUNWELL_LOGIN_URL": box.instance_url, "DUNWELL_CLIENT_ID": box.client_id, "DUNWELL_USERNAME": box.username,
                "DUNWELL_KEY_FILE": str(box.key_file), "DUNWELL_STORE_URL": f"sqlite:///{tmp_path_factory.mktemp('app')}/store.db",
            },
            env_file=None,
        )  # fmt: skip
        with wiring.opened(settings) as opened:
            yield replace(opened, context=replace(opened.context, clock=Standing()))


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A cluster of two worker processes."""
    with Dask(tmp_path_factory.mktemp("two"), workers=2) as cluster:
        yield cluster


def joined(cluster, **more) -> Cluster:
    """The product's side of it."""
    return Cluster(cluster.address, slice_payers=SLICE, poll_seconds=0.05, connect_seconds=10, **more)


def certificates(folder) -> tuple[str, str, str]:
    """An authority of our own, and a certificate it gave with its key."""
    made = []
    for name in ("authority", "member"):
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = made[0] if made else (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        today = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(issuer[0]).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(today - timedelta(days=1)).not_valid_after(today + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=not made, path_length=None), critical=True).sign(issuer[1], hashes.SHA256())
        )  # fmt: skip
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        made.append((subject, key))
    secret = made[1][1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(secret)
    return str(folder / "authority.pem"), str(folder / "member.pem"), str(folder / "key.pem")


@pytest.fixture(scope="module")
def found(app):
    """Everyone of the org."""
    return everyone(app.context.bulk, app.context.mapping, app.context.clock.now())


def judged(app, found, judges=None) -> judging.Judged:
    """Everyone, judged here or there."""
    return judging.judge(replace(app.context, judges=judges), found, app.context.clock.now(), lambda _: None)


def texts(result: judging.Judged) -> tuple[object, ...]:
    """All that a judgement says, as bytes, in its order."""
    batch = result.batch
    positions = [(payer, to_json(one)) for payer, one in batch.positions.items()]
    return (
        positions,
        [to_json(render(one)) for one in result.decisions],
        [to_json(one) for one in result.decisions],
        batch.parked,
        batch.missing,
    )


def test_two_workers_judge_to_the_same_byte(app, found, two):
    """Positions and decisions, their order included, do not tell where they were made."""
    here, there = judged(app, found), judged(app, found, joined(two))
    assert len(found.payers) > 4 * SLICE
    assert len(here.decisions) == len(found.payers)
    assert texts(here) == texts(there)
    assert here.shown.views == there.shown.views


def passed(app, folder, judges=None) -> tuple[dict[str, object], list[str]]:
    """A whole pass with a fresh store, nothing of which reaches the org: its summary and its writes."""
    org = Recorder(app.context.bulk)
    with Store.open(f"sqlite:///{folder}/store.db") as store:
        context = replace(app.context, org=org, bulk=org, store=store, judges=judges)
        return sweep(context, batch_payers=200, wide=True).summary(), org.written


def test_a_pass_judged_there_writes_the_same(app, two, tmp_path_factory):
    """From the first record to the run record: the same calls with the same rows."""
    here = passed(app, tmp_path_factory.mktemp("here"))
    there = passed(app, tmp_path_factory.mktemp("there"), joined(two))
    assert sum(map(len, here[1])) > 100_000
    assert here == there


class Meanwhile:
    """Everyone of the org; ``happens`` is called when the third slice is asked for."""

    def __init__(self, found, happens):
        self._found, self._happens, self._left = found, happens, 2

    def __getattr__(self, name):
        return getattr(self._found, name)

    def loaded(self, *given):
        """As everyone's."""
        if self._left == 0:
            self._happens()
        self._left -= 1
        return self._found.loaded(*given)


def test_a_pass_asks_for_the_cluster_before_it_reads(app):
    """What cannot be judged is not downloaded."""
    org = Recorder(app.context.bulk)
    org.download = None
    context = replace(app.context, org=org, bulk=org, judges=Cluster("tcp://127.0.0.1:9", connect_seconds=0.2))
    with pytest.raises(TransientError, match="does not answer"):
        sweep(context, batch_payers=200, wide=True)
    assert org.written == []


def test_a_worker_that_dies_costs_nothing(app, found, tmp_path):
    """Its slices are judged again by the other."""
    with Dask(tmp_path, workers=2) as cluster:
        there = judged(app, Meanwhile(found, cluster.workers[0].kill), joined(cluster))
        assert cluster.workers[0].poll() is not None
    assert texts(there) == texts(judged(app, found))


def test_a_cluster_that_is_not_there_breaks_the_pass_off(app, found, tmp_path):
    """No scheduler, no workers, all workers lost, the scheduler lost: each is told, and the next pass tries again."""
    with pytest.raises(TransientError, match=r"127\.0\.0\.1:9 does not answer"):
        Cluster("tcp://127.0.0.1:9", connect_seconds=0.2).check()
    with Dask(tmp_path) as cluster:
        with pytest.raises(TransientError, match="the cluster has no workers"):
            joined(cluster).check()
        cluster.join(1)
        with pytest.raises(TransientError, match="no workers any more"):
            judged(app, Meanwhile(found, cluster.workers[0].kill), joined(cluster))
        cluster.join(1)
        with pytest.raises(TransientError, match="does not answer"):
            judged(app, Meanwhile(found, cluster.scheduler.kill), joined(cluster))


def test_a_cluster_is_reached_by_tls_with_certificates_of_both_sides(tmp_path):
    """They are given to us in the way Dask reads them; without them we say what is missing, before any fact has travelled."""
    authority, certificate, key = certificates(tmp_path)
    words = ["--protocol", "tls", "--tls-ca-file", authority, "--tls-cert", certificate, "--tls-key", key]
    given = {"CA_FILE": authority, "CLIENT__CERT": certificate, "CLIENT__KEY": key}
    with Dask(tmp_path, workers=1, words=words) as cluster:
        assert cluster.address.startswith("tls://")
        with pytest.raises(ConfigError, match="needs certificates"):
            joined(cluster).check()
        told = dask.config.collect_env({f"DASK_DISTRIBUTED__COMM__TLS__{name}": value for name, value in given.items()})
        with dask.config.set(dask.config.merge(dask.config.config, told)):
            joined(cluster).check()


def test_a_cluster_without_dunwell_is_told_so(tmp_path):
    """Scheduler and workers all need it."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['connector'] = None\n")
    with Dask(tmp_path, workers=1, environment={"PYTHONPATH": str(tmp_path)}) as cluster, pytest.raises(ConfigError) as refused:
        joined(cluster).check()
    assert len(refused.value.problems) == 2
    assert all("Dunwell cannot be imported there" in problem for problem in refused.value.problems)


def test_another_version_is_refused_by_name(two):
    """Whoever would judge otherwise does not judge."""
    with pytest.raises(ConfigError) as refused:
        joined(two, version={**version(), "dunwell": "0.0.9", "holidays": "0.1"}).check()
    assert len(refused.value.problems) == 3  # the scheduler and two workers
    for problem in refused.value.problems:
        assert f"dunwell {version()['dunwell']} (here 0.0.9), holidays {version()['holidays']} (here 0.1)" in problem
