"""The way of one parcel through the gateway, the same for HTTP, MQTT and dropped files.

Read it, commit it, answer. What cannot be read at all is kept too: as bytes in
the raw archive and as one rejection, before its sender is told.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from gateways.fetch.apis import VendorApis
from gateways.intake.acceptance import Acceptance
from gateways.intake.access import Access, Grant
from gateways.intake.announce import Announcer
from gateways.intake.answer import Answer, answer, taken
from gateways.intake.commit import GroupCommitter
from gateways.intake.fetching import Fetching
from gateways.intake.group import Entry, goes_with_others
from gateways.intake.keyring import KeyRing
from gateways.intake.metrics import Metrics
from gateways.intake.rates import Rates
from gateways.intake.shares import Shares
from gateways.intake.spec_shelf import SpecShelf
from gateways.intake.work import Tools, Worker
from gateways.intake.workroom import Job, Limits, Workroom
from gateways.normalize.adapter import Adapter, Kind
from gateways.normalize.context import Context, ReceivingClock
from gateways.normalize.refusing import Refusing
from gateways.registry import adapter_for, vendors
from tenpo.datamart import connect
from tenpo.errors import PayloadError
from tenpo.lake import Lake
from tenpo.masters import MasterBook
from tenpo.receipts import ReceiptBook
from tenpo.settings import Settings


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
        self._large = settings.large_body_bytes
        announce = Announcer()
        lake = Lake(settings.lake_url)
        self.book = MasterBook(lake)
        self.access = Access(self.book, Rates(settings.rate_burst), settings.store_rate_per_s)
        self.held_bodies = Shares(settings.max_bodies_bytes, "too many bodies are being read")
        self.specs = SpecShelf(lake)
        self.workroom = Workroom(root, limits)
        self.committer = GroupCommitter(lake, self._keys, settings.commit_interval_s, announce)
        self.metrics = Metrics()
        self.receipts = ReceiptBook(lake)
        self.engine = connect(settings) if settings.datamart_dsn else None
        self._acceptance = Acceptance(lake, self._keys)
        self.apis = VendorApis(settings)
        tools = Tools(
            lake,
            self._keys,
            self.book,
            self.specs,
            self.workroom,
            announce,
            self.metrics.count_settled,
            self.apis,
        )
        self.worker = Worker(settings, self.engine, tools, fetches=False)
        self.fetcher = Worker(settings, self.engine, tools, fetches=True)
        self.fetching = Fetching(self._acceptance, self.fetcher.wake)
        self._clock = ReceivingClock()

    async def form(self, tenant_id: str, kind: Kind, name: str) -> tuple[str | None, Adapter]:
        """What reads payloads of a vendor, or by a tenant's spec of that name and its object.

        Raises:
            UnknownReference: there is neither, or it is of the other kind.
        """
        if name in vendors():
            return None, adapter_for(kind, name)
        return await asyncio.to_thread(self.specs.of_kind, tenant_id, name, kind)

    async def hand_in(self, parcel: Parcel) -> Answer:
        """Take one payload: a small one is read at once, a large one after the answer.

        Raises:
            PayloadError: it cannot be read; a rejection says so in the lake, too.
            LakeError: it is not durable and must be sent again.
        """
        if len(parcel.body) <= self._large:
            return Answer(200, await self.receive(parcel))
        began = time.perf_counter()
        job = await asyncio.to_thread(self._acceptance.accept, self._entry_of(parcel))
        self.metrics.committed(parcel.adapter.kind, len(parcel.body), began)
        self.worker.wake()
        return taken(job)

    async def receive(self, parcel: Parcel) -> dict[str, Any]:
        """Make one payload durable; returns the answer to its sender.

        Raises:
            PayloadError: it cannot be read; a rejection says so in the lake, too.
            LakeError: it is not durable and must be sent again.
        """
        kind, tenant_id = parcel.adapter.kind, parcel.grant.masters.tenant_id
        began = time.perf_counter()
        committed = await self.committer.submit(await self._entry(parcel))
        self.metrics.committed(kind, len(parcel.body), began)
        self.metrics.count(tenant_id, kind, parcel.adapter.name, committed.result)
        if committed.result.refusal is not None:
            raise committed.result.refusal
        return answer(committed.receipt, committed.result)

    async def refuse(self, parcel: Parcel, error: PayloadError, media_type: str) -> NoReturn:
        """Make a body durable that no payload can be taken out of, with a rejection, and say so.

        Raises:
            PayloadError: the error that was given; it is kept.
            LakeError: it is not.
        """
        given = parcel.adapter
        adapter = Refusing(given.name, given.kind, error, given.version, media_type)
        await self.receive(replace(parcel, adapter=adapter))
        raise error

    def _entry_of(self, parcel: Parcel) -> Entry:
        masters, allowed = parcel.grant.masters, parcel.grant.allowed_store
        context = Context(
            masters,
            self._keys.of(masters.tenant_id),
            self._clock.now(),
            parcel.store_hint or allowed,
            allowed,
        )
        return Entry(parcel.adapter, context, parcel.body, parcel.spec_object)

    async def _entry(self, parcel: Parcel) -> Entry:
        """The payload, read already unless it is read with the others of its group."""
        entry = self._entry_of(parcel)
        adapter, context = entry.adapter, entry.context
        if goes_with_others(adapter, parcel.body):
            return entry
        if isinstance(adapter, Refusing):
            refused = await asyncio.to_thread(adapter.refuse, parcel.body, context)
            return replace(entry, normalized=refused)
        try:
            normalized = await self.workroom.read(Job.of(adapter, parcel.body, context))
        except PayloadError as error:
            normalized = adapter.refusal(parcel.body, error, context)
        return replace(entry, normalized=normalized)

    async def run(self) -> None:
        """Commit groups and work on large payloads until cancelled; stops the children then."""
        self.workroom.warm()
        workers = (self.worker, self.fetcher)
        for one in workers:
            one.start()
        try:
            await self.committer.run()
        finally:
            for one in workers:
                one.stop()  # before its children: a job that loses them is not settled
            await asyncio.to_thread(self.workroom.close)
            for one in workers:
                await asyncio.to_thread(one.join)
            if self.engine is not None:
                self.engine.dispose()
