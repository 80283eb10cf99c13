"""The store master as the API lists it."""

from __future__ import annotations

from sqlalchemy import Connection, func, or_
from sqlalchemy.dialects.postgresql import insert

from tenpo.datamart.tables import store
from tenpo.masters import Store, TenantMasters

_COPIED = ("name", "timezone", "currency", "industry", "sales_area_m2", "opened_on")


def sync(connection: Connection, masters: TenantMasters) -> int:
    """Add and update the tenant's stores. One that left the master stays, for its past.

    Returns:
        How many rows were written.
    """
    rows = [_row(masters.tenant_id, item) for item in masters.store]
    if not rows:
        return 0
    statement = insert(store).values(rows)
    new = statement.excluded
    names = (*_COPIED, "day_cutover_s")
    statement = statement.on_conflict_do_update(
        index_elements=list(store.primary_key),
        set_={**{name: new[name] for name in names}, "updated_at": func.clock_timestamp()},
        where=or_(*(store.c[name].is_distinct_from(new[name]) for name in names)),
    )
    return len(connection.execute(statement.returning(store.c.store_id)).all())


def _row(tenant_id: str, item: Store) -> dict[str, object]:
    copied = {name: getattr(item, name) for name in _COPIED}
    key = {"tenant_id": tenant_id, "store_id": item.store_id}
    return {**key, **copied, "day_cutover_s": item.clock.day_cutover_s}
