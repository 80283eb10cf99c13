"""Runs calls: opens tenants, keeps them open, and bounds how many run and how long they take.

A tenant is opened at its first call and stays open, since its index is in memory. Calls run
on threads: many that change something share one fsync (`feature_db.commit`).
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from tenpo.erasure import Erasures
from tenpo.errors import AuthError, RateLimited, ServiceError, TenpoError
from tenpo.masters import MasterBook
from video_analyzer.feature_db import FeatureDatabase, FeatureStore
from video_analyzer.feature_db.retention import retention_of
from video_analyzer.feature_service.access import Caller
from video_analyzer.feature_service.metrics import Metrics
from video_analyzer.feature_service.newcomers import Bucket, Newcomers, TooManyNew

T = TypeVar("T")

THREADS = 64
#: Of one tenant at once, so that two who take all they may leave threads to a third.
MAX_RUNNING = 24
TIMEOUT_S = 10.0
#: Of calls that look at everything, on threads of their own: a night's work holds up nobody.
LONG_THREADS = 4
MAX_LONG = 1
LONG_S = 900.0


class _Lane:
    """Threads, and how many of them one tenant may have at once."""

    def __init__(self, threads: int, most: int, timeout_s: float) -> None:
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="feature-call")
        self.most, self.timeout_s = most, timeout_s
        self.running: Counter[str] = Counter()


class Backend:
    """The calls of all tenants.

    Args:
        database: their features.
        book: their masters.
        metrics: where calls are counted.
        erasures: gives a tenant's, to ask that visits be unlinked.
        newcomers: how many new persons stores may make.
        timeout_s: how long a call may take that is not a long one.
    """

    def __init__(
        self,
        database: FeatureDatabase,
        book: MasterBook,
        metrics: Metrics,
        erasures: Callable[[str], Erasures],
        newcomers: Newcomers,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.book, self.metrics, self.erasures = book, metrics, erasures
        self._newcomers = newcomers
        self._database = database
        self._short = _Lane(THREADS, MAX_RUNNING, timeout_s)
        self._long = _Lane(LONG_THREADS, MAX_LONG, LONG_S)
        self._opening: dict[str, threading.Lock] = {}
        self._open: dict[str, FeatureStore] = {}

    async def run(
        self,
        caller: Caller,
        call: str,
        work: Callable[[FeatureStore], T],
        *,
        is_long: bool = False,
    ) -> T:
        """Run one call on its tenant's features.

        Args:
            caller: whose.
            call: its name, for the metrics.
            work: what it does, on a thread.
            is_long: it looks at everything; one of a tenant at once.

        Raises:
            RateLimited: the tenant has too many under way.
            ServiceError: it took too long; what it changes may still come about.
        """
        began, status = time.perf_counter(), 500
        try:
            found = await self._bounded(
                caller.tenant_id, work, self._long if is_long else self._short
            )
            status = 200
        except TenpoError as error:
            status = error.status if isinstance(error, AuthError) else error.http_status
            raise
        else:
            return found
        finally:
            self.metrics.calls.labels(caller.tenant_id, call, status).inc()
            self.metrics.seconds.labels(call).observe(time.perf_counter() - began)

    def admit(self, tenant_id: str, store_id: str) -> None:
        """Let a store make one more new person, and count it.

        Raises:
            TooManyNew: it has made too many.
        """
        try:
            self._newcomers.admit(tenant_id, store_id)
        except TooManyNew:
            self.metrics.newcomers.labels(tenant_id, store_id, "refused").inc()
            raise
        self.metrics.newcomers.labels(tenant_id, store_id, "made").inc()

    def newcomers(self, tenant_id: str) -> dict[str, Bucket]:
        """How a tenant's stores stand with new persons, since the start."""
        return self._newcomers.of(tenant_id)

    def tenants(self) -> list[str]:
        """The tenants that have features."""
        return self._database.tenants()

    async def expire(self, tenant_id: str) -> int:
        """Delete a tenant's features whose time is over, from all files. Returns how many.

        Raises:
            RateLimited: it is being done, or another long call of the tenant.
        """
        return await self._bounded(tenant_id, self.expire_work(tenant_id), self._long)

    def expire_work(self, tenant_id: str) -> Callable[[FeatureStore], int]:
        """What expiring does, on a thread; also what was deleted goes from the files."""

        def work(store: FeatureStore) -> int:
            count = store.expire(datetime.now(UTC), retention_of(self.book, tenant_id))
            store.checkpoint(purge=True)
            return count

        return work

    async def _bounded(self, tenant_id: str, work: Callable[[FeatureStore], T], lane: _Lane) -> T:
        if lane.running[tenant_id] >= lane.most:
            raise RateLimited(
                f"{lane.most} such calls of the tenant are under way",
                remedy="Wait for their answers, then send more.",
            )
        running = self.metrics.running.labels(tenant_id)
        lane.running[tenant_id] += 1
        running.inc()
        future = lane.pool.submit(lambda: work(self._store(tenant_id)))
        loop = asyncio.get_running_loop()

        def done(_: object) -> None:  # when the thread is through, also after its time was over
            loop.call_soon_threadsafe(self._ended, lane, tenant_id)

        future.add_done_callback(done)
        try:
            async with asyncio.timeout(lane.timeout_s):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise ServiceError(
                f"the call took longer than {lane.timeout_s:g} s",
                remedy="Try again; what it was to change may have come about.",
            ) from error

    def _ended(self, lane: _Lane, tenant_id: str) -> None:
        lane.running[tenant_id] -= 1
        self.metrics.running.labels(tenant_id).dec()

    def _store(self, tenant_id: str) -> FeatureStore:
        store = self._open.get(tenant_id)
        if store is None:
            with self._opening.setdefault(tenant_id, threading.Lock()):
                store = self._open.get(tenant_id)
                if store is None:
                    store = self._open[tenant_id] = self._database.open_store(tenant_id)
        return store

    def close(self) -> None:
        """Finish what is under way and give the files free."""
        self._short.pool.shutdown()
        self._long.pool.shutdown()
        for store in self._open.values():
            store.close()
        self._open.clear()
