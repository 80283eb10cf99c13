"""A pool of Beam workers that has the built wheel and nothing else.

It runs in an empty folder, with an environment that names a search path and a home and
nothing of the checkout. A job's engine asks it for workers, each a process of its own.
https://beam.apache.org/documentation/runtime/sdk-harness-config/
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WORKER = Path(__file__).parents[2] / ".venvs" / "worker"
START_S = 60


@dataclass(frozen=True)
class Pool:
    """A running pool.

    Args:
        port: where engines ask for workers.
        pid: of the pool's own process.
        log: what it and its workers said.
    """

    port: int
    pid: int
    log: Path

    @property
    def options(self) -> tuple[str, ...]:
        """Beam's options of a job whose workers come from here."""
        return ("--environment_type=EXTERNAL", f"--environment_config=127.0.0.1:{self.port}")

    def workers(self) -> list[int]:
        """Pids of the workers that live."""
        children = Path(f"/proc/{self.pid}/task").glob("*/children")
        pids = {int(pid) for threads in children for pid in threads.read_text("ascii").split()}
        return sorted(pid for pid in pids if _state(pid) not in ("Z", ""))

    def kill_one(self) -> int:
        """Kill the oldest worker as a machine that fails would; its pid."""
        pid = self.workers()[0]
        os.kill(pid, signal.SIGKILL)
        return pid


@contextmanager
def worker_pool(folder: Path) -> Iterator[Pool]:
    """A pool that runs in `folder`, which is empty."""
    assert not any(folder.iterdir())
    log = folder.with_suffix(".log")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    module = "apache_beam.runners.worker.worker_pool_main"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [WORKER / "bin" / "python", "-m", module, "--service_port", str(port)],
            cwd=folder,
            env={"PATH": f"{WORKER}/bin:/usr/bin:/bin", "HOME": str(folder)},
            stdout=out,
            stderr=out,
        )
    pool = Pool(port, process.pid, log)
    try:
        _await_port(port)
        yield pool
    finally:
        left = pool.workers()
        process.kill()
        process.wait()
        for pid in left:
            if _state(pid):
                os.kill(pid, signal.SIGKILL)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(") ")[2][0]
    except FileNotFoundError:
        return ""


def _await_port(port: int) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < until, "the pool of workers did not start"
            time.sleep(0.1)
        else:
            return
