"""Deleting jobs whose data are still in use."""

import asyncio
import gc

import pytest

from sandbox.bulk.engine import Engine
from sandbox.bulk.host import Host
from sandbox.bulk.job import IngestJob
from sandbox.faults import Faults
from sandbox.options import Options
from sandbox.org.clock import Clock
from sandbox.org.errors import OrgError
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.org.types import Session
from sandbox.usage import Usage

from .conftest import NOW


async def until(met):
    """Give way to the work until something has come true."""
    for _ in range(10_000):
        if met():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came true")


def test_a_job_aborted_at_work_and_deleted_at_once_ends_quietly(dx):
    """The work finds its data until it has stopped, and gives them back then."""
    org = Org(load_schema([dx]), Clock(NOW))
    wrong = []

    async def scene():
        asyncio.get_running_loop().set_exception_handler(lambda _, told: wrong.append(told))
        engine = Engine(Host(org, Options(bulk_chunk_rows=1), Faults(), Usage()))
        job = engine.create_ingest({"object": "Payer__c", "operation": "insert"}, Session(org.admin.id), "66.0")
        engine.upload(job).append(b"Name\n" + b"a\n" * 50)
        engine.close_upload(job)
        await until(lambda: job.processed > 0)
        engine.abort(job)
        engine.delete(job)
        await until(lambda: not job.holders)
        gc.collect()
        await asyncio.sleep(0)
        with pytest.raises(OrgError, match="NOT_FOUND"):
            engine.get(IngestJob, job.id)
        assert 0 < job.processed < 50
        await engine.close()
        return job

    job = asyncio.run(scene())
    gc.collect()
    assert wrong == []
    assert job.upload.closed
    org.close()


def test_data_in_use_are_given_back_by_the_last_that_uses_them():
    """A download and the work may hold the data of a deleted job at the same time."""
    job = IngestJob("750", "insert", "Payer__c", "005", "66.0", None, NOW, NOW, "Aborted")  # type: ignore[arg-type]
    job.hold()
    job.hold()
    job.drop()
    job.release()
    assert not job.successful.closed
    job.release()
    assert job.successful.closed
