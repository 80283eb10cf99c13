"""Reading KPIs from the datamart: measures are summed in SQL, ratios are formed afterwards.

Sketches are merged by `sketch_read`, where a KPI asked for needs one.

The API and `tenpo kpi` answer through this module, so they cannot disagree. Rows
of different currencies are never added. Null is not zero: a sum is null where
no row knows the measure, and `partial` names the KPIs that only some rows know.

As of a moment in the past it reads the revisions that were published by then.
Not for writing, and not for SQL users' history (that is `tenpo sql` on mart).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Date,
    FromClause,
    Integer,
    Select,
    Subquery,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import ColumnElement

from tenpo.contracts import Type
from tenpo.datamart.kpi_answer import KpiRow
from tenpo.datamart.kpi_query import KEYS, KpiQuery
from tenpo.datamart.past import check_kept, rows_as_of
from tenpo.datamart.sketch_read import read_sketches
from tenpo.datamart.tables import TABLES, store
from tenpo.kpi import KPIS, MEASURES, Measure
from tenpo.kpi.measures import MAXIMA, OF_DATE, SKETCHES

Columns = ReadOnlyColumnCollection[str, Any]


def read_kpis(connection: Connection, query: KpiQuery) -> list[KpiRow]:
    """Sum the measures of the range.

    Returns:
        Rows ordered by currency, then date, hour and store; nothing where there is no data.

    Raises:
        InputError: the revisions of `as_of` were not kept.
    """
    if query.as_of is not None:
        check_kept(connection, _table(query), query.as_of, _scope(query))
    part, keys = _part(query)
    found = connection.execute(_statement(query, part, keys)).mappings().all()
    wanted = {KPIS[name].numerator for name in query.columns} & SKETCHES
    known = [name for name in wanted if any(record[f"{name}__known"] for record in found)]
    sketches = {name: read_sketches(connection, part, keys, name) for name in known}
    return [_row(query, record, _own(sketches, record, keys)) for record in found]


def _own(
    sketches: Mapping[str, Mapping[Any, str]], record: Mapping[Any, Any], keys: Sequence[str]
) -> dict[str, str | None]:
    place = tuple(record[key] for key in keys)
    return {name: of.get(place) for name, of in sketches.items()}


def _table(query: KpiQuery) -> str:
    return "kpi_store_hour" if query.grain == "hour" else "kpi_store_day"


def _scope(query: KpiQuery) -> dict[str, Any]:
    return {
        "tenant_id": query.tenant_id,
        "first": query.first,
        "last": query.last,
        "stores": query.stores,
    }


def _part(query: KpiQuery) -> tuple[Subquery, tuple[str, ...]]:
    """The rows asked for, and the columns that they are grouped by."""
    table = _table(query)
    source: FromClause = TABLES[table]
    if query.as_of is not None:
        source = rows_as_of(table, query.as_of, **_scope(query)).subquery("source")
    rows = select(source, *_derived(query, source))
    if query.grain == "hour":
        same = (store.c.tenant_id == source.c.tenant_id) & (store.c.store_id == source.c.store_id)
        rows = rows.select_from(source.outerjoin(store, same))
    rows = rows.where(
        source.c.tenant_id == query.tenant_id,
        source.c.business_date.between(query.first, query.last),
    )
    if query.stores:
        rows = rows.where(source.c.store_id.in_(query.stores))
    return rows.subquery("part"), ("currency", *KEYS[query.grain, query.by])


def _statement(query: KpiQuery, rows: Subquery, names: tuple[str, ...]) -> Select[Any]:
    part = rows.c
    keys = [part[name] for name in names]
    statement = select(*keys, *_sums(part), *_provenance(part))
    if query.grain == "hour" and query.by == "all":
        statement = statement.add_columns(
            func.min(part.hour_start_at).label("hour_start_at"),
            func.max(part.hour_start_at).label("hour_last"),
        )
    return statement.group_by(*keys).order_by(*keys)


def _derived(query: KpiQuery, source: FromClause) -> Iterator[ColumnElement[Any]]:
    """What rows are grouped by beside their own columns: the fold of hours, the period of days."""
    if query.grain == "hour":
        yield _fold(source)
    if query.periods:
        firsts = literal([period.first for period in query.periods], ARRAY(Date()))
        yield func.width_bucket(source.c.business_date, firsts).label("period")


def _fold(source: FromClause) -> ColumnElement[Any]:
    """1 in the second of the two hours that the end of daylight saving repeats.

    It reads the same on the wall as the hour before it. Stores of several timezones are
    summed wall hour by wall hour.
    """
    start, zone = source.c.hour_start_at, store.c.timezone
    repeats = func.timezone(zone, start - timedelta(hours=1)) == func.timezone(zone, start)
    return cast(func.coalesce(repeats, False), Integer).label("fold")


def _sums(part: Columns) -> Iterator[ColumnElement[Any]]:
    """Per measure what it comes to, exact and in its own type, and how many rows know it."""
    for measure in MEASURES:
        column = part[measure.name]
        if measure.name not in SKETCHES:
            yield _total(part, measure).label(measure.name)
        yield func.count(column).label(f"{measure.name}__known")


def _total(part: Columns, measure: Measure) -> ColumnElement[Any]:
    column = part[measure.name]
    if measure.name in MAXIMA:
        return func.max(column)
    if measure.name in OF_DATE:
        dates = func.count(part.business_date.distinct()).filter(column.is_not(None))
        return func.sum(column) / func.nullif(dates, 0)
    total = func.sum(column)
    return cast(total, BigInteger) if measure.type is Type.INT64 else total


def _provenance(part: Columns) -> Iterator[ColumnElement[Any]]:
    version = part.definition_version
    yield func.count().label("row_count")
    yield func.count(part.store_id.distinct()).label("store_count")
    yield func.count(part.business_date.distinct()).label("day_count")
    yield func.max(version).label("definition_version")
    yield (func.min(version) != func.max(version)).label("mixed_definitions")
    yield func.max(part.revision).label("revision")
    yield func.max(part.computed_at).label("computed_at")


def _row(query: KpiQuery, record: Mapping[Any, Any], sketches: Mapping[str, str | None]) -> KpiRow:
    start = record.get("hour_start_at")
    if start is not None and record.get("hour_last", start) != start:
        start = None
    place = record.get("period")
    return KpiRow(
        currency=record["currency"],
        store_id=record.get("store_id"),
        business_date=record.get("business_date"),
        hour_start_at=start,
        local_hour=record.get("local_hour"),
        store_count=record["store_count"],
        day_count=record["day_count"],
        sums={m.name: record.get(m.name) for m in MEASURES} | dict(sketches),
        partial=_partial(record),
        definition_version=record["definition_version"],
        mixed_definitions=record["mixed_definitions"],
        revision=record["revision"],
        computed_at=record["computed_at"],
        period=None if place is None else query.periods[place - 1],
        place=place,
    )


def _partial(record: Mapping[Any, Any]) -> tuple[str, ...]:
    """KPIs made of a measure that some of the summed rows know and others do not."""
    rows = record["row_count"]
    some = {m.name for m in MEASURES if 0 < record[f"{m.name}__known"] < rows}
    return tuple(k.name for k in KPIS.values() if k.numerator in some or k.denominator in some)
