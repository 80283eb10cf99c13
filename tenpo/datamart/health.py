"""When each counter was last heard of."""

from __future__ import annotations

import pyarrow as pa
from sqlalchemy import Connection, func
from sqlalchemy.dialects.postgresql import insert

from tenpo.datamart.tables import device_health

_TIMES = ("last_seen_at", "last_interval_end_at")


def seen(connection: Connection, rows: pa.Table) -> int:
    """Note signs of life; a device's times only ever grow.

    Args:
        connection: in a transaction.
        rows: tenant_id, store_id, device_id (together unique), last_seen_at,
            last_interval_end_at.

    Returns:
        The number of devices.
    """
    devices = rows.to_pylist()
    if not devices:
        return 0
    statement = insert(device_health).values(devices)
    held, new = device_health.c, statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=list(device_health.primary_key),
        set_={name: func.greatest(held[name], new[name]) for name in _TIMES},
    )
    connection.execute(statement)
    return len(devices)
