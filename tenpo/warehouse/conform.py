"""raw → dwh: of each document the lines of its highest version, and none of the others.

A document's lines may move to another business date or store, so `dwh.document` says
where each document's lines lie. The steps of one call, each safe to be the last:

    stage     business dates and hours of the loads, the sendings in them, and which documents
              are contested: known to the index, or of which a line was loaded twice
    announce  `pending` rows in the index: lines of these documents may appear there now
    insert    lines of documents that are not contested (`tenpo.warehouse.straight`)
    replace   of those that are, old lines out and new lines in (`tenpo.warehouse.contested`)
    on_dirty  the caller marks the store-days whose content changed
    derive    of readings: one MERGE of the intervals around them (`tenpo.warehouse.readings`)
    settle    the index says what dwh holds

Statements that change dwh name at most `MAX_PARTITIONS` dates; where there are more, there
are several of them. `docs/adr/0019-straight-and-contested-documents.md` has the reasons.

After a crash the same call does it again: the index still has the old version as
current, so the documents win again, and every place where lines may lie is known.
Only settling makes a document's new version the held one. Then a rerun finds nothing
to do.

One call an event at a time: hold a lease.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date

from tenpo.contracts import CONFORMED, EVENTS, Contract
from tenpo.errors import IntegrityError, WarehouseError
from tenpo.failpoint import failpoint
from tenpo.store_day import StoreDay
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.conforming import Conforming
from tenpo.warehouse.contested import Contested, store_day
from tenpo.warehouse.job import Job, Typed
from tenpo.warehouse.read import drop, execute
from tenpo.warehouse.readings import ReadingIntervals
from tenpo.warehouse.reconcile import EVER, between
from tenpo.warehouse.statements import load_sql
from tenpo.warehouse.straight import Straight

OnDirty = Callable[[Sequence[StoreDay]], None]


@dataclass(frozen=True, slots=True)
class ConformResult:
    """What one call did.

    Args:
        event: which event.
        documents: documents written.
        rows: their lines.
        unchanged_documents: documents whose held version is the same or higher.
        dirty: store-days whose content changed, sorted.
    """

    event: str
    documents: int = 0
    rows: int = 0
    unchanged_documents: int = 0
    dirty: tuple[StoreDay, ...] = ()


def conform(
    warehouse: Warehouse,
    event: str,
    load_ids: Sequence[str],
    ingest_dates: tuple[date, date],
    *,
    job: Job,
    on_dirty: OnDirty,
    guard: Callable[[], None] = lambda: None,
) -> ConformResult:
    """Bring loads of raw into dwh.

    Args:
        warehouse: where.
        event: a key of `CONFORMED`.
        load_ids: loads that are in raw; the lines that one raw-archive object has of a
            document must be in one load.
        ingest_dates: first and last UTC date of the loads' `ingested_at`.
        job: names the work; give every attempt at other loads a run_id of its own.
        on_dirty: marks store-days durably; called once, and not where nothing changed.
        guard: called right before each statement that changes dwh; it raises where a
            successor has taken over.

    Raises:
        IntegrityError: a line's store is not in `dwh.store`; nothing was changed.
        WarehouseError: BigQuery does not answer; call again with the same arguments.
    """
    if not load_ids:
        return ConformResult(event)
    picked = {"every_load": False, "load_ids": list(load_ids), **between(ingest_dates)}
    work = Conforming(warehouse, event, job.step(event), EVENTS[event], picked, guard)
    return _Conform(work, on_dirty).run()


def conform_again(
    warehouse: Warehouse,
    event: str,
    tenant_id: str,
    store_ids: Sequence[str],
    *,
    job: Job,
    on_dirty: OnDirty,
    guard: Callable[[], None] = lambda: None,
) -> ConformResult:
    """Date the documents of some stores anew, at the versions that dwh holds.

    Args:
        warehouse: where.
        event: a key of `CONFORMED`.
        tenant_id: whose stores.
        store_ids: which; all of their history.
        job: names the work.
        on_dirty: as in `conform`; told of the days that lines leave and come to.
        guard: as in `conform`.

    Raises:
        WarehouseError: BigQuery does not answer; call again with the same arguments.
    """
    step = job.step(f"{event}-again")
    with _held_lines(warehouse, event, tenant_id, store_ids, step) as held:
        picked = {"every_load": True, "load_ids": Typed("STRING", []), **between(EVER)}
        work = Conforming(warehouse, event, step, held, picked, guard)
        return _Conform(work, on_dirty, again=True).run()


@contextmanager
def _held_lines(
    warehouse: Warehouse, event: str, tenant_id: str, store_ids: Sequence[str], job: Job
) -> Iterator[Contract]:
    """The held lines of some stores' documents, in a staging table of raw's columns."""
    raw, dwh = EVENTS[event], CONFORMED[event]
    held = replace(raw, dataset="staging", name=job.table_name("held"))
    columns = [f"line.{name}" for name in raw.names if name in dwh.names]
    sql = load_sql(
        warehouse, "tenpo.warehouse.sql", "conform_again",
        again=held.name, dwh_table=dwh, columns=columns,
    )  # fmt: skip
    params = {"tenant_id": tenant_id, "store_ids": list(store_ids)}
    try:
        execute(warehouse, sql, params, job=job.step("again"))
        yield held
    finally:
        with suppress(WarehouseError):  # it expires
            drop(warehouse, held.name)


@dataclass
class _Conform:
    """The steps of one call, in order."""

    work: Conforming
    on_dirty: OnDirty
    again: bool = False

    def __post_init__(self) -> None:
        work = self.work
        self.readings: ReadingIntervals | None = None
        if work.event == "count_reading":
            self.readings = ReadingIntervals(work.warehouse, work.job, work.staging)

    def run(self) -> ConformResult:
        """Do it all, and leave no staging table behind."""
        try:
            return self._run()
        finally:
            self.work.clean_up()
            if self.readings:
                with suppress(WarehouseError):  # it expires
                    self.readings.clean_up()

    def _run(self) -> ConformResult:
        event = self.work.event
        self._stage()
        if not self.work.buckets:
            return ConformResult(event)
        straight = Straight(self.work)
        contested = None if straight.are_all else Contested(self.work, again=self.again)
        summary = [*straight.summary, *(contested.summary if contested else ())]
        # What dwh holds already may have arrived before it was thought to.
        wanted = bool(summary) or self.readings is not None
        return ConformResult(
            event,
            documents=straight.documents + (contested.documents if contested else 0),
            rows=sum(int(row["line_count"]) for row in summary),
            unchanged_documents=contested.unchanged if contested else 0,
            dirty=self._write(straight, contested) if wanted else (),
        )

    def _stage(self) -> None:
        """What came, where it belongs, and which documents are contested."""
        work = self.work
        work.stage("moments", "conform_moments", work.picked, raw_table=work.raw)
        work.stage("sendings", "conform_sendings", work.picked, raw_table=work.raw)
        extent = work.rows("conform_extent")
        unknown = sorted({row["unknown_store"] for row in extent if row["unknown_store"]})
        if unknown:
            raise IntegrityError(
                f"lines of stores that the store master lacks: {', '.join(unknown)}",
                where=f"raw.{work.raw.name}",
                remedy="Bring the masters into the warehouse (sync_stores), then run it again.",
            )
        work.buckets = [row["bucket"] for row in extent]
        if work.buckets:
            # Intervals between readings are found from the staged lines of all of them.
            params = {**work.picked, **work.index, "every_document": self.readings is not None}
            work.stage("aside", "conform_aside", params, raw_table=work.raw)

    def _write(self, straight: Straight, contested: Contested | None) -> tuple[StoreDay, ...]:
        """Change dwh; which store-days' content changed, of readings their intervals'."""
        changed = {store_day(row) for row in straight.summary}
        if contested and not self.readings:
            changed |= contested.changed()
        ways = [way for way in (straight, contested) if way]
        for way in ways:
            way.announce()
        failpoint("conform.after_announce")
        for way in ways:
            way.write()
        failpoint("conform.after_replace")
        if self.readings and contested:
            changed = set(self.readings.stage(contested.span))
        dirty = tuple(sorted(changed))
        if dirty:
            self.on_dirty(dirty)
        failpoint("conform.after_dirty")
        if self.readings:
            self.work.guard()
            self.readings.write()
            failpoint("conform.after_intervals")
        for way in ways:
            way.settle()
        return dirty
