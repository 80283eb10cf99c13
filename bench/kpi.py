"""From loaded raw tables to published figures, against plain DuckDB on the same rows.

`python -m bench.kpi --stores 200 --days 90`: draws raw tables (`bench.kpi_world`), loads them, then
measures conform and aggregate with all they keep (current documents, revisions, mart, datamart,
Parquet), and lets DuckDB compute the same figures from the same rows as Parquet
(`bench.kpi_plain`). Every row is compared. Then one receipt comes late: one dirty store-day.
Loading is shown and not part of the comparison.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from beam_jobs.aggregate.job import Request, aggregate
from beam_jobs.ingest.job import OBJECTS_PER_BATCH
from bench import kpi_plain, kpi_world
from bench.kpi_world import TENANT, World
from bench.own_warehouse import ROOT, SERVER_PYTHON, OwnWarehouse, own_warehouse
from tenpo.contracts import EVENTS, Contract
from tenpo.datamart import connect as connect_datamart
from tenpo.datamart import dirty, transaction
from tenpo.datamart.tables import TABLES
from tenpo.kpi import KPI_STORE_DAY, KPI_STORE_HOUR, MEASURES
from tenpo.kpi.causes import arrived
from tenpo.lake import Lake
from tenpo.masters import Device, MasterBook, Store, Tenant
from tenpo.store_day import StoreDay
from tenpo.warehouse import Job, Warehouse, append, conform, connect, ensure_tables, sync_stores

_DAY = ["store_id", "business_date"]
KEYS = {"hour": [*_DAY, "hour_start_at"], "day": _DAY}


@dataclass
class Costs:
    """What steps took, by name: seconds, and processor seconds of all processes."""

    stack: OwnWarehouse
    wall_s: dict[str, float] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure the block and tell."""
        wall, cpu = time.perf_counter(), self._cpu()
        yield
        self.wall_s[name] = time.perf_counter() - wall
        self.cpu_s[name] = self._cpu() - cpu
        took = f"{self.wall_s[name]:8.1f} s  {self.cpu_s[name]:8.1f} s cpu"
        print(f"  {name:28} {took}  load {os.getloadavg()[0]:.1f}", flush=True)

    def _cpu(self) -> float:
        return time.process_time() + self.stack.cpu_s()


