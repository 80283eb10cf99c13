"""What a tenant notices of another one that floods the gateway which both share.

`python -m bench.flood`: one tenant sends ten receipts a second on schedule, alone and then
beside another one that sends as fast as it is answered, from a process of its own; rounds take
turns. Latencies count from the schedule. Senders share the machine with the gateway.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

from bench.http_load import Run, closed_loop, open_loop
from bench.intake import ACCEPTED
from bench.own_gateway import own_gateway
from bench.payloads import posted, receipt

QUIET, LOUD = "quiet", "loud"
PATH = "/v1/pos/posb"
#: The flood begins so long before what is measured, and ends so long after.
MARGIN_S = 2.0


def main() -> None:
    """Measure and print."""
    options = _options()
    alone, beside, flood = Run(), Run(), Run()
    with (
        tempfile.TemporaryDirectory() as folder,
        own_gateway(Path(folder)) as gateway,
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as other,
    ):
        for tenant in (QUIET, LOUD):
            gateway.register(tenant)
        port, token = urlsplit(gateway.url).port or 0, gateway.token
        quiet(port, token, options.rate, MARGIN_S)  # what the first payloads make is no part of it
        other.submit(flooded, port, token, 1, 0.1).result()
        for _ in range(options.rounds):
            _add(alone, quiet(port, token, options.rate, options.seconds))
            lasts_s = options.seconds + 2 * MARGIN_S
            running = other.submit(flooded, port, token, options.senders, lasts_s)
            time.sleep(MARGIN_S)
            _add(beside, quiet(port, token, options.rate, options.seconds))
            _add(flood, running.result())
    for name, run in (("quiet, alone", alone), ("quiet, beside it", beside), ("the flood", flood)):
        print(run.line(name))
    print("load", *os.getloadavg())


def quiet(port: int, token: str, rate: float, seconds: float) -> Run:
    """A tenant that sends on schedule."""
    build = posted(PATH, QUIET, token, receipt)
    return uvloop.run(open_loop(port, rate, count(), build, ACCEPTED, seconds))


def flooded(port: int, token: str, senders: int, seconds: float) -> Run:
    """A tenant that sends whatever it can."""
    build = posted(PATH, LOUD, token, receipt)
    return uvloop.run(closed_loop(port, senders, count(), build, ACCEPTED, seconds))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each part of a round")
    parser.add_argument("--rate", type=float, default=10.0, help="requests/s of the quiet one")
    parser.add_argument("--senders", type=int, default=256, help="at once, of the flood")
    return parser.parse_args()


def _add(all_: Run, one: Run) -> None:
    all_.latencies_s += one.latencies_s
    all_.seconds += one.seconds


if __name__ == "__main__":
    main()
