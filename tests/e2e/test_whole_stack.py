"""The local Airflow: an asset event starts a task, and a task outlives the scheduler's death.

The tasks run real commands through the real task factory. The long one is a `tenpo up`
that waits for another one, whose lock the test holds.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tenpo.errors import UnknownReference
from tenpo.settings import Settings
from tenpo.stack.airflow_api import AirflowClient
from tenpo.stack.layout import repository
from tenpo.stack.leftovers import is_alive
from tests.stack.local import LocalStack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

NAMES = ("postgres", "airflow-api-server", "airflow-scheduler", "airflow-dag-processor")
FIRST_PORT = 24000
WITHIN_S = 240.0
DAGS = """
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
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("airflow")
    shutil.copytree(repository() / "dags", folder / "dags")
    (folder / "dags" / "probe.py").write_text(DAGS)
    stack = LocalStack(folder / "home", NAMES, FIRST_PORT)
    stack.env["TENPO_DAGS_DIR"] = str(folder / "dags")
    stack.up()
    try:
        yield stack
    finally:
        stack.tenpo("down")
        assert stack.left() == []


@pytest.fixture
def airflow(stack: LocalStack) -> Iterator[AirflowClient]:
    url = str(stack.addresses()["airflow_url"])
    with AirflowClient(Settings(home=stack.home, airflow_url=url)) as client:
        client.wait_for_dag("probe_long")
        yield client


def eventually(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WITHIN_S
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def jobs(stack: LocalStack) -> list[int]:
    """Pids of the long command, started by a task."""
    wanted = b"\0".join([b"tenpo.cli", b"up", b"--only", b"postgres"])
    return [
        pid
        for pid in stack.left()
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


@pytest.mark.parametrize("victim", ["airflow-scheduler", "the job", "supervisord"])
def test_killed_task_dies_with_its_parent_and_is_tried_again(
    stack: LocalStack, airflow: AirflowClient, victim: str
) -> None:
    with (stack.home / "run" / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = airflow.trigger_dag("probe_long")
        (first,) = eventually(lambda: jobs(stack))
        os.kill(first if victim == "the job" else stack.pid(victim), signal.SIGKILL)
    # The lock is free: whoever comes next, the second try or `tenpo up`, can work.
    stack.up()
    assert not is_alive(first)
    assert airflow.wait_for_run("probe_long", run, WITHIN_S) == "success"
    (task,) = airflow.task_instances("probe_long", run)
    # One try may have found the stack still coming up.
    assert 2 <= task["try_number"] <= 3
    assert jobs(stack) == []
