"""Telling mart which runs are published: rows of other runs do not count there.

The datamart knows it first, in the transaction that publishes a run. Whoever runs next
completes what a process that died in between has left untold.
"""

from __future__ import annotations

from sqlalchemy import Engine

from tenpo.datamart import run, transaction
from tenpo.kpi import PUBLICATION
from tenpo.warehouse import Warehouse, append


def announce_published(engine: Engine, warehouse: Warehouse, tenant_id: str) -> None:
    """Append to `mart.publication` every published run of the tenant that it lacks.

    A run may come twice, where two processes find it at once; readers take it once.

    Raises:
        ServiceError: a service does not answer; the next run completes it.
    """
    with transaction(engine) as connection:
        missing = run.unannounced(connection, tenant_id)
    if not missing:
        return
    rows = [
        {"run_id": one.run_id, "tenant_id": tenant_id, "published_at": one.published_at}
        for one in missing
    ]
    append(warehouse, PUBLICATION, PUBLICATION.table(rows))
    with transaction(engine) as connection:
        run.announced(connection, [one.run_id for one in missing])
