"""Figures beside those of the days they are compared with; with a year before, of the same stores.

A year ago a chain had other stores. So the change from it is told of *same stores* alone: those
that were open for the whole base period and still are. A store is open from `opened_on` of its
master, else from its first figures, until its last; as some close on a day of the week, figures
may begin and end up to six days within.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, func, select

from tenpo.datamart.kpi_answer import KpiRow, as_document, exact
from tenpo.datamart.kpi_query import QUALITY, KpiQuery
from tenpo.datamart.kpi_read import read_kpis
from tenpo.datamart.tables import kpi_store_day, store
from tenpo.kpi.calendar import Against
from tenpo.kpi.definitions import Number, quotient

#: Figures of a store that closes on some weekdays begin and end so far within a period.
CLOSED_DAYS = timedelta(days=6)

#: A row, and that of the days it is compared with.
Pair = tuple[KpiRow, KpiRow | None]


@dataclass(frozen=True)
class Compared:
    """Rows with those of the days they are compared with, None where there are none.

    Args:
        query: what was asked.
        against: with which days; None where nothing was to be compared.
        base: the query of those days.
        rows: each with its base.
        alike: the same of same stores, in the same order; None where all stores are compared.
    """

    query: KpiQuery
    against: Against | None
    base: KpiQuery
    rows: list[Pair]
    alike: list[Pair | None] | None = None

    @cached_property
    def changes(self) -> list[Pair | None]:
        """Each row's two sides whose values are set against each other."""
        return list(self.rows) if self.alike is None else self.alike

    def as_document(self) -> dict[str, Any]:
        """The answer of a plain query, each row with what it is compared with."""
        document = as_document(self.query, [row for row, _ in self.rows])
        if self.against is None:
            return document
        document["compare"] = {
            "against": self.against,
            "from": self.base.first.isoformat(),
            "to": self.base.last.isoformat(),
        }
        for told, (_, before), sides in zip(document["rows"], self.rows, self.changes, strict=True):
            told["compared"] = before and self._beside(before, sides)
        return document

    def _beside(self, before: KpiRow, sides: Pair | None) -> dict[str, Any]:
        columns = self.query.columns
        told = before.as_json(columns)
        kept = ("period", "period_from", "period_to", "business_date", "store_count", "day_count",
                "values", "partial", *QUALITY)  # fmt: skip
        now, then = _values(sides)
        ratios = {name: exact(quotient(now.get(name), then.get(name))) for name in columns}
        same = None if self.alike is None else {
            "store_count": sides[0].store_count if sides else 0,
            "values": {name: exact(now.get(name)) for name in columns},
            "base_values": {name: exact(then.get(name)) for name in columns},
        }  # fmt: skip
        return {name: told[name] for name in kept} | {"ratios": ratios, "same_stores": same}


def compare_kpis(connection: Connection, query: KpiQuery, against: Against) -> Compared:
    """The rows of a range, each beside that of the days it is compared with.

    Raises:
        InputError: hours are not compared; the revisions of `as_of` were not kept.
    """
    base = query.base(against)
    pairs = _pairs(connection, query, base)
    if against == "previous":
        return Compared(query, against, base, pairs)
    stores = same_stores(connection, query, base)
    if not stores:
        return Compared(query, against, base, pairs, [None] * len(pairs))
    narrow = replace(query, stores=stores), replace(base, stores=stores)
    found = {_place(row, timedelta()): (row, then) for row, then in _pairs(connection, *narrow)}
    return Compared(
        query, against, base, pairs, [found.get(_place(row, timedelta())) for row, _ in pairs]
    )


def same_stores(connection: Connection, query: KpiQuery, base: KpiQuery) -> tuple[str, ...]:
    """The stores that were open for the whole base period, and until the end of the range."""
    day = kpi_store_day.c
    mine = day.tenant_id == query.tenant_id
    newest = select(func.max(day.business_date)).where(mine).scalar_subquery()
    opened = func.coalesce(store.c.opened_on, func.min(day.business_date) - CLOSED_DAYS.days)
    until = func.least(query.last, newest) - CLOSED_DAYS.days
    at = (store.c.tenant_id == day.tenant_id) & (store.c.store_id == day.store_id)
    statement = (
        select(day.store_id)
        .select_from(kpi_store_day.outerjoin(store, at))
        .where(mine)
        .group_by(day.store_id, store.c.opened_on)
        .having(opened <= base.first, func.max(day.business_date) >= until)
        .order_by(day.store_id)
    )
    if query.stores:
        statement = statement.where(day.store_id.in_(query.stores))
    return tuple(connection.execute(statement).scalars())


def _pairs(connection: Connection, query: KpiQuery, base: KpiQuery) -> list[Pair]:
    shift = query.first - base.first
    before = {_place(row, timedelta()): row for row in read_kpis(connection, base)}
    return [(row, before.get(_place(row, shift))) for row in read_kpis(connection, query)]


def _place(row: KpiRow, shift: timedelta) -> tuple[str, str | None, int | None, date | None]:
    day = row.business_date and row.business_date - shift
    return row.currency, row.store_id, row.place, day


def _values(sides: Pair | None) -> tuple[Mapping[str, Number | None], Mapping[str, Number | None]]:
    """The values now and then; none where there are no such stores, or no base."""
    if sides is None or sides[1] is None:
        return {}, {}
    return sides[0].values, sides[1].values
