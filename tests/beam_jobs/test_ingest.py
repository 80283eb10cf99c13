"""Ingest of a lake in which things go wrong: damaged objects, a store whose clock changes."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine

from beam_jobs.aggregate.job import Request, aggregate
from beam_jobs.append_once import append_once
from beam_jobs.ingest.job import Ingest, Outcome
from beam_jobs.ingest.transforms import read_load
from tenpo.contracts import EVENTS
from tenpo.contracts.events import canonical_schema
from tenpo.datamart import claim, dirty, transaction
from tenpo.datamart.published import published_rows
from tenpo.errors import LeaseLost
from tenpo.kpi import KPI_STORE_DAY
from tenpo.masters import Store
from tenpo.settings import Settings
from tenpo.store_day import StoreDay
from tenpo.warehouse import Warehouse, query, redate_stores, seal, sync_stores
from tests.kernel.warehouse.counters import Reading
from tests.kernel.warehouse.sales import Receipt, job, store
from tests.kernel.warehouse.test_append import rows_of

#: Half past midnight in Tokyo.
NIGHT = datetime(2026, 3, 29, 15, 30, tzinfo=UTC)


class World:
    """A lake of its own with one tenant, and the ingest that reads it."""

    def __init__(self, settings: Settings) -> None:
        self.ingest = Ingest(settings)
        self.lake = self.ingest.lake
        self.tenant = f"w{secrets.token_hex(4)}"
        self.has(store("s1"))
        self.told: list[tuple[int, str]] = []

    def has(self, *stores: Store) -> None:
        self.ingest.masters.put(self.tenant, "store", list(stores))

    def put(self, event: str, number: int, rows: list[dict[str, Any]]) -> str:
        """One canonical object; its name."""
        own = [row | {"tenant_id": self.tenant} for row in rows]
        name = f"canonical/{self.tenant}/{event}/2026-11-01/{number:03d}.parquet"
        self.lake.put(name, parquet(event, own))
        return name

    def run(self) -> Outcome:
        with self.ingest.lease(wait_s=5) as held:
            return self.ingest.run(held, advance=self._advance)

    def _advance(self, count: int = 1, *, detail: str = "") -> None:
        self.told.append((count, detail))

    def days(self, event: str) -> list[date]:
        """Business dates of the lines that dwh holds, sorted."""
        warehouse = self.ingest.warehouse
        found = query(
            warehouse,
            f"SELECT business_date FROM `{warehouse.table('dwh', event)}` "  # noqa: S608
            "WHERE tenant_id = @tenant AND business_date > '0001-01-01' ORDER BY 1",
            {"tenant": self.tenant},
            job=job(self.tenant),
        )
        days: list[date] = found.column("business_date").to_pylist()
        return days


def parquet(event: str, rows: list[dict[str, Any]]) -> bytes:
    schema = canonical_schema(event)
    buffer = io.BytesIO()
    pq.write_table(EVENTS[event].table(rows).select(schema.names).cast(schema), buffer)
    return buffer.getvalue()


@pytest.fixture
def world(warehouse: Warehouse, datamart_dsn: str, tmp_path: Path) -> Iterator[World]:
    more = {"lake_url": f"file://{tmp_path}", "datamart_dsn": datamart_dsn, "home": tmp_path}
    made = World(warehouse.settings.model_copy(update=more))
    yield made
    made.ingest.close()


def marked(engine: Engine, tenant: str) -> dict[StoreDay, str]:
    with transaction(engine) as connection:
        return {mark.store_day: mark.cause for mark in dirty.take(connection, tenant_id=tenant)}


def test_damaged_objects_hold_up_nothing_and_are_taken_in_when_mended(world: World) -> None:
    receipts = [Receipt(f"r{n}", at=NIGHT).rows("") for n in range(5)]
    names = [world.put("sale_line", n, rows) for n, rows in enumerate(receipts)]
    whole = world.lake.get(names[0])
    cut, holed = whole[: len(whole) // 2], bytearray(whole)
    holed[8:60] = bytes(52)  # the footer is sound, the first column is not
    other = io.BytesIO()
    pq.write_table(pa.table({"event_id": ["x"]}), other)
    bad = dict(zip(names, (cut, bytes(holed), other.getvalue(), b""), strict=False))
    for name, data in bad.items():
        world.lake.put(name, data)

    first = world.run()
    assert (first.objects, first.rows, first.conformed) == (1, 1, {"sale_line": 1})
    assert first.damaged.keys() == bad.keys()
    assert "raw_pos lacks tenant_id" in first.damaged[names[2]]
    assert "no Parquet of the event sale_line" in first.damaged[names[0]]
    again = world.run()
    assert (again.objects, again.damaged) == (0, first.damaged)

    world.lake.put(names[0], whole)
    Path(world.lake.path(names[1])).unlink()
    mended = world.run()
    assert (mended.objects, mended.conformed) == (1, {"sale_line": 1})
    assert mended.damaged.keys() == {names[2], names[3]}
    assert len(world.days("sale_line")) == 2


def test_a_changed_clock_moves_the_lines_that_are_held(world: World) -> None:
    before, after = date(2026, 3, 30), date(2026, 3, 29)
    world.has(store("s1"), store("s2"))
    world.put("sale_line", 0, [*Receipt("r0", at=NIGHT).rows(""),
                               *Receipt("r1", at=NIGHT, store_id="s2").rows("")])  # fmt: skip
    reading, later = Reading(NIGHT, 5), Reading(NIGHT.replace(minute=45), 9)
    world.put("count_reading", 1, [one.row(world.tenant, "") for one in (reading, later)])
    world.run()
    assert world.days("sale_line") == [before, before]
    engine = world.ingest.engine
    with transaction(engine) as connection:
        dirty.clear(connection, dirty.take(connection, tenant_id=world.tenant))

    world.has(store("s1", cutover="05:00"), store("s2"))
    give_up_on_the_way(world)
    world.run()
    assert world.days("sale_line") == [after, before]
    assert world.days("count_reading") == [after, after]
    assert world.days("reading_interval") == [after]
    places = {StoreDay(world.tenant, "s1", day) for day in (before, after)}
    assert marked(engine, world.tenant) == dict.fromkeys(places, "changed timezone or cut-over")
    assert figures(world) == {before: (None, None), after: (1, 4)}
    assert not redate_stores(
        world.ingest.warehouse, world.tenant, job=job("x"), on_dirty=lambda _: pytest.fail("dirty")
    )


def figures(world: World) -> dict[date, tuple[int | None, int | None]]:
    """Sale lines and people in, of each day of the store, as the datamart has them."""
    aggregate(world.ingest.settings, Request(world.tenant))
    days = [StoreDay(world.tenant, "s1", day) for day in (date(2026, 3, 29), date(2026, 3, 30))]
    with transaction(world.ingest.engine) as connection:
        rows = published_rows(connection, KPI_STORE_DAY, world.tenant, days)
    return {row["business_date"]: (row["sale_lines"], row["in_count"]) for row in rows.to_pylist()}


def give_up_on_the_way(world: World) -> None:
    """A run that knows of the new clock and is superseded before it changes dwh."""

    def superseded() -> None:
        raise LeaseLost("a successor has taken over")

    warehouse, masters = world.ingest.warehouse, world.ingest.masters.get(world.tenant)
    assert sync_stores(warehouse, masters, job=job("x"))
    with pytest.raises(LeaseLost):
        redate_stores(
            warehouse, world.tenant, job=job("x"), on_dirty=lambda _: None, guard=superseded
        )  # fmt: skip


def test_a_load_that_was_interrupted_comes_once_whatever_its_worker_did(world: World) -> None:
    """One worker died before its claim and wakes too late, one died between claim and commit."""
    loads = []
    with world.ingest.lease(wait_s=5) as held:
        for number in range(2):
            rows = Receipt(f"i{number}", at=NIGHT).rows("")
            loads += world.ingest._begin(held, [world.put("sale_line", number, rows)])
    late, claimed = loads
    engine, warehouse = world.ingest.engine, world.ingest.warehouse
    stream = seal(warehouse, EVENTS["sale_line"], read_load(world.lake, claimed))
    with transaction(engine) as connection:
        claim.claim(connection, claimed.load_id, stream)

    outcome = world.run()
    assert (outcome.objects, outcome.conformed) == (1, {"sale_line": 2})
    assert world.told == [(1, "of 1, 1 rows")]
    with pytest.raises(LeaseLost):
        append_once(
            warehouse, engine, EVENTS["sale_line"], read_load(world.lake, late), late.load_id
        )
    assert (rows_of(warehouse, late.load_id), rows_of(warehouse, claimed.load_id)) == (0, 1)
    assert len(world.days("sale_line")) == 2
