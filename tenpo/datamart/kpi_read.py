"""Reading KPIs from the datamart: measures are summed in SQL, ratios are formed afterwards.

The API and `tenpo kpi` answer through this module, so they cannot disagree. Rows
of different currencies are never added. Null is not zero: a sum is null where
no row knows the measure, and `partial` names the KPIs that only some rows know.

Not for writing, and not for the mart's history (that is `tenpo sql`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from sqlalchemy import BigInteger, Connection, Integer, Select, cast, func, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import ColumnElement

from tenpo.contracts import Type
from tenpo.datamart.tables import kpi_store_day, kpi_store_hour, store
from tenpo.errors import InputError
from tenpo.kpi import KPIS, MEASURES, evaluate

Number = int | Decimal
Grain = Literal["hour", "day", "total"]
By = Literal["all", "store"]
Columns = ReadOnlyColumnCollection[str, Any]

#: Every row carries these two beside its values.
QUALITY = ("coverage_ratio", "imputed_ratio")
MAX_DAYS = {"hour": 100, "day": 1_100, "total": 1_100}

_KEYS: dict[tuple[Grain, By], tuple[str, ...]] = {
    ("total", "all"): (),
    ("total", "store"): ("store_id",),
    ("day", "all"): ("business_date",),
    ("day", "store"): ("business_date", "store_id"),
    ("hour", "all"): ("business_date", "local_hour", "fold"),
    ("hour", "store"): ("business_date", "hour_start_at", "local_hour", "store_id"),
}


@dataclass(frozen=True, slots=True)
class KpiQuery:
    """What is asked for.

    Args:
        tenant_id: the tenant.
        first: first business date.
        last: last business date, included.
        grain: one row an hour, a day, or for the whole range.
        by: `all` sums over the stores, `store` keeps them apart.
        stores: only these; empty means all of the tenant's.
        kpis: names of the KPIs wanted, in order; empty means all.

    Raises:
        InputError: the range is upside down or too long, or a KPI is unknown.
    """

    tenant_id: str
    first: date
    last: date
    grain: Grain
    by: By = "all"
    stores: tuple[str, ...] = ()
    kpis: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be answered."""
        if self.last < self.first:
            raise InputError(
                f"the range ends ({self.last}) before it begins ({self.first})",
                where="from, to",
                remedy="Give `from` on or before `to`; both days are included.",
            )
        if self.days > MAX_DAYS[self.grain]:
            raise InputError(
                f"{self.days} days are too many for grain {self.grain}",
                where="from, to",
                remedy=f"Ask for at most {MAX_DAYS[self.grain]} days, or for a coarser grain.",
            )
        unknown = [name for name in self.kpis if name not in KPIS]
        if unknown:
            raise InputError(
                f"there is no KPI {', '.join(map(repr, unknown))}",
                where="kpi",
                remedy=f"Choose from: {', '.join(KPIS)}.",
            )

    @property
    def days(self) -> int:
        """Length of the range in days."""
        return (self.last - self.first).days + 1

    @property
    def columns(self) -> tuple[str, ...]:
        """The KPIs of each row's values, in order; quality has columns of its own."""
        return tuple(name for name in self.kpis or KPIS if name not in QUALITY)


@dataclass(frozen=True)
class KpiRow:
    """The sums of one currency, and of one store, day and hour as far as asked for.

    `revision` and `computed_at` are the newest of the rows summed. `hour_start_at` is
    None where stores of several timezones were summed for the same wall-clock hour.
    """

    currency: str
    store_id: str | None
    business_date: date | None
    hour_start_at: datetime | None
    local_hour: int | None
    store_count: int
    sums: dict[str, Number | None]
    partial: tuple[str, ...]
    definition_version: int
    mixed_definitions: bool
    revision: int
    computed_at: datetime

    @cached_property
    def values(self) -> dict[str, Number | None]:
        """Every KPI of the sums."""
        return evaluate(self.sums)

    def as_json(self, columns: Sequence[str]) -> dict[str, Any]:
        """The row as the API and `tenpo kpi --json` give it."""
        return {
            "store_id": self.store_id,
            "currency": self.currency,
            "business_date": self.business_date and self.business_date.isoformat(),
            "hour_start_at": self.hour_start_at and _stamp(self.hour_start_at),
            "local_hour": self.local_hour,
            "store_count": self.store_count,
            "values": {name: exact(self.values[name]) for name in columns},
            "partial": [name for name in self.partial if name in columns],
            **{name: exact(self.values[name]) for name in QUALITY},
            "definition_version": self.definition_version,
            "mixed_definitions": self.mixed_definitions,
            "revision": self.revision,
            "computed_at": _stamp(self.computed_at),
        }


def read_kpis(connection: Connection, query: KpiQuery) -> list[KpiRow]:
    """Sum the measures of the range.

    Returns:
        Rows ordered by currency, then date, hour and store; nothing where there is no data.
    """
    return [_row(record) for record in connection.execute(_statement(query)).mappings()]


