"""Reading when people come: footfall by hour of the week, and the busiest of these hours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Date,
    FromClause,
    Integer,
    Select,
    cast,
    func,
    literal,
    select,
)

from tenpo.datamart.kpi_answer import exact
from tenpo.datamart.kpi_query import KEYS, KpiQuery
from tenpo.datamart.past import check_kept, rows_as_of
from tenpo.datamart.tables import TABLES
from tenpo.errors import InputError
from tenpo.kpi.busy import Busy, WeekHour, busiest
from tenpo.kpi.calendar import Period
from tenpo.kpi.definitions import quotient

TABLE = "kpi_store_hour"
MAX_DAYS = 400


@dataclass(frozen=True)
class BusyRow:
    """When people came: of one store, period or date as far as asked for.

    `covered_s` and `expected_s` say how much of the opening hours the counters saw.
    """

    store_id: str | None
    business_date: date | None
    period: Period | None
    busy: Busy
    covered_s: int
    expected_s: int

    def as_json(self) -> dict[str, Any]:
        """The row as the API gives it."""
        peak = self.busy.peak
        return {
            "store_id": self.store_id,
            "period": self.period and self.period.name,
            "period_from": self.period and self.period.first.isoformat(),
            "period_to": self.period and self.period.last.isoformat(),
            "business_date": self.business_date and self.business_date.isoformat(),
            "footfall": self.busy.footfall,
            "peak_hour": peak and peak._asdict(),
            "power_hour_count": len(self.busy.power),
            "power_hours": [hour._asdict() for hour in self.busy.power],
            "coverage_ratio": exact(quotient(self.covered_s, self.expected_s)),
        }


def read_busy(connection: Connection, query: KpiQuery) -> list[BusyRow]:
    """The busiest hours of the range.

    Args:
        connection: the datamart.
        query: of grain day, week, month or total; `kpis` is not heeded.

    Returns:
        Rows ordered by period or date, then store; nothing where no hour knows its footfall.

    Raises:
        InputError: the range is too long, the grain is hours, or the revisions of `as_of` were
            not kept.
    """
    if query.grain == "hour" or query.days > MAX_DAYS:
        raise InputError(
            f"busy hours of {query.days} days by {query.grain} cannot be told",
            where="from, to, grain",
            remedy=f"Ask for at most {MAX_DAYS} days, by day, week, month or total.",
        )
    keys = KEYS[query.grain, query.by]
    found = connection.execute(_statement(query, _source(connection, query), keys)).mappings()
    grouped = groupby(found, key=lambda record: tuple(record[key] for key in keys))
    rows = ((dict(zip(keys, key, strict=True)), list(rows)) for key, rows in grouped)
    return [_row(query, key, hours) for key, hours in rows if any(_hours(hours))]


def _source(connection: Connection, query: KpiQuery) -> FromClause:
    if query.as_of is None:
        return TABLES[TABLE]
    scope = {"tenant_id": query.tenant_id, "first": query.first, "last": query.last,
             "stores": query.stores}  # fmt: skip
    check_kept(connection, TABLE, query.as_of, scope)
    return rows_as_of(TABLE, query.as_of, **scope).subquery("source")


def _statement(query: KpiQuery, source: FromClause, names: tuple[str, ...]) -> Select[Any]:
    hour = source.c
    weekday = cast(func.extract("isodow", hour.business_date), Integer) - 1
    rows = select(source, weekday.label("weekday")).where(
        hour.tenant_id == query.tenant_id,
        hour.business_date.between(query.first, query.last),
    )
    if query.periods:
        firsts = literal([period.first for period in query.periods], ARRAY(Date()))
        place = func.width_bucket(hour.business_date, firsts).label("period")
        rows = rows.add_columns(place)
    if query.stores:
        rows = rows.where(hour.store_id.in_(query.stores))
    part = rows.subquery("part").c
    keys = [part[name] for name in names]
    of_hour = [*keys, part.weekday, part.local_hour]
    sums = (
        cast(func.sum(part[name]), BigInteger).label(name)
        for name in ("footfall", "covered_s", "expected_s")
    )
    return select(*of_hour, *sums).group_by(*of_hour).order_by(*of_hour)


def _row(query: KpiQuery, key: Mapping[str, Any], rows: Sequence[Mapping[Any, Any]]) -> BusyRow:
    place = key.get("period")
    return BusyRow(
        store_id=key.get("store_id"),
        business_date=key.get("business_date"),
        period=None if place is None else query.periods[place - 1],
        busy=busiest(_hours(rows)),
        covered_s=sum(row["covered_s"] or 0 for row in rows),
        expected_s=sum(row["expected_s"] or 0 for row in rows),
    )


def _hours(rows: Sequence[Mapping[Any, Any]]) -> Iterator[WeekHour]:
    """Those of which a counter told anything."""
    for row in rows:
        if row["footfall"] is not None:
            yield WeekHour(row["weekday"], row["local_hour"], row["footfall"])
