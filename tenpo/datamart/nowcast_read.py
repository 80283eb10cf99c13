"""Reading what a nowcast is made from: the hours of today and of the past weeks, the forecast.

Stores of other timezones have other business dates and hours at the same moment; they are asked
for group by group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from tenpo.clock import StoreClock
from tenpo.datamart.tables import TEXTS, store, store_forecast
from tenpo.nowcast import Band, Nowcast, nowcast

#: Measures of the models, as KPI columns.
MEASURES = {"sales": "net_sales_amount", "footfall": "footfall"}
#: Up to which hour of today a column is whole. An hour of which nobody has told yet is zero in
#: the rows, as one in which nothing was sold; so the last receipt tells how far registers have
#: sent, and its hour may go on.
_CUTS = {
    "net_sales_amount": "max(local_hour) FILTER (WHERE sale_lines > 0 AND local_hour <= :hour)",
    "footfall": "max(local_hour) FILTER"
    " (WHERE open_s > 0 AND covered_s >= open_s AND local_hour < :hour) + 1",
}
_WEEKS = 8
_ENOUGH = 5  # days of the same weekday that speak for themselves

_DAYS = """
    WITH cut AS (
      SELECT store_id, {cut} AS hour
      FROM kpi_store_hour
      WHERE tenant_id = :tenant AND store_id = ANY (:stores) AND business_date = :today
      GROUP BY store_id),
    day AS (
      SELECT store_id, business_date, sum({column}) AS total, max(cut.hour) AS until_hour,
        sum({column}) FILTER (WHERE local_hour < cut.hour) AS so_far
      FROM kpi_store_hour LEFT JOIN cut USING (store_id)
      WHERE tenant_id = :tenant AND store_id = ANY (:stores)
        AND business_date BETWEEN :first AND :today
      GROUP BY store_id, business_date),
    past AS (
      SELECT store_id, total, least(greatest(coalesce(so_far, 0) / total, 0), 1) AS share,
        extract(isodow FROM business_date) = :weekday AS is_same
      FROM day WHERE business_date < :today AND total > 0),
    known AS (
      SELECT store_id, count(*) FILTER (WHERE is_same) >= :enough AS has_same
      FROM past GROUP BY store_id),
    usual AS (
      SELECT store_id,
        percentile_cont(ARRAY[0.1, 0.5, 0.9]) WITHIN GROUP (ORDER BY share) AS shares,
        percentile_cont(ARRAY[0.1, 0.5, 0.9]) WITHIN GROUP (ORDER BY total::float8) AS totals
      FROM past JOIN known USING (store_id) WHERE is_same OR NOT has_same
      GROUP BY store_id)
    SELECT coalesce(usual.store_id, now.store_id) AS store_id,
      usual.shares, usual.totals, now.so_far, now.until_hour
    FROM usual FULL JOIN (SELECT * FROM day WHERE business_date = :today) AS now USING (store_id)
"""


@dataclass(frozen=True, slots=True)
class StoreNowcast:
    """What a store's day will end with.

    Args:
        store_id: the store.
        currency: of its sales.
        business_date: its day of now.
        measure: `sales` or `footfall`.
        so_far: sum of its whole hours; None where live data is missing.
        until_hour: they reach up to this hour of its clock; None where there are none.
        final: the nowcast.
    """

    store_id: str
    currency: str
    business_date: date
    measure: str
    so_far: Decimal | None
    until_hour: int | None
    final: Nowcast


def read_nowcasts(
    connection: Connection, tenant_id: str, now: datetime, stores: Sequence[str] = ()
) -> list[StoreNowcast]:
    """Nowcasts of stores, by store and measure; those of which nothing is known are left out.

    Args:
        connection: the datamart.
        tenant_id: whose.
        now: aware; which day and hour it is follows from each store's clock.
        stores: only these; empty means all.
    """
    found: list[StoreNowcast] = []
    for moment, members in _by_moment(connection, tenant_id, now, stores):
        forecasts = _forecasts(connection, tenant_id, list(members), moment[0])
        for measure, column in MEASURES.items():
            days = _days(connection, tenant_id, list(members), moment, column)
            for store_id, currency in members.items():
                one = _of_store(days.get(store_id, {}), forecasts.get((store_id, measure)))
                if one is not None:
                    found.append(
                        StoreNowcast(store_id, currency, moment[0], measure, *one)
                    )  # fmt: skip
    return sorted(found, key=lambda each: (each.store_id, each.measure))


def _of_store(
    day: Mapping[str, Any], forecast: Band | None
) -> tuple[Decimal | None, int | None, Nowcast] | None:
    shares, totals = day.get("shares"), day.get("totals")
    so_far = day.get("so_far")
    known = None if so_far is None else Decimal(so_far)
    final = nowcast(known, _band(shares), forecast, _band(totals))
    if final is None:
        return None
    return known, None if known is None else day["until_hour"], final


def _by_moment(
    connection: Connection, tenant_id: str, now: datetime, stores: Sequence[str]
) -> Iterator[tuple[tuple[date, int], dict[str, str]]]:
    """Stores with their currencies, by business date and hour of now."""
    statement = select(store).where(store.c.tenant_id == tenant_id)
    if stores:
        statement = statement.where(store.c.store_id.in_(stores))
    rows = connection.execute(statement).mappings().all()

    def moment(row: Mapping[Any, Any]) -> tuple[date, int]:
        clock = StoreClock(row["timezone"], row["day_cutover_s"])
        return clock.business_date(now), clock.local_hour(now)

    for key, members in groupby(sorted(rows, key=moment), key=moment):
        yield key, {row["store_id"]: row["currency"] for row in members}


def _days(
    connection: Connection,
    tenant_id: str,
    stores: Sequence[str],
    moment: tuple[date, int],
    column: str,
) -> dict[str, Mapping[str, Any]]:
    today, hour = moment
    statement = text(_DAYS.format(column=column, cut=_CUTS[column])).bindparams(
        bindparam("stores", type_=TEXTS)
    )
    asked = {
        "tenant": tenant_id, "stores": list(stores), "today": today, "hour": hour,
        "first": today - timedelta(weeks=_WEEKS), "weekday": today.isoweekday(),
        "enough": _ENOUGH,
    }  # fmt: skip
    return {row["store_id"]: dict(row) for row in connection.execute(statement, asked).mappings()}


def _forecasts(
    connection: Connection, tenant_id: str, stores: Sequence[str], today: date
) -> dict[tuple[str, str], Band]:
    own = store_forecast.c
    statement = select(own.store_id, own.measure, own.value, own.low, own.high).where(
        own.tenant_id == tenant_id, own.store_id.in_(stores), own.business_date == today
    )
    return {(row[0], row[1]): Band(*row[2:]) for row in connection.execute(statement)}


def _band(quantiles: Sequence[float] | None) -> Band | None:
    if quantiles is None:
        return None
    low, middle, high = (Decimal(str(value)) for value in quantiles)
    return Band(middle, low, high)