def _statement(query: KpiQuery) -> Select[Any]:
    source = kpi_store_hour if query.grain == "hour" else kpi_store_day
    rows = _hours_with_fold() if query.grain == "hour" else select(kpi_store_day)
    rows = rows.where(
        source.c.tenant_id == query.tenant_id,
        source.c.business_date.between(query.first, query.last),
    )
    if query.stores:
        rows = rows.where(source.c.store_id.in_(query.stores))
    part = rows.subquery("part").c
    keys = [part[key] for key in ("currency", *_KEYS[query.grain, query.by])]
    statement = select(*keys, *_sums(part), *_provenance(part))
    if query.grain == "hour" and query.by == "all":
        statement = statement.add_columns(
            func.min(part.hour_start_at).label("hour_start_at"),
            func.max(part.hour_start_at).label("hour_last"),
        )
    return statement.group_by(*keys).order_by(*keys)


def _hours_with_fold() -> Select[Any]:
    """Hours with `fold`: 1 in the second of the two hours that the end of daylight saving repeats.

    It reads the same on the wall as the hour before it. Stores of several timezones are
    summed wall hour by wall hour.
    """
    hour = kpi_store_hour.c
    repeats = func.timezone(store.c.timezone, hour.hour_start_at - timedelta(hours=1)) == (
        func.timezone(store.c.timezone, hour.hour_start_at)
    )
    same_store = (store.c.tenant_id == hour.tenant_id) & (store.c.store_id == hour.store_id)
    fold = cast(func.coalesce(repeats, False), Integer).label("fold")
    return select(kpi_store_hour, fold).select_from(kpi_store_hour.outerjoin(store, same_store))


def _sums(part: Columns) -> Iterator[ColumnElement[Any]]:
    """Per measure its sum, exact and in its own type, and how many rows know it."""
    for measure in MEASURES:
        total: ColumnElement[Any] = func.sum(part[measure.name])
        if measure.type is Type.INT64:
            total = cast(total, BigInteger)
        yield total.label(measure.name)
        yield func.count(part[measure.name]).label(f"{measure.name}__known")


def _provenance(part: Columns) -> Iterator[ColumnElement[Any]]:
    version = part.definition_version
    yield func.count().label("row_count")
    yield func.count(part.store_id.distinct()).label("store_count")
    yield func.max(version).label("definition_version")
    yield (func.min(version) != func.max(version)).label("mixed_definitions")
    yield func.max(part.revision).label("revision")
    yield func.max(part.computed_at).label("computed_at")


def _row(record: Mapping[Any, Any]) -> KpiRow:
    start = record.get("hour_start_at")
    if start is not None and record.get("hour_last", start) != start:
        start = None
    return KpiRow(
        currency=record["currency"],
        store_id=record.get("store_id"),
        business_date=record.get("business_date"),
        hour_start_at=start,
        local_hour=record.get("local_hour"),
        store_count=record["store_count"],
        sums={measure.name: record[measure.name] for measure in MEASURES},
        partial=_partial(record),
        definition_version=record["definition_version"],
        mixed_definitions=record["mixed_definitions"],
        revision=record["revision"],
        computed_at=record["computed_at"],
    )


def _partial(record: Mapping[Any, Any]) -> tuple[str, ...]:
    """KPIs made of a measure that some of the summed rows know and others do not."""
    rows = record["row_count"]
    some = {m.name for m in MEASURES if 0 < record[f"{m.name}__known"] < rows}
    return tuple(k.name for k in KPIS.values() if k.numerator in some or k.denominator in some)


def exact(value: Number | None) -> int | str | None:
    """A number that survives JSON: counts as integers, decimals as strings without exponent."""
    if not isinstance(value, Decimal):
        return value
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def as_document(query: KpiQuery, rows: Iterable[KpiRow]) -> dict[str, Any]:
    """The whole answer, as the API's body and `tenpo kpi --json`."""
    return {
        "tenant_id": query.tenant_id,
        "from": query.first.isoformat(),
        "to": query.last.isoformat(),
        "grain": query.grain,
        "by": query.by,
        "rows": [row.as_json(query.columns) for row in rows],
    }


def as_csv(query: KpiQuery, rows: Iterable[KpiRow]) -> Iterator[str]:
    """The answer as CSV lines (RFC 4180): keys, KPIs, quality, provenance; null is empty."""
    keys = [key for key in _KEYS[query.grain, query.by] if key != "fold"]
    if query.grain == "hour" and query.by == "all":
        keys.append("hour_start_at")
    trail = ("store_count", *QUALITY, "definition_version", "revision", "computed_at", "partial")
    yield _csv_line(["currency", *keys, *query.columns, *trail])
    for row in rows:
        flat = row.as_json(query.columns)
        flat |= {**flat["values"], "partial": " ".join(flat["partial"])}
        yield _csv_line([flat[name] for name in ("currency", *keys, *query.columns, *trail)])


def _csv_line(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
