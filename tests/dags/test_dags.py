"""The DAGs as Airflow sees them, in each runtime. Parsed in Airflow's own environment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kedro_project.platform_run import PIPELINES
from tenpo.stack.layout import repository

TENANTS = ["shop-1", "uci"]
JOBS = ("ingest", "aggregate", "features", "models")
#: One DAG for all tenants together.
TOGETHER = "tenpo_benchmark"
RUNTIMES = ("process", "kubernetes", "dataflow")
CLASSES = {"process": "TenpoProcess", "kubernetes": "TenpoPod", "dataflow": "TenpoFlexTemplate"}
HEAVY = {"pandas", "numpy", "apache_beam", "google", "kubernetes", "sqlglot", "tenpo", "psycopg2"}


#: What each parsing is told: the runtime, and the tenants there are.
CASES: dict[str, tuple[str, list[str]]] = {
    **{runtime: (runtime, TENANTS) for runtime in RUNTIMES},
    "no tenants": ("process", []),
    "unusable": ("process", ["shop 1; rm"]),
}


@pytest.fixture(scope="module")
def all_described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What Airflow sees in each of the cases."""
    folder = tmp_path_factory.mktemp("dags")
    root = repository()
    environments = {}
    for place, (name, (runtime, tenants)) in enumerate(CASES.items()):
        tenants_file = folder / f"tenants-{place}.json"
        tenants_file.write_text(json.dumps(tenants))
        environments[name] = {
            "TENPO_TENANTS_FILE": str(tenants_file),
            "TENPO_TASK_RUNTIME": runtime,
        }
    script = str(Path(__file__).with_name("describe.py"))
    done = subprocess.run(
        [str(root / ".venvs" / "airflow" / "bin" / "python"), script, str(root / "dags"),
         json.dumps(environments)],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            # Airflow puts the dags folder on the path of its own processes.
            "PYTHONPATH": str(root / "dags"),
            "TENPO_IMAGE": "registry.example/tenpo:1",
            "TENPO_PROJECT": "shop-project",
            "TENPO_FLEX_TEMPLATE": "gs://bucket/template.json",
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
    answers: dict[str, dict[str, Any]] = dict(map(json.loads, lines[-len(CASES) :]))
    return answers


@pytest.fixture(scope="module")
def dags(all_described: dict[str, dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = all_described["process"]["dags"]
    return found


def test_every_tenant_has_one_dag_a_job(dags: dict[str, Any]) -> None:
    assert set(dags) == {TOGETHER} | {f"tenpo_{job}__{t}" for job in JOBS for t in TENANTS}


def test_no_tenants_no_dags(all_described: dict[str, dict[str, Any]]) -> None:
    found = all_described["no tenants"]
    assert found["dags"] == {}
    assert found["errors"] == {}


def test_unusable_tenant_id_is_an_import_error(
    all_described: dict[str, dict[str, Any]],
) -> None:
    found = all_described["unusable"]
    assert len(found["errors"]) == len(JOBS) + 1
    assert "not usable as tenant ids" in str(found["errors"])


def test_every_dag_is_safe_to_run_and_says_what_it_does(dags: dict[str, Any]) -> None:
    assert dags
    for dag_id, dag in dags.items():
        job, _, tenant = dag_id.removeprefix("tenpo_").partition("__")
        assert set(dag["tags"]) == {"tenpo", job, tenant} - {""}
        assert dag["catchup"] is False
        assert dag["max_active_runs"] == 1
        assert "When it fails" in dag["doc"]
        assert f"tenpo {job}" in dag["doc"]
        assert "{" not in dag["doc"]
        assert dag["tasks"]
        for task in dag["tasks"]:
            assert task["owner"] == "tenpo"
            assert task["retries"] == 3
            assert task["retry_delay_s"] == 5
            assert 0 < task["timeout_s"] <= 4 * 3600


def test_aggregation_runs_because_ingest_updated_its_asset(dags: dict[str, Any]) -> None:
    for tenant in TENANTS:
        aggregate = dags[f"tenpo_aggregate__{tenant}"]
        for job in ("ingest", "features"):
            before = dags[f"tenpo_{job}__{tenant}"]
            assert before["tasks"][0]["outlets"] == [f"tenpo://{tenant}/dwh"]
        assert aggregate["triggers"] == [f"tenpo://{tenant}/dwh"]
        assert aggregate["tasks"][0]["outlets"] == [f"tenpo://{tenant}/mart"]


def test_command_lines(dags: dict[str, Any]) -> None:
    ingest = dags["tenpo_ingest__uci"]["tasks"][0]["commands"]
    assert ingest["automatic"] == ["tenpo", "ingest", "--tenant", "uci"]
    features = dags["tenpo_features__uci"]["tasks"][0]["commands"]
    assert features["automatic"] == ["tenpo", "features", "publish", "uci"]
    start = ["tenpo", "aggregate", "--tenant", "uci"]
    assert dags["tenpo_aggregate__uci"]["tasks"][0]["commands"] == {
        "automatic": [*start, "--dirty"],
        "range": [*start, "--from=2026-04-01", "--to=2026-04-30"],
        "store": [*start, "--from=2026-04-01", "--to=2026-04-30", "--store=s-1"],
    }


def test_benchmarks_are_released_by_one_task(dags: dict[str, Any]) -> None:
    (task,) = dags[TOGETHER]["tasks"]
    assert task["commands"]["automatic"] == ["tenpo", "benchmark", "release"]
    assert task["outlets"] == []


def test_the_models_have_a_task_for_each_pipeline_in_the_platforms_order(
    dags: dict[str, Any],
) -> None:
    tasks = dags["tenpo_models__uci"]["tasks"]
    names = [task["id"] for task in tasks]
    assert names == list(PIPELINES)
    assert [task["upstream"] for task in tasks] == [[], *([name] for name in names[:-1])]
    for task in tasks:
        assert task["commands"]["automatic"] == [
            "tenpo", "models", "run", "--tenant", "uci", "--run=manual__1",
            "--pipeline", task["id"],
        ]  # fmt: skip
    assert tasks[-1]["outlets"] == ["tenpo://uci/models"]


def test_command_lines_are_the_same_in_every_runtime(
    all_described: dict[str, dict[str, Any]],
) -> None:
    def commands(runtime: str) -> dict[str, Any]:
        found = all_described[runtime]
        assert found["errors"] == {}
        (used,) = {task["class"] for dag in found["dags"].values() for task in dag["tasks"]}
        assert used == CLASSES[runtime]
        return {name: [t["commands"] for t in dag["tasks"]] for name, dag in found["dags"].items()}

    assert commands("process")
    assert commands("kubernetes") == commands("process")
    assert commands("dataflow") == commands("process")


def test_parsing_imports_nothing_heavy_and_no_part_of_tenpo(
    all_described: dict[str, dict[str, Any]],
) -> None:
    found = all_described["process"]
    assert "airflow" in found["modules"]
    assert not HEAVY & set(found["new_modules"])