def run_duck(folder: Path, statements: str, memory: str) -> dict[str, float]:
    """Statements in DuckDB, in a process of its own whose folder this is."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        command = [str(SERVER_PYTHON), "-P", str(ROOT / "bench" / "duck.py"),
                   "--memory", memory, "--folder", scratch]  # fmt: skip
        done = subprocess.run(
            command, input=statements.encode(), stdout=subprocess.PIPE, check=True, cwd=folder
        )
    told: dict[str, float] = json.loads(done.stdout)
    return told


def put_masters(lake: Lake, world: World) -> MasterBook:
    """The tenant, its stores and their counters."""
    book = MasterBook(lake)
    names = [f"s{n:04d}" for n in range(world.stores)]
    hours = ((f"{kpi_world.OPENS}:00", f"{kpi_world.CLOSES}:00"),)
    stores = [
        Store(store_id=name, name=name, timezone="Asia/Tokyo", currency="JPY", opening_hours=hours)
        for name in names
    ]
    devices = [
        Device(device_id=f"{name}-{n}", store_id=name, source="counter")
        for name in names
        for n in range(kpi_world.DEVICES)
    ]
    book.put(TENANT, "tenant", [Tenant(tenant_id=TENANT, name="Benchmark")])
    book.put(TENANT, "store", stores)
    book.put(TENANT, "device", devices)
    return book


def load(warehouse: Warehouse, folder: Path) -> dict[str, int]:
    """The drawn events into raw; how many of each."""
    counts = {}
    for event in kpi_world.EVENTS:
        file = pq.ParquetFile(folder / f"{event}.parquet")
        for batch in file.iter_batches(batch_size=250_000):
            append(warehouse, EVENTS[event], whole(EVENTS[event], batch))
        counts[event] = file.metadata.num_rows
    return counts


def whole(contract: Contract, batch: pa.RecordBatch) -> pa.Table:
    """The rows with what the drawn world leaves out, which is null."""
    table = pa.Table.from_batches([batch])
    for column in contract.schema:
        if column.name not in table.column_names:
            table = table.append_column(column.name, pa.nulls(table.num_rows, column.type))
    return table


def conform_all(
    warehouse: Warehouse, costs: Costs, folder: Path, loads_at_once: int
) -> dict[str, set[StoreDay]]:
    """Raw to dwh, some loads at a time as ingest does; the store-days it touched, by event."""
    touched: dict[str, set[StoreDay]] = {}
    for event in kpi_world.EVENTS:
        loads = pq.read_table(folder / f"{event}.parquet", columns=["load_id", "ingested_at"])
        found = loads.group_by("load_id").aggregate([("ingested_at", "min")]).sort_by("load_id")
        rows = [(row["load_id"], row["ingested_at_min"].date()) for row in found.to_pylist()]
        touched[event] = set()
        with costs.step(f"conform {event}"):
            for start in range(0, len(rows), loads_at_once):
                part = rows[start : start + loads_at_once]
                conform(
                    warehouse, event, [load for load, _ in part], (part[0][1], part[-1][1]),
                    job=Job("bench", f"{event}-{start}"), on_dirty=touched[event].update,
                )  # fmt: skip
    return touched


def mark(stack: OwnWarehouse, event: str, days: Sequence[StoreDay]) -> None:
    """Mark store-days dirty, as ingest does."""
    engine = connect_datamart(stack.settings)
    with transaction(engine) as connection:
        dirty.mark(connection, days, arrived(event))
    engine.dispose()


def published(stack: OwnWarehouse, grain: str) -> pa.Table:
    """The datamart's rows of one grain, in the order of their key."""
    contract = KPI_STORE_HOUR if grain == "hour" else KPI_STORE_DAY
    engine = connect_datamart(stack.settings)
    with transaction(engine) as connection:
        found = connection.execute(TABLES[contract.name].select()).mappings()
        parts = [contract.table([dict(row) for row in part]) for part in found.partitions(50_000)]
    engine.dispose()
    return pa.concat_tables(parts)


def differences(ours: pa.Table, plain: pa.Table, grain: str) -> list[str]:
    """The measures in which rows differ, and how many rows; none where all are equal."""
    order = [(name, "ascending") for name in KEYS[grain]]
    if ours.num_rows != plain.num_rows:
        return [f"{ours.num_rows} rows, and {plain.num_rows} by DuckDB"]
    ours, plain = ours.sort_by(order), plain.sort_by(order)
    told = []
    for name in (*KEYS[grain], *(m.name for m in MEASURES if m.name in plain.column_names)):
        kind = ours.schema.field(name).type
        mine, theirs = ours[name], plain[name].cast(kind)
        equal = pc.or_kleene(
            pc.fill_null(pc.equal(mine, theirs), False),
            pc.and_(pc.is_null(mine), pc.is_null(theirs)),
        )
        wrong = ours.num_rows - (pc.sum(equal.cast(pa.int64())).as_py() or 0)
        if wrong:
            told.append(f"{name}: {wrong} of {ours.num_rows} rows")
    return told


