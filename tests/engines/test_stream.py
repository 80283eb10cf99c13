"""Ingest without an end, on workers of their own: what comes before it starts and while it runs."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tenpo.datamart import connect, ledger, transaction
from tests.conftest import BigQueryServer, Postgres
from tests.engines.engines import Engine
from tests.engines.workers import Pool
from tests.engines.world import OBJECTS, TENANTS, Rows, World

pytestmark = pytest.mark.engine

WAIT_S = 150


def test_what_comes_while_it_runs_is_taken_in(
    bigquery_server: BigQueryServer, postgres: Postgres, tmp_path: Path,
    engine: Engine, pool: Pool, expected: Rows,
) -> None:  # fmt: skip
    world = World.made(bigquery_server, postgres, tmp_path / "home")
    world.options = [*engine.options, *pool.options]
    world.environment = engine.environment
    world.arrive(TENANTS[0])
    running = world.tenpo("ingest", "--streaming")
    await_conformed(world, {TENANTS[0]})
    world.arrive(TENANTS[1])
    await_conformed(world, set(TENANTS))
    assert running.poll() is None, world.said()
    running.send_signal(signal.SIGTERM)
    assert running.wait(WAIT_S) == 0, world.said()
    found = world.rows()
    for name, rows in expected.items():
        if name.startswith(("raw.", "dwh.")):
            assert found[name] == rows, name


def await_conformed(world: World, tenants: set[str]) -> None:
    """Until all objects of these tenants are in dwh."""
    datamart = connect(world.settings)
    until = time.monotonic() + WAIT_S
    done: set[str] = set()
    while not tenants <= done:
        assert time.monotonic() < until, world.said()
        time.sleep(0.2)
        with transaction(datamart) as connection:
            counts = {tenant: ledger.counts(connection, tenant) for tenant in tenants}
        done = {tenant for tenant, found in counts.items()
                if sum(event.objects - event.waiting for event in found) == OBJECTS}  # fmt: skip
    datamart.dispose()
