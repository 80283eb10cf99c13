"""Why a figure is what it is: its inputs, its coverage, and every revision with its cause.

Reads the datamart alone; the payloads behind a store-day are `tenpo.warehouse.sources`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, FromClause, Select, Subquery, func, select

from tenpo.clock import StoreClock
from tenpo.datamart.kpi_answer import KpiRow, exact, stamp
from tenpo.datamart.kpi_query import Grain, KpiQuery
from tenpo.datamart.kpi_read import read_kpis
from tenpo.datamart.past import every_revision, rows_as_of
from tenpo.datamart.tables import TABLES, kpi_store_hour, run, store
from tenpo.errors import InputError
from tenpo.kpi import KPIS, MEASURES, Kpi
from tenpo.kpi.definitions import Number
from tenpo.kpi.measures import MEASURE_LABELS

MAX_DAYS = 100
MAX_REVISIONS = 100
MAX_HOURS = 200
_UNITS = {measure.name: measure.unit for measure in MEASURES}


@dataclass(frozen=True, slots=True)
class ExplainQuery:
    """Which figure.

    Args:
        tenant_id: the tenant.
        kpi: name of the KPI.
        first: first business date.
        last: last business date, included.
        stores: only these; empty means all.
        local_hour: only this hour of the business date's clock, of one day.
        as_of: as everybody read it at this moment; none means now.

    Raises:
        InputError: no such KPI, a range that cannot be explained, or an hour of several days.
    """

    tenant_id: str
    kpi: str
    first: date
    last: date
    stores: tuple[str, ...] = ()
    local_hour: int | None = None
    as_of: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be answered."""
        days = (self.last - self.first).days + 1
        if days > MAX_DAYS:
            raise InputError(
                f"{days} days are too many to explain",
                where="from, to",
                remedy=f"Ask for at most {MAX_DAYS} days.",
            )
        if self.local_hour is not None and days != 1:
            raise InputError(
                "an hour is of one day", where="hour", remedy="Give one date with the hour."
            )
        self.figures()

    @property
    def definition(self) -> Kpi:
        """The KPI."""
        return KPIS[self.kpi]

    @property
    def table(self) -> str:
        """Where its rows are."""
        return "kpi_store_day" if self.local_hour is None else "kpi_store_hour"

    def figures(self) -> KpiQuery:
        """The query of the figure itself."""
        grain: Grain = "total" if self.local_hour is None else "hour"
        return KpiQuery(
            self.tenant_id, self.first, self.last, grain, "all", self.stores, (self.kpi,),
            self.as_of,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One revision of a store-day's or store-hour's figure.

    `has_before` is false where the revision before it was not kept: `old` is then unknown.
    """

    store_id: str
    business_date: date
    hour_start_at: datetime | None
    revision: int
    currency: str
    old: Number | None
    new: Number | None
    cause: str
    computed_at: datetime
    published_at: datetime
    run_id: str
    clock: StoreClock
    has_before: bool

    @property
    def is_early(self) -> bool:
        """Whether it was published while its business date was still running."""
        cutover = timedelta(days=1, seconds=self.clock.day_cutover_s)
        return self.published_at < self.clock.at(self.business_date, cutover)

    @property
    def is_move(self) -> bool:
        """Whether it is known to have changed this figure."""
        return self.has_before and self.old != self.new

    def as_json(self) -> dict[str, Any]:
        """As the API gives it."""
        return {
            "store_id": self.store_id,
            "business_date": self.business_date.isoformat(),
            "hour_start_at": self.hour_start_at and stamp(self.hour_start_at),
            "revision": self.revision,
            "old": exact(self.old),
            "new": exact(self.new),
            "cause": self.cause,
            "computed_at": stamp(self.computed_at),
            "published_at": stamp(self.published_at),
            "run_id": self.run_id,
        }


@dataclass(frozen=True, slots=True)
class WeakHour:
    """An open hour that counters did not see whole."""

    store_id: str
    business_date: date
    local_hour: int
    expected_s: int
    covered_s: int
    imputed_s: int

    def as_json(self) -> dict[str, Any]:
        """As the API gives it."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "business_date": self.business_date.isoformat()
        }


@dataclass(frozen=True)
class Explanation:
    """What is behind a figure.

    Args:
        query: which figure.
        figures: its sums, a row a currency (and a row each of an hour that comes twice).
        hours: hours that counters did not see whole, at most `MAX_HOURS`; none to come.
        hour_count: how many such hours there are.
        changes: revisions, newest first, at most `MAX_REVISIONS`.
        change_count: how many revisions there are.
    """

    query: ExplainQuery
    figures: list[KpiRow]
    hours: list[WeakHour]
    hour_count: int
    changes: list[Change]
    change_count: int

    def as_document(self) -> dict[str, Any]:
        """As the API and `tenpo explain --json` give it, without words and sources."""
        query, kpi = self.query, self.query.definition
        return {
            "tenant_id": query.tenant_id,
            "kpi": kpi.name,
            "formula": kpi.formula,
            "unit": kpi.unit,
            "from": query.first.isoformat(),
            "to": query.last.isoformat(),
            "stores": list(query.stores),
            "local_hour": query.local_hour,
            "as_of": query.as_of and stamp(query.as_of),
            "figures": [self._figure(row) for row in self.figures],
            "weak_hours": [hour.as_json() for hour in self.hours],
            "revision_count": self.change_count,
            "revisions": [change.as_json() for change in self.changes],
        }

    def _figure(self, row: KpiRow) -> dict[str, Any]:
        kpi = self.query.definition
        return {
            **row.as_json((kpi.name,)),
            "value": exact(row.values[kpi.name]),
            "inputs": [
                {"measure": name, "unit": _UNITS[name], "label": MEASURE_LABELS[name][0],
                 "value": exact(row.sums[name])}
                for name in kpi.inputs
            ],
            **{name: row.sums[name] for name in ("open_s", "expected_s", "covered_s", "imputed_s")},
        }  # fmt: skip


