"""Published store-days as a panel: what is unknown, closed or not to be learnt from.

Counts of a day that counters covered too little are unknown; so are figures below zero. A
weekday on which a store hardly ever trades is closed, whether or not somebody says so. Not for
reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kedro_project.panel import BoolArray, FloatArray, IntArray, Panel
from tenpo.holidays import country_of, named_holidays
from tenpo.masters import Store

#: A code of `tenpo.model_words.NOTES` and how many it speaks of.
Note = dict[str, str | int]

_COLUMNS = {
    "sales": "net_sales_amount",
    "footfall": "footfall",
    "customers": "transactions",
    "units": "units",
}
_YEAR = 365
_HABIT_DAYS, _HABIT_WEEKS, _HABIT_SHARE = 56, 4, 0.25
_FUTURE_DAYS = 60  # inputs are known beyond the last day
NEVER = 10**6  # a day past every horizon


@dataclass(frozen=True)
class ChainData:
    """What mart and the masters know of a chain.

    Args:
        currency: names the chain.
        rows: published store-days of its stores: measures, `open_s`, `expected_s`, `covered_s`.
        stores: its stores, by the master.
        as_of: last business date that counts as known.
        gone_stores: stores that have figures and no master.
    """

    currency: str
    rows: pa.Table
    stores: tuple[Store, ...]
    as_of: date
    gone_stores: int = 0


def chain_panel(data: ChainData, parameters: dict[str, Any]) -> Panel:
    """The chain's panel, known up to `as_of`; inputs reach further.

    Args:
        data: as read.
        parameters: `min_coverage`, the part of the open time that counters must cover.
    """
    rows = data.rows.filter(pc.equal(data.rows["currency"], data.currency))
    stores = sorted(data.stores, key=lambda store: store.store_id)
    first = pc.min(rows["business_date"]).as_py() or data.as_of
    known = (data.as_of - first).days + 1
    dates = pd.date_range(first, periods=known + _FUTURE_DAYS, freq="D")
    grid = _Grid.of(rows, first, [store.store_id for store in stores], len(dates))
    covered = grid.covered(float(parameters["min_coverage"]))
    closed = grid.closed(stores, dates, known)
    measures = {}
    for name, column in _COLUMNS.items():
        values = grid.values(column)
        values[values < 0] = np.nan
        if name == "footfall":
            values[~covered] = np.nan
        if np.isfinite(values).any():
            values[closed & np.isnan(values)] = 0.0
            measures[name] = values
    area = pd.Series([store.sales_area_m2 for store in stores], dtype="float64")
    has_area = bool(area.notna().any())
    return Panel(
        dates=dates,
        stores=tuple(store.store_id for store in stores),
        measures=measures or {"sales": np.full((len(dates), len(stores)), np.nan)},
        inputs={"holiday": _holidays(stores, dates)},
        attributes=pd.DataFrame({"sales_area_m2": area}) if has_area else pd.DataFrame(),
        size="sales_area_m2" if has_area else None,
        known=known,
        opens=grid.opens(stores, dates),
    )


def chain_notes(data: ChainData, panel: Panel, parameters: dict[str, Any]) -> list[Note]:
    """What a reader should know of the data."""
    rows, known = data.rows, panel.known
    foreign = rows.num_rows - rows.filter(pc.equal(rows["currency"], data.currency)).num_rows
    below = sum(pc.sum(pc.less(rows[name], 0)).as_py() or 0 for name in _COLUMNS.values())
    part = pc.divide(rows["covered_s"].cast(pa.float64()), rows["expected_s"].cast(pa.float64()))
    counted = pc.and_(pc.less(part, float(parameters["min_coverage"])),
                      pc.is_valid(rows["footfall"]))  # fmt: skip
    found = {
        "no_master": data.gone_stores,
        "other_currency": foreign,
        "negative": below,
        "uncovered_days": pc.sum(counted).as_py() or 0,
        "no_year": known if known < _YEAR else 0,
        "never_opened": int(np.sum(panel.opens == NEVER)),
        "no_sales": int("sales" not in panel.measures),
        "no_footfall": int("footfall" not in panel.measures),
    }
    return [{"code": code, "count": int(count)} for code, count in found.items() if count]


@dataclass(frozen=True)
class _Grid:
    """Rows with their places in a panel of (T, S)."""

    rows: pa.Table
    day: IntArray
    store: IntArray
    shape: tuple[int, int]

    @classmethod
    def of(cls, rows: pa.Table, first: date, stores: Sequence[str], days: int) -> _Grid:
        since = pc.subtract(rows["business_date"].cast(pa.int32()), (first - date(1970, 1, 1)).days)
        place = pc.index_in(rows["store_id"], pa.array(list(stores), pa.string()))
        return cls(rows, _integers(since), _integers(place), (days, len(stores)))

    def values(self, column: str) -> FloatArray:
        """A column as (T, S), NaN where there is no row or no value."""
        out = np.full(self.shape, np.nan)
        values = self.rows[column].cast(pa.float64())
        out[self.day, self.store] = values.to_numpy(zero_copy_only=False)
        return out

    def covered(self, least: float) -> BoolArray:
        """Where counters covered enough of the day; days without counters count as covered."""
        expected, covered = self.values("expected_s"), self.values("covered_s")
        is_counted = np.nan_to_num(expected) > 0
        part = np.nan_to_num(covered) / np.where(is_counted, expected, 1.0)
        return np.asarray(~is_counted | (part >= least))

    def closed(self, stores: Sequence[Store], dates: pd.DatetimeIndex, known: int) -> BoolArray:
        """Days so far on which a store was not to open, by its hours, its rows or its habit."""
        never = np.array([_closed_weekdays(store) for store in stores]).reshape(-1, 7)
        weekday = np.asarray(dates.day_of_week)
        closed = never.T[weekday] | (self.values("open_s") == 0) | self._silent(weekday, known)
        closed[known:] = False
        return np.asarray(closed)

    def opens(self, stores: Sequence[Store], dates: pd.DatetimeIndex) -> IntArray:
        """The first day of stores without any row: their opening, if that is still to come."""
        told = np.isin(np.arange(len(stores)), self.store)
        opened = [store.opened_on for store in stores]
        day = np.array([NEVER if on is None else (on - dates[0].date()).days for on in opened])
        known = len(dates) - _FUTURE_DAYS
        return np.where(told, 0, np.where(day >= known, day, NEVER))

    def _silent(self, weekday: IntArray, known: int) -> BoolArray:
        """Days without any row on weekdays that had hardly any in the last eight weeks.

        A counter or register that fails for some weeks makes no weekday silent.
        """
        present = np.zeros(self.shape, dtype=np.bool_)
        present[self.day, self.store] = True
        since = np.maximum.accumulate(present, axis=0)  # from each store's first row on
        recent = slice(max(0, known - _HABIT_DAYS), known)
        silent = np.zeros((7, self.shape[1]), dtype=np.bool_)
        for day in range(7):
            same = weekday[recent] == day
            told = since[recent][same].sum(axis=0)
            traded = present[recent][same].sum(axis=0)
            silent[day] = (told >= _HABIT_WEEKS) & (traded <= _HABIT_SHARE * told)
        return np.asarray(silent[weekday] & since & ~present)


def _closed_weekdays(store: Store) -> list[bool]:
    hours = store.opening_hours
    return [bool(hours) and hours[day % len(hours)] is None for day in range(7)]


def _holidays(stores: Sequence[Store], dates: pd.DatetimeIndex) -> FloatArray:
    """1 on national holidays of where each store is."""
    out = np.zeros((len(dates), len(stores)))
    countries = np.array([country_of(store.timezone) or "" for store in stores])
    for country in set(countries) - {""}:
        named = named_holidays(str(country), dates[0].date(), dates[-1].date())
        is_holiday = dates.isin(pd.DatetimeIndex([day for day, _ in named]))
        out[np.ix_(np.asarray(is_holiday), countries == country)] = 1.0
    return out


def _integers(column: pa.ChunkedArray) -> IntArray:
    return np.asarray(column.to_numpy(), dtype=np.int64)
