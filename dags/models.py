"""`tenpo_models__<tenant>`: clusters, targets and forecasts, once a week."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, chain
from defaults import DEFAULT_ARGS, layer
from tenants import tenant_ids
from tenpo_task import tenpo_task

DOC = """
### What it does
On Monday mornings (03:00 UTC): learns from the published store-days of `tenpo://{tenant}/mart`
which stores are alike, what each could reach and what the next six weeks bring, and publishes it
in one transaction, where it does on past days at least as well as the run that readers see
(`judge`). One task a pipeline; what they hand over lies in the lake under this run's id.

### When it fails
The end of the task's log says what, where and how to mend it; readers keep the results of the
run before. Mend, then **Clear** the failed task: it goes on with what the tasks before it found.
Clear `features` to begin with today's figures.

By hand: `tenpo models run --tenant {tenant}`
"""

PIPELINES = ("features", "clustering", "forecast", "targets", "judge", "publish")

for tenant in tenant_ids():
    with DAG(
        dag_id=f"tenpo_models__{tenant}",
        description=f"Clusters, targets and forecasts for {tenant}",
        doc_md=DOC.format(tenant=tenant),
        schedule="0 3 * * 1",
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=4),
        default_args=DEFAULT_ARGS,
        tags=["tenpo", "models", tenant],
    ):
        run = ["models", "run", "--tenant", tenant, "--run={{ run_id }}"]
        chain(
            *(
                tenpo_task(
                    name,
                    [*run, "--pipeline", name],
                    outlets=[layer(tenant, "models")] if name == "publish" else [],
                    execution_timeout=timedelta(hours=2),
                )
                for name in PIPELINES
            )
        )
