"""`tenpo_benchmark`: release benchmarks of industries, one DAG for all tenants."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG
from defaults import DEFAULT_ARGS
from tenants import tenant_ids
from tenpo_task import tenpo_task

DOC = """
### What it does
Every day (04:40 UTC): releases the weeks and months that ended three days ago or more, each once,
of the tenants that take part (`tenpo tenant benchmark TENANT --join`). It is the one task that
reads figures of several tenants together; what it releases gives none of them away.

### When it fails
The end of the task's log says what, where and how to mend it. A half-finished release is
invisible to readers, and what was released is never changed. Mend, then **Clear** the task.

By hand: `tenpo benchmark release`, or with `--dry-run` to see what is hidden and why.
"""

if tenant_ids():
    with DAG(
        dag_id="tenpo_benchmark",
        description="Benchmarks of industries across tenants",
        doc_md=DOC,
        schedule="40 4 * * *",
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=2),
        default_args=DEFAULT_ARGS,
        tags=["tenpo", "benchmark"],
    ):
        tenpo_task("release", ["benchmark", "release"], execution_timeout=timedelta(hours=1))
