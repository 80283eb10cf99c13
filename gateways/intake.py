"""The way of one payload through the gateway, the same for HTTP and MQTT.

Read it, commit it, answer. What cannot be read at all is kept too: as bytes in
the raw archive and as one rejection, before its sender is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateways.access import Access, Grant
from gateways.adapter import Adapter
from gateways.announce import Announcer
from gateways.commit import GroupCommitter
from gateways.context import Context, ReceivingClock
from gateways.faults import Rejected
from gateways.group import Entry
from gateways.json_adapter import JsonAdapter
from gateways.keyring import KeyRing
from gateways.normalized import Result
from gateways.spec_shelf import SpecShelf
from gateways.workroom import Job, Limits, Workroom
from tenpo.errors import PayloadError
from tenpo.lake import Lake
from tenpo.masters import MasterBook
from tenpo.settings import Settings

MAX_SHOWN = 100
#: Larger JSON is read in a child process, as files are.
INLINE_BYTES = 64 * 1024


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
        self._keys = KeyRing(root)
        lake = Lake(settings.lake_url)
        self.book = MasterBook(lake)
        self.access = Access(self.book)
        self.specs = SpecShelf(lake)
        self.workroom = Workroom(root, limits)
        self.committer = GroupCommitter(lake, self._keys, settings.commit_interval_s, Announcer())
        self._clock = ReceivingClock()

    async def receive(self, parcel: Parcel) -> dict[str, Any]:
        """Make one payload durable; returns the answer to its sender.

        Raises:
            PayloadError: it cannot be read; a rejection says so in the lake, too.
            LakeError: it is not durable and must be sent again.
        """
        committed = await self.committer.submit(await self._entry(parcel))
        if committed.result.refusal is not None:
            raise committed.result.refusal
        return answer(committed.receipt, committed.result)

    async def _entry(self, parcel: Parcel) -> Entry:
        """The payload, read already unless it is read with the others of its group."""
        adapter, masters, allowed = parcel.adapter, parcel.grant.masters, parcel.grant.allowed_store
        context = Context(
            masters,
            self._keys.of(masters.tenant_id),
            self._clock.now(),
            parcel.store_hint or allowed,
            allowed,
        )
        entry = Entry(adapter, context, parcel.body, parcel.spec_object)
        if isinstance(adapter, JsonAdapter) and len(parcel.body) <= INLINE_BYTES:
            return entry
        try:
            normalized = await self.workroom.read(Job.of(adapter, parcel.body, context))
        except PayloadError as error:
            normalized = adapter.refusal(parcel.body, error, context)
        return replace(entry, normalized=normalized)

    async def run(self) -> None:
        """Commit groups until cancelled; stops the children at the end."""
        self.workroom.warm()
        try:
            await self.committer.run()
        finally:
            await asyncio.to_thread(self.workroom.close)


def answer(receipt: str, result: Result, limit: int | None = MAX_SHOWN) -> dict[str, Any]:
    """What a sender is told, the first `limit` rejections one by one."""
    return {
        "receipt": receipt,
        "received": result.received,
        "accepted": result.accepted,
        "rejected": len(result.rejected),
        "ignored": result.ignored,
        "rejections": shown(result.rejected, limit),
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
