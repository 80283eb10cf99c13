"""Stills over HTTP against the bare model: what the service around it costs.

`python -m bench.stills --requests 10000 --at-once 500` prints what it measures; the weights come
from `TENPO_MODELS_SEED`. Both sides decode the same JPEG, shrink it and run the same detector, in
as many threads; the service also has HTTP, tokens and its queue. Target: no error, bounded
memory, and at least 85 % of the bare loop's rate. Client and service share the machine's cores, so
the CPU a picture is told, too.
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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import cv2
import numpy as np
import orjson

from tenpo.masters import Store
from tenpo.settings import Settings
from tenpo.tenants import create_tenant, issue_token
from video_analyzer.detect import make_detector
from video_analyzer.serving.still import look

WIDTH, HEIGHT = 640, 360
TARGET_RATIO = 0.85
_START_S = 60.0


def picture() -> bytes:
    """A JPEG of 640 by 360 with something in it."""
    rng = np.random.default_rng(1)
    rough = rng.integers(0, 255, (HEIGHT // 20, WIDTH // 20, 3)).astype(np.uint8)
    _, data = cv2.imencode(".jpg", cv2.resize(rough, (WIDTH, HEIGHT)))
    return bytes(data)


def bare(settings: Settings, data: bytes, count: int, threads: int) -> dict[str, float]:
    """Pictures a second without a service."""
    detectors = [make_detector("yolox_nano", settings) for _ in range(threads)]

    def work(number: int) -> None:
        for _ in range(count // threads):
            look(data, detectors[number])

    work(0) if count < threads else look(data, detectors[0])
    begun, cpu = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    done = count // threads * threads
    return {"per_s": done / (time.monotonic() - begun),
            "cpu_ms": 1000 * (time.process_time() - cpu) / done}  # fmt: skip


@contextmanager
def service(settings: Settings, secret: str) -> Iterator[subprocess.Popen[bytes]]:
    """The service as a process of its own."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith("TENPO_")}
    told = {"TENPO_HOME": str(settings.home), "TENPO_SECRET_KEY": secret,
            "TENPO_VIDEO_URL": settings.video_url, "TENPO_LOG_LEVEL": "WARNING",
            "TENPO_MODELS_SEED": str(settings.models_seed or "")}  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "video_analyzer.serving.serve"],
        env=plain | {name: value for name, value in told.items() if value},
        stdout=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + _START_S
        while not _answers(settings.video_url):
            if time.monotonic() > end or process.poll() is not None:
                raise SystemExit("the service does not start")
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/healthz", timeout=1) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except OSError:
        return False


async def burst(
    port: int, request: bytes, count: int, at_once: int
) -> tuple[float, dict[str, int]]:
    """Seconds that so many requests took, and how often each status came."""
    left, statuses = count, dict[str, int]()

    async def sender() -> None:
        nonlocal left
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while left > 0:
            left -= 1
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            status = head[9:12].decode()
            statuses[status] = statuses.get(status, 0) + 1
        writer.close()

    begun = time.monotonic()
    await asyncio.gather(*(sender() for _ in range(at_once)))
    return time.monotonic() - begun, statuses


def usage(pid: int) -> tuple[float, float]:
    """CPU seconds and greatest resident megabytes of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    peak_kb = int(status.partition("VmHWM:")[2].split()[0])
    return cpu_s, peak_kb / 1024


def measured(settings: Settings, secret: str, count: int, at_once: int) -> dict[str, Any]:
    """The service under a burst."""
    store = Store(store_id="s1", name="s1", timezone="UTC", currency="JPY")
    create_tenant(settings, "bench", "Bench", stores=[store])
    token = issue_token(settings, "bench", "features", "s1")
    data, port = picture(), int(settings.video_url.rsplit(":", 1)[1])
    head = (f"POST /v1/still HTTP/1.1\r\nHost: bench\r\nX-Tenpo-Tenant: bench\r\n"
            f"Authorization: Bearer {token}\r\nContent-Length: {len(data)}\r\n\r\n")  # fmt: skip
    with service(settings, secret) as process:
        request = head.encode() + data
        asyncio.run(burst(port, request, 20, 4))  # the models are loaded by then
        before, rss_mb = usage(process.pid)
        seconds, statuses = asyncio.run(burst(port, request, count, at_once))
        after, peak_mb = usage(process.pid)
    return {"per_s": count / seconds, "cpu_ms": 1000 * (after - before) / count,
            "statuses": statuses, "before_mb": rss_mb, "peak_mb": peak_mb}  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=500)
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    cv2.setNumThreads(1)
    threads, secret = os.cpu_count() or 1, secrets.token_hex(32)
    with tempfile.TemporaryDirectory() as folder, socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        held.close()
        settings = Settings(home=Path(folder), video_url=url, secret_key=secret)
        plain = bare(settings, picture(), max(threads, given.requests // 4), threads)
        served = measured(settings, secret, given.requests, given.at_once)
    found = {"load": [round(one, 1) for one in os.getloadavg()], "threads": threads,
             "bare": plain, "service": served, "ratio": served["per_s"] / plain["per_s"],
             "cpu_ratio": plain["cpu_ms"] / served["cpu_ms"],
             "target_ratio": TARGET_RATIO}  # fmt: skip
    print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


if __name__ == "__main__":
    main()
