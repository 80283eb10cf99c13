"""The worker of large deliveries, in process, over a real lake and a real PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine

from gateways.intake.keyring import KeyRing
from gateways.intake.workroom import Job, Limits, ReadingBroke, Workroom
from gateways.normalize.context import Context
from gateways.pos.posa import PosA
from tenpo.datamart import connect, transaction
from tenpo.datamart.lease import lease, standings
from tenpo.errors import DatamartError, InputError, UnknownReference
from tenpo.masters import StoreCode
from tenpo.receipt_view import newest, view
from tenpo.receipts import Accepted, Settled
from tenpo.settings import Settings
from tests.gateways.payloads import MASTERS, POSA, ROOT, TENANT
from tests.gateways.workplace import Place

pytestmark = pytest.mark.stack


@pytest.fixture
def place(tmp_path: Path, datamart: Engine) -> Place:
    return Place(tmp_path, datamart)


@pytest.fixture
def nowhere() -> Iterator[Engine]:
    """A PostgreSQL that is down."""
    engine = connect(Settings(datamart_dsn="postgresql://127.0.0.1:1/none"))
    yield engine
    engine.dispose()


def test_a_job_is_read_and_settled_once(place: Place) -> None:
    job = place.accept()
    assert view(place.engine, [place.book.find(TENANT, job.receipt)])[0].state == "queued"
    place.worker.look()
    settled = place.settled(job)
    counts = (settled.received, settled.accepted, settled.rejected, settled.attempts)
    assert (settled.state, *counts) == ("done", 4, 4, 0, 1)
    assert place.announced == list(place.canonical())
    rows = pq.ParquetFile(place.lake.path(place.announced[0])).read().to_pylist()
    assert {row["source_object"] for row in rows} == {job.raw_object}
    assert {row["received_at"] for row in rows} == {job.received_at}
    place.worker.look()
    assert len(place.told) == len(place.room.jobs) == 1
    assert place.lake.names("job") == []
    with transaction(place.engine) as connection:
        assert standings(connection, [job.lease_name]) == {}


def test_working_twice_writes_the_same_even_if_masters_changed(place: Place) -> None:
    job = place.accept()
    place.worker.look()
    first = place.canonical()
    assert first
    place.masters.put(TENANT, "store_code", [StoreCode(source="posa", code="9", store_id="ginza")])
    (receipt,) = place.lake.names("receipt")
    place.lake.delete(receipt)  # as if the process had died before it settled
    place.book.accept(job)
    place.worker.look()
    assert place.canonical() == first
    assert place.settled(job).accepted == 4


def test_a_large_delivery_keeps_its_place_among_later_ones(place: Place) -> None:
    early, late = place.accept(), place.accept()
    place.book.close(place.book.open()[0])
    place.worker.look()
    place.book.accept(early)
    place.worker.look()
    versions = {
        name: set(pq.ParquetFile(place.lake.path(name)).read()["document_version"].to_pylist())
        for name in place.canonical()
    }
    first, second = (
        next(sorted(found) for name, found in versions.items() if job.receipt in name)
        for job in (early, late)
    )
    # What is sold and what is void for good, each by its arrival.
    assert [a < b for a, b in zip(first, second, strict=True)] == [True, True]
    assert place.settled(early).finished_at > place.settled(late).finished_at


def test_what_cannot_be_read_is_done_with_one_rejection(place: Place) -> None:
    job = place.accept(POSA[:20])
    place.worker.look()
    settled = place.settled(job)
    assert (settled.state, settled.received, settled.rejected) == ("done", 1, 1)
    assert settled.error is not None
    assert settled.error.error
    assert settled.error.remedy
    assert [name.split("/")[2] for name in place.canonical()] == ["rejection"]


def test_a_broken_try_rests_and_is_tried_again(tmp_path: Path, datamart: Engine) -> None:
    place = Place(tmp_path, datamart, rest_s=60)
    job = place.accept()
    place.room.failures = [OSError("the disk")]
    place.worker.look()
    place.worker.look()
    assert len(place.room.jobs) == 1
    (shown,) = newest(place.engine, place.book.newest(TENANT), 5, state="queued")
    assert (shown.receipt, shown.state, shown.attempts) == (job.receipt, "queued", 1)


def test_a_job_that_fails_each_time_is_a_dead_letter_that_can_be_tried_again(place: Place) -> None:
    job = place.accept()
    place.room.failures = [RuntimeError("of ours")] * 3
    _look_until_settled(place, job)
    settled = place.settled(job)
    assert (settled.state, settled.attempts, settled.received) == ("failed", 3, 0)
    assert settled.error is not None
    assert settled.error.error == "RuntimeError"
    assert "retry" in settled.error.remedy
    assert place.canonical() == {}
    place.book.retry(TENANT, job.receipt)
    assert view(place.engine, [place.book.find(TENANT, job.receipt)])[0].state == "queued"
    place.worker.look()
    again = place.settled(job)
    assert (again.state, again.accepted, again.accepted_as.round) == ("done", 4, 2)
    with pytest.raises(InputError):
        place.book.retry(TENANT, job.receipt)
    assert [one.state for one in newest(None, place.book.newest(TENANT), 5)] == ["done"]


def test_a_file_that_breaks_its_child_each_time_is_rejected_with_a_reason(place: Place) -> None:
    job = place.accept()
    place.room.failures = [ReadingBroke("reading the payload took too long")] * 3
    _look_until_settled(place, job)
    settled = place.settled(job)
    assert (settled.state, settled.attempts, settled.rejected) == ("done", 3, 1)
    assert settled.error is not None
    assert "too long" in settled.error.error


def test_a_job_whose_worker_was_killed_each_time_fails(place: Place) -> None:
    job = place.accept()
    for _ in range(place.settings.work_attempts):
        with lease(place.engine, job.lease_name, holder="killed", seconds=30):
            pass
    place.worker.look()
    settled = place.settled(job)
    assert (settled.state, settled.attempts) == ("failed", 3)
    assert not place.room.jobs


def test_only_one_worker_takes_a_job(place: Place) -> None:
    job = place.accept()
    with lease(place.engine, job.lease_name, holder="other", seconds=30):
        place.worker.look()
        assert not place.room.jobs
        assert view(place.engine, [job])[0].state == "running"
    place.worker.look()
    assert place.settled(job).attempts == 2


def test_without_postgresql_a_job_waits_and_can_be_seen(place: Place, nowhere: Engine) -> None:
    job = place.accept()
    with pytest.raises(DatamartError):
        place.new_worker(nowhere).look()
    (shown,) = view(nowhere, [place.book.find(TENANT, job.receipt)])
    assert (shown.state, shown.attempts) == ("queued", None)
    place.worker.look()
    assert place.settled(job).state == "done"


def test_a_receipt_is_its_tenants_own(place: Place) -> None:
    job = place.accept()
    for tenant, receipt in (("other", job.receipt), (TENANT, "x"), ("../acme", job.receipt)):
        with pytest.raises(UnknownReference):
            place.book.find(tenant, receipt)


def test_a_damaged_job_holds_up_no_other(place: Place) -> None:
    place.lake.put(f"job/{TENANT}/{'0' * 20}-00000000.1.json", b"{")
    job = place.accept()
    place.worker.look()
    assert place.settled(job).state == "done"


def test_tenants_take_turns_and_who_comes_meanwhile_is_served_soon(place: Place) -> None:
    place.masters.put("other", "store", MASTERS.store)
    place.masters.put("other", "store_code", MASTERS.store_code)
    jobs = [place.accept() for _ in range(4)]
    jobs.insert(2, place.accept(tenant="other"))

    def come_meanwhile() -> None:
        if len(place.room.jobs) == 3:
            jobs.append(place.accept(tenant="other"))
            place.worker.wake()

    place.room.began = come_meanwhile
    while place.book.open():
        place.worker.look()
    served = [settled.accepted_as.tenant_id for settled, _ in place.told]
    assert served == [TENANT, "other", TENANT, "other", TENANT, TENANT]
    assert {settled.state for settled, _ in place.told} == {"done"}


def test_a_spec_that_is_refused_by_now_is_a_rejection_and_no_dead_letter(place: Place) -> None:
    job = place.accept()
    stored = f"spec/{TENANT}/till/{1:020d}.yaml"
    place.lake.put(stored, b"name: till\nevent: sale_line\nunheard: of\n")
    place.book.accept(job.model_copy(update={"spec_object": stored, "source": "till"}))
    place.worker.look()
    settled = place.settled(job)
    assert (settled.state, settled.attempts, settled.rejected) == ("done", 1, 1)
    assert settled.error is not None
    assert "unheard" in f"{settled.error.error} {settled.error.where}"
    assert [row["reason_code"] for row in place.rows("rejection")] == ["unreadable_payload"]


def _look_until_settled(place: Place, job: Accepted) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        place.worker.look()
        if isinstance(place.book.find(TENANT, job.receipt), Settled):
            return
        time.sleep(0.05)
    pytest.fail("never settled")


def test_children_read_as_the_worker_asks(place: Place) -> None:
    workroom = Workroom(ROOT, Limits(workers=1))
    try:
        masters = place.masters.get(TENANT)
        context = Context(masters, KeyRing(ROOT).of(TENANT), place.clock.now())
        assert workroom.read_here(Job.of(PosA(), POSA, context)).accepted == 4
        assert workroom.children == 1
    finally:
        workroom.close()


def run_killed(place: Place, dsn: str, act: str, step: str) -> None:
    """Accept or look in a process that is killed at a step."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.gateways.workplace", str(place.settings.home), dsn, act],
        env=os.environ | {"TENPO_FAILPOINT": step}, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize(("step", "jobs"), [("accept.after_raw", 0), ("accept.before_answer", 1)])