def read_explanation(connection: Connection, query: ExplainQuery) -> Explanation:
    """What is behind a figure.

    Raises:
        InputError: the revisions of `as_of` were not kept.
    """
    figures = read_kpis(connection, query.figures())
    if query.local_hour is not None:
        figures = [row for row in figures if row.local_hour == query.local_hour]
    changes, count = _changes(connection, query)
    hours, hour_count = _weak_hours(connection, query)
    return Explanation(query, figures, hours, hour_count, changes, count)


def _changes(connection: Connection, query: ExplainQuery) -> tuple[list[Change], int]:
    """Revisions with the values before them; of one store and day the first one, too."""
    version = _versions(query).subquery("beside")
    at = (store.c.tenant_id == version.c.tenant_id) & (store.c.store_id == version.c.store_id)
    statement = select(
        version, store.c.timezone, store.c.day_cutover_s, func.count().over().label("total")
    ).select_from(version.outerjoin(store, at))
    if len(query.stores) != 1 or query.first != query.last:
        statement = statement.where(version.c.revision > 1)
    statement = statement.order_by(
        version.c.published_at.desc(), version.c.store_id, version.c.business_date.desc(),
        version.c.revision.desc(),
    ).limit(MAX_REVISIONS)  # fmt: skip
    found = connection.execute(statement).mappings().all()
    return [_change(query.definition, row) for row in found], found[0]["total"] if found else 0


def _versions(query: ExplainQuery) -> Select[Any]:
    """Every revision beside the inputs of the one before it."""
    scope = (query.tenant_id, query.first, query.last, query.stores)
    every: Subquery = every_revision(query.table, *scope).subquery("every")
    key = [column.name for column in TABLES[query.table].primary_key]
    before = (
        func.lag(every.c[name])
        .over(partition_by=[every.c[part] for part in key], order_by=every.c.revision)
        .label(f"old_{name}")
        for name in ("revision", *query.definition.inputs)
    )
    statement = select(every, *before)
    if query.as_of is not None:
        statement = statement.where(every.c.published_at <= query.as_of)
    if query.local_hour is not None:
        statement = statement.where(every.c.local_hour == query.local_hour)
    return statement


def _change(kpi: Kpi, row: Mapping[Any, Any]) -> Change:
    return Change(
        store_id=row["store_id"],
        business_date=row["business_date"],
        hour_start_at=row.get("hour_start_at"),
        revision=row["revision"],
        currency=row["currency"],
        old=kpi.value({name: row[f"old_{name}"] for name in kpi.inputs}),
        new=kpi.value({name: row[name] for name in kpi.inputs}),
        cause=row["cause"],
        computed_at=row["computed_at"],
        published_at=row["published_at"],
        run_id=row["run_id"],
        clock=StoreClock(row["timezone"] or "UTC", row["day_cutover_s"] or 0),
        has_before=row["old_revision"] is not None,
    )


def _weak_hours(connection: Connection, query: ExplainQuery) -> tuple[list[WeakHour], int]:
    """Hours that were over when the figures were published, and not seen whole."""
    source: FromClause = kpi_store_hour
    until = select(func.max(run.c.published_at)).where(
        run.c.tenant_id == query.tenant_id, run.c.job == "aggregate"
    )
    if query.as_of is not None:
        scope = {"first": query.first, "last": query.last, "stores": query.stores}
        past = rows_as_of("kpi_store_hour", query.as_of, tenant_id=query.tenant_id, **scope)
        source = past.subquery("source")
        until = until.where(run.c.published_at <= query.as_of)
    hour = source.c
    statement = select(
        hour.store_id, hour.business_date, hour.local_hour, hour.expected_s, hour.covered_s,
        func.coalesce(hour.imputed_s, 0), func.count().over(),
    ).where(
        hour.tenant_id == query.tenant_id,
        hour.business_date.between(query.first, query.last),
        hour.covered_s < hour.expected_s,
        hour.hour_start_at + timedelta(hours=1) <= until.scalar_subquery(),
    )  # fmt: skip
    if query.stores:
        statement = statement.where(hour.store_id.in_(query.stores))
    if query.local_hour is not None:
        statement = statement.where(hour.local_hour == query.local_hour)
    statement = statement.order_by(hour.business_date.desc(), hour.store_id, hour.hour_start_at)
    found = connection.execute(statement.limit(MAX_HOURS)).all()
    return [WeakHour(*row[:-1]) for row in found], found[0][-1] if found else 0
