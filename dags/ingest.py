"""`tenpo_ingest__<tenant>`: load what the gateways have written into the warehouse."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG
from defaults import DEFAULT_ARGS, layer
from tenants import tenant_ids
from tenpo_task import tenpo_task

DOC = """
### What it does
Loads every object of the lake that is not in the warehouse yet, for one tenant, then
updates the asset `tenpo://{tenant}/dwh`, which starts the aggregation.

It is the safety net of the streaming form (`tenpo ingest --follow`): while that one runs
there is little left to do here, and a task that finds the lease taken is *skipped*.

### When it fails
The end of the task's log says what, where and how to mend it. Loading again is always
safe: nothing is loaded twice. Mend, then **Clear** the task.

By hand: `tenpo ingest --tenant {tenant}`
"""

for tenant in tenant_ids():
    with DAG(
        dag_id=f"tenpo_ingest__{tenant}",
        description=f"Lake to warehouse for {tenant}",
        doc_md=DOC.format(tenant=tenant),
        schedule=timedelta(minutes=5),
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=2),
        default_args=DEFAULT_ARGS,
        tags=["tenpo", "ingest", tenant],
    ):
        tenpo_task(
            "ingest",
            ["ingest", "--tenant", tenant],
            outlets=[layer(tenant, "dwh")],
            execution_timeout=timedelta(hours=1),
        )
