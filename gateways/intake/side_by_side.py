"""Jobs that wait for others, side by side: few of one tenant, and half of them of one vendor.

A vendor whose API hangs holds up its own tenants, and a tenant with many jobs its own jobs
alone: others find a place beside them. Not for jobs that need the processor: side by side
they are no faster. What a job is, and that nobody else works on it, is `work`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

#: Under way at most, and of one tenant at one vendor.
AT_ONCE, OF_TENANT = 16, 2


@dataclass(frozen=True)
class Lane:
    """Whose jobs wait for each other."""

    tenant_id: str
    vendor: str


class SideBySide:
    """Works on jobs of many lanes, each on a thread of its own.

    Args:
        work: works on the job of a name, and tells by itself what goes wrong.
        at_once: jobs under way at most; half of them of one vendor.
        of_tenant: jobs of one lane under way at most.
    """

    def __init__(
        self, work: Callable[[str], None], at_once: int = AT_ONCE, of_tenant: int = OF_TENANT
    ) -> None:
        self._work = work
        self._at_once = at_once
        self._of_vendor = max(1, at_once // 2)
        self._of_tenant = of_tenant
        self._lock = threading.Lock()
        self._waiting: OrderedDict[Lane, deque[str]] = OrderedDict()
        self._names: set[str] = set()
        self._lanes: Counter[Lane] = Counter()
        self._vendors: Counter[str] = Counter()
        self._threads: set[threading.Thread] = set()
        self._stopped = False

    def offer(self, lane: Lane, name: str) -> None:
        """Work on a job as soon as there is room; one that waits or is under way is not doubled."""
        with self._lock:
            if self._stopped or name in self._names:
                return
            self._names.add(name)
            self._waiting.setdefault(lane, deque()).append(name)
            self._begin()

    def stop(self) -> None:
        """Begin no further job."""
        with self._lock:
            self._stopped = True
            self._waiting.clear()

    def join(self, timeout_s: float) -> None:
        """Wait for the jobs under way, so long at most for all of them."""
        until = time.monotonic() + timeout_s
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(timeout=max(0.0, until - time.monotonic()))

    def _begin(self) -> None:
        """Begin what there is room for, lanes with the least under way first; the lock is held."""
        while (lane := self._next()) is not None:
            names = self._waiting[lane]
            name = names.popleft()
            self._waiting.move_to_end(lane)
            if not names:
                del self._waiting[lane]
            self._lanes[lane] += 1
            self._vendors[lane.vendor] += 1
            thread = threading.Thread(target=self._run, args=(lane, name), name="job", daemon=True)
            self._threads.add(thread)
            thread.start()

    def _next(self) -> Lane | None:
        free = filter(self._has_room, self._waiting)
        return min(free, key=self._lanes.__getitem__, default=None)

    def _has_room(self, lane: Lane) -> bool:
        return (
            self._lanes.total() < self._at_once
            and self._lanes[lane] < self._of_tenant
            and self._vendors[lane.vendor] < self._of_vendor
        )

    def _run(self, lane: Lane, name: str) -> None:
        try:
            self._work(name)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
                self._names.discard(name)
                self._lanes -= Counter([lane])
                self._vendors -= Counter([lane.vendor])
                self._begin()
