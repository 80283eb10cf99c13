"""The Beam side of aggregation: a chunk of store-days goes in, row counts come out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from beam_jobs.aggregate.compose import (
    COUNTS_SCHEMA,
    DAY_KEY,
    SALES_SCHEMA,
    compose_days,
    compose_hours,
    written_hours,
)
from beam_jobs.aggregate.hours import HOUR_KEY, hour_grid, open_windows
from beam_jobs.aggregate.passing import PASSES_SCHEMA
from beam_jobs.aggregate.plan import Chunk
from beam_jobs.aggregate.revise import RunStamp, revise
from beam_jobs.aggregate.silence import PROFILE_SCHEMA, ended, silences, usual_days
from beam_jobs.aggregate.visits import (
    VISITORS_SCHEMA,
    VISITS_SCHEMA,
    return_days,
    visit_hours,
)
from beam_jobs.aggregate.zones import ZONE_KEY, ZONES_SCHEMA, compose_zones
from beam_jobs.append_once import append_once
from tenpo.contracts import Contract
from tenpo.datamart import connect as connect_datamart
from tenpo.datamart.published import published_rows
from tenpo.kpi import KPI_STORE_DAY, KPI_STORE_HOUR, KPI_ZONE_HOUR
from tenpo.lake import Lake
from tenpo.masters import Store
from tenpo.settings import Settings
from tenpo.warehouse import Job, Warehouse, load_sql, query, query_large
from tenpo.warehouse import connect as connect_warehouse

PACKAGE = "beam_jobs.aggregate.sql"

#: What is asked of the warehouse, and what comes back.
QUERIES = {
    "sales_by_hour": SALES_SCHEMA,
    "counts_by_interval": COUNTS_SCHEMA,
    "visit_events": VISITS_SCHEMA,
    "visitor_days": VISITORS_SCHEMA,
    "passes_by_minute": PASSES_SCHEMA,
    "zones_by_hour": ZONES_SCHEMA,
    "counts_by_hour": PROFILE_SCHEMA,
}

#: Up to so many, the answer is small enough to come with the query.
FEW_STORE_DAYS = 20


@dataclass(frozen=True)
class RunContext:
    """What every worker of a run knows: small, and the same everywhere.

    Args:
        settings: the process's settings.
        stamp: the run.
        stores: the stores' masters.
        expected: the door counters that each store should have.
        seen: stores that know persons.
        passed: stores whose cameras see who passes by.
        zoned: stores that have zones, or had.
        aside: by store, its devices that do not stand at a door, and their roles.
    """

    settings: Settings
    stamp: RunStamp
    stores: Mapping[str, Store]
    expected: Mapping[str, Sequence[str]]
    seen: frozenset[str] = frozenset()
    passed: frozenset[str] = frozenset()
    zoned: frozenset[str] = frozenset()
    aside: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def job(self) -> Job:
        """Names the run's BigQuery jobs."""
        return Job("aggregate", self.stamp.run_id, self.stamp.tenant_id)


class Grouped(NamedTuple):
    """A chunk with what the warehouse says of it."""

    chunk: Chunk
    sales: pa.Table
    intervals: pa.Table
    visits: pa.Table
    profile: pa.Table
    passes: pa.Table
    zones: pa.Table


class Revised(NamedTuple):
    """The changed rows of one table in one chunk."""

    contract: Contract
    chunk: Chunk
    rows: pa.Table


class _WarehouseFn(beam.DoFn):
    """A DoFn with a warehouse client a worker."""

    def __init__(self, context: RunContext) -> None:
        self.context = context

    def setup(self) -> None:
        self.warehouse: Warehouse = connect_warehouse(self.context.settings)

    def teardown(self) -> None:
        self.warehouse.close()


