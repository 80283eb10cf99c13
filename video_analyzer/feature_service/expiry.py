"""Lets features die whose time is over, every day, whether or not anybody asks for it.

Retention is a promise to people, so it hangs on no operator's cron: the process that holds the
files keeps it. What `POST /v1/expire` does at once. Not for recordings and events.
"""

from __future__ import annotations

import asyncio

from tenpo.errors import TenpoError
from tenpo.telemetry import get_logger
from video_analyzer.feature_service.backend import Backend

log = get_logger(__name__)

#: After the start, so that one that is started again and again gets to it.
FIRST_S = 3_600.0
EVERY_S = 86_400.0


class Expiry:
    """Goes through all tenants that have features.

    Args:
        backend: opens them.
        first_s: how long after the start.
        every_s: how long after the time before.
    """

    def __init__(
        self, backend: Backend, first_s: float = FIRST_S, every_s: float = EVERY_S
    ) -> None:
        self._backend, self._first_s, self._every_s = backend, first_s, every_s

    async def run(self) -> None:
        """Do it again and again, until cancelled."""
        await asyncio.sleep(self._first_s)
        while True:
            await self.once()
            await asyncio.sleep(self._every_s)

    async def once(self) -> dict[str, int]:
        """How many features of each tenant died; one that cannot be done holds up no other."""
        counts: dict[str, int] = {}
        for tenant in await asyncio.to_thread(self._backend.tenants):
            try:
                counts[tenant] = await self._backend.expire(tenant)
            except TenpoError as error:
                log.error("features_not_expired", tenant=tenant, reason=str(error))
            else:
                log.info("features_expired", tenant=tenant, count=counts[tenant])
        return counts
