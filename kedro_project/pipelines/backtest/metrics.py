"""How good forecasts and targets were, once the truth is known.

WAPE is the sum of absolute errors over the sum of figures; RMSPE and MASE as in Hyndman and
Koehler 2006 (https://doi.org/10.1016/j.ijforecast.2006.03.001), MASE against the naive forecast
of one week within the training days. What cannot be computed is None, never NaN.
"""

from __future__ import annotations

import math

import numpy as np
from sklearn.metrics import mean_pinball_loss

from kedro_project.panel import BoolArray, FloatArray

Metrics = dict[str, float | None]


def forecast_metrics(
    truth: FloatArray, value: FloatArray, past: FloatArray, scored: BoolArray
) -> Metrics:
    """WAPE, RMSPE and MASE of forecasts.

    Args:
        truth: (H, S).
        value: (H, S), the forecasts.
        past: (T, S), the training days.
        scored: (H, S), the store-days that count.
    """
    error = np.abs(np.where(scored, value - truth, 0.0))
    total = float(np.where(scored, truth, 0.0).sum())
    sold = scored & (np.nan_to_num(truth) > 0)
    relative = error[sold] / truth[sold]
    return {
        "wape": finite(error.sum() / total) if total > 0 else None,
        "rmspe": finite(math.sqrt(np.mean(relative**2))) if len(relative) else None,
        "mase": _mase(error, scored, past),
    }


def coverage(truth: FloatArray, low: FloatArray, high: FloatArray, scored: BoolArray) -> Metrics:
    """The share of scored days within their interval, and the intervals' mean relative width."""
    inside = (truth >= low) & (truth <= high)
    total = float(np.where(scored, truth, 0.0).sum())
    width = float(np.where(scored, high - low, 0.0).sum())
    return {
        "coverage": finite(inside[scored].mean()) if scored.any() else None,
        "interval_width": finite(width / total) if total > 0 else None,
    }


def target_metrics(truth: FloatArray, target: FloatArray, quantile: float) -> Metrics:
    """Pinball loss over the mean truth, and the share of stores that reached their target.

    Args:
        truth: (S,) sums over the horizon.
        target: (S,) likewise.
        quantile: which the targets stand for.
    """
    known = np.isfinite(truth) & np.isfinite(target) & (truth > 0)
    if not known.any():
        return {"pinball": None, "reach_rate": None}
    loss = mean_pinball_loss(truth[known], target[known], alpha=quantile)
    return {
        "pinball": finite(loss / truth[known].mean()),
        "reach_rate": finite((truth[known] >= target[known]).mean()),
    }


def finite(value: float) -> float | None:
    """The value to six digits after the point, None where it is no number."""
    return round(float(value), 6) if math.isfinite(value) else None


def averaged(rows: list[Metrics]) -> Metrics:
    """The mean of each metric over folds, of those that have it."""
    out: Metrics = {}
    for name in rows[0]:
        known = [value for row in rows if (value := row[name]) is not None]
        out[name] = finite(sum(known) / len(known)) if known else None
    return out


def _mase(error: FloatArray, scored: BoolArray, past: FloatArray) -> float | None:
    """Mean over stores of the error in units of their naive error; constant stores are out."""
    steps = np.abs(past[7:] - past[:-7])
    known = np.isfinite(steps)
    naive = np.where(known, steps, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    days = scored.sum(axis=0)
    used = (naive > 0) & (days > 0)
    if not used.any():
        return None
    return finite((error.sum(axis=0)[used] / days[used] / naive[used]).mean())
