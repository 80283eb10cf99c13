"""Payloads that wait for the group commit, a line for each tenant.

One who sends much waits in its own line: every draw takes from each line its share, so that
others find their payloads in the very next group. Where others have sent lately, a draw takes
little of each, so that nobody waits long for the group before. Used by one thread, the event
loop's.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from gateways.intake.shares import Shares

T = TypeVar("T")

MAX_WAITING = 3_000
#: Bounds what one draw takes, and how long what comes after it waits.
MAX_DRAWN_BYTES, MAX_DRAWN = 8 * 1024**2, 1_000
#: Of one tenant, while another one has sent within so many seconds.
MAX_BESIDE, LATELY_S = 64, 1.0


class Lines(Generic[T]):
    """The lines of all tenants.

    Args:
        now: a monotonic clock, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._drawn_at: dict[str, float] = {}
        self._shares = Shares(MAX_WAITING, "the intake is full")
        self._lines: dict[str, deque[tuple[int, T]]] = {}
        self._filled = asyncio.Event()

    def put(self, tenant_id: str, size_bytes: int, item: T) -> None:
        """Stand at the end of the tenant's line.

        Raises:
            Overloaded: its line is too long, or all of them are.
        """
        self._shares.take(tenant_id, 1)
        self._lines.setdefault(tenant_id, deque()).append((size_bytes, item))
        self._filled.set()

    async def filled(self) -> None:
        """Wait until somebody waits."""
        await self._filled.wait()

    def draw(self) -> list[T]:
        """What is first in each line, as much as its share of a draw; at least one of each."""
        drawn: list[T] = []
        share = len(self._lines) or 1
        most = min(MAX_DRAWN // share, MAX_DRAWN if self._is_alone() else MAX_BESIDE)
        for tenant_id in list(self._lines):
            drawn += self._from(tenant_id, MAX_DRAWN_BYTES // share, most)
        if not self._lines:
            self._filled.clear()
        return drawn

    def _is_alone(self) -> bool:
        """Whether one tenant alone has sent lately."""
        now = self._now()
        self._drawn_at |= dict.fromkeys(self._lines, now)
        late = now - LATELY_S
        self._drawn_at = {who: at for who, at in self._drawn_at.items() if at > late}
        return len(self._drawn_at) <= 1

    def _from(self, tenant_id: str, size_bytes: int, count: int) -> list[T]:
        line = self._lines[tenant_id]
        drawn: list[T] = []
        size = 0
        while line and (not drawn or (size < size_bytes and len(drawn) < count)):
            taken, item = line.popleft()
            size += taken
            drawn.append(item)
        if not line:
            del self._lines[tenant_id]
        self._shares.give_back(tenant_id, len(drawn))
        return drawn
