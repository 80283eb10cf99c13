"""Daily forecasts of every store with prediction intervals. Not for judging them (`backtest`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kedro_project.panel import BoolArray, FloatArray, IntArray, Panel
from kedro_project.pipelines.forecast.design import design_at, joined
from kedro_project.pipelines.forecast.interval import Spread, chain_spread, spread_of
from kedro_project.pipelines.forecast.level import History, by_cluster, history, special_days
from kedro_project.pipelines.forecast.model import (
    FIRST_ORIGIN,
    Model,
    Training,
    train,
    training_rows,
)

TARGETS = ("sales", "footfall", "customers")
_UNSEEN = 3  # horizons at the end of history that calibrate the intervals
_UNSEEN_SHARE = 0.4  # but no more of it than this


@dataclass(frozen=True)
class Forecast:
    """What is expected of one measure, (H, S) each, for the days after what is known.

    `value` is the median, `low` and `high` the ends of the interval. A store of which nothing
    is known at all has its cluster's typical level and is named in `cold`. `total_low` and
    `total_high` (H,) are the ends of the interval of the sum over all stores.
    """

    measure: str
    dates: pd.DatetimeIndex
    stores: tuple[str, ...]
    value: FloatArray
    low: FloatArray
    high: FloatArray
    cold: tuple[str, ...]
    total_low: FloatArray
    total_high: FloatArray

    def frame(self) -> pd.DataFrame:
        """One row a store and day."""
        days, stores = self.value.shape
        return pd.DataFrame(
            {
                "store": np.tile(np.array(self.stores, dtype=object), days),
                "date": self.dates.repeat(stores),
                "measure": self.measure,
                "value": self.value.ravel(),
                "low": self.low.ravel(),
                "high": self.high.ravel(),
            }
        )


def forecast_measures(
    panel: Panel, clusters: pd.Series, parameters: dict[str, Any]
) -> dict[str, Forecast]:
    """Forecasts of the measures that the panel has.

    Args:
        panel: known up to `panel.known`; inputs may reach further.
        clusters: cluster of each store, by store; those left out may be missing.
        parameters: `horizon` in days, `coverage` of the interval, and those of `Training`.
    """
    wanted = [name for name in TARGETS if name in panel.measures]
    named = [name for name in wanted if name != "customers"] or wanted
    return {name: forecast(panel, name, clusters, parameters) for name in named}


def forecast(
    panel: Panel, measure: str, clusters: pd.Series, parameters: dict[str, Any]
) -> Forecast:
    """The forecast of one measure, of the stores that will have opened by its end."""
    horizon, coverage = int(parameters["horizon"]), float(parameters["coverage"])
    panel = _opened(panel, panel.known + horizon)
    how = Training(**parameters.get("training", {}))
    panel = panel.extended(horizon)
    codes = pd.factorize(clusters.reindex(list(panel.stores)), use_na_sentinel=True)[0]
    past = history(panel, measure, np.asarray(codes, dtype=np.int64))
    spread, together = _calibrated(panel, past, horizon, coverage, how)
    rows = design_at(panel, past, panel.known - 1, horizon)
    model = _trained(panel, past, horizon, how, until=panel.known)
    logs, cold = _warmed(model.logs(rows), past.clusters)
    low, high = spread.around(logs, rows)
    shape = (horizon, len(panel.stores))
    is_open = panel.opening(measure)[panel.known : panel.known + horizon]
    value, low, high = (
        np.where(is_open, np.maximum(np.expm1(ends).reshape(shape), 0.0), 0.0)
        for ends in (logs, low, high)
    )
    total = value.sum(axis=1)
    week = np.minimum(np.arange(horizon) // 7, len(together[0]) - 1)
    return Forecast(
        measure=measure,
        dates=panel.dates[panel.known : panel.known + horizon],
        stores=panel.stores,
        value=value,
        low=low,
        high=high,
        cold=tuple(panel.stores[n] for n in np.flatnonzero(cold)),
        total_low=total * np.exp(together[0][week]),
        total_high=total * np.exp(together[1][week]),
    )


def _opened(panel: Panel, end: int) -> Panel:
    """The panel of the stores that open before a day; where none does, of all."""
    if panel.opens is None or not (panel.opens < end).any():
        return panel
    return panel.of(np.flatnonzero(panel.opens < end))


def _trained(panel: Panel, past: History, horizon: int, how: Training, *, until: int) -> Model:
    rows = training_rows(panel, past, horizon, how, until=until)
    return train(rows, special_days(panel), how)


def _calibrated(
    panel: Panel, past: History, horizon: int, coverage: float, how: Training
) -> tuple[Spread, tuple[FloatArray, FloatArray]]:
    """The spread on the newest days, forecast by a model that has not seen them.

    Of each store, and of all stores together.
    """
    unseen = min(_UNSEEN * horizon, int(_UNSEEN_SHARE * panel.known))
    start = panel.known - unseen
    model = _trained(panel, past, horizon, how, until=start)
    origins = range(max(start - 1, FIRST_ORIGIN), panel.known - 1, 7)
    parts = [
        design_at(panel, past, n, min(horizon, panel.known - 1 - n)) for n in origins
    ]  # fmt: skip
    rows = joined(parts) if parts else design_at(panel, past, panel.known - 1, horizon)
    thought = model.logs(rows) if parts else np.full(len(rows.base), np.nan)
    own = spread_of(rows.logs - thought, rows, len(panel.stores), coverage)
    return own, chain_spread(thought, rows, coverage)


def _warmed(logs: FloatArray, clusters: IntArray) -> tuple[FloatArray, BoolArray]:
    """Stores without any figure get the mean of their cluster, else of the chain, else 0."""
    wide = logs.reshape(-1, len(clusters))
    cold = np.asarray(np.isnan(wide).all(axis=0))
    filled = np.where(np.isnan(wide), by_cluster(wide, clusters), wide)
    return filled.ravel(), cold
