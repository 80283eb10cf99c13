"""A real gateway as a process of its own, with its lake, ports and tenant."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenpo.contracts.events import canonical_schema
from tenpo.lake import Lake
from tenpo.masters import MasterBook, Store, Tenant, Token, token_digest
from tests.gateways.payloads import MASTERS, ROOT, TENANT
from tests.gateways.signed import webhook_secrets

SEND, READ, GINZA, REVOKED = "send-secret", "read-secret", "ginza-secret", "revoked-secret"
START_S = 120


@dataclass
class Gateway:
    """One gateway process; `environment` adds to its own."""

    home: Path
    port: int
    mqtt_port: int
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def lake(self) -> Lake:
        return Lake(f"file://{self.home}/lake")

    @property
    def log(self) -> Path:
        return self.home / "gateway.log"

    def settings(self) -> dict[str, str]:
        """The environment of a process of this gateway's platform."""
        plain = {k: v for k, v in os.environ.items() if not k.startswith("TENPO_")}
        return plain | {
            "TENPO_HOME": str(self.home),
            "TENPO_SECRET_KEY": ROOT.hex(),
            "TENPO_GATEWAY_URL": self.url,
            "TENPO_MQTT_URL": f"mqtt://127.0.0.1:{self.mqtt_port}",
            "TENPO_BODY_IDLE_S": "3",
            "TENPO_DATAMART_DSN": "postgresql://127.0.0.1:1/none",
        }

    def start(self, **environment: str) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateways.serve"],
                env=self.settings() | self.environment | environment,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                httpx.get(f"{self.url}/health", timeout=2, trust_env=False)
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"the gateway does not start: {self.log.read_text()[-2000:]}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)

    def died(self) -> int:
        """Wait for the process to end by itself; its exit code."""
        if self.process is None:
            raise RuntimeError("the gateway was not started")
        return self.process.wait(START_S)

    def post(self, path: str, body: bytes, token: str = SEND, **headers: str) -> httpx.Response:
        told = {"authorization": f"Bearer {token}", "x-tenpo-tenant": TENANT} | headers
        return httpx.post(self.url + path, content=body, headers=told, timeout=60, trust_env=False)

    def events(self, event: str) -> pa.Table:
        """All canonical rows of an event in the lake, in their order of writing."""
        names = self.lake.names(f"canonical/{TENANT}/{event}")
        tables = [pq.ParquetFile(self.lake.path(name)).read() for name in names]
        return pa.concat_tables(tables) if tables else canonical_schema(event).empty_table()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def new_gateway(home: Path) -> Gateway:
    """A gateway that is not started yet, and its tenant with masters and tokens."""
    home.mkdir(parents=True, exist_ok=True)
    gateway = Gateway(home, free_port(), free_port())
    book = MasterBook(gateway.lake)
    book.put(TENANT, "tenant", [Tenant(tenant_id=TENANT, name="Acme")])
    book.put(TENANT, "store", MASTERS.store)
    book.put(TENANT, "store_code", MASTERS.store_code)
    book.put(TENANT, "device", MASTERS.device)
    book.put(
        TENANT,
        "token",
        [
            Token(name="send", sha256=token_digest(SEND)),
            Token(name="read", sha256=token_digest(READ), scope="read"),
            Token(name="ginza", sha256=token_digest(GINZA), store_id="ginza"),
            Token(name="old", sha256=token_digest(REVOKED), revoked=True),
        ],
    )
    book.put(TENANT, "webhook", webhook_secrets())
    other = Store(store_id="elsewhere", name="Elsewhere", timezone="Asia/Tokyo", currency="JPY")
    book.put("other", "store", [other])
    return gateway


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A running gateway without a broker, shared by tests that only add to its lake."""
    made = new_gateway(tmp_path_factory.mktemp("gateway"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway of one test alone, not started yet."""
    made = new_gateway(tmp_path / "home")
    yield made
    if made.process is not None and made.process.poll() is None:
        made.stop(signal.SIGKILL)
