"""Past revisions of the KPI rows: kept as they are replaced, read as of a moment.

A revision counts from the moment its run was published until a run with a higher
revision of the same key was. Nothing here for SQL users: mart has every revision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import (
    ARRAY,
    Connection,
    DateTime,
    Select,
    Table,
    bindparam,
    func,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert

from tenpo.datamart.tables import DATES, TABLES, TEXTS, run
from tenpo.errors import InputError

_ARRAYS: dict[str, ARRAY[Any]] = {
    "tenant_id": TEXTS,
    "store_id": TEXTS,
    "business_date": DATES,
    "hour_start_at": ARRAY(DateTime(timezone=True)),
    "zone_id": TEXTS,
}


def keep(connection: Connection, name: str, rows: pa.Table) -> int:
    """Set aside what rows are about to replace; call it before `upsert`, in its transaction.

    Args:
        connection: in a transaction.
        name: `kpi_store_hour`, `kpi_store_day` or `kpi_zone_hour`.
        rows: the new revisions.

    Returns:
        How many were set aside.
    """
    later = rows.filter(pc.greater(rows["revision"], 1))
    if not later.num_rows:
        return 0
    current = TABLES[name]
    key = _key(current)
    wanted = select(*(func.unnest(bindparam(part, type_=_ARRAYS[part])) for part in key))
    replaced = select(*current.c).where(tuple_(*(current.c[part] for part in key)).in_(wanted))
    aside = insert(TABLES[f"{name}_past"]).from_select(current.c.keys(), replaced)
    arrays = {part: later[part].to_pylist() for part in key}
    counted = aside.on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    return connection.execute(counted, arrays).rowcount


def every_revision(
    name: str, tenant_id: str, first: date, last: date, stores: Sequence[str] = ()
) -> Select[Any]:
    """All revisions that were ever published of a tenant's range, with `published_at`."""
    parts = []
    for table in (TABLES[name], TABLES[f"{name}_past"]):
        columns = [table.c[each] for each in TABLES[name].c.keys()]  # noqa: SIM118
        part = select(*columns, run.c.published_at).join(run, run.c.run_id == table.c.run_id)
        part = part.where(
            run.c.published_at.is_not(None),
            table.c.tenant_id == tenant_id,
            table.c.business_date.between(first, last),
        )
        parts.append(part.where(table.c.store_id.in_(stores)) if stores else part)
    return select(union_all(*parts).subquery("version"))


def rows_as_of(name: str, as_of: datetime, **scope: Any) -> Select[Any]:
    """The rows that were current at a moment: the highest revision published by then.

    Args:
        name: `kpi_store_hour` or `kpi_store_day`.
        as_of: the moment.
        scope: as for `every_revision`.
    """
    every = every_revision(name, **scope).subquery("every")
    key = [every.c[part] for part in _key(TABLES[name])]
    return (
        select(every)
        .ext(distinct_on(*key))
        .where(every.c.published_at <= as_of)
        .order_by(*key, every.c.revision.desc())
    )


def check_kept(
    connection: Connection, name: str, as_of: datetime, scope: Mapping[str, Any]
) -> None:
    """Refuse to read revisions that were replaced before replaced ones were kept.

    Raises:
        InputError: names the moment from which they were.
    """
    every = every_revision(name, **scope).subquery("every")
    key = [every.c[part] for part in _key(TABLES[name])]
    oldest = (
        select(every).ext(distinct_on(*key)).order_by(*key, every.c.revision).subquery("oldest").c
    )
    lost = select(func.max(oldest.published_at)).where(
        oldest.revision > 1, oldest.published_at > as_of
    )
    since = connection.execute(lost).scalar_one()
    if since is not None:
        raise InputError(
            f"revisions from before {since:%Y-%m-%d %H:%M:%S} UTC were not kept here",
            where="as_of",
            remedy="Ask for a later moment, or read mart with `tenpo sql` (docs/analyst.md).",
        )


def _key(table: Table) -> list[str]:
    return [column.name for column in table.primary_key]
