"""`tenpo_features__<tenant>`: merges and splits of persons reach the warehouse."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG
from defaults import DEFAULT_ARGS, layer
from tenants import tenant_ids
from tenpo_task import tenpo_task

DOC = """
### What it does
Every hour: tells the warehouse which persons were merged or split in the feature database since,
marks the store-days that they visited, and updates the asset `tenpo://{tenant}/dwh`, which
starts the aggregation. A tenant whose stores know no faces has nothing to tell.

### When it fails
The end of the task's log says what, where and how to mend it. It has to run where the features
lie (`<home>/features`), or with a token of the tenant (`TENPO_FEATURES_TOKENS`). Publishing again
is always safe. Mend, then **Clear** the task.

By hand: `tenpo features publish {tenant}`.
"""

for tenant in tenant_ids():
    with DAG(
        dag_id=f"tenpo_features__{tenant}",
        description=f"Current persons to the warehouse for {tenant}",
        doc_md=DOC.format(tenant=tenant),
        schedule="25 * * * *",
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=2),
        default_args=DEFAULT_ARGS,
        tags=["tenpo", "features", tenant],
    ):
        tenpo_task(
            "publish",
            ["features", "publish", tenant],
            outlets=[layer(tenant, "dwh")],
            execution_timeout=timedelta(hours=1),
        )
