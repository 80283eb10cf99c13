"""A gateway to measure, started for that alone: its own home, ports, tenant and token.

Not a stack: there is no database, and no broker unless its address is given.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from tenpo.lake import Lake
from tenpo.masters import Device, MasterBook, Store, Tenant, Token, token_digest

TENANT, STORE, DEVICE = "bench", "s1", "d1"
START_S = 120.0


@dataclass
class OwnGateway:
    """A gateway process that can be killed and started again on the same home.

    Args:
        home: where its lake and log lie.
        mqtt_url: its broker; the default is an address where none is.
    """

    home: Path
    mqtt_url: str = "mqtt://127.0.0.1:1"
    port: int = field(default_factory=lambda: free_port())
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    secret: str = field(default_factory=lambda: secrets.token_hex(32))
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def lake(self) -> Lake:
        """Its lake."""
        return Lake(f"file://{self.home}/lake")

    @property
    def environment(self) -> dict[str, str]:
        """Of its process, and of others of the same platform."""
        plain = {k: v for k, v in os.environ.items() if not k.startswith("TENPO_")}
        return plain | {
            "TENPO_HOME": str(self.home),
            "TENPO_SECRET_KEY": self.secret,
            "TENPO_GATEWAY_URL": self.url,
            "TENPO_MQTT_URL": self.mqtt_url,
            "TENPO_DATAMART_DSN": "postgresql://127.0.0.1:1/none",
        }

    def register(self, tenant_id: str = TENANT) -> None:
        """A tenant with one store, one device and the token."""
        book = MasterBook(self.lake)
        book.put(tenant_id, "tenant", [Tenant(tenant_id=tenant_id, name="Benchmark")])
        store = Store(store_id=STORE, name="Bench", timezone="UTC", currency="JPY")
        book.put(tenant_id, "store", [store])
        door = Device(device_id=DEVICE, store_id=STORE, source="milesight")
        book.put(tenant_id, "device", [door])
        book.put(tenant_id, "token", [Token(name="send", sha256=token_digest(self.token))])

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "gateways.serve"]
        self.process = started(command, self.home / "gateway.log", self.environment)
        wait_for(self.process, self.home / "gateway.log", lambda: answers(f"{self.url}/healthz"))

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it; SIGKILL as a crash would."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(60)


@contextmanager
def own_gateway(home: Path, mqtt_url: str = "mqtt://127.0.0.1:1") -> Iterator[OwnGateway]:
    """A running gateway with its tenant, ended afterwards."""
    gateway = OwnGateway(home, mqtt_url)
    gateway.register()
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.end()


def cpu_s(pid: int) -> float:
    """Processor seconds a process has used, its children left out."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def started(
    command: Sequence[str], log: Path, environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """A process that writes to a log."""
    with log.open("ab") as out:
        return subprocess.Popen(command, env=environment, stdout=out, stderr=out)


def wait_for(process: subprocess.Popen[bytes], log: Path, ready: Callable[[], bool]) -> None:
    """Wait until a process is ready.

    Raises:
        SystemExit: it is not; shows the end of its log.
    """
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        if ready():
            return
        time.sleep(0.1)
    raise SystemExit(f"it does not start: {process.args!s}\n{log.read_text()[-2_000:]}")


def answers(url: str) -> bool:
    """Whether something answers there."""
    try:
        urlopen(url, timeout=2).close()  # noqa: S310 - our own address
    except OSError:
        return False
    return True


def listens(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
