"""Forecast, clustering and targets of a panel as if its last days were still to come.

Each fold hides a horizon of days at the end, runs the same functions as production on what is
left, and compares with what happened. Not for training what is served.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kedro_project.panel import BoolArray, FloatArray, IntArray, Panel
from kedro_project.pipelines.backtest.baselines import BASELINES
from kedro_project.pipelines.backtest.metrics import (
    Metrics,
    averaged,
    coverage,
    forecast_metrics,
    target_metrics,
)
from kedro_project.pipelines.clustering.nodes import Clusters, cluster_stores
from kedro_project.pipelines.features.nodes import StoreFeatures, store_features
from kedro_project.pipelines.forecast.nodes import Forecast, forecast_measures
from kedro_project.pipelines.targets.nodes import Targets, attainable_targets
from tenpo.errors import InputError

MIN_TRAINING_DAYS = 14
_FLAT_UPLIFT = 1.05


@dataclass(frozen=True)
class Fold:
    """One fold: what was thought, and what happened (`truth` by measure, (H, S))."""

    first: pd.Timestamp
    last: pd.Timestamp
    features: StoreFeatures
    clusters: Clusters
    forecasts: dict[str, Forecast]
    targets: Targets
    truth: dict[str, FloatArray]
    metrics: dict[str, dict[str, Metrics]]
    target_metrics: dict[str, Metrics]


def backtest(panel: Panel, parameters: dict[str, Any]) -> list[Fold]:
    """Folds, oldest first.

    Args:
        panel: the chain, wholly known.
        parameters: `folds`, and those of features, clustering, forecast and targets.

    Raises:
        InputError: the panel is too short for the folds asked for.
    """
    horizon, folds = int(parameters["forecast"]["horizon"]), int(parameters["folds"])
    needed = MIN_TRAINING_DAYS + folds * horizon
    if panel.known < needed:
        raise InputError(
            f"the panel has {panel.known:,} days, where {folds} folds of {horizon} days and "
            f"{MIN_TRAINING_DAYS} days to learn from need {needed:,}",
            where=f"{panel.dates[0]:%Y-%m-%d} to {panel.dates[-1]:%Y-%m-%d}",
            remedy="Give a longer panel, a shorter --horizon or fewer --folds.",
        )
    cuts = [panel.known - (folds - n) * horizon for n in range(folds)]
    labels = pd.Series(dtype=object)
    done = []
    for cut in cuts:
        done.append(_fold(panel, cut, horizon, labels, parameters))
        labels = done[-1].clusters.label
    return done


def summary(folds: list[Fold]) -> dict[str, Any]:
    """The metrics of the folds together, for machines."""
    newest = folds[-1]
    return {
        "folds": [
            {"from": f"{f.first:%Y-%m-%d}", "to": f"{f.last:%Y-%m-%d}", "forecast": f.metrics}
            for f in folds
        ],
        "forecast": {
            measure: {
                method: averaged([f.metrics[measure][method] for f in folds]) for method in methods
            }
            for measure, methods in newest.metrics.items()
        },
        "clusters": {
            "count": int(newest.clusters.label.nunique()),
            "silhouette": round(newest.clusters.silhouette, 6),
            "stability": round(newest.clusters.stability, 6),
            "names": dict(newest.clusters.profile["name"]),
            "stores": {k: int(n) for k, n in newest.clusters.profile["stores"].items()},
        },
        "targets": {
            method: averaged([f.target_metrics[method] for f in folds])
            for method in newest.target_metrics
        },
        "left_out": newest.features.left_out.to_dict("records"),
        "cold": sorted({store for f in newest.forecasts.values() for store in f.cold}),
    }


def _fold(
    panel: Panel, cut: int, horizon: int, previous: pd.Series, parameters: dict[str, Any]
) -> Fold:
    past = panel.until(cut)
    features = store_features(past, parameters["features"])
    clusters = cluster_stores(features, previous, parameters["clustering"])
    forecasts = forecast_measures(past, clusters.label, parameters["forecast"])
    targets = attainable_targets(past, clusters.label, forecasts, parameters["targets"])
    days = slice(cut, cut + horizon)
    truth = {name: panel.measures[name][days] for name in forecasts}
    scored = {name: _scored(panel, past, name, days) for name in forecasts}
    codes = pd.factorize(clusters.label.reindex(list(panel.stores)))[0].astype(np.int64)
    rules = {
        name: {method: rule(past, name, horizon, codes) for method, rule in BASELINES.items()}
        for name in forecasts
    }
    return Fold(
        first=panel.dates[cut],
        last=panel.dates[cut + horizon - 1],
        features=features,
        clusters=clusters,
        forecasts=forecasts,
        targets=targets,
        truth=truth,
        metrics={
            name: _metrics(past, forecasts[name], truth[name], scored[name], rules[name])
            for name in forecasts
        },
        target_metrics=_judge(forecasts, targets, truth, scored, rules, parameters, codes),
    )


def _scored(panel: Panel, past: Panel, measure: str, days: slice) -> BoolArray:
    """Days that count: known, not planned to be closed, of stores that had opened before."""
    known = np.isfinite(panel.measures[measure][days])
    known &= np.isfinite(past.measures[measure]).any(axis=0)
    return known if panel.planned is None else known & panel.planned[days]


def _metrics(
    past: Panel,
    forecast: Forecast,
    truth: FloatArray,
    scored: BoolArray,
    rules: dict[str, FloatArray],
) -> dict[str, Metrics]:
    training = past.measures[forecast.measure][: past.known]
    model = forecast_metrics(truth, forecast.value, training, scored)
    model |= coverage(truth, forecast.low, forecast.high, scored)
    return {"model": model} | {
        name: forecast_metrics(truth, value, training, scored) for name, value in rules.items()
    }


def _judge(
    forecasts: dict[str, Forecast],
    targets: Targets,
    truth: dict[str, FloatArray],
    scored: dict[str, BoolArray],
    rules: dict[str, dict[str, FloatArray]],
    parameters: dict[str, Any],
    codes: IntArray,
) -> dict[str, Metrics]:
    """Targets over the whole horizon, beside simpler ones."""
    name = "sales" if "sales" in forecasts else next(iter(forecasts))
    wanted = targets.daily.pivot(index="date", columns="store", values="target")
    ours = wanted[list(forecasts[name].stores)].to_numpy(dtype=np.float64)
    naive = rules[name]["seasonal_naive"]
    asked = {
        "model": ours,
        "last_year": rules[name]["last_year"],
        "cluster_mean": rules[name]["cluster_mean"],
        "flat_uplift": naive * _FLAT_UPLIFT,
    }
    quantile = float(parameters["targets"]["quantile"])
    clustered = (codes >= 0) & scored[name].any(axis=0)

    def total(values: FloatArray) -> FloatArray:
        return np.where(clustered, np.where(scored[name], values, 0.0).sum(axis=0), np.nan)

    happened = total(truth[name])
    return {way: target_metrics(happened, total(days), quantile) for way, days in asked.items()}
