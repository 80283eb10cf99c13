"""Group commit without a server: groups overlap, and nobody is told too early or falsely."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from gateways.intake.commit import WRITES, GroupCommitter
from gateways.intake.group import Entry
from gateways.intake.keyring import KeyRing
from gateways.intake.lines import MAX_WAITING
from gateways.iot.milesight import Milesight
from gateways.normalize.context import Context
from tenpo.errors import LakeError, Overloaded
from tenpo.lake import Lake
from tests.gateways.payloads import MASTERS, MILESIGHT, RECEIVED_AT, ROOT, TENANT


class GatedLake(Lake):
    """A lake whose disk answers when it is told to, or fails."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.gate = threading.Event()
        self.full: set[int] = set()
        self.writes = 0

    def put_in_order(
        self, objects: Sequence[tuple[str, bytes]], visible: Callable[[int], None] = lambda _: None
    ) -> None:
        self.writes += 1
        number = self.writes
        self.gate.wait(30)
        if number in self.full:
            raise LakeError("no space")
        super().put_in_order(objects, visible)


def entry(tenant: str = TENANT) -> Entry:
    keys = KeyRing(ROOT).of(tenant)
    masters = MASTERS.model_copy(update={"tenant_id": tenant})
    return Entry(Milesight(), Context(masters, keys, RECEIVED_AT), MILESIGHT)


async def reaches(lake: GatedLake, writes: int) -> None:
    async with asyncio.timeout(30):
        while lake.writes < writes:
            await asyncio.sleep(0.01)


@pytest.fixture
def lake(tmp_path: Path) -> GatedLake:
    return GatedLake(f"file://{tmp_path}/lake")


async def test_groups_are_written_beside_each_other_and_a_failure_is_its_own_alone(
    lake: GatedLake,
) -> None:
    announced: list[str] = []
    committer = GroupCommitter(lake, KeyRing(ROOT), 0.001, announced.extend)
    running = asyncio.create_task(committer.run())
    lake.full = {2}
    waiting = []
    for number in range(1, WRITES + 1):
        waiting.append(asyncio.create_task(committer.submit(entry())))
        await reaches(lake, number)
    assert not any(task.done() for task in waiting)
    assert lake.names("raw") == []
    late = asyncio.create_task(committer.submit(entry()))
    lake.gate.set()
    first, failed, *others = await asyncio.gather(*waiting, late, return_exceptions=True)
    assert isinstance(failed, LakeError)
    receipts = {one.receipt for one in (first, *others) if not isinstance(one, BaseException)}
    assert len(receipts) == WRITES
    assert {receipt.partition("#")[0] for receipt in receipts} == set(lake.names("raw"))
    assert sorted(announced) == lake.names("canonical")
    assert len(announced) == WRITES
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_group_that_is_begun_is_finished_when_the_gateway_stops(lake: GatedLake) -> None:
    committer = GroupCommitter(lake, KeyRing(ROOT), 0.001, lambda _: None)
    running = asyncio.create_task(committer.run())
    task = asyncio.create_task(committer.submit(entry()))
    await reaches(lake, 1)
    running.cancel()
    lake.gate.set()
    await asyncio.gather(running, return_exceptions=True)
    assert (await task).result.accepted == 2
    assert len(lake.names("raw")) == 1


async def test_a_tenant_that_floods_shuts_no_other_out(lake: GatedLake) -> None:
    committer = GroupCommitter(lake, KeyRing(ROOT), 0.001, lambda _: None)
    flood = [asyncio.create_task(committer.submit(entry("flood"))) for _ in range(MAX_WAITING)]
    quiet = [asyncio.create_task(committer.submit(entry())) for _ in range(2)]
    await asyncio.sleep(0)
    refused = [task for task in flood if task.done()]
    assert len(refused) == MAX_WAITING // 2
    assert all(isinstance(task.exception(), Overloaded) for task in refused)
    running = asyncio.create_task(committer.run())
    await reaches(lake, 2)
    lake.gate.set()
    await asyncio.gather(*quiet)
    receipts = {(await task).receipt for task in quiet}
    first = min(lake.names("raw"), key=lambda name: name.rpartition("/")[2])
    assert receipts == {f"{first}#1", f"{first}#2"}  # of the very first group, and both of it
    for task in flood:
        task.cancel()
    running.cancel()
    await asyncio.gather(running, *flood, return_exceptions=True)
