"""Which tenants Airflow is to be told of: those with dirty store-days that no run answers yet."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine

from tenpo.datamart import dirty, transaction

#: Dirty marks as old as this are announced again.
OVERDUE = timedelta(seconds=60)


class Announcements:
    """What was announced, by this process.

    While an announced run has not yet cleared its marks another announcement would only
    queue a run with nothing to do.

    Args:
        overdue: marks that nobody answered for so long are announced again.
    """

    def __init__(self, overdue: timedelta = OVERDUE) -> None:
        self._overdue = overdue
        self._told_at: dict[str, datetime] = {}

    def due(self, engine: Engine, now: datetime) -> list[str]:
        """Tenants with marks that no announcement covers, or that nobody has answered."""
        with transaction(engine) as connection:
            oldest = dirty.oldest(connection)
        return [
            tenant
            for tenant, marked_at in oldest.items()
            if (told_at := self._told_at.get(tenant)) is None
            or marked_at > told_at
            or now - told_at >= self._overdue
        ]

    def told(self, tenant: str, now: datetime) -> None:
        """A tenant was announced."""
        self._told_at[tenant] = now
