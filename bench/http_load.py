"""Senders over HTTP, as cheap as they come: on two cores a slow client would be measured itself.

Closed loop: so many senders, each with its next request once the last is answered; this
finds the highest rate. Open loop: requests start on schedule whatever the answers, and
their time counts from the schedule, so that a server that stalls cannot hide it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

Built = Callable[[int], bytes]


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

    @property
    def cpu_us(self) -> float:
        """The server's processor time a request."""
        return 1e6 * self.cpu_s / len(self.latencies_s)

    def quantile_ms(self, share: float) -> float:
        """The time that such a share of the requests stayed below."""
        return 1_000 * sorted(self.latencies_s)[int(share * (len(self.latencies_s) - 1))]

    def line(self, name: str) -> str:
        """The round as a line of text."""
        p50, p99 = self.quantile_ms(0.5), self.quantile_ms(0.99)
        cpu = f"  {self.cpu_us:5.0f} us cpu" if self.cpu_s else ""
        return f"{name:22} {self.rate:7.0f}/s  p50 {p50:7.2f} ms  p99 {p99:7.2f} ms{cpu}"


class Connection(asyncio.Protocol):
    """One connection, one request at a time; every answer must be a 200 that accepts."""

    def __init__(self, answered: Callable[[Connection], None], wanted: bytes) -> None:
        self._answered = answered
        self._wanted = wanted
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self.begun = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class

    def send(self, request: bytes, begun: float) -> None:
        """Send one request whose time counts from `begun`."""
        self.begun = begun
        if self._transport is None:
            raise SystemExit("not connected")
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Collect one answer."""
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        if not head.startswith(b"HTTP/1.1 200") or self._wanted not in body:
            raise SystemExit(f"{head[:15].decode()}: {body[:300].decode()}")
        self._received = b""
        self._answered(self)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


async def closed_loop(
    port: int, senders: int, numbers: Iterator[int], build: Built, wanted: bytes, seconds: float
) -> Run:
    """As many requests as so many senders get answered."""
    loop = asyncio.get_running_loop()
    run, idle = Run(), asyncio.Event()
    until = time.perf_counter() + seconds
    busy = senders

    def answered(connection: Connection) -> None:
        nonlocal busy
        now = time.perf_counter()
        run.latencies_s.append(now - connection.begun)
        number = next(numbers, None) if now < until else None
        if number is None:
            busy -= 1
            if not busy:
                idle.set()
        else:
            connection.send(build(number), time.perf_counter())

    connections = await _connect(loop, port, senders, answered, wanted)
    begun = time.perf_counter()
    for connection in connections:
        connection.send(build(next(numbers)), time.perf_counter())
    await idle.wait()
    run.seconds = time.perf_counter() - begun
    for connection in connections:
        connection.close()
    return run


async def open_loop(
    port: int, rate: float, numbers: Iterator[int], build: Built, wanted: bytes, seconds: float
) -> Run:
    """Requests at a rate, each on its own free connection; late answers make no fewer."""
    loop = asyncio.get_running_loop()
    run, total, done = Run(), int(rate * seconds), asyncio.Event()

    def answered(connection: Connection) -> None:
        run.latencies_s.append(time.perf_counter() - connection.begun)
        free.append(connection)
        if len(run.latencies_s) == total:
            done.set()

    free = await _connect(loop, port, int(rate), answered, wanted)
    connections = list(free)
    begun = time.perf_counter()
    for turn in range(total):
        due = begun + turn / rate
        wait = due - time.perf_counter()
        await asyncio.sleep(max(wait, 0))
        if not free:
            raise SystemExit(f"{len(connections)} requests wait at once: the rate is not held")
        free.pop().send(build(next(numbers)), due)
    await done.wait()
    run.seconds = time.perf_counter() - begun
    for connection in connections:
        connection.close()
    return run


async def _connect(
    loop: asyncio.AbstractEventLoop,
    port: int,
    count: int,
    answered: Callable[[Connection], None],
    wanted: bytes,
) -> list[Connection]:
    found = []
    for _ in range(count):
        _, connection = await loop.create_connection(
            lambda: Connection(answered, wanted), "127.0.0.1", port
        )
        found.append(connection)
    return found
