"""Fixtures: engines that are there, a pool of workers, worlds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.conftest import BigQueryServer, Postgres
from tests.engines.engines import Engine, flink, prism
from tests.engines.workers import WORKER, Pool, worker_pool
from tests.engines.world import Rows, World


def _param(engine: Engine) -> ParameterSet:
    skip = pytest.mark.skipif(bool(engine.absent), reason=engine.absent)
    return pytest.param(engine, id=engine.name, marks=skip)


@pytest.fixture(params=[_param(flink()), _param(prism())])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine; skipped by name where it is absent."""
    made: Engine = request.param
    return made


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    """A pool of workers of the test."""
    if not list(WORKER.glob("dist/*.whl")):
        pytest.skip("the workers' environment is absent: run `make flink`")
    folder = tmp_path / "workers"
    folder.mkdir()
    with worker_pool(folder) as made:
        yield made


@pytest.fixture
def world(
    bigquery_server: BigQueryServer, postgres: Postgres, tmp_path: Path,
    engine: Engine, pool: Pool,
) -> World:  # fmt: skip
    """A world, filled, whose pipelines run on the engine with the pool's workers."""
    made = World.made(bigquery_server, postgres, tmp_path / "home")
    made.options = [*engine.options, *pool.options]
    made.environment = engine.environment
    made.fill()
    return made


@pytest.fixture(scope="session")
def expected(
    bigquery_server: BigQueryServer, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Rows:
    """What the same world becomes in the command's own process."""
    made = World.made(bigquery_server, postgres, tmp_path_factory.mktemp("expected"))
    made.fill()
    assert made.runs("ingest"), made.said()
    assert made.runs("aggregate", "--dirty"), made.said()
    return made.rows()
