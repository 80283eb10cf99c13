"""The whole stack with Airflow: asset events, tasks that outlive their parents, `kill -9` of all.

Airflow takes the longest of all to start, so these tests share one stack. The probes run
real commands through the real task factory; the long one is a `tenpo up` that waits for
another one, whose lock the test holds.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tenpo.demo.hops import Hop, Span, hops, known, prove
from tenpo.demo.settle import Standing, settle
from tenpo.errors import StackError, UnknownReference
from tenpo.settings import Settings
from tenpo.simulate.sender import send
from tenpo.simulate.simulation import Simulation, simulate_chain
from tenpo.stack.airflow_api import AirflowClient
from tenpo.stack.layout import repository
from tenpo.stack.leftovers import is_alive
from tenpo.stack.processes import NAMES
from tenpo.tenants import TenantTokens, create_tenant
from tests.machine import Machine, free_ports

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

WITHIN_S = 240.0
END = date(2026, 10, 31)
TASK_S = 120.0
PROBES = """
import pendulum
from airflow.sdk import DAG
from defaults import DEFAULT_ARGS, layer
from tenpo_task import tenpo_task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
with DAG("probe_event", schedule=[layer("probe", "dwh")], start_date=START,
         default_args=DEFAULT_ARGS):
    tenpo_task("short", ["status", "--json"])
with DAG("probe_long", schedule=None, start_date=START, default_args=DEFAULT_ARGS):
    tenpo_task("long", ["up", "--only", "postgres"])
with DAG("probe_wrong", schedule=None, start_date=START, default_args=DEFAULT_ARGS):
    tenpo_task("wrong", ["up", "--only", "mysql"])
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """All services; the probes stand beside the DAGs of ingest and aggregation."""
    folder = tmp_path_factory.mktemp("whole")
    others = shutil.ignore_patterns("models.py", "features.py")
    shutil.copytree(repository() / "dags", folder / "dags", ignore=others)
    (folder / "dags" / "probe.py").write_text(PROBES)
    machine = Machine(folder / "home", free_ports() | {"TENPO_DAGS_DIR": str(folder / "dags")})
    machine.up()
    try:
        yield machine
    finally:
        machine.down()


@pytest.fixture
def airflow(whole: Machine) -> Iterator[AirflowClient]:
    url = str(whole.addresses()["airflow_url"])
    with AirflowClient(Settings(home=whole.home, airflow_url=url)) as client:
        client.wait_for_dag("probe_long")
        yield client