def test_killed_before_the_answer_it_is_sent_again_and_counts_once(
    place: Place, datamart_dsn: str, step: str, jobs: int
) -> None:
    run_killed(place, datamart_dsn, "accept", step)
    assert len(place.book.open()) == jobs
    place.accept()  # sent again
    place.worker.look()
    rows = place.rows("sale_line")
    assert len(rows) == 4 * (jobs + 1)
    assert len({row["event_id"] for row in rows}) == 4


@pytest.mark.parametrize("step", ["work.began", "work.after_canonical", "work.settled"])
def test_killed_while_working_it_is_done_once(place: Place, datamart_dsn: str, step: str) -> None:
    job = place.accept()
    run_killed(place, datamart_dsn, "look", step)
    assert isinstance(place.book.find(TENANT, job.receipt), Settled) == (step == "work.settled")
    _look_until_settled(place, job)
    while place.book.open():
        place.worker.look()
    settled = place.settled(job)
    assert (settled.state, settled.accepted) == ("done", 4)
    with transaction(place.engine) as connection:
        assert standings(connection, [job.lease_name]) == {}  # nothing of it is left behind
    assert settled.attempts == (1 if step == "work.settled" else 2)
    assert len(place.rows("sale_line")) == 4
    assert (len(place.lake.names("receipt")), place.book.open()) == (1, [])
