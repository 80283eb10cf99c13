"""Group commit: many requests wait a moment, are written together, then answered together.

Per tenant and kind one sealed raw object is written first, then one canonical
object an event, and only then is anyone told. Whoever was not told sends again,
and event ids make the second time harmless; so a crash needs no local state.
"""

from __future__ import annotations

import asyncio
import io
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gateways.adapter import Kind, Normalized
from gateways.archive import Delivery, raw_name, write_archive
from gateways.context import ReceivingClock
from tenpo.contracts.events import canonical_schema
from tenpo.errors import LakeError
from tenpo.failpoint import failpoint
from tenpo.identifiers import micros
from tenpo.keys import TenantKeys
from tenpo.lake import Lake
from tenpo.telemetry import get_logger

log = get_logger(__name__)

MAX_WAITING = 2_000
MAX_GROUP_BYTES = 128 * 1024**2


@dataclass(frozen=True)
class Entry:
    """One normalised payload on its way into the lake."""

    tenant_id: str
    kind: Kind
    delivery: Delivery
    normalized: Normalized


@dataclass
class _Waiting:
    entry: Entry
    receipt: asyncio.Future[str]


class GroupCommitter:
    """Writes what arrives within one interval as one group.

    Args:
        lake: where to.
        root: the root secret, for the tenants' keys.
        interval_s: how long the first of a group waits for others.
        announce: told the names of new canonical objects; must not raise or block.
    """

    def __init__(
        self,
        lake: Lake,
        root: bytes,
        interval_s: float,
        announce: Callable[[Sequence[str]], None],
    ) -> None:
        self._lake = lake
        self._root = root
        self._interval_s = interval_s
        self._announce = announce
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(MAX_WAITING)
        self._clock = ReceivingClock()
        self._worker = secrets.token_hex(4)

    async def submit(self, entry: Entry) -> str:
        """Wait until the entry is durable.

        Returns:
            The receipt: raw object and position in it.

        Raises:
            LakeError: it could not be written; nothing is acknowledged.
        """
        waiting = _Waiting(entry, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull as error:
            raise LakeError("the intake is full", remedy="Send it again after a moment.") from error
        return await waiting.receipt

    async def run(self) -> None:
        """Commit groups until cancelled."""
        while True:
            first = await self._queue.get()
            await asyncio.sleep(self._interval_s)
            groups: dict[tuple[str, Kind], list[_Waiting]] = {}
            for waiting in self._drain(first):
                key = (waiting.entry.tenant_id, waiting.entry.kind)
                groups.setdefault(key, []).append(waiting)
            await asyncio.gather(*(self._commit(group) for group in groups.values()))

    def _drain(self, first: _Waiting) -> list[_Waiting]:
        drained = [first]
        size = len(first.entry.delivery.body)
        while size < MAX_GROUP_BYTES and not self._queue.empty():
            waiting = self._queue.get_nowait()
            size += len(waiting.entry.delivery.body)
            drained.append(waiting)
        return drained

    async def _commit(self, group: list[_Waiting]) -> None:
        entries = [waiting.entry for waiting in group]
        try:
            receipts = await asyncio.to_thread(self.write, entries)
        except Exception as error:  # whatever it was: nobody may be told that it is safe
            log.error("commit_failed", deliveries=len(group), error=type(error).__name__)
            for waiting in group:
                if not waiting.receipt.done():
                    waiting.receipt.set_exception(error)
            return
        failpoint("intake.before_ack")
        for waiting, receipt in zip(group, receipts, strict=True):
            if not waiting.receipt.done():  # the sender may have gone away
                waiting.receipt.set_result(receipt)

    def write(self, entries: Sequence[Entry]) -> list[str]:
        """Write one group of one tenant and kind; returns the receipts in order."""
        tenant_id, kind = entries[0].tenant_id, entries[0].kind
        now = self._clock.now()
        stem = f"{now:%Y-%m-%d}/{micros(now):020d}-{self._worker}"
        name = raw_name(tenant_id, kind, stem)
        failpoint("intake.before_raw")
        keys = TenantKeys(self._root, tenant_id)
        write_archive(self._lake, keys, name, [entry.delivery for entry in entries])
        failpoint("intake.after_raw")
        written = []
        for event, table in _located(name, entries).items():
            target = f"canonical/{tenant_id}/{event}/{stem}.parquet"
            self._lake.put(target, parquet(table))
            written.append(target)
        failpoint("intake.after_canonical")
        log.info("committed", tenant=tenant_id, kind=kind, deliveries=len(entries), object=name)
        self._announce(written)
        return [f"{name}#{position}" for position in range(1, len(entries) + 1)]


def parquet(table: pa.Table) -> bytes:
    """A table as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _located(name: str, entries: Sequence[Entry]) -> dict[str, pa.Table]:
    """One table an event, each row pointing at its delivery in the raw object."""
    tables: dict[str, list[pa.Table]] = {}
    for position, entry in enumerate(entries, start=1):
        for event, table in entry.normalized.events.items():
            if table.num_rows:
                tables.setdefault(event, []).append(_point(table, event, name, position))
    return {event: pa.concat_tables(parts) for event, parts in tables.items()}


def _point(table: pa.Table, event: str, name: str, position: int) -> pa.Table:
    record = table.column("source_position")
    where = pc.binary_join_element_wise(pa.scalar(str(position)), record, "/")
    columns = {column: table.column(column) for column in table.column_names}
    columns |= {"source_object": pa.repeat(name, table.num_rows), "source_position": where}
    return pa.table(list(columns.values()), names=list(columns)).cast(canonical_schema(event))
