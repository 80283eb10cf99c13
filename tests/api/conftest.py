"""A seeded datamart in a real PostgreSQL, and the API over it: in process, and as a process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from tenpo.datamart import connect, transaction, upgrade
from tenpo.lake import Lake
from tenpo.settings import Settings
from tests.api.benchmark_seed import write_benchmarks
from tests.api.deliveries import write_deliveries
from tests.api.model_seed import write_models
from tests.api.seed import token_of, write_datamart, write_masters
from tests.conftest import Postgres

START_S = 60


@pytest.fixture(scope="session")
def settings(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a stack whose datamart and masters are seeded."""
    home = tmp_path_factory.mktemp("api-home")
    dsn = postgres.new_database()
    made = Settings(home=home, datamart_dsn=dsn, api_url=f"http://127.0.0.1:{_port()}")
    upgrade(dsn)
    engine = connect(made)
    with transaction(engine) as connection:
        write_datamart(connection)
        write_models(connection)
        write_benchmarks(connection)
    engine.dispose()
    write_masters(Lake(made.lake_url))
    write_deliveries(Lake(made.lake_url))
    return made


@pytest.fixture(scope="session")
def client(settings: Settings) -> Iterator[TestClient]:
    """The API in process; requests carry no token unless a test gives one."""
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as made:
        yield made


@pytest.fixture(scope="session")
def environment(settings: Settings) -> dict[str, str]:
    """The environment of a process of this stack."""
    return os.environ | {
        "TENPO_HOME": str(settings.home),
        "TENPO_DATAMART_DSN": settings.datamart_dsn,
        "TENPO_API_URL": settings.api_url,
        "TENPO_SETTINGS_FILE": str(settings.home / "none.toml"),
        "COLUMNS": "200",
    }


@pytest.fixture(scope="session")
def api_url(settings: Settings, environment: dict[str, str]) -> Iterator[str]:
    """The API as `tenpo up` runs it."""
    log = Path(settings.home) / "api.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.serve"], env=environment, stdout=file, stderr=file
        )
    try:
        _wait_until_ready(settings.api_url, process, log)
        yield settings.api_url
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"the API did not become ready:\n{log.read_text()}")


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def bearer(tenant_id: str) -> dict[str, str]:
    """The header of a seeded tenant's reader."""
    return {"Authorization": f"Bearer {token_of(tenant_id)}"}
