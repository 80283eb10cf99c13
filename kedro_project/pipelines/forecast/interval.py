"""Prediction intervals from what a model missed on days it had not seen.

Split-conformal: a model trained without the newest days forecasts them from several origins;
the misses, each in units of its store's own, give the quantiles (Lei et al. 2018,
https://doi.org/10.1080/01621459.2017.1307116). Weeks ahead are kept apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kedro_project.panel import FloatArray, IntArray
from kedro_project.pipelines.forecast.design import Design

_PRIOR_MISSES = 20.0  # a store with n misses counts n / (n + this) against the chain's spread
_FEW = 60  # misses below which a week ahead leans on all weeks
_WIDE = 0.5  # half-width in logarithms where nothing is known: a factor of 1.6
_FLOOR = 1e-6


@dataclass(frozen=True)
class Spread:
    """How far forecasts miss.

    Args:
        scale: (S,) mean absolute miss of each store, in logarithms.
        low, high: (W,) quantiles of the scaled misses by week ahead.
    """

    scale: FloatArray
    low: FloatArray
    high: FloatArray

    def around(self, logs: FloatArray, rows: Design) -> tuple[FloatArray, FloatArray]:
        """Lower and upper ends around forecasts, as logarithms."""
        week = np.minimum((rows.ahead - 1) // 7, len(self.low) - 1)
        scale = self.scale[rows.store]
        return logs + self.low[week] * scale, logs + self.high[week] * scale


def spread_of(misses: FloatArray, rows: Design, stores: int, coverage: float) -> Spread:
    """The spread of misses (true minus forecast, logarithms) of unseen days."""
    known = np.isfinite(misses)
    misses, store, ahead = misses[known], rows.store[known], rows.ahead[known]
    weeks = max(1, -(-int(rows.ahead.max(initial=1)) // 7))
    tails = ((1 - coverage) / 2, (1 + coverage) / 2)
    if not len(misses):
        return Spread(np.full(stores, _WIDE), np.full(weeks, -1.0), np.full(weeks, 1.0))
    scale = _scale(misses, store, stores)
    scaled = misses / scale[store]
    ends = [_quantiles(scaled, (ahead - 1) // 7, week, tails) for week in range(weeks)]
    low, high = np.transpose(ends)
    return Spread(scale, np.minimum(low, 0.0), np.maximum(high, 0.0))


def chain_spread(
    thought: FloatArray, rows: Design, coverage: float
) -> tuple[FloatArray, FloatArray]:
    """How far the sum over all stores misses: (W,) logarithms below and above, by week ahead.

    Stores miss together, so the ends of their own intervals cannot be added.

    Args:
        thought: forecasts of unseen rows, as logarithms.
        rows: the rows, of all stores.
        coverage: of the interval.
    """
    weeks = max(1, -(-int(rows.ahead.max(initial=1)) // 7))
    tails = ((1 - coverage) / 2, (1 + coverage) / 2)
    known = np.isfinite(rows.target) & np.isfinite(thought)
    keys = np.stack([rows.day[known], rows.ahead[known]])
    days, place = np.unique(keys, axis=1, return_inverse=True)
    true, said = (
        np.bincount(place.ravel(), weights=np.expm1(logs[known]), minlength=days.shape[1])
        for logs in (rows.logs, thought)
    )
    sound = (true > 0) & (said > 0)
    if not sound.any():
        return np.full(weeks, -_WIDE), np.full(weeks, _WIDE)
    misses, ahead = np.log(true[sound] / said[sound]), (days[1][sound] - 1) // 7
    if len(misses) < _FEW:  # they may all lie on one side by chance: no band is one-sided then
        misses, ahead = np.concatenate([misses, -misses]), np.concatenate([ahead, ahead])
    ends = [_quantiles(misses, ahead, week, tails) for week in range(weeks)]
    low, high = np.transpose(ends)
    return np.minimum(low, 0.0), np.maximum(high, 0.0)


def _scale(misses: FloatArray, store: IntArray, stores: int) -> FloatArray:
    count = np.bincount(store, minlength=stores).astype(np.float64)
    total = np.bincount(store, weights=np.abs(misses), minlength=stores)
    whole = np.abs(misses).mean()
    scale = (total + _PRIOR_MISSES * whole) / (count + _PRIOR_MISSES)
    return np.asarray(np.maximum(scale, _FLOOR))


def _quantiles(
    scaled: FloatArray, weeks: IntArray, week: int, tails: tuple[float, float]
) -> FloatArray:
    own = scaled[weeks == week]
    used = own if len(own) >= _FEW else scaled
    return np.quantile(used, tails)
