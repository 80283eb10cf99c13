"""`tenpo status`: what runs, since when, where it listens, where its log is."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tenpo.settings import Settings
from tenpo.stack.addresses import read_ports
from tenpo.stack.health import is_healthy
from tenpo.stack.layout import Environments, Layout
from tenpo.stack.processes import NAMES, Plan, processes
from tenpo.stack.supervisor import ProcessState, Supervisor


@dataclass(frozen=True)
class ServiceState:
    """One row of the table.

    Attributes:
        state: `healthy`, `starting` (runs, does not answer yet), `stopped`, `failed`.
    """

    name: str
    state: str
    pid: int
    uptime_s: int
    address: str
    log: str

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


def service_states(settings: Settings) -> list[ServiceState]:
    """The state of every process of the stack, probed now."""
    layout = Layout(settings.home)
    supervisor = Supervisor(layout)
    known = supervisor.states() if supervisor.is_running() else {}
    ports = settings.ports.model_dump() | read_ports(layout)
    plan = Plan(settings, layout, Environments.found(), ports)
    rows = []
    for process in processes(plan, NAMES, digest=""):
        found = known.get(process.name)
        healthy = found is not None and is_healthy(process.health, uptime_s=found.uptime_s)
        rows.append(
            ServiceState(
                name=process.name,
                state=_word(found, healthy=healthy),
                pid=found.pid if found else 0,
                uptime_s=int(found.uptime_s) if found else 0,
                address=process.address if found and found.pid else "",
                log=str(layout.logs / f"{process.name}.log"),
            )
        )
    return rows


def _word(found: ProcessState | None, *, healthy: bool) -> str:
    if found is None or found.state in ("STOPPED", "STOPPING"):
        return "stopped"
    if found.state in ("FATAL", "EXITED", "BACKOFF"):
        return "failed"
    return "healthy" if healthy and found.state == "RUNNING" else "starting"


def wanted_names(layout: Layout) -> tuple[str, ...]:
    """What the last `tenpo up` was asked to run; empty when there was none."""
    try:
        return tuple(json.loads(_wanted_file(layout).read_text("utf-8")))
    except (OSError, ValueError):
        return ()


def remember_wanted(layout: Layout, names: tuple[str, ...]) -> None:
    """Keep for `doctor`, which otherwise could not tell stopped from never asked for."""
    _wanted_file(layout).write_text(json.dumps(sorted({*names})), "utf-8")


def _wanted_file(layout: Layout) -> Path:
    return layout.run / "wanted.json"
