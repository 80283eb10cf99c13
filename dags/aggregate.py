"""`tenpo_aggregate__<tenant>`: compute the KPIs of the store-days that have changed."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, Param
from defaults import DEFAULT_ARGS, layer
from tenants import tenant_ids
from tenpo_task import tenpo_task

DOC = """
### What it does
Runs whenever ingest has updated `tenpo://{tenant}/dwh`: recomputes the KPIs of the
store-days that are marked dirty, writes them to `mart` and then to the datamart in one
transaction, and updates the asset `tenpo://{tenant}/mart`.

### Running it again for a range
**Trigger** with `date_from` and `date_to` (business dates, both included) and, if only one
store is wanted, `store`. A value that does not change makes no new revision, so running
again is always safe.

### When it fails
The end of the task's log says what, where and how to mend it. A half-finished run is
invisible to readers. Mend, then **Clear** the task.

By hand: `tenpo aggregate --dirty --tenant {tenant}`
"""

PARAMS = {
    "date_from": Param(
        None, type=["null", "string"], format="date", title="From",
        description="first business date",
    ),
    "date_to": Param(
        None, type=["null", "string"], format="date", title="To", description="last business date"
    ),
    "store": Param(
        None, type=["null", "string"], pattern="^[A-Za-z0-9_.-]+$", title="Store",
        description="one store only",
    ),
}  # fmt: skip

ARGS = [
    "{{ '' if params.date_from or params.date_to else '--dirty' }}",
    "{{ '--from=' ~ params.date_from if params.date_from else '' }}",
    "{{ '--to=' ~ params.date_to if params.date_to else '' }}",
    "{{ '--store=' ~ params.store if params.store else '' }}",
]

for tenant in tenant_ids():
    with DAG(
        dag_id=f"tenpo_aggregate__{tenant}",
        description=f"Warehouse to KPIs for {tenant}",
        doc_md=DOC.format(tenant=tenant),
        schedule=[layer(tenant, "dwh")],
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=4),
        default_args=DEFAULT_ARGS,
        params=PARAMS,
        tags=["tenpo", "aggregate", tenant],
    ):
        tenpo_task(
            "aggregate",
            ["aggregate", "--tenant", tenant, *ARGS],
            outlets=[layer(tenant, "mart")],
            execution_timeout=timedelta(hours=3),
        )