def one_late_receipt(stack: OwnWarehouse, warehouse: Warehouse, costs: Costs, world: World) -> None:
    """One more receipt of the middle of the range: one dirty store-day."""
    day = world.first + timedelta(days=world.days // 2)
    at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    now = datetime.now(UTC)
    row = {
        "event_id": "late", "tenant_id": TENANT, "store_id": "s0000", "source": "till",
        "adapter_version": "1", "source_object": "raw/bench/late", "source_position": "1/1",
        "document_key": "late", "document_version": 1, "occurred_at": at, "received_at": now,
        "receipt_id": "late", "line_number": 1, "kind": "sale", "quantity": Decimal(1),
        "net_amount": Decimal(100), "gross_amount": Decimal(110), "currency": "JPY",
        "ingested_at": now, "load_id": "late",
    }  # fmt: skip
    append(warehouse, EVENTS["sale_line"], EVENTS["sale_line"].table([row]))
    touched: list[StoreDay] = []
    with costs.step("late receipt, conform"):
        conform(warehouse, "sale_line", ["late"], (now.date(), now.date()),
                job=Job("bench", "late"), on_dirty=touched.extend)  # fmt: skip
        mark(stack, "sale_line", touched)
    with costs.step("one dirty store-day"):
        outcome = aggregate(stack.settings, Request(TENANT))
    print(f"  {len(touched)} dirty, {outcome.store_days} computed, {outcome.rows} changed")


def measure(world: World, folder: Path, memory: str, loads_at_once: int) -> None:
    """Everything, told as it goes."""
    drawn = run_duck(folder, kpi_world.statements(world), memory)
    print(f"drawn in {drawn['wall_s']:.0f} s")
    plain = run_duck(folder, kpi_plain.statements(world), memory)
    took = f"{plain['wall_s']:.1f} s, {plain['cpu_s']:.1f} s cpu, {plain['peak_mb']:.0f} MB"
    print(f"plain DuckDB {took}", flush=True)
    with own_warehouse(folder / "home", memory) as stack, connect(stack.settings) as warehouse:
        ensure_tables(warehouse)
        masters = put_masters(Lake(stack.settings.lake_url), world).get(TENANT)
        sync_stores(warehouse, masters, job=Job("bench", "stores", TENANT))
        costs = Costs(stack)
        with costs.step("load (not compared)"):
            counts = load(warehouse, folder)
        print(f"  {counts}")
        stack.forget_peak()
        touched = conform_all(warehouse, costs, folder, loads_at_once)
        for event, days in touched.items():
            mark(stack, event, sorted(days))
        with costs.step("aggregate"):
            outcome = aggregate(stack.settings, Request(TENANT))
        tell(plain, costs, stack, sum(counts.values()))
        print(f"  {outcome.store_days} store-days, {outcome.rows}")
        for grain in KEYS:
            rows = published(stack, grain)
            wrong = differences(rows, pq.read_table(folder / f"plain_{grain}.parquet"), grain)
            print(f"{grain}: {rows.num_rows} rows {'; '.join(wrong) if wrong else 'all equal'}")
        one_late_receipt(stack, warehouse, costs, world)


def tell(plain: dict[str, float], costs: Costs, stack: OwnWarehouse, rows: int) -> None:
    """The ratios."""
    steps = [name for name in costs.wall_s if name.startswith(("conform", "aggregate"))]
    wall = sum(costs.wall_s[name] for name in steps)
    cpu = sum(costs.cpu_s[name] for name in steps)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    times = f"{wall / plain['wall_s']:.1f} x), {cpu:.1f} s cpu ({cpu / plain['cpu_s']:.1f} x)"
    print(f"ours {wall:.1f} s ({times}, {cpu / rows * 1e6:.1f} µs of cpu a row")
    print(f"  peaks: server {stack.peak_mb():.0f} MB, job {own:.0f} MB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stores", type=int, default=20)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--lines", type=int, help="sale lines; 1,111 a store-day unless given")
    parser.add_argument("--visits", type=int, help="139 a store-day unless given")
    parser.add_argument("--interval-s", type=int, default=600, help="of the counters")
    parser.add_argument("--memory", default="2GB", help="bound of DuckDB's memory, on both sides")
    parser.add_argument("--loads-at-once", type=int, help="by default as many as ingest takes")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary one unless given")
    options = parser.parse_args()
    store_days = options.stores * options.days
    world = World(
        options.stores, options.days, options.lines or 1_111 * store_days,
        options.visits or 139 * store_days, options.interval_s,
    )  # fmt: skip
    # A load is a day's objects, one a store; ingest conforms what it took in in one batch.
    at_once = options.loads_at_once or max(1, OBJECTS_PER_BATCH // options.stores)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        measure(world, Path(folder), options.memory, at_once)


if __name__ == "__main__":
    main()
