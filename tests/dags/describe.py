"""Run by the Airflow environment's interpreter: parses the DAGs and prints what they are, as JSON.

Arguments: the dags folder, and a JSON object of environments by name. Each is parsed in a
child of its own, after Airflow, which takes seconds to import, and prints one line.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from jinja2 import Environment

PARAMS: dict[str, dict[str, str | None]] = {
    "automatic": {"date_from": None, "date_to": None, "store": None},
    "range": {"date_from": "2026-04-01", "date_to": "2026-04-30", "store": None},
    "store": {"date_from": "2026-04-01", "date_to": "2026-04-30", "store": "s-1"},
}


def command_line(task: Any, params: dict[str, str | None]) -> list[str]:
    """What the task would run with these params, its templates rendered."""
    field = "arguments" if hasattr(task, "arguments") else "args"
    assert field in task.template_fields
    kept = getattr(task, field)
    jinja = Environment()  # noqa: S701  # a command line, not HTML
    rendered = [jinja.from_string(arg).render(params=params, run_id="manual__1") for arg in kept]
    setattr(task, field, rendered)
    try:
        return list(task.command_line())
    finally:
        setattr(task, field, kept)


def describe(task: Any) -> dict[str, Any]:
    return {
        "id": task.task_id,
        "class": type(task).__name__,
        "owner": task.owner,
        "retries": task.retries,
        "retry_delay_s": task.retry_delay.total_seconds(),
        "timeout_s": task.execution_timeout.total_seconds() if task.execution_timeout else None,
        "outlets": [outlet.name for outlet in task.outlets],
        "upstream": sorted(task.upstream_task_ids),
        "commands": {name: command_line(task, given) for name, given in PARAMS.items()},
    }


def parse(folder: str) -> dict[str, Any]:
    before = set(sys.modules)
    bag = DagBag(folder)
    return {
        "errors": bag.import_errors,
        "modules": sorted({name.partition(".")[0] for name in sys.modules}),
        # What the DAG files brought in, on top of Airflow itself.
        "new_modules": sorted({n.partition(".")[0] for n in set(sys.modules) - before}),
        "dags": {
            dag.dag_id: {
                "tags": sorted(dag.tags),
                "doc": dag.doc_md,
                "catchup": dag.catchup,
                "max_active_runs": dag.max_active_runs,
                "params": sorted(dag.params),
                "triggers": [
                    asset.name
                    for asset in getattr(
                        getattr(dag.timetable, "asset_condition", None), "objects", []
                    )
                ],
                "tasks": [describe(task) for task in dag.tasks],
            }
            for dag in bag.dags.values()
        },
    }


for name, environment in json.loads(sys.argv[2]).items():
    child = os.fork()
    if child == 0:
        os.environ.update(environment)
        sys.stdout.write(json.dumps([name, parse(sys.argv[1])]) + "\n")
        sys.stdout.flush()
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"the child for {name!r} failed")
