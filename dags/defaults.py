"""What the DAGs have in common: defaults of every task, names of the assets."""

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "tenpo",
    "retries": 3,
    # Jobs are idempotent and short; a killed one should be back within seconds.
    "retry_delay": timedelta(seconds=5),
}


def layer(tenant: str, name: str) -> Asset:
    """The asset `tenpo://<tenant>/<layer>`.

    The URI has an `x-` scheme because for any other one Airflow 3.3 loads all providers
    to look for a normaliser, a second of processor time in each task (seen 2026-11).
    """
    return Asset(name=f"tenpo://{tenant}/{name}", uri=f"x-tenpo://{tenant}/{name}")