class ReadGroupedFn(_WarehouseFn):
    """Ask the warehouse for a chunk's sales by hour, counts by interval and visitors' events.

    And for what is usual where counters were silent for long.
    """

    def process(self, chunk: Chunk) -> Iterator[Grouped]:
        context = self.context
        seen = [store for store in chunk.stores if store in context.seen]
        sales = self._ask_dates(chunk, "sales_by_hour", chunk.stores)
        intervals = self._ask_dates(chunk, "counts_by_interval", chunk.stores)
        events = self._ask_dates(chunk, "visit_events", seen)
        since = chunk.date_from - timedelta(days=return_days(context.stores.values()))
        dates = {"seen_from": since, "date_to": chunk.date_to}
        visitors = self._ask(chunk, "visitor_days", seen, dates)
        visits = visit_hours(events, visitors, context.stores)
        passed = [store for store in chunk.stores if store in context.passed]
        passes = self._ask_dates(chunk, "passes_by_minute", passed)
        zoned = [store for store in chunk.stores if store in context.zoned]
        zones = self._ask_dates(chunk, "zones_by_hour", zoned)
        profile = self._profile(chunk, intervals)
        yield Grouped(chunk, sales, intervals, visits, profile, passes, zones)

    def _ask_dates(self, chunk: Chunk, name: str, stores: Sequence[str]) -> pa.Table:
        dates = {"date_from": chunk.date_from, "date_to": chunk.date_to}
        return self._ask(chunk, name, stores, dates)

    def _profile(self, chunk: Chunk, intervals: pa.Table) -> pa.Table:
        """What counters usually tell where they were silent for long; asked for there alone."""
        context = self.context
        grid = hour_grid(context.stores, chunk.days)
        windows = ended(open_windows(context.stores, chunk.days), grid, context.stamp.computed_at)
        stores, dates = usual_days(silences(intervals, windows, context.expected))
        return self._ask(chunk, "counts_by_hour", stores, {"dates": dates})

    def _ask(
        self, chunk: Chunk, name: str, stores: Sequence[str], dates: Mapping[str, object]
    ) -> pa.Table:
        schema = QUERIES[name]
        if not stores:
            return schema.empty_table()
        params = {"tenant": self.context.stamp.tenant_id, "stores": list(stores), **dates}
        ask = query_large if len(chunk.days) > FEW_STORE_DAYS else query
        step = f"{chunk.date_from:%Y%m%d}-{chunk.stores[0]}"
        sql = load_sql(self.warehouse, PACKAGE, name)
        found = ask(self.warehouse, sql, params, job=self.context.job.step(f"{name}-{step}"))
        return found.select(schema.names).cast(schema)


class ReviseFn(beam.DoFn):
    """Compose the measures and keep the rows that differ from what is published."""

    def __init__(self, context: RunContext) -> None:
        self.context = context

    def setup(self) -> None:
        self.engine = connect_datamart(self.context.settings)

    def teardown(self) -> None:
        self.engine.dispose()

    def process(self, grouped: Grouped) -> Iterator[Revised]:
        context, chunk = self.context, grouped.chunk
        hours = compose_hours(
            context.stores, context.expected, chunk.days, grouped.sales, grouped.intervals,
            grouped.visits, grouped.profile, context.stamp.computed_at, grouped.passes,
            context.aside,
        )  # fmt: skip
        tables = [
            (KPI_STORE_HOUR, HOUR_KEY, written_hours(hours)),
            (KPI_STORE_DAY, DAY_KEY, compose_days(hours)),
        ]
        if context.zoned.intersection(chunk.stores):
            tables.append((KPI_ZONE_HOUR, ZONE_KEY, compose_zones(hours, grouped.zones)))
        for contract, key, table in tables:
            with self.engine.connect() as connection:
                current = published_rows(connection, contract, context.stamp.tenant_id, chunk.days)
            rows = revise(table, current, contract, key, context.stamp)
            if rows.num_rows:
                yield Revised(contract, chunk, rows)


class WriteParquetFn(beam.DoFn):
    """Keep the changed rows as an artifact in the lake, before anything else sees them."""

    def __init__(self, context: RunContext) -> None:
        self.context = context

    def process(self, revised: Revised) -> Iterator[Revised]:
        stamp = self.context.stamp
        name = (
            f"artifact/{stamp.tenant_id}/{revised.contract.name}/{stamp.run_id}/"
            f"{revised.chunk.name}.parquet"
        )
        sink = pa.BufferOutputStream()
        pq.write_table(revised.rows, sink)
        Lake(self.context.settings.lake_url).put(name, sink.getvalue().to_pybytes())
        yield revised


class AppendMartFn(_WarehouseFn):
    """Append the changed rows to mart, once; they count once their run is published."""

    def setup(self) -> None:
        super().setup()
        self.engine = connect_datamart(self.context.settings)

    def teardown(self) -> None:
        super().teardown()
        self.engine.dispose()

    def process(self, revised: Revised) -> Iterator[tuple[str, int]]:
        contract, rows = revised.contract, revised.rows
        key = f"{self.context.stamp.run_id}/{contract.name}/{revised.chunk.name}"
        yield contract.name, append_once(self.warehouse, self.engine, contract, rows, key)


class ReviseStoreDays(beam.PTransform[Any, Any]):
    """Chunks of store-days to changed rows in the lake and in mart.

    Input: `Chunk`. Output: (table name, rows written).
    """

    def __init__(self, context: RunContext) -> None:
        super().__init__()
        self.context = context

    def expand(self, chunks: Any) -> Any:
        """Read, compose, revise, write."""
        return (
            chunks
            | "Spread chunks" >> beam.Reshuffle()
            | "Read grouped rows" >> beam.ParDo(ReadGroupedFn(self.context))
            | "Compose and revise" >> beam.ParDo(ReviseFn(self.context))
            | "Write Parquet" >> beam.ParDo(WriteParquetFn(self.context))
            | "Append to mart" >> beam.ParDo(AppendMartFn(self.context))
        )
