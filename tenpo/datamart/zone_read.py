"""Reading the zones of stores from the datamart: sums of visitors, ratios afterwards.

Zones are a dimension of their own: nothing is added over zones or over stores. Exposure compares
with the footfall of the same hours, which the rows of each zone carry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, Date, FromClause, cast, func, literal, select

from tenpo.datamart.kpi_answer import exact, stamp
from tenpo.datamart.kpi_query import KEYS, KpiQuery
from tenpo.datamart.past import check_kept, rows_as_of
from tenpo.datamart.tables import TABLES
from tenpo.kpi import ZONE_KPIS, ZONE_MEASURES
from tenpo.kpi.calendar import Period
from tenpo.kpi.definitions import Number

TABLE = "kpi_zone_hour"


@dataclass(frozen=True)
class ZoneRow:
    """The sums of one zone, and of one period, day or hour as far as asked for."""

    store_id: str
    zone_id: str
    business_date: date | None
    hour_start_at: datetime | None
    local_hour: int | None
    period: Period | None
    day_count: int
    sums: dict[str, int | None]
    definition_version: int
    revision: int
    computed_at: datetime

    @property
    def values(self) -> dict[str, Number | None]:
        """Every KPI of zones."""
        return {name: kpi.value(self.sums) for name, kpi in ZONE_KPIS.items()}

    def as_json(self) -> dict[str, Any]:
        """The row as the API gives it."""
        return {
            "store_id": self.store_id,
            "zone_id": self.zone_id,
            "period": self.period and self.period.name,
            "period_from": self.period and self.period.first.isoformat(),
            "period_to": self.period and self.period.last.isoformat(),
            "business_date": self.business_date and self.business_date.isoformat(),
            "hour_start_at": self.hour_start_at and stamp(self.hour_start_at),
            "local_hour": self.local_hour,
            "day_count": self.day_count,
            "values": {name: exact(value) for name, value in self.values.items()},
            "definition_version": self.definition_version,
            "revision": self.revision,
            "computed_at": stamp(self.computed_at),
        }


def read_zones(connection: Connection, query: KpiQuery) -> list[ZoneRow]:
    """Sum the measures of each zone over the range.

    Args:
        connection: the datamart.
        query: as for the stores' figures; `by` and `kpis` are not heeded.

    Returns:
        Rows ordered by date, hour, store and zone; nothing where there are no zones.

    Raises:
        InputError: the revisions of `as_of` were not kept.
    """
    query = replace(query, by="store")
    source: FromClause = TABLES[TABLE]
    if query.as_of is not None:
        scope = {"tenant_id": query.tenant_id, "first": query.first, "last": query.last,
                 "stores": query.stores}  # fmt: skip
        check_kept(connection, TABLE, query.as_of, scope)
        source = rows_as_of(TABLE, query.as_of, **scope).subquery("source")
    rows = select(source).where(
        source.c.tenant_id == query.tenant_id,
        source.c.business_date.between(query.first, query.last),
        source.c.zone_visitors.is_not(None),
    )
    if query.periods:
        firsts = literal([period.first for period in query.periods], ARRAY(Date()))
        place = func.width_bucket(source.c.business_date, firsts).label("period")
        rows = rows.add_columns(place)
    if query.stores:
        rows = rows.where(source.c.store_id.in_(query.stores))
    part = rows.subquery("part").c
    keys = [part[key] for key in (*KEYS[query.grain, "store"], "zone_id")]
    sums = (cast(func.sum(part[m.name]), BigInteger).label(m.name) for m in ZONE_MEASURES)
    statement = select(
        *keys, *sums,
        func.count(part.business_date.distinct()).label("day_count"),
        func.max(part.definition_version).label("definition_version"),
        func.max(part.revision).label("revision"),
        func.max(part.computed_at).label("computed_at"),
    )  # fmt: skip
    found = connection.execute(statement.group_by(*keys).order_by(*keys)).mappings()
    return [_row(query, record) for record in found]


def _row(query: KpiQuery, record: Mapping[Any, Any]) -> ZoneRow:
    place = record.get("period")
    return ZoneRow(
        store_id=record["store_id"],
        zone_id=record["zone_id"],
        business_date=record.get("business_date"),
        hour_start_at=record.get("hour_start_at"),
        local_hour=record.get("local_hour"),
        period=None if place is None else query.periods[place - 1],
        day_count=record["day_count"],
        sums={measure.name: record[measure.name] for measure in ZONE_MEASURES},
        definition_version=record["definition_version"],
        revision=record["revision"],
        computed_at=record["computed_at"],
    )
