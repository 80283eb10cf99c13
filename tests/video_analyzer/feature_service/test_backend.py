"""What one tenant's calls leave to the others."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tenpo.erasure import Erasures
from tenpo.errors import RateLimited
from tenpo.lake import Lake
from tenpo.masters import MasterBook, TenantMasters
from video_analyzer.feature_db import FeatureDatabase, FeatureStore, Seen
from video_analyzer.feature_service.access import Caller
from video_analyzer.feature_service.backend import (
    LONG_THREADS,
    MAX_RUNNING,
    THREADS,
    Backend,
)
from video_analyzer.feature_service.expiry import Expiry
from video_analyzer.feature_service.metrics import Metrics
from video_analyzer.feature_service.newcomers import Newcomers


def _caller(tenant: str) -> Caller:
    return Caller(TenantMasters(tenant_id=tenant), None)


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    """Without any features."""
    database = FeatureDatabase(tmp_path / "features", bytes(32))
    lake = Lake(f"file://{tmp_path}/lake")
    erasures, newcomers = partial(Erasures, lake, bytes(32)), Newcomers(1_000)
    return Backend(database, MasterBook(lake), Metrics(), erasures, newcomers)


def test_long_calls_hold_up_no_short_one(backend: Backend) -> None:
    released = threading.Event()

    async def night() -> list[str]:
        async def start(tenant: str) -> str:
            return await backend.run(_caller(tenant), "expire", hold, is_long=True)

        def hold(store: FeatureStore) -> str:
            assert released.wait(60)
            return store.tenant_id

        tenants = [f"t{n}" for n in range(LONG_THREADS + 2)]
        long = [asyncio.create_task(start(tenant)) for tenant in tenants]
        await asyncio.sleep(0)  # all are under way or wait
        try:
            with pytest.raises(RateLimited, match="1 such"):
                await start("t0")
            seen = await backend.run(_caller("t0"), "stats", lambda store: store.tenant_id)
        finally:
            released.set()
        assert await asyncio.gather(*long) == tenants
        return [seen, await start("t0")]

    try:
        assert asyncio.run(night()) == ["t0", "t0"]
    finally:
        backend.close()


def test_one_tenant_cannot_take_half_the_threads(backend: Backend) -> None:
    released = threading.Event()

    async def rush() -> tuple[int, str]:
        def hold(store: FeatureStore) -> None:
            del store
            assert released.wait(60)

        rushing = [
            asyncio.create_task(backend.run(_caller("loud"), "search", hold))
            for _ in range(THREADS)
        ]
        await asyncio.sleep(0)
        try:
            quiet = await backend.run(_caller("quiet"), "stats", lambda store: store.tenant_id)
        finally:
            released.set()
        came = await asyncio.gather(*rushing, return_exceptions=True)
        return sum(each is None for each in came), quiet

    try:
        served, quiet = asyncio.run(rush())
    finally:
        backend.close()
    assert (served, quiet) == (MAX_RUNNING, "quiet")
    assert served < THREADS / 2


def test_what_is_over_dies_without_anybody_asking(backend: Backend, tmp_path: Path) -> None:
    database, now = FeatureDatabase(tmp_path / "features", bytes(32)), datetime.now(UTC)
    for tenant in ("a", "b", "c"):
        with database.open_store(tenant) as store:
            for days in (-1, 1, 2):
                seen = Seen("s1", now - timedelta(days=9), now + timedelta(days=days))
                store.add("m", np.eye(1, 8, dtype=np.float32), seen)
    (tmp_path / "features" / "b" / "key.sealed").write_bytes(b"x" * 90)

    async def running() -> None:
        task = asyncio.create_task(Expiry(backend, first_s=0, every_s=60).run())
        for _ in range(1_000):
            is_idle = not +backend._long.running
            if len(backend._open) == 2 and is_idle:
                break
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(running())
    assert asyncio.run(Expiry(backend).once()) == {"a": 0, "c": 0}, "b does not open"
    backend.close()
    for tenant in ("a", "c"):
        assert database.read_store(tenant).stats().spaces[0].living == 2
