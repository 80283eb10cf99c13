"""One ingest run: what is new in the lake goes to raw and dwh.

One run at a time (lease `ingest`), for tenants share the tables.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import apache_beam as beam
import pyarrow.parquet as pq
from sqlalchemy import Engine

from beam_jobs.ingest.damage import mended, set_aside
from beam_jobs.ingest.devices import COUNTER_EVENTS, devices_seen
from beam_jobs.ingest.sweep import new_objects
from beam_jobs.ingest.transforms import Load, LoadRaw
from beam_jobs.ingest.unlink import Unlinker
from beam_jobs.options import pipeline_options
from tenpo.cli.progress import Advance
from tenpo.contracts import CONFORMED, EVENTS
from tenpo.datamart import claim, dirty, health, ledger, store, transaction
from tenpo.datamart import connect as connect_datamart
from tenpo.datamart.lease import Lease, lease
from tenpo.datamart.ledger import LedgerObject
from tenpo.errors import IntegrityError, LeaseLost, ServiceError
from tenpo.failpoint import failpoint
from tenpo.kpi.causes import CLOCK_CHANGED, arrived
from tenpo.lake import Lake
from tenpo.masters import MasterBook, TenantMasters
from tenpo.settings import Settings
from tenpo.store_day import StoreDay
from tenpo.telemetry import get_logger
from tenpo.warehouse import (
    Job,
    Warehouse,
    commit,
    conform,
    loads_present,
    redate_stores,
    sync_stores,
)
from tenpo.warehouse import connect as connect_warehouse

log = get_logger(__name__)

#: Objects of one load; a load is in memory whole.
OBJECTS_PER_LOAD = 256

#: Rows after which a load is closed.
ROWS_PER_LOAD = 250_000

#: Objects of one micro-batch: a long backlog is worked off in steps that can be seen.
OBJECTS_PER_BATCH = 2_000

#: Shorter than BigQuery keeps a stream that is not committed, longer than an attempt may live.
CLAIMS_KEPT = timedelta(days=2)


@dataclass
class Outcome:
    """What a run did, and what it could not do.

    Args:
        objects: taken in.
        rows: theirs.
        conformed: rows that reached dwh, by event.
        dirty: store-days marked, by tenant.
        failed: tenants of which something stayed behind in raw, and why.
        damaged: objects that cannot be read, and why.
    """

    objects: int = 0
    rows: int = 0
    conformed: dict[str, int] = field(default_factory=dict)
    dirty: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return not (self.objects or self.conformed)


class Ingest:
    """The ingest of this process: connections kept, one batch at a time.

    Args:
        settings: the process's settings.
        tenants: only these; none means all.
        runner_args: further Beam options.
    """

    def __init__(
        self,
        settings: Settings,
        tenants: Sequence[str] | None = None,
        runner_args: Sequence[str] = (),
    ) -> None:
        self.settings = settings
        self.lake = Lake(settings.lake_url)
        self.masters = MasterBook(self.lake, max_age_s=0)
        self.engine: Engine = connect_datamart(settings)
        self.warehouse: Warehouse = connect_warehouse(settings)
        self._only = list(tenants) if tenants is not None else None
        self._runner_args = runner_args
        self._synced: dict[str, TenantMasters] = {}

    def close(self) -> None:
        """Give the connections back."""
        self.warehouse.close()
        self.engine.dispose()

    def tenants(self) -> list[str]:
        """The tenants this ingest looks at."""
        return self._only if self._only is not None else self.masters.tenants()

    def lease(self, wait_s: float) -> AbstractContextManager[Lease]:
        """The right to be the one ingest; a context manager."""
        return lease(
            self.engine,
            "ingest",
            holder=f"{socket.gethostname()}:{os.getpid()}",
            seconds=self.settings.lease_s,
            wait_s=wait_s,
        )

    def run(
        self, held: Lease, *, recent_days: int | None = None, advance: Advance | None = None
    ) -> Outcome:
        """Take in everything that is new, micro-batch by micro-batch.

        Args:
            held: ingest's lease.
            recent_days: look at objects of so many days only; none means all.
            advance: told of the objects of each micro-batch that are in dwh.

        Raises:
            LeaseLost: a successor has taken over.
            ServiceError: a service does not answer; run it again.
        """
        outcome = Outcome()
        self._settle_interrupted()
        self._sync_masters(held)
        tenants = self.tenants()
        if recent_days is None:
            mended(self.lake, self.engine, held, tenants)
        names = new_objects(self.lake, self.engine, tenants, recent_days=recent_days)
        for start in range(0, len(names), OBJECTS_PER_BATCH):
            batch = names[start : start + OBJECTS_PER_BATCH]
            self._load(held, batch, outcome)
            self._conform(held, outcome)
            if advance is not None:
                advance(len(batch), detail=f"of {len(names):,}, {outcome.rows:,} rows")
        self._conform(held, outcome)
        self._unlink(held)
        with transaction(self.engine) as connection:
            found = ledger.damaged(connection)
        outcome.damaged = {n: why for n, why in found.items() if n.split("/")[1] in tenants}
        return outcome

    def plan(self, held: Lease, *, recent_days: int | None = None) -> list[Load]:
        """Note what is new as loads, for workers to append while nobody holds the lease.

        While loads are under way there are no new ones; those that nobody can be at any more
        are settled first.

        Raises:
            LeaseLost, ServiceError: as `run`.
        """
        self._settle_interrupted(at_least=timedelta(seconds=2 * self.settings.lease_s))
        self._sync_masters(held)
        tenants = self.tenants()
        if recent_days is None:
            mended(self.lake, self.engine, held, tenants)
        with transaction(self.engine) as connection:
            if ledger.interrupted(connection):
                return []
        names = new_objects(self.lake, self.engine, tenants, recent_days=recent_days)
        names = names[:OBJECTS_PER_BATCH]
        bad = set_aside(self.lake, self.engine, held, names)
        return self._begin(held, [name for name in names if name not in bad])

    def conform(self, held: Lease, loads: Sequence[Load]) -> Outcome:
        """Carry planned loads that workers have appended, and all that waits, to dwh.

        Args:
            held: ingest's lease.
            loads: in raw; those that were settled meanwhile are no matter.

        Raises:
            LeaseLost, ServiceError: as `run`.
        """
        outcome = Outcome()
        with transaction(self.engine) as connection:
            under_way = {load.load_id for load in ledger.interrupted(connection)}
        done = [load for load in loads if load.load_id in under_way]
        self._loaded(held, done)
        outcome.objects = sum(len(load.objects) for load in done)
        outcome.rows = sum(load.rows for load in done)
        self._conform(held, outcome)
        return outcome

    # the steps, in order ------------------------------------------------------

    def _settle_interrupted(self, at_least: timedelta = timedelta()) -> None:
        """What a killed run left `loading` is in raw whole or not at all: find out which.

        Args:
            at_least: how long ago it began; younger loads are somebody's work.
        """
        now = datetime.now(UTC)
        with transaction(self.engine) as connection:
            claim.forget(connection, now - CLAIMS_KEPT)
            loads = ledger.interrupted(connection)
        for load in loads:
            if now - load.ingested_at >= at_least:
                kept = self._settle(load)
                log.info("settled an interrupted load", load_id=load.load_id, kept=kept)

    def _settle(self, load: ledger.Load) -> bool:
        """Whether a load is in raw; if not, nobody can bring it there any more."""
        day, job = load.ingested_at.date(), self._job(f"settle-{load.load_id}")
        present = bool(
            loads_present(self.warehouse, load.event, [load.load_id], (day, day), job=job)
        )
        if not present:
            with transaction(self.engine) as connection:
                stream = claim.claim(connection, load.load_id, claim.REFUSED)
            if stream != claim.REFUSED:
                present = commit(self.warehouse, EVENTS[load.event], stream)
        settle = ledger.loaded if present else ledger.release
        with transaction(self.engine) as connection:
            settle(connection, [load.load_id])
        return present

    def _sync_masters(self, held: Lease) -> None:
        for tenant in self.tenants():
            masters = self.masters.get(tenant)
            if self._synced.get(tenant) is masters:
                continue
            sync_stores(self.warehouse, masters, job=self._job(f"stores-{tenant}"))
            with transaction(self.engine) as connection:
                store.sync(connection, masters)
            stores = redate_stores(
                self.warehouse,
                tenant,
                job=self._job(f"redate-{tenant}"),
                on_dirty=lambda days: self._mark(held, days, CLOCK_CHANGED),
                guard=lambda: self._check(held),
            )
            if stores:
                log.info("dated anew: timezone or cut-over changed", tenant=tenant, stores=stores)
            self._synced[tenant] = masters

    def _load(self, held: Lease, names: Sequence[str], outcome: Outcome) -> None:
        """Append objects to raw; what is damaged is looked for only where that fails."""
        try:
            self._append(held, names, outcome)
        except (ServiceError, LeaseLost):
            raise
        except Exception:  # Beam raises what happened in its workers in types of its own
            self._settle_interrupted()
            with transaction(self.engine) as connection:
                names = ledger.unknown(connection, names)
            bad = set_aside(self.lake, self.engine, held, names)
            if not bad:
                raise
            sound = [name for name in names if name not in bad]
            if sound:
                self._load(held, sound, outcome)

    def _append(self, held: Lease, names: Sequence[str], outcome: Outcome) -> None:
        loads = self._begin(held, names)
        failpoint("ingest.after_begin")
        options = pipeline_options(self.settings, "ingest", self._runner_args)
        with beam.Pipeline(options=options) as pipeline:
            to_raw = LoadRaw(self.settings.without_secrets())
            _ = pipeline | "Loads" >> beam.Create(loads) | "To raw" >> to_raw
        failpoint("ingest.after_append")
        self._loaded(held, loads)
        failpoint("ingest.after_loaded")
        outcome.objects += len(names)
        outcome.rows += sum(load.rows for load in loads)

    def _begin(self, held: Lease, names: Sequence[str]) -> list[Load]:
        """Note the loads that the objects make, before any of it is appended."""
        planned = list(self._plan(names))
        with transaction(self.engine) as connection:
            held.check(connection)
            for load, objects in planned:
                ledger.begin(connection, load.load_id, objects, ingested_at=load.ingested_at)
        return [load for load, _ in planned]

    def _loaded(self, held: Lease, loads: Sequence[Load]) -> None:
        """Note that loads are in raw, and which devices they were of."""
        with transaction(self.engine) as connection:
            held.check(connection)
            ledger.loaded(connection, [load.load_id for load in loads])
            for load in loads:
                if load.event in COUNTER_EVENTS:
                    health.seen(connection, devices_seen(self.lake, load))

    def _plan(self, names: Sequence[str]) -> Iterator[tuple[Load, list[LedgerObject]]]:
        """Objects grouped into loads by tenant and event, in order of receiving."""
        groups: dict[tuple[str, str], list[LedgerObject]] = defaultdict(list)
        for name in names:
            _, tenant, event, *_ = name.split("/")
            with self.lake.open(name) as file:
                rows = pq.read_metadata(file).num_rows
            groups[tenant, event].append(LedgerObject(name, tenant, event, rows))
        now = datetime.now(UTC)
        for (tenant, event), objects in groups.items():
            for part in _parts(objects):
                load_id = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(6)}"
                members = tuple(item.name for item in part)
                rows = sum(item.rows for item in part)
                yield Load(load_id, tenant, event, members, now, rows), part

    def _conform(self, held: Lease, outcome: Outcome) -> None:
        """Carry every loaded, not yet conformed load to dwh, an event at a time."""
        outcome.failed.clear()
        with transaction(self.engine) as connection:
            waiting = ledger.waiting(connection)
        for event in sorted({load.event for load in waiting}):
            self._conform_event(held, event, [x for x in waiting if x.event == event], outcome)

    def _conform_event(
        self, held: Lease, event: str, loads: Sequence[ledger.Load], outcome: Outcome
    ) -> None:
        """All tenants in one go; if that is refused, each by itself, so that one harms no other.

        What stays behind is tried again by the next run.
        """
        try:
            self._conform_loads(held, event, loads, outcome)
        except IntegrityError as error:
            tenants = sorted({load.tenant_id for load in loads})
            if len(tenants) == 1:
                outcome.failed[tenants[0]] = str(error)
                return
            for tenant in tenants:
                own = [load for load in loads if load.tenant_id == tenant]
                self._conform_event(held, event, own, outcome)

    def _conform_loads(
        self, held: Lease, event: str, loads: Sequence[ledger.Load], outcome: Outcome
    ) -> None:
        if event in CONFORMED:
            days = [load.ingested_at.date() for load in loads]
            result = conform(
                self.warehouse,
                event,
                [load.load_id for load in loads],
                (min(days), max(days)),
                job=self._job(f"conform-{event}"),
                on_dirty=lambda days: self._mark(held, days, arrived(event)),
                guard=lambda: self._check(held),
            )
            outcome.conformed[event] = outcome.conformed.get(event, 0) + result.rows
            for day in result.dirty:
                outcome.dirty[day.tenant_id] = outcome.dirty.get(day.tenant_id, 0) + 1
        failpoint("ingest.after_conform")
        with transaction(self.engine) as connection:
            held.check(connection)
            ledger.conformed(connection, [load.load_id for load in loads])

    def _unlink(self, held: Lease) -> None:
        """After conforming: what waits in raw has been brought to dwh, and is found there.

        Not part of `conform`: workers elsewhere have no secret, and requests are sealed.
        """
        Unlinker(self.settings, self.engine, self.warehouse, held).run(self.tenants())

    def _check(self, held: Lease) -> None:
        with transaction(self.engine) as connection:
            held.check(connection)

    def _mark(self, held: Lease, days: Sequence[StoreDay], cause: str) -> None:
        with transaction(self.engine) as connection:
            held.check(connection)
            dirty.mark(connection, days, cause)

    def _job(self, step: str) -> Job:
        return Job("ingest", f"{step}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")


def _parts(objects: Sequence[LedgerObject]) -> Iterator[list[LedgerObject]]:
    part: list[LedgerObject] = []
    rows = 0
    for item in objects:
        if part and (len(part) >= OBJECTS_PER_LOAD or rows + item.rows > ROWS_PER_LOAD):
            yield part
            part, rows = [], 0
        part.append(item)
        rows += item.rows
    if part:
        yield part
