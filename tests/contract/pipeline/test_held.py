"""A pass writes only while its place in the ledger is its own, by the schedule or by hand, by REST or in bulk."""

from datetime import timedelta
from threading import Event

import pytest

from connector import app as wiring
from connector.errors import ConflictError, TransientError
from connector.pipeline.leases import LEASE_SECONDS
from connector.pipeline.sweep import sweep
from tests.contract.pipeline.test_wide import admin, fresh, shown

__all__ = ["fresh"]


def advance(box, app, until) -> None:
    """Move the clock, and see to it that the product has read it since."""
    admin(box, "/clock", advance_seconds=2 * LEASE_SECONDS)
    app.clock.wait_until(until, Event())


@pytest.mark.parametrize("wide", [False, True])
def test_a_command_whose_place_another_took_writes_nothing(fresh, wide):
    """It was silent so long that it counted as dead: its successor writes, and it does not."""
    box, app = fresh
    untouched = shown(app)
    with wiring.alone(app, "reconcile") as place:
        later = app.clock.now() + timedelta(seconds=2 * LEASE_SECONDS)
        advance(box, app, later)
        assert app.store.job_started("reconcile", later, owner="another", seconds=LEASE_SECONDS)
        with pytest.raises(ConflictError, match="in other hands"):
            sweep(place.context, batch_payers=200, wide=wide)
    assert shown(app) == untouched
    with pytest.raises(ConflictError, match="runs elsewhere now"):
        place.keep()
    assert app.store.job_last_run("reconcile").owner == "another"
    assert app.store.job_last_run("reconcile").finished_at is None


@pytest.mark.parametrize("wide", [False, True])
def test_a_command_that_was_silent_and_is_still_alone_goes_on(fresh, wide):
    """Nobody came meanwhile: the lease is lengthened before the first write, and then nobody can."""
    box, app = fresh
    with wiring.alone(app, "reconcile") as place:
        advance(box, app, app.clock.now() + timedelta(seconds=2 * LEASE_SECONDS))
        assert sweep(place.context, batch_payers=200, wide=wide).changes > 0
        with pytest.raises(TransientError, match="runs already"), wiring.alone(app, "reconcile"):
            pass
    assert app.store.job_last_run("reconcile").ok
