"""What a forecast has to beat: rules that need no model. Each gives (H, S) for the days ahead."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kedro_project.panel import FloatArray, IntArray, Panel
from kedro_project.pipelines.forecast.level import by_cluster, mean, weekday_means

_YEAR = 364
_BACK_DAYS = 364  # how far a weekday is looked for
Baseline = Callable[[Panel, str, int, IntArray], FloatArray]


def seasonal_naive(panel: Panel, measure: str, horizon: int, clusters: IntArray) -> FloatArray:
    """Each weekday as it was when it was last known."""
    del clusters
    past = _past(panel, measure)
    newest = np.full((7, past.shape[1]), np.nan)
    weekday = panel.weekday
    for day in range(max(0, len(past) - _BACK_DAYS), len(past)):
        known = np.isfinite(past[day])
        newest[weekday[day], known] = past[day, known]
    return _filled(newest[_weekday(panel, horizon)], past)


def last_year(panel: Panel, measure: str, horizon: int, clusters: IntArray) -> FloatArray:
    """The same weekday 52 weeks before; where that is unknown, as `seasonal_naive`."""
    values = panel.measures[measure]
    days = panel.known + np.arange(horizon) - _YEAR
    before = np.where((days >= 0)[:, None], values[np.maximum(days, 0)], np.nan)
    naive = seasonal_naive(panel, measure, horizon, clusters)
    return np.where(np.isfinite(before), before, naive)


def cluster_mean(panel: Panel, measure: str, horizon: int, clusters: IntArray) -> FloatArray:
    """The store's mean of four weeks in the shape of its cluster's week."""
    past = _past(panel, measure)[-28:]
    weekday = panel.weekday[panel.known - len(past) : panel.known]
    level = mean(past, axis=0)
    safe = np.where(level > 0, level, np.nan)
    shape = by_cluster(weekday_means(past, weekday) / safe, clusters)
    return _filled((level * shape)[_weekday(panel, horizon)], _past(panel, measure))


BASELINES: dict[str, Baseline] = {
    "seasonal_naive": seasonal_naive,
    "last_year": last_year,
    "cluster_mean": cluster_mean,
}


def _past(panel: Panel, measure: str) -> FloatArray:
    return panel.measures[measure][: panel.known]


def _weekday(panel: Panel, horizon: int) -> IntArray:
    return panel.weekday[panel.known : panel.known + horizon]


def _filled(ahead: FloatArray, past: FloatArray) -> FloatArray:
    """Where nothing is known of a weekday: the store's mean, else the chain's, else 0."""
    own = mean(past[-_BACK_DAYS:], axis=0)
    own = np.where(np.isfinite(own), own, np.nan_to_num(mean(own[None], axis=1)[0]))
    return np.where(np.isfinite(ahead), ahead, own)
