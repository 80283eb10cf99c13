"""The way of one payload through the gateway, the same for HTTP and MQTT.

Read it, commit it, answer. What cannot be read at all is kept too: as bytes in
the raw archive and as one rejection, before its sender is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateways.access import Access, Grant
from gateways.adapter import Adapter, Normalized
from gateways.announce import Announcer
from gateways.archive import Delivery
from gateways.commit import Entry, GroupCommitter
from gateways.context import Context, ReceivingClock
from gateways.faults import Rejected
from gateways.spec_shelf import SpecShelf
from gateways.workroom import Job, Limits, Workroom
from tenpo.errors import PayloadError
from tenpo.keys import TenantKeys
from tenpo.lake import Lake
from tenpo.masters import MasterBook
from tenpo.settings import Settings

MAX_SHOWN = 100


@dataclass(frozen=True)
class Parcel:
    """A payload with all that is known about it."""

    grant: Grant
    adapter: Adapter
    body: bytes
    store_hint: str | None = None
    spec_object: str | None = None


class Intake:
    """Everything that a transport needs to hand a payload in.

    Args:
        settings: of this process.
        limits: bounds of the children that open files.
    """

    def __init__(self, settings: Settings, limits: Limits = Limits()) -> None:  # noqa: B008
        root = settings.root_secret()
        lake = Lake(settings.lake_url)
        self.book = MasterBook(lake)
        self.access = Access(self.book)
        self.specs = SpecShelf(lake)
        self.workroom = Workroom(root, limits)
        self.committer = GroupCommitter(lake, root, settings.commit_interval_s, Announcer())
        self._root = root
        self._clock = ReceivingClock()

    async def receive(self, parcel: Parcel) -> dict[str, Any]:
        """Make one payload durable; returns the answer to its sender.

        Raises:
            PayloadError: it cannot be read; a rejection says so in the lake, too.
            LakeError: it is not durable and must be sent again.
        """
        masters = parcel.grant.masters
        job = Job(
            parcel.adapter,
            parcel.body,
            masters,
            self._clock.now(),
            parcel.store_hint or parcel.grant.allowed_store,
            parcel.grant.allowed_store,
        )
        try:
            normalized = await self.workroom.read(job)
        except PayloadError as error:
            context = job.context(TenantKeys(self._root, masters.tenant_id))
            await self._commit(parcel, context, _refusal(parcel, error, context))
            raise
        context = job.context(TenantKeys(self._root, masters.tenant_id))
        receipt = await self._commit(parcel, context, normalized)
        return answer(receipt, normalized)

    async def _commit(self, parcel: Parcel, context: Context, normalized: Normalized) -> str:
        delivery = Delivery(
            received_at=context.received_at,
            source=parcel.adapter.name,
            adapter_version=parcel.adapter.version,
            content_type=parcel.adapter.media_type,
            body=parcel.body,
            spec_object=parcel.spec_object,
            store_hint=context.store_hint,
        )
        entry = Entry(context.tenant_id, parcel.adapter.kind, delivery, normalized)
        return await self.committer.submit(entry)

    async def run(self) -> None:
        """Commit groups until cancelled; stops the children at the end."""
        self.workroom.warm()
        try:
            await self.committer.run()
        finally:
            await asyncio.to_thread(self.workroom.close)


def _refusal(parcel: Parcel, error: PayloadError, context: Context) -> Normalized:
    return parcel.adapter.refusal(parcel.body, error, context)


def answer(receipt: str, normalized: Normalized, limit: int | None = MAX_SHOWN) -> dict[str, Any]:
    """What a sender is told, the first `limit` rejections one by one."""
    return {
        "receipt": receipt,
        "received": normalized.received,
        "accepted": normalized.accepted,
        "rejected": len(normalized.rejected),
        "ignored": normalized.ignored,
        "rejections": shown(normalized.rejected, limit),
    }


def shown(rejected: Sequence[Rejected], limit: int | None = MAX_SHOWN) -> list[dict[str, str]]:
    """The first rejections, as a sender is told them."""
    return [
        {
            "position": one.position,
            "reason_code": str(one.reason),
            "field": one.field,
            "message": one.message,
        }
        for one in rejected[:limit]
    ]
