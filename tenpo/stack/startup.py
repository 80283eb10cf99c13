"""`tenpo up`: bring the stack to where it should be, in order, whatever state it is in."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from tenpo.errors import StackError
from tenpo.settings import Settings, get_settings
from tenpo.stack.addresses import addresses, read_ports, write_addresses
from tenpo.stack.airflow_config import write_passwords
from tenpo.stack.health import is_healthy
from tenpo.stack.layout import Environments, Layout
from tenpo.stack.leftovers import kill_marked, marker
from tenpo.stack.logs import last_lines
from tenpo.stack.order import Node, run_in_order
from tenpo.stack.ports import choose_ports
from tenpo.stack.postgres import ensure_cluster
from tenpo.stack.preparations import preparations
from tenpo.stack.process import Process
from tenpo.stack.processes import NAMES, Plan, processes
from tenpo.stack.state import remember_wanted
from tenpo.stack.supervisor import ProcessState, Supervisor

LEFTOVER_GRACE_S = 8.0
#: Each question costs supervisord and us some milliseconds, and several processes start at once.
POLL_S = 0.25
RESTARTS = 3  # a process that ends this often while starting will not come up

Say = Callable[[str], None]


@dataclass(frozen=True)
class Started:
    """What `tenpo up` found and did.

    Attributes:
        processes: all that should run, in order.
        started: names of those that were started or restarted now.
        notes: sentences for the user, as ports that were taken.
    """

    processes: list[Process]
    started: list[str]
    notes: list[str]


def bring_up(settings: Settings, names: tuple[str, ...], say: Say) -> Started:
    """Start what does not run, restart what has changed, wait until all is healthy.

    Args:
        settings: of this machine.
        names: the processes wanted; others that run are left alone.
        say: told each step as it is done.
    """
    layout = Layout(settings.home)
    layout.create()
    remember_wanted(layout, names)
    with _alone(layout, say):
        supervisor = Supervisor(layout)
        alive = _alive(supervisor)
        if not alive and not supervisor.is_running():
            _clear_away(layout, say)
        chosen = choose_ports(
            settings.ports.model_dump(), read_ports(layout), alive=alive, wanted=frozenset(names)
        )
        digest = write_addresses(layout, addresses(settings, layout, chosen.ports))
        get_settings.cache_clear()
        plan = Plan(settings, layout, Environments.found(), chosen.ports)
        wanted = processes(plan, names, digest=digest)
        kept = processes(plan, sorted(alive - set(names)), digest=digest)
        started = _Start(layout, supervisor, say).run(wanted, kept, plan)
    return Started(wanted, started, chosen.notes)


@contextmanager
def _alone(layout: Layout, say: Say) -> Iterator[None]:
    """Two `tenpo up` at once would fight over ports and sockets: the second waits, and says so."""
    told = False
    with (layout.run / "up.lock").open("w") as lock:
        while not _locked(lock):
            if not told:
                say("waiting for another `tenpo up` to end")
                told = True
            time.sleep(POLL_S)
        yield


def _locked(file: TextIO) -> bool:
    """Whether the file could be locked. Never waits: a wait in the kernel may miss a Ctrl-C."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(supervisor: Supervisor) -> frozenset[str]:
    if not supervisor.is_running():
        return frozenset()
    states = supervisor.states().values()
    return frozenset(s.name for s in states if s.state in ("RUNNING", "STARTING", "STOPPING"))


def _clear_away(layout: Layout, say: Say) -> None:
    """No supervisor answers: whatever is left of the last stack must go first."""
    left = kill_marked(marker(layout.home, ""), grace_s=LEFTOVER_GRACE_S)
    if left:
        say(f"ended {len(left)} processes left over from a stack that died")
    layout.remove_sockets()
    layout.create()


class _Start:
    """One run of `tenpo up` against one supervisor."""

    def __init__(self, layout: Layout, supervisor: Supervisor, say: Say) -> None:
        self._layout = layout
        self._supervisor = supervisor
        self._say = say
        self._started: list[str] = []

    def run(self, wanted: list[Process], kept: list[Process], plan: Plan) -> list[str]:
        """Start all of `wanted` in the order of their needs; returns who was started."""
        changed = {p.name for p in wanted if p.write_launch_file(self._layout.launch)}
        if self._supervisor.is_running():
            self._supervisor.reload([*wanted, *kept])
            for name in sorted(changed & _alive(self._supervisor)):
                self._supervisor.stop_process(name)
        else:
            write_passwords(plan.settings)
            self._supervisor.start(wanted)
        nodes = [Node(p.name, p.depends_on, self._starter(p)) for p in wanted]
        run_in_order(nodes + preparations(plan, {p.name for p in wanted}, self._say))
        return self._started

    def _starter(self, process: Process) -> Callable[[], None]:
        def start() -> None:
            begun = time.monotonic()
            state = self._state(process.name)
            if _is_up(process, state):
                return
            if process.name == "postgres" and not state.pid:
                ensure_cluster(self._layout)
            self._supervisor.start_process(process.name)
            self._wait(process)
            self._started.append(process.name)
            self._say(f"{process.name} is up ({time.monotonic() - begun:.1f} s)")

        return start

    def _state(self, name: str) -> ProcessState:
        return self._supervisor.states()[name]

    def _wait(self, process: Process) -> None:
        deadline = time.monotonic() + process.health.timeout_s
        pids: set[int] = set()
        while not _is_up(process, state := self._state(process.name)):
            pids |= {state.pid} - {0}
            if state.state == "FATAL" or len(pids) > RESTARTS or time.monotonic() > deadline:
                raise self._unhealthy(process, state)
            time.sleep(POLL_S)

    def _unhealthy(self, process: Process, state: ProcessState) -> StackError:
        log = self._layout.logs / f"{process.name}.log"
        return StackError(
            f"{process.name} does not become healthy: {state.state.lower()}"
            f" {state.remark}\n{last_lines(log)}",
            where=str(log),
            remedy="Mend what the log says, then run `tenpo up` again.",
        )


def _is_up(process: Process, state: ProcessState) -> bool:
    return state.state == "RUNNING" and is_healthy(process.health, uptime_s=state.uptime_s)


def default_names(*, follow: bool) -> tuple[str, ...]:
    """All processes of the stack; without the streaming ingest if so wished."""
    return tuple(name for name in NAMES if follow or name != "ingest")
