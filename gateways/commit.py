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

from gateways.adapter import Kind
from gateways.archive import raw_name, write_archive
from gateways.context import ReceivingClock
from gateways.group import Entry, Part, normalize_group
from gateways.keyring import KeyRing
from gateways.normalized import Events, Result
from tenpo.errors import LakeError
from tenpo.failpoint import failpoint
from tenpo.identifiers import micros
from tenpo.lake import Lake
from tenpo.telemetry import get_logger

log = get_logger(__name__)

MAX_WAITING = 2_000
#: Parquet: columns without repeats, and those that anything is ever looked up by.
_UNIQUE = ("event_id", "rejection_id")
_SOUGHT = ["tenant_id", "store_id", "occurred_at", "received_at"]
MAX_GROUP_BYTES = 128 * 1024**2


@dataclass(frozen=True)
class Committed:
    """A payload that is durable.

    Args:
        receipt: raw object and position in it.
        result: what became of its records.
    """

    receipt: str
    result: Result


@dataclass
class _Waiting:
    entry: Entry
    outcome: asyncio.Future[Committed]


class GroupCommitter:
    """Writes what arrives within one interval as one group.

    Args:
        lake: where to.
        keys: the tenants' keys.
        interval_s: how long the first of a group waits for others.
        announce: told the names of new canonical objects; must not raise or block.
    """

    def __init__(
        self,
        lake: Lake,
        keys: KeyRing,
        interval_s: float,
        announce: Callable[[Sequence[str]], None],
    ) -> None:
        self._lake = lake
        self._keys = keys
        self._interval_s = interval_s
        self._announce = announce
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(MAX_WAITING)
        self._clock = ReceivingClock()
        self._worker = secrets.token_hex(4)

    async def submit(self, entry: Entry) -> Committed:
        """Wait until the entry is durable.

        Raises:
            LakeError: it could not be written; nothing is acknowledged.
        """
        waiting = _Waiting(entry, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull as error:
            raise LakeError("the intake is full", remedy="Send it again after a moment.") from error
        return await waiting.outcome

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
        size = len(first.entry.body)
        while size < MAX_GROUP_BYTES and not self._queue.empty():
            waiting = self._queue.get_nowait()
            size += len(waiting.entry.body)
            drained.append(waiting)
        return drained

    async def _commit(self, group: list[_Waiting]) -> None:
        entries = [waiting.entry for waiting in group]
        try:
            outcomes = await asyncio.to_thread(self.write, entries)
        except Exception as error:  # whatever it was: nobody may be told that it is safe
            log.error("commit_failed", deliveries=len(group), error=type(error).__name__)
            outcomes = [error] * len(group)
        else:
            failpoint("intake.before_ack")
        for waiting, outcome in zip(group, outcomes, strict=True):
            if waiting.outcome.done():  # the sender may have gone away
                continue
            if isinstance(outcome, Exception):
                waiting.outcome.set_exception(outcome)
            else:
                waiting.outcome.set_result(outcome)

    def write(self, entries: Sequence[Entry]) -> list[Committed | Exception]:
        """Normalise and write one group of one tenant and kind; what became of each, in order."""
        tenant_id, kind = entries[0].tenant_id, entries[0].kind
        group = normalize_group(entries)
        now = self._clock.now()
        stem = f"{now:%Y-%m-%d}/{micros(now):020d}-{self._worker}"
        name = raw_name(tenant_id, kind, stem)
        if group.parts:
            self._store(name, stem, group.parts, entries)
            log.info("committed", tenant=tenant_id, kind=kind, deliveries=len(entries), object=name)
        outcomes: dict[int, Committed | Exception] = dict(group.defects)
        position = 0
        for part in group.parts:
            for member, result in zip(part.members, part.normalized.results, strict=True):
                position += 1
                outcomes[member] = Committed(f"{name}#{position}", result)
        return [outcomes[member] for member in range(len(entries))]

    def _store(self, name: str, stem: str, parts: Sequence[Part], entries: Sequence[Entry]) -> None:
        tenant_id = entries[0].tenant_id
        deliveries = [entries[member].delivery for part in parts for member in part.members]
        failpoint("intake.before_raw")
        write_archive(self._lake, self._keys.of(tenant_id), name, deliveries)
        failpoint("intake.after_raw")
        written = write_canonical(self._lake, tenant_id, name, stem, parts)
        failpoint("intake.after_canonical")
        self._announce(written)


def write_canonical(
    lake: Lake, tenant_id: str, name: str, stem: str, parts: Sequence[Part]
) -> list[str]:
    """Write the canonical objects that belong to one raw object; returns their names.

    Args:
        lake: where to.
        tenant_id: the tenant.
        name: the raw object.
        stem: of the raw object's name; doing it again writes the same objects.
        parts: what was normalised, in the order of the raw object's deliveries.
    """
    written = []
    for event, table in _located(name, parts).items():
        target = f"canonical/{tenant_id}/{event}/{stem}.parquet"
        lake.put(target, parquet(table))
        written.append(target)
    return written


def parquet(table: pa.Table) -> bytes:
    """A table as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    repeating = [name for name in table.column_names if name not in _UNIQUE]
    pq.write_table(
        table, buffer, compression="zstd", use_dictionary=repeating, write_statistics=_SOUGHT
    )
    return buffer.getvalue()


def _located(name: str, parts: Sequence[Part]) -> dict[str, pa.Table]:
    """One table an event, each row pointing at its delivery in the raw object."""
    tables: dict[str, list[pa.Table]] = {}
    before = 1
    for part in parts:
        for event, found in part.normalized.located.items():
            if found.table.num_rows:
                tables.setdefault(event, []).append(_point(found, name, before))
        before += len(part.members)
    return {event: pa.concat_tables(same) for event, same in tables.items()}


def _point(found: Events, name: str, first: int) -> pa.Table:
    table, schema = found.table, found.table.schema
    positions = pa.array(found.deliveries + first).cast(pa.string())
    values = {
        "source_object": pa.repeat(name, table.num_rows),
        "source_position": pc.binary_join_element_wise(
            positions, table.column("source_position"), "/"
        ),
    }
    for column, value in values.items():
        place = schema.get_field_index(column)
        table = table.set_column(place, schema.field(place), value)
    return table
