"""`kill -9` of every process while data is on its way, Airflow's included; then all is there."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tenpo.demo.hops import Hop, Span, hops, known, prove
from tenpo.demo.settle import Standing, settle
from tenpo.simulate.command import plan_simulation
from tenpo.stack.processes import NAMES
from tenpo.tenants import create_tenant
from tests.e2e.conftest import free_ports
from tests.e2e.machine import Machine

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

SIMULATE = ("simulate", "--stores", "3", "--days", "6", "--seed", "5", "--end", "2026-10-31")
LATE = ("simulate", "--stores", "1", "--days", "1", "--end", "2026-10-31", "--tenant", "late")
PAUSE_S = 2.0
TASK_S = 120.0


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Machine]:
    """The whole stack."""
    machine = Machine(tmp_path / "home", free_ports())
    machine.run("up")
    try:
        yield machine
    finally:
        machine.run("down")


def kill_task(machine: Machine) -> bool:
    """Kill a running aggregation as soon as Airflow has started one."""
    deadline = time.monotonic() + TASK_S
    while time.monotonic() < deadline:
        for pid in machine.job_pids("aggregate"):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                return True
        time.sleep(0.1)
    return False


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[1])


def test_the_run_completes_with_the_same_totals(whole: Machine, tmp_path: Path) -> None:
    sender = whole.start(*SIMULATE, log=tmp_path / "sender.log")
    for name in NAMES:
        time.sleep(PAUSE_S)
        whole.kill(name)
        whole.run("up")
    # What came so far may be published by now: something new starts an aggregation for sure.
    whole.run(*LATE)
    assert kill_task(whole), "no aggregation was started"
    os.kill(parent(whole.pid("gateway")), signal.SIGKILL)
    whole.run("up")
    assert sender.wait(timeout=400) == 0, (tmp_path / "sender.log").read_text("utf-8")[-3000:]
    settings = whole.settings()
    for tenant, plan in (("demo", (5, 3, 6)), ("late", (1, 1, 1))):
        simulation = plan_simulation(settings, tenant, *plan, None)
        seen: list[Standing] = []
        settle(settings, tenant, seen.append)
        assert seen[-1].registered > 0
        tokens = create_tenant(settings, tenant, simulation.name)
        span = Span(tenant, simulation.days[0], simulation.days[-1])
        truth = Hop("simulator", known(simulation.truth.totals))
        prove([truth, *hops(settings, span, tokens.read)])
