"""`tenpo down`: stop everything of the stack, cleanly, and within a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from tenpo.errors import StackError
from tenpo.settings import Settings
from tenpo.stack.layout import Layout
from tenpo.stack.leftovers import kill_marked, marker
from tenpo.stack.postgres import end_server
from tenpo.stack.processes import NAMES
from tenpo.stack.state import remember_wanted
from tenpo.stack.supervisor import Supervisor

# Who writes stops before what it writes to.
WAVES = (
    ("airflow-scheduler", "airflow-dag-processor", "ingest", "gateway", "api"),
    ("airflow-api-server", "mqtt"),
    ("bigquery", "postgres"),
)
LEFTOVER_GRACE_S = 5.0

Say = Callable[[str], None]


def bring_down(settings: Settings, say: Say) -> list[str]:
    """Stop all processes; returns the names of those that ran.

    Each gets its stop signal and 15 s, then is killed; descendants that moved to
    sessions of their own are found by their environment.
    """
    layout = Layout(settings.home)
    supervisor = Supervisor(layout)
    stopped = _stop_waves(supervisor, say) if supervisor.is_running() else []
    supervisor.shut_down()
    left = kill_marked(marker(layout.home, ""), grace_s=LEFTOVER_GRACE_S)
    if left:
        say(f"ended {len(left)} processes that had lost their supervisor")
    end_server(layout)
    layout.remove_sockets()
    if layout.run.exists():
        remember_wanted(layout, ())
    return stopped


def _stop_waves(supervisor: Supervisor, say: Say) -> list[str]:
    running = [state.name for state in supervisor.states().values() if state.pid]

    def stop(name: str) -> None:
        begun = time.monotonic()
        with suppress(StackError):  # supervisord died meanwhile: leftovers are ended below
            supervisor.stop_process(name)
        say(f"{name} has stopped ({time.monotonic() - begun:.1f} s)")

    for wave in WAVES:
        with ThreadPoolExecutor(max_workers=len(wave)) as pool:
            list(pool.map(stop, [name for name in wave if name in running]))
    return [name for name in NAMES if name in running]
