"""Durable one-event payloads a second over HTTP, against an empty endpoint (`bench.empty`).

`python -m bench.intake` starts a gateway with one worker and a home that is thrown away, and
the empty endpoint beside it; the rounds of a run take turns, and medians are printed. Not a
load test: the senders share the machine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import uvloop

from bench.http_load import Built, Run, closed_loop, open_loop
from bench.own_gateway import (
    TENANT,
    cpu_s,
    free_port,
    listens,
    own_gateway,
    started,
    wait_for,
)
from bench.payloads import posted, receipt, report

WARM_UP_S = 1.0
ACCEPTED = b'"accepted":1'


@dataclass(frozen=True)
class Target:
    """An endpoint of a process.

    Args:
        name: for the table.
        pid: of its process.
        build: its request of a number.
    """

    name: str
    port: int
    pid: int
    build: Built


def main() -> None:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder, _endpoints(Path(folder)) as targets:
        numbers = count()
        found: dict[str, list[Run]] = {target.name: [] for target in targets}
        for _ in range(options.rounds):
            for target in targets:
                uvloop.run(_closed(target, numbers, WARM_UP_S, options.senders))
                found[target.name].append(
                    uvloop.run(_closed(target, numbers, options.seconds, options.senders))
                )
        _compare(found)
        for target in targets[1:]:
            run = uvloop.run(_open(target, numbers, options.seconds, options.rate))
            print(run.line(f"{target.name}, on schedule"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--senders", type=int, default=128, help="at once, closed loop")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each round")
    parser.add_argument("--rate", type=float, default=500.0, help="requests/s of the open loop")
    return parser.parse_args()


def _compare(found: dict[str, list[Run]]) -> None:
    """The median round of each, and how many times the empty one's time and work it takes."""
    runs = {
        name: sorted(same, key=lambda run: run.rate)[len(same) // 2] for name, same in found.items()
    }
    empty = found["empty"]
    for name, run in runs.items():
        slower = median(a.rate / b.rate for a, b in zip(empty, found[name], strict=True))
        work = median(b.cpu_us / a.cpu_us for a, b in zip(empty, found[name], strict=True))
        print(f"{run.line(name)}  time x {slower:.2f}, cpu x {work:.2f}")


async def _closed(target: Target, numbers: Iterator[int], seconds: float, senders: int) -> Run:
    used = cpu_s(target.pid)
    run = await closed_loop(target.port, senders, numbers, target.build, ACCEPTED, seconds)
    run.cpu_s = cpu_s(target.pid) - used
    return run


async def _open(target: Target, numbers: Iterator[int], seconds: float, rate: float) -> Run:
    used = cpu_s(target.pid)
    run = await open_loop(target.port, rate, numbers, target.build, ACCEPTED, seconds)
    run.cpu_s = cpu_s(target.pid) - used
    return run


@contextmanager
def _endpoints(home: Path) -> Iterator[list[Target]]:
    """The empty endpoint, and the gateway's two."""
    port, log = free_port(), home / "empty.log"
    empty = started([sys.executable, "-m", "bench.empty", str(port)], log)
    try:
        wait_for(empty, log, lambda: listens(port))
        with own_gateway(home) as gateway:
            pid = gateway.process.pid if gateway.process else 0
            own = urlsplit(gateway.url).port or 0
            yield [
                Target("empty", port, empty.pid, posted("/empty", TENANT, gateway.token, report)),
                Target(
                    "milesight",
                    own,
                    pid,
                    posted("/v1/iot/milesight", TENANT, gateway.token, report),
                ),
                Target("posb", own, pid, posted("/v1/pos/posb", TENANT, gateway.token, receipt)),
            ]
    finally:
        empty.terminate()
        empty.wait(30)


if __name__ == "__main__":
    main()
