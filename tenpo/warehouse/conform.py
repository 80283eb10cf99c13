"""raw → dwh: of each document the lines of its highest version, and none of the others.

A document's lines may move to another business date or store, so `dwh.document` says
where each document's lines lie. The steps of one call, each safe to be the last:

    stage     the loads' lines with business date and hour, and what happens to each document
    announce  `pending` rows in the index: lines of these documents may appear there now
    replace   one MERGE: old lines of the winning documents out, new lines in
    on_dirty  the caller marks the store-days whose content changed
    derive    of readings: one MERGE of the intervals around them (`tenpo.warehouse.readings`)
    settle    one MERGE: the index says what dwh holds

After a crash the same call does it again: the index still has the old version as
current, so the documents win again, and every place where lines may lie is known.
Only settling makes a document's new version the held one. Then a rerun finds nothing
to do.

One call an event at a time: hold a lease.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from tenpo.contracts import CONFORMED, EVENTS, Contract
from tenpo.contracts.events import COMMON, LOADED
from tenpo.errors import IntegrityError, WarehouseError
from tenpo.failpoint import failpoint
from tenpo.store_day import StoreDay
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.job import Job, Typed
from tenpo.warehouse.read import Params, drop, execute, query
from tenpo.warehouse.readings import ReadingIntervals, Span
from tenpo.warehouse.reconcile import EVER, between
from tenpo.warehouse.statements import Name, load_sql

OnDirty = Callable[[Sequence[StoreDay]], None]

#: Of what is staged, before it was looked at.
_UNKNOWN = (datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))
_LINEAGE = {f.name for f in (*COMMON, *LOADED)} - {"event_id", "store_id", "occurred_at"}


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
    work = _Conform(warehouse, event, job.step(event), guard)
    with work.cleaned_up():
        params = {"every_load": False, "load_ids": list(load_ids), **between(ingest_dates)}
        return work.run(EVENTS[event], params, on_dirty)


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
    work = _Conform(warehouse, event, job.step(f"{event}-again"), guard, again=True)
    with work.cleaned_up():
        held = work.stage_held(tenant_id, store_ids)
        params = {"every_load": True, "load_ids": Typed("STRING", []), **between(EVER)}
        return work.run(held, params, on_dirty)


@dataclass
class _Conform:
    warehouse: Warehouse
    event: str
    job: Job
    guard: Callable[[], None]
    again: bool = False
    buckets: list[int] = field(default_factory=list)
    span: Span = _UNKNOWN

    def __post_init__(self) -> None:
        self.lines = self.job.table_name("lines")
        self.documents = self.job.table_name("documents")
        self.held = self.job.table_name("held")
        self.readings: ReadingIntervals | None = None
        if self.event == "count_reading":
            staging = {"lines": self.lines, "documents": self.documents}
            self.readings = ReadingIntervals(self.warehouse, self.job, staging)

    def run(self, raw: Contract, params: Params, on_dirty: OnDirty) -> ConformResult:
        """Conform the lines of a table of raw's columns that the parameters pick."""
        self._stage(raw, params)
        if not self.buckets:
            return ConformResult(self.event)
        counts = self._rows("counts")[0]
        summary = self._rows("summary")
        dirty = self._write(summary, on_dirty) if summary else ()
        # What dwh holds already may have arrived before it was thought to.
        if self.readings and not summary:
            dirty = self._derive(self.readings, on_dirty)
        return ConformResult(
            self.event,
            documents=counts["written"],
            rows=sum(int(row["line_count"]) for row in summary),
            unchanged_documents=counts["kept"],
            dirty=dirty,
        )

    def stage_held(self, tenant_id: str, store_ids: Sequence[str]) -> Contract:
        """The held lines of some stores' documents, in a staging table of raw's columns."""
        raw = EVENTS[self.event]
        params = {"tenant_id": tenant_id, "store_ids": list(store_ids)}
        dwh = CONFORMED[self.event]
        columns = [f"line.{name}" for name in raw.names if name in dwh.names]
        self._execute("again", params, again=self.held, dwh_table=dwh, columns=columns)
        return replace(raw, dataset="staging", name=self.held)

    @contextmanager
    def cleaned_up(self) -> Iterator[None]:
        """Drop the staging tables after the block."""
        try:
            yield
        finally:
            with suppress(WarehouseError):  # they expire
                for name in (self.lines, self.documents, *((self.held,) if self.again else ())):
                    drop(self.warehouse, name)
                if self.readings:
                    self.readings.clean_up()

    def _stage(self, raw: Contract, params: Params) -> None:
        self._execute("lines", params, raw_table=raw, columns=raw.names)
        extent = self._rows("extent")
        unknown = sorted({row["unknown_store"] for row in extent if row["unknown_store"]})
        if unknown:
            raise IntegrityError(
                f"lines of stores that the store master lacks: {', '.join(unknown)}",
                where=f"raw.{raw.name}",
                remedy="Bring the masters into the warehouse (sync_stores), then run it again.",
            )
        self.buckets = [row["bucket"] for row in extent]
        if self.buckets:
            first = min(row["first_at"] for row in extent)
            self.span = (first, max(row["last_at"] for row in extent))
            content = [n for n in CONFORMED[self.event].names if n not in _LINEAGE]
            self._execute("documents", {**self._index, "again": self.again}, content=content)

    def _write(self, summary: Sequence[dict[str, Any]], on_dirty: OnDirty) -> tuple[StoreDay, ...]:
        """Change dwh; which store-days' content changed, of readings their intervals'."""
        contract = CONFORMED[self.event]
        dates = [row["business_date"] for row in summary]
        self.guard()
        self._execute("announce", self._index)
        failpoint("conform.after_announce")
        self.guard()
        self._execute(
            "replace",
            {"first": min(dates), "last": max(dates)},
            target=contract,
            columns=contract.names,
            values=[f"s.{name}" for name in contract.names],
        )
        failpoint("conform.after_replace")
        if self.readings:
            dirty = self._derive(self.readings, on_dirty)
        else:
            dirty = tuple(sorted(_store_day(row) for row in summary if row["changed"]))
            self._mark(dirty, on_dirty)
            self.guard()
        self._execute("settle", self._index)
        return dirty

    def _mark(self, dirty: Sequence[StoreDay], on_dirty: OnDirty) -> None:
        """Have store-days marked before what makes them dirty is written or settled."""
        if dirty:
            on_dirty(dirty)
        failpoint("conform.after_dirty")

    def _derive(self, readings: ReadingIntervals, on_dirty: OnDirty) -> tuple[StoreDay, ...]:
        """Bring the intervals between readings up to date; the store-days that differ."""
        dirty = readings.stage(self.span)
        self._mark(dirty, on_dirty)
        self.guard()
        readings.write()
        failpoint("conform.after_intervals")
        return dirty

    @property
    def _index(self) -> dict[str, object]:
        """Parameters of a statement on the document index: its partitions and the event."""
        return {"buckets": self.buckets, "event": self.event}

    def _sql(self, step: str, names: dict[str, Name]) -> str:
        staging = {"lines": self.lines, "documents": self.documents}
        return load_sql(
            self.warehouse, "tenpo.warehouse.sql", f"conform_{step}", **staging, **names
        )

    def _execute(self, step: str, params: Params, **names: Name) -> None:
        execute(self.warehouse, self._sql(step, names), params, job=self.job.step(step))

    def _rows(self, step: str) -> list[dict[str, Any]]:
        found = query(self.warehouse, self._sql(step, {}), job=self.job.step(step))
        rows: list[dict[str, Any]] = found.to_pylist()
        return rows


def _store_day(row: dict[str, Any]) -> StoreDay:
    return StoreDay(row["tenant_id"], row["store_id"], row["business_date"])
