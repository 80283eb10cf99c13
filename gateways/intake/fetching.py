"""Jobs that fetch what webhooks name, and do not hold, from their vendor.

A sale is told by several webhooks within a second, so what is named within a moment is one job.
Nobody is answered before the job is durable. `work` does the fetching.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateways.intake.acceptance import Acceptance
from tenpo.masters import TenantMasters

GATHER_S = 0.5
#: Ids of one job, about; one webhook's stay together.
_MANY = 100


@dataclass
class _Batch:
    ids: dict[str, None] = field(default_factory=dict)
    ordered: asyncio.Task[str] | None = None


class Fetching:
    """Gathers what is named, and makes jobs of it.

    Args:
        acceptance: makes a job durable.
        wake: tells the worker.
        gather_s: how long the first of a job waits for others.
    """

    def __init__(
        self, acceptance: Acceptance, wake: Callable[[], None], gather_s: float = GATHER_S
    ) -> None:
        self._acceptance = acceptance
        self._wake = wake
        self._gather_s = gather_s
        self._batches: dict[tuple[str, str], _Batch] = {}

    async def ask_for(self, masters: TenantMasters, vendor: str, ids: Sequence[str]) -> str:
        """Have documents fetched; returns the receipt of the job, which is durable then.

        Raises:
            LakeError: it is not; the webhook must be sent again.
        """
        key = (masters.tenant_id, vendor)
        batch = self._batches.get(key)
        if batch is None or batch.ordered is None or len(batch.ids) + len(ids) > _MANY:
            batch = self._batches[key] = _Batch()
            batch.ordered = asyncio.create_task(self._order(key, batch, masters))
        batch.ids.update(dict.fromkeys(ids))
        return await asyncio.shield(batch.ordered)

    async def _order(self, key: tuple[str, str], batch: _Batch, masters: TenantMasters) -> str:
        await asyncio.sleep(self._gather_s)
        if self._batches.get(key) is batch:  # what comes from now on is of the next job
            del self._batches[key]
        accept = self._acceptance.accept_fetch
        job = await asyncio.to_thread(accept, masters, key[1], tuple(batch.ids))
        self._wake()
        return job.receipt
