"""What a process of the stack is, as data; and the file the launcher starts it from."""

from __future__ import annotations

import json
import signal
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from tenpo.stack.files import write_private

Probe = Literal["http", "tcp", "postgres", "airflow-job", "running"]


@dataclass(frozen=True)
class Health:
    """How to tell that a process does its work.

    Attributes:
        probe: `http` expects status 200 from `target`, `tcp` a connection to
            `host:port`, `postgres` an answer to a query on the DSN `target`,
            `airflow-job` a recent heartbeat in Airflow's database (the DSN `target`),
            `running` only that the process stays up.
        timeout_s: how long a start may take; generous, for cores that others use too.
        settle_s: for `running`: how long it must have stayed up.
        job_type: for `airflow-job`: as `SchedulerJob`.
    """

    probe: Probe
    target: str = ""
    timeout_s: float = 240.0
    settle_s: float = 2.0
    job_type: str = ""


@dataclass(frozen=True)
class Process:
    """One supervised process.

    Attributes:
        name: as in `tenpo status` and the log's file name.
        command: program and arguments; the program by full path.
        health: when others may rely on it.
        env: on top of the inherited environment.
        depends_on: processes or preparations that come before.
        address: where people or clients reach it, for the table.
        stop_signal: asks it to end cleanly.
        death_signal: sent by the kernel when supervisord dies.
        user: runs as this user when we are root (PostgreSQL refuses root).
        uses_others: reads the settings and addresses; restarted when they change.
    """

    name: str
    command: tuple[str, ...]
    health: Health
    env: dict[str, str] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    address: str = ""
    stop_signal: str = "TERM"
    death_signal: int = signal.SIGTERM
    user: str | None = None
    uses_others: bool = True

    def launch_text(self) -> str:
        """What the launcher needs; it changes exactly when the process must be restarted."""
        parts = asdict(self)
        kept = ("name", "command", "env", "death_signal", "user")
        return json.dumps({key: parts[key] for key in kept}, indent=1, sort_keys=True)

    def write_launch_file(self, folder: Path) -> bool:
        """Write the launch file; True when it differs from what was there."""
        path = folder / f"{self.name}.json"
        text = self.launch_text()
        if path.exists() and path.read_text("utf-8") == text:
            return False
        write_private(path, text)
        return True
