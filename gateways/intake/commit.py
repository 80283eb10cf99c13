"""Group commit: many requests wait a moment, are written together, then answered together.

Per tenant and kind one sealed raw object is written first, then one canonical
object an event, and only then is anyone told. Whoever was not told sends again,
and event ids make the second time harmless; so a crash needs no local state.

Groups follow one another without waiting for the disk: while some are being written,
the next is normalised, and the one after it gathers, so that they grow as normalising takes
longer. What each tenant may have in them is
`lines`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gateways.intake.archive import raw_name, sealed_archive
from gateways.intake.canonical import canonical_objects
from gateways.intake.group import Entry, Part, normalize_group
from gateways.intake.keyring import KeyRing
from gateways.intake.lines import Lines
from gateways.normalize.context import ReceivingClock
from gateways.normalize.normalized import Result
from tenpo.failpoint import failpoint
from tenpo.identifiers import micros
from tenpo.lake import Lake
from tenpo.telemetry import get_logger

log = get_logger(__name__)

#: Groups being written at once; the disk's wait is longer than normalising takes.
WRITES = 4


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


@dataclass(frozen=True)
class Prepared:
    """A group as bytes, not yet written.

    Args:
        objects: names and contents, the raw object first; none if nothing could be taken.
        outcomes: what becomes of each entry once the objects are durable.
    """

    objects: Sequence[tuple[str, bytes]]
    outcomes: Sequence[Committed | Exception]


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
        self._lines: Lines[_Waiting] = Lines()
        self._clock = ReceivingClock()
        self._worker = secrets.token_hex(4)
        self._threads = ThreadPoolExecutor(WRITES + 1, "commit")
        self._writing = asyncio.Semaphore(WRITES)
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, entry: Entry) -> Committed:
        """Wait until the entry is durable.

        Raises:
            LakeError: it could not be written; nothing is acknowledged.
            Overloaded: too many wait already.
        """
        waiting = _Waiting(entry, asyncio.get_running_loop().create_future())
        self._lines.put(entry.tenant_id, len(entry.body), waiting)
        return await waiting.outcome

    async def run(self) -> None:
        """Commit groups until cancelled; those begun are finished then."""
        try:
            while True:
                await self._lines.filled()
                await asyncio.sleep(self._interval_s)
                for group in _groups(self._lines.draw()):
                    await self._writing.acquire()
                    await self._begin(group)
        finally:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _begin(self, group: list[_Waiting]) -> None:
        """Normalise a group, and leave the writing of it to a task."""
        entries = [waiting.entry for waiting in group]
        prepared = asyncio.get_running_loop().run_in_executor(self._threads, self.prepare, entries)
        await asyncio.wait([prepared])
        task = asyncio.create_task(self._finish(group, prepared))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self, group: list[_Waiting], preparing: asyncio.Future[Prepared]) -> None:
        try:
            prepared = await preparing
            await asyncio.get_running_loop().run_in_executor(self._threads, self._store, prepared)
        except Exception as error:  # whatever it was: nobody may be told that it is safe
            log.error("commit_failed", deliveries=len(group), error=type(error).__name__)
            outcomes: Sequence[Committed | Exception] = [error] * len(group)
        else:
            outcomes = prepared.outcomes
            failpoint("intake.before_ack")
        finally:
            self._writing.release()
        for waiting, outcome in zip(group, outcomes, strict=True):
            if waiting.outcome.done():  # the sender may have gone away
                continue
            if isinstance(outcome, Exception):
                waiting.outcome.set_exception(outcome)
            else:
                waiting.outcome.set_result(outcome)

    def prepare(self, entries: Sequence[Entry]) -> Prepared:
        """Normalise and seal one group of one tenant and kind."""
        tenant_id, kind = entries[0].tenant_id, entries[0].kind
        group = normalize_group(entries)
        now = self._clock.now()
        stem = f"{now:%Y-%m-%d}/{micros(now):020d}-{self._worker}"
        name = raw_name(tenant_id, kind, stem)
        outcomes: dict[int, Committed | Exception] = dict(group.defects)
        position = 0
        for part in group.parts:
            for member, result in zip(part.members, part.normalized.results, strict=True):
                position += 1
                outcomes[member] = Committed(f"{name}#{position}", result)
        objects = list(self._objects(name, stem, group.parts, entries)) if group.parts else []
        return Prepared(objects, [outcomes[member] for member in range(len(entries))])

    def _objects(
        self, name: str, stem: str, parts: Sequence[Part], entries: Sequence[Entry]
    ) -> Iterator[tuple[str, bytes]]:
        tenant_id = entries[0].tenant_id
        deliveries = [entries[member].delivery for part in parts for member in part.members]
        yield name, sealed_archive(self._keys.of(tenant_id), name, deliveries)
        yield from canonical_objects(tenant_id, name, stem, parts)

    def _store(self, prepared: Prepared) -> None:
        if not prepared.objects:
            return
        failpoint("intake.before_raw")
        self._lake.put_in_order(prepared.objects, _after)
        failpoint("intake.after_canonical")
        (raw, _), *canonical = prepared.objects
        log.info("committed", deliveries=len(prepared.outcomes), object=raw)
        self._announce([name for name, _ in canonical])


def _groups(drawn: Sequence[_Waiting]) -> list[list[_Waiting]]:
    """By tenant and kind; who sent little does not wait for who sent much."""
    found: dict[tuple[str, str], list[_Waiting]] = {}
    for waiting in drawn:
        found.setdefault((waiting.entry.tenant_id, waiting.entry.kind), []).append(waiting)
    return sorted(found.values(), key=len)


def _after(place: int) -> None:
    if place == 0:
        failpoint("intake.after_raw")
