"""The rows a global model learns from: one a store, origin and day ahead.

The target is how far a day lies from the store's weekday level as of the origin, in logarithms.
Every feature is known at the origin: levels and trends before it, last year's days, and the
calendar and inputs of the day ahead. Shuffling what comes after the origin changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from kedro_project.panel import FloatArray, IntArray, Panel
from kedro_project.pipelines.forecast.level import (
    History,
    Level,
    by_cluster,
    level_at,
    mean,
    weekday_means,
)

YEAR = 364  # days: last year's same weekday
_NEAR = 3  # days before and after a day that make its week
_TELLING_DAYS = (4, 5, 6)  # Friday to Sunday
_LONG = {"two_weeks": 14, "eight_weeks": 56, "twelve_weeks": 84}
Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Design:
    """Rows of features with their targets.

    Args:
        features: (N, F) of `names`.
        target: (N,) NaN where the day's figure is unknown.
        base: (N,) the weekday level that the target starts from.
        store, day: (N,) positions in the panel.
        ahead: (N,) days after the origin.
    """

    names: tuple[str, ...]
    features: Rows
    target: FloatArray
    base: FloatArray
    store: IntArray
    day: IntArray
    ahead: IntArray

    def take(self, rows: npt.NDArray[np.generic]) -> Design:
        """Some rows, by mask or position."""
        return Design(
            self.names, self.features[rows], self.target[rows], self.base[rows],
            self.store[rows], self.day[rows], self.ahead[rows],
        )  # fmt: skip

    @property
    def logs(self) -> FloatArray:
        """The figures themselves, as logarithms."""
        return self.base + self.target


def design_at(panel: Panel, past: History, origin: int, horizon: int) -> Design:
    """The rows of one origin: every store, 1 to `horizon` days ahead, within the panel."""
    ahead = np.arange(1, min(horizon, len(panel.dates) - 1 - origin) + 1)
    days = origin + ahead
    now = level_at(past, origin)
    columns = dict(_calendar(panel, days, ahead))
    columns |= _levels(past, origin, now, days)
    columns |= _last_year(panel, past, origin, days)
    columns |= dict(_inputs(panel, past, origin, days))
    shape = (len(days), len(panel.stores))
    stacked = [np.broadcast_to(c, shape).ravel() for c in columns.values()]
    base = now.base[past.weekday[days]]
    return Design(
        names=tuple(columns),
        features=np.stack(stacked, axis=1).astype(np.float32),
        target=(past.logs[days] - base).ravel(),
        base=base.ravel(),
        store=np.tile(np.arange(shape[1]), shape[0]),
        day=np.repeat(days, shape[1]),
        ahead=np.repeat(ahead, shape[1]),
    )


def joined(parts: list[Design]) -> Design:
    """Several designs as one; at least one."""
    return Design(
        parts[0].names,
        np.concatenate([p.features for p in parts]),
        *(
            np.concatenate([getattr(p, name) for p in parts])
            for name in ("target", "base", "store", "day", "ahead")
        ),
    )


def _calendar(
    panel: Panel, days: IntArray, ahead: IntArray
) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
    yield "days_ahead", ahead[:, None]
    yield "weekday", panel.weekday[days][:, None]
    yield "day_of_year", np.asarray(panel.dates.day_of_year)[days][:, None]
    yield "day_of_month", np.asarray(panel.dates.day)[days][:, None]


def _levels(past: History, origin: int, now: Level, days: IntArray) -> Mapping[str, FloatArray]:
    weekday = past.weekday[days]
    last_week = mean(past.plain[max(0, origin - 6) : origin + 1], axis=0) - now.level
    columns = {
        "week_shape": now.week[weekday],
        "trend_week": last_week[None],
        "trend_week_cluster": by_cluster(last_week[None], past.clusters),
        "cluster": past.clusters[None].astype(np.float64),
    }
    # The week's end tells kinds of stores apart: a feast empties one and fills another.
    columns |= {f"shape_{day}": now.week[day][None] for day in _TELLING_DAYS}
    for name, length in _LONG.items():
        start = max(0, origin + 1 - length)
        means = weekday_means(past.plain[start : origin + 1], past.weekday[start : origin + 1])
        columns[f"{name}_weekday"] = means[weekday] - now.base[weekday]
        level = (mean(means, axis=0) - now.level)[None]
        columns[f"{name}_level"] = level
    return columns


def _last_year(
    panel: Panel, past: History, origin: int, days: IntArray
) -> Mapping[str, FloatArray]:
    """What the same days did a year before, from the level of that time.

    `year_day` is the same weekday, `year_date` the same date: feasts are bound to either.
    """
    names = ("year_day", "year_date", "year_week", "year_on_year")
    then = origin - YEAR
    shape = (len(days), past.logs.shape[1])
    if then < 27:
        unknown = np.full(shape, np.nan)
        return {n: unknown for name in names for n in (name, f"{name}_cluster")}
    level = level_at(past, then)
    day = past.logs[days - YEAR] - level.base[past.weekday[days]]
    dates = days - _days_of_a_year(panel, days)
    date = past.logs[dates] - level.base[past.weekday[dates]]
    near = [past.plain[days - YEAR + n] for n in range(-_NEAR, _NEAR + 1)]
    week = mean(np.stack(near), axis=0) - level.level
    change = np.broadcast_to(level_at(past, origin).level - level.level, shape)
    values = dict(zip(names, (day, date, week, change), strict=True))
    return values | {f"{n}_cluster": _together(v, past.clusters) for n, v in values.items()}


def _days_of_a_year(panel: Panel, days: IntArray) -> IntArray:
    """Days back to the same date of the year before; 29 February goes to the 28th."""
    dates = panel.dates[days]
    return np.asarray((dates - (dates - pd.DateOffset(years=1))).days, dtype=np.int64)


def _together(values: FloatArray, clusters: IntArray) -> FloatArray:
    """As `by_cluster`, but unknown stays unknown."""
    known = np.asarray(np.isfinite(values).any(axis=1))
    return np.where(known[:, None], by_cluster(values, clusters), np.nan)


def _inputs(
    panel: Panel, past: History, origin: int, days: IntArray
) -> Iterator[tuple[str, FloatArray]]:
    """Each input on the day, the days around it, and on the days that made the base."""
    start, end = max(0, origin - 27), origin + 1
    for name, values in panel.inputs.items():
        yield f"{name}", values[days]
        yield f"{name} the day before", values[days - 1]
        yield f"{name} the day after", values[np.minimum(days + 1, len(values) - 1)]
        is_set = np.where(np.isfinite(past.plain[start:end]), values[start:end] != 0, np.nan)
        weekly = weekday_means(is_set, past.weekday[start:end])
        yield f"{name} in the base", weekly[past.weekday[days]]
