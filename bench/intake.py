"""Durable one-event payloads a second, against an empty endpoint of the same gateway.

Starts a gateway of its own on a free loopback port with a home that is thrown away:
`python -m bench.intake --requests 4000`. With `--url`, `--tenant` and TENPO_TOKEN it measures
a running one instead, whose tenant must have the store `s1` and the device `d1`.
Not a load test: count and time are bounded, and the client shares the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import orjson

from tenpo.lake import Lake
from tenpo.masters import Device, MasterBook, Store, Tenant, Token, token_digest

TENANT, STORE, DEVICE = "bench", "s1", "d1"
MAX_REQUESTS, MAX_SECONDS, START_S = 50_000, 60.0, 60.0
Build = Callable[[int], bytes]


@dataclass(frozen=True)
class Target:
    """A running gateway; its process where it is ours."""

    url: str
    tenant: str
    token: str
    pid: int | None = None

    def request(self, method: str, path: str, body: bytes) -> bytes:
        """The bytes of one request."""
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: gateway\r\ncontent-length: {len(body)}\r\n"
            f"content-type: application/json\r\nx-tenpo-tenant: {self.tenant}\r\n"
            f"authorization: Bearer {self.token}\r\n\r\n"
        )
        return head.encode() + body

    def cpu_s(self) -> float:
        """Processor seconds the gateway has used, its children left out."""
        if self.pid is None:
            return 0.0
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Run:
    """What one round measured."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    latencies_s: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies_s) / self.seconds

    def line(self, name: str) -> str:
        """The round as a line of text."""
        ordered = sorted(self.latencies_s)
        p50, p99 = (1_000 * ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.99))
        cpu = f"  {1e6 * self.cpu_s / len(ordered):7.0f} us cpu" if self.cpu_s else ""
        return f"{name:10} {self.rate:8.0f}/s  p50 {p50:7.2f} ms  p99 {p99:7.2f} ms{cpu}"


def main() -> None:
    """Measure and print."""
    options = _options()
    if options.url:
        target = Target(options.url, options.tenant, os.environ.get("TENPO_TOKEN", ""))
        asyncio.run(compare(target, options))
        return
    with tempfile.TemporaryDirectory() as home, own_gateway(Path(home)) as target:
        asyncio.run(compare(target, options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=4_000, help=f"at most {MAX_REQUESTS:,}")
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each round, at most 60")
    parser.add_argument("--url", help="a running gateway; else one is started")
    parser.add_argument("--tenant", default=TENANT)
    return parser.parse_args()


async def compare(target: Target, options: argparse.Namespace) -> None:
    """Every round, and how much slower than the empty one it is."""
    run = hashed_run(str(datetime.now(UTC)))
    empty = await measure(target, "GET", "/healthz", lambda _: b"", options)
    print(empty.line("empty"))
    for name, path, build in (
        ("milesight", "/v1/iot/milesight", report),
        ("posb", "/v1/pos/posb", lambda number: receipt(number, run)),
    ):
        found = await measure(target, "POST", path, build, options)
        print(f"{found.line(name)}  {empty.rate / found.rate:.1f}x the empty endpoint's time")


async def measure(
    target: Target, method: str, path: str, build: Build, options: argparse.Namespace
) -> Run:
    """One round, after a few requests that are not counted."""
    concurrency = max(1, options.concurrency)
    numbers = iter(range(concurrency * 4))
    await _senders(target, concurrency, method, path, build, numbers, Run(), 10.0)
    first = concurrency * 4
    numbers = iter(range(first, first + min(options.requests, MAX_REQUESTS)))
    run, cpu_s, begun = Run(), target.cpu_s(), time.perf_counter()
    seconds = min(options.seconds, MAX_SECONDS)
    await _senders(target, concurrency, method, path, build, numbers, run, seconds)
    run.seconds, run.cpu_s = time.perf_counter() - begun, target.cpu_s() - cpu_s
    return run


async def _senders(
    target: Target, concurrency: int, method: str, path: str, build: Build,
    numbers: Iterator[int], run: Run, seconds: float,
) -> None:  # fmt: skip
    until = time.perf_counter() + seconds

    async def sender() -> None:
        address = urlsplit(target.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for number in numbers:
            if time.perf_counter() > until:
                break
            request = target.request(method, path, build(number))
            begun = time.perf_counter()
            writer.write(request)
            _check(await _response(reader), method, path)
            run.latencies_s.append(time.perf_counter() - begun)
        writer.close()

    await asyncio.gather(*(sender() for _ in range(concurrency)))


async def _response(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    return head, await reader.readexactly(length)


def _check(response: tuple[bytes, bytes], method: str, path: str) -> None:
    """A number is worth nothing unless every payload was accepted."""
    head, body = response
    accepted = method == "GET" or orjson.loads(body).get("accepted") == 1
    if not head.startswith(b"http/1.1 200") or not accepted:
        raise SystemExit(f"{path}: {head[:12].decode()} {body[:300].decode()}")


def report(number: int) -> bytes:
    """One counting line of one interval, another one each number."""
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    end = start + timedelta(minutes=1)
    return orjson.dumps(
        {
            "device_info": {"device_sn": DEVICE},
            "time_info": {"start_time": start.isoformat(), "end_time": end.isoformat()},
            "line_periodic_data": [{"line": 1, "total": {"in": number % 40, "out": 3}}],
        }
    )


def receipt(number: int, run: str) -> bytes:
    """A receipt of one line."""
    return orjson.dumps(
        {
            "shop": STORE, "terminal": "1", "number": f"{run}-{number}", "status": "completed",
            "issued_at": "2026-01-01T12:00:00+00:00", "currency": "JPY",
            "customer_id": f"C-{number}",
            "lines": [
                {
                    "no": 1, "type": "item", "sku": "A", "dept": "X", "qty": "1",
                    "unit_price": "100", "amount": "100", "tax_rate": "0.10", "tax": "10",
                }
            ],
        }
    )  # fmt: skip


def hashed_run(text: str) -> str:
    """A short name that no other run has."""
    return token_digest(text)[:8]


@contextmanager
def own_gateway(home: Path) -> Iterator[Target]:
    """A gateway with a tenant, ended afterwards."""
    token, secret = secrets.token_hex(16), secrets.token_hex(32)
    _register(home, token)
    url, log = f"http://127.0.0.1:{_free_port()}", home / "gateway.log"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TENPO_")} | {
        "TENPO_HOME": str(home),
        "TENPO_SECRET_KEY": secret,
        "TENPO_GATEWAY_URL": url,
        "TENPO_MQTT_URL": "mqtt://127.0.0.1:1",
        "TENPO_DATAMART_DSN": "postgresql://127.0.0.1:1/none",
    }
    command = [sys.executable, "-m", "gateways.serve"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    try:
        _wait_for(url, process, log)
        yield Target(url, TENANT, token, process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _register(home: Path, token: str) -> None:
    book = MasterBook(Lake(f"file://{home}/lake"))
    book.put(TENANT, "tenant", [Tenant(tenant_id=TENANT, name="Benchmark")])
    store = Store(store_id=STORE, name="Bench", timezone="UTC", currency="JPY")
    book.put(TENANT, "store", [store])
    book.put(TENANT, "device", [Device(device_id=DEVICE, store_id=STORE, source="milesight")])
    book.put(TENANT, "token", [Token(name="send", sha256=token_digest(token))])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            urlopen(f"{url}/healthz", timeout=2).close()  # noqa: S310 - our own address
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"the gateway does not start: {log.read_text()[-2_000:]}")


if __name__ == "__main__":
    main()
