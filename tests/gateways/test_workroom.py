"""The children that open files: a file that breaks one harms nobody else."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from gateways.intake.workroom import Job, Limits, Workroom
from gateways.normalize.adapter import Adapter, Kind
from gateways.normalize.context import Context
from gateways.normalize.records import Records
from gateways.pos.posa import PosA
from tenpo.errors import PayloadError
from tests.gateways.payloads import MASTERS, POSA, RECEIVED_AT, ROOT

pytestmark = pytest.mark.stack


class Hostile(Adapter):
    """Stands for a vendor whose file does harm: the body says which."""

    name = "hostile"
    version = "1"
    kind: Kind = "pos"
    media_type = "text/csv"

    def read(self, body: bytes, context: Context) -> Records:
        """Do the harm."""
        if body == b"bug":
            raise ZeroDivisionError
        if body == b"die":
            os._exit(9)
        if body == b"sleep":
            time.sleep(60)
        if body == b"eat":
            bytearray(16 * 1024**3)
        while True:  # spin
            pass


class Described(Hostile):
    """The same by a spec."""

    described = True


JOB = Job(PosA(), POSA, MASTERS, RECEIVED_AT, None, None)


@pytest_asyncio.fixture
async def workroom() -> AsyncIterator[Workroom]:
    """One child with narrow limits."""
    made = Workroom(ROOT, Limits(workers=1, cpu_s=2, wall_s=4))
    await made.read(JOB)
    yield made
    made.close()


async def test_a_file_is_read_in_a_child_as_it_would_be_here(workroom: Workroom) -> None:
    there = await workroom.read(JOB)
    from tenpo.keys import TenantKeys

    here = PosA().normalize(POSA, JOB.context(TenantKeys(ROOT, MASTERS.tenant_id)))
    assert there.events["sale_line"].equals(here.events["sale_line"])


@pytest.mark.parametrize(
    ("harm", "what"),
    [(b"die", "broke"), (b"sleep", "too long"), (b"eat", "memory"), (b"spin", "broke|too long")],
)
async def test_harm_becomes_a_refusal_and_the_next_file_is_read(
    workroom: Workroom, harm: bytes, what: str
) -> None:
    with pytest.raises(PayloadError, match=what):
        await workroom.read(replace(JOB, adapter=Hostile(), body=harm))
    assert (await workroom.read(JOB)).accepted == 4


async def test_a_defect_is_told_to_the_sender_where_a_spec_reads(workroom: Workroom) -> None:
    with pytest.raises(PayloadError, match="by this spec broke"):
        await workroom.read(replace(JOB, adapter=Described(), body=b"bug"))
    with pytest.raises(ZeroDivisionError):
        await workroom.read(replace(JOB, adapter=Hostile(), body=b"bug"))


async def test_what_the_adapter_refuses_keeps_its_place_and_remedy(workroom: Workroom) -> None:
    with pytest.raises(PayloadError) as caught:
        await workroom.read(replace(JOB, body=POSA.decode("cp932").encode()))
    assert caught.value.where
    assert caught.value.remedy
