"""Ingest and aggregation on workers of their own, and what becomes of it when one is killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import Connection

from tests.engines.engines import Engine
from tests.engines.workers import Pool
from tests.engines.world import TENANTS, Rows, World

pytestmark = pytest.mark.engine

WAIT_S = 120
LOCK = 4711
#: Lets the first append come through and holds the next ones up.
HOLD = f"""
    CREATE OR REPLACE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM append_claim) THEN
        PERFORM pg_advisory_xact_lock_shared({LOCK});
      END IF;
      RETURN NEW;
    END $$;
    CREATE OR REPLACE TRIGGER hold_up BEFORE INSERT ON append_claim
    FOR EACH ROW EXECUTE FUNCTION hold_up()
"""


def test_workers_of_the_wheel_make_the_same_of_everything(
    world: World, expected: Rows, pool: Pool
) -> None:
    assert world.runs("ingest"), world.said()
    assert world.runs("aggregate", "--dirty"), world.said()
    assert pool.log.read_text("utf-8").count("Starting worker") >= 1 + len(TENANTS)
    same(world.rows(), expected)


def test_workers_killed_on_the_way_change_nothing(
    world: World, expected: Rows, engine: Engine, pool: Pool
) -> None:
    for command in (("ingest",), ("aggregate", "--dirty")):
        with appends_held_up(world) as held:
            running = world.tenpo(*command)
            await_waiting(held, world)
            killed = pool.kill_one()
        is_done = running.wait() == 0
        assert killed not in pool.workers()
        assert is_done or not engine.retries, world.said()
        assert is_done or world.runs(*command), world.said()
    same(world.rows(), expected)


def same(found: Rows, expected: Rows) -> None:
    """Table by table, so that a difference says where it is."""
    assert found.keys() == expected.keys()
    for name in ("raw.raw_pos", "raw.raw_iot_reading", "mart.kpi_store_day", "kpi_store_hour"):
        assert expected[name]
    for name, rows in expected.items():
        assert found[name] == rows, name


@contextmanager
def appends_held_up(world: World) -> Iterator[Connection]:
    """From the second append on, all wait until this is over."""
    with psycopg.connect(world.settings.datamart_dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE append_claim")
        connection.execute(HOLD)
        connection.execute(f"SELECT pg_advisory_lock({LOCK})")
        yield connection  # whose end lets them go on


def await_waiting(connection: Connection, world: World) -> None:
    """Until an append waits, while the first has come through."""
    asked = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    until = time.monotonic() + WAIT_S
    while connection.execute(asked).fetchone() is None:
        assert time.monotonic() < until, world.said()
        time.sleep(0.05)