def eventually(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WITHIN_S
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def jobs(whole: Machine) -> list[int]:
    """Pids of the long command, started by a task."""
    wanted = b"\0".join([b"tenpo.cli", b"up", b"--only", b"postgres"])
    return [
        pid
        for pid in whole.left()
        if is_alive(pid) and wanted in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def test_asset_event_starts_the_dag_that_waits_for_it(airflow: AirflowClient) -> None:
    assert airflow.create_asset_event("tenpo://probe/dwh", {"rows": 3}) > 0
    run = eventually(lambda: airflow.dag_runs("probe_event"))[0]
    assert run["run_type"] == "asset_triggered"
    assert airflow.wait_for_run("probe_event", run["dag_run_id"], WITHIN_S) == "success"


def test_event_for_an_unknown_asset_is_refused(airflow: AirflowClient) -> None:
    with pytest.raises(UnknownReference, match="tenpo://nobody/dwh"):
        airflow.create_asset_event("tenpo://nobody/dwh")


def test_error_that_trying_again_does_not_mend_fails_at_once(airflow: AirflowClient) -> None:
    run = airflow.trigger_dag("probe_wrong")
    assert airflow.wait_for_run("probe_wrong", run, WITHIN_S) == "failed"
    (task,) = airflow.task_instances("probe_wrong", run)
    assert task["try_number"] == 1


def worker_of(whole: Machine, task: int) -> int:
    """The process of Airflow's executor that a task runs under: the scheduler's child."""
    scheduler, pid = whole.pid("airflow-scheduler"), task
    while (parent := int(stat(pid)[1])) != scheduler:
        pid = parent
    return pid


def stat(pid: int) -> list[str]:
    """A process's state, its parent and so on (proc(5), /proc/PID/stat)."""
    return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()


@contextmanager
def killed_task(whole: Machine, airflow: AirflowClient) -> Iterator[int]:
    """The pid of a running task; with what the block kills it dies, and is tried again."""
    with (whole.home / "run" / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = airflow.trigger_dag("probe_long")
        (first,) = eventually(lambda: jobs(whole))
        yield first
    # The lock is free: whoever comes next, the second try or `tenpo up`, can work.
    whole.up()
    assert not is_alive(first)
    assert airflow.wait_for_run("probe_long", run, WITHIN_S) == "success"
    (task,) = airflow.task_instances("probe_long", run)
    # One try may have found the stack still coming up.
    assert 2 <= task["try_number"] <= 3
    assert jobs(whole) == []


@pytest.mark.parametrize("victim", ["airflow-scheduler", "the worker", "the job"])
def test_killed_task_dies_with_its_parent_and_is_tried_again(
    whole: Machine, airflow: AirflowClient, victim: str
) -> None:
    with killed_task(whole, airflow) as task:
        if victim == "airflow-scheduler":
            whole.kill(victim)
        else:
            os.kill(task if victim == "the job" else worker_of(whole, task), signal.SIGKILL)


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


def parts(simulation: Simulation, count: int) -> list[Simulation]:
    """The simulation's payloads in so many turns, in their order."""
    size = -(-len(simulation.payloads) // count)
    starts = range(0, len(simulation.payloads), size)
    return [replace(simulation, payloads=simulation.payloads[at : at + size]) for at in starts]


def kill_while_sending(
    whole: Machine, name: str, part: Simulation, tokens: TenantTokens, pool: ThreadPoolExecutor
) -> None:
    """`kill -9` of a service in the middle of a sending; `tenpo up`, and all is acknowledged."""
    pid, under_way = whole.pid(name), Event()

    def acknowledged(count: int = 1, *, detail: str = "") -> None:
        del count, detail
        under_way.set()

    sending = pool.submit(send, part, whole.settings(), tokens, acknowledged)
    assert under_way.wait(TASK_S)
    assert not sending.done(), name
    os.kill(pid, signal.SIGKILL)
    whole.run("up")
    assert sending.result(timeout=400).payloads == len(part.payloads)


def test_what_is_under_way_while_every_process_is_killed_arrives_whole(
    whole: Machine, airflow: AirflowClient
) -> None:
    settings = whole.settings()
    simulations = {"killed": simulate_chain(5, 3, 6, END), "late": simulate_chain(1, 1, 1, END)}
    tokens = {
        tenant: create_tenant(
            settings, tenant, made.name, made.chain.stores, made.chain.store_codes,
            made.chain.devices,
        )
        for tenant, made in simulations.items()
    }  # fmt: skip
    with ThreadPoolExecutor(1) as pool:
        turns = parts(simulations["killed"], len(NAMES))
        for name, part in zip(NAMES, turns, strict=True):
            kill_while_sending(whole, name, part, tokens["killed"], pool)
    # What came so far may be published by now: something new starts an aggregation for sure.
    send(simulations["late"], settings, tokens["late"])
    assert kill_task(whole), "no aggregation was started"
    with killed_task(whole, airflow):
        whole.kill("supervisord")
    for tenant, made in simulations.items():
        seen: list[Standing] = []
        settle(settings, tenant, seen.append)
        assert seen[-1].registered > 0
        span = Span(tenant, made.days[0], made.days[-1])
        truth = Hop("simulator", known(made.truth.totals))
        prove([truth, *hops(settings, span, tokens[tenant].read)])


def test_an_aggregation_can_be_triggered_for_a_range_and_a_store(airflow: AirflowClient) -> None:
    store = simulate_chain(1, 1, 1, END).chain.stores[0].store_id
    asked = {"date_from": str(END), "date_to": str(END), "store": store}
    run = airflow.trigger_dag("tenpo_aggregate__late", asked)
    assert airflow.wait_for_run("tenpo_aggregate__late", run, WITHIN_S) == "success"
    with pytest.raises(StackError, match="store"):
        airflow.trigger_dag("tenpo_aggregate__late", asked | {"store": "a b; rm"})
