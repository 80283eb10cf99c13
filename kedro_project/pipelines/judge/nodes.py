"""A challenger's trial: forecasts of days that are past by now, scored beside the champion's.

A *trial* holds, by the last day that was known, the forecasts of the days after it. A champion's
trial is kept as it made it, so a challenger of other code meets what the champion really said;
both are scored with today's truth on the same store-days. Not for deciding (`registry.decision`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kedro_project.panel import BoolArray, FloatArray, Panel
from kedro_project.pipelines.clustering.nodes import cluster_stores
from kedro_project.pipelines.features.nodes import store_features
from kedro_project.pipelines.forecast.nodes import Forecast, forecast_measures
from kedro_project.results.record import RunRecord

MIN_TRAINING_DAYS = 28
Trial = dict[str, dict[str, Forecast]]
Scores = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Champion:
    """The run that readers see, as a challenger meets it.

    Args:
        record: its record.
        trial: of the chain; empty where it kept none.
    """

    record: RunRecord
    trial: Trial


def judge(
    panel: Panel, champion: Champion | None, record: RunRecord
) -> tuple[Trial, dict[str, Any]]:
    """The challenger's own trial, and the scores of both on the same store-days.

    The first run of a chain has nobody to meet and makes no trial. One of the same recipe as the
    champion would say the same of the same days: its trial is kept for those who come after.

    Args:
        panel: the chain as the challenger knows it.
        champion: who is met; None where readers see no run yet.
        record: of the challenger.
    """
    if champion is None:
        return {}, {"kind": "first"}
    own = made(panel, _cuts(panel, record.parameters), record.parameters)
    verdict: dict[str, Any] = {"champion": champion.record.run_id}
    if champion.record.recipe == record.recipe:
        return own, verdict | {"kind": "same_recipe"}
    theirs, ours = champion.trial, own
    if theirs:
        ours = own | made(panel, _positions(panel, theirs.keys() - own.keys()), record.parameters)
    else:
        theirs = made(panel, _cuts(panel, record.parameters), champion.record.parameters)
    found = compared(panel, ours, theirs)
    if not found["challenger"]:
        return own, verdict | {"kind": "no_common_days"}
    kind = "recorded" if champion.trial else "rerun"
    return own, verdict | {"kind": kind, **found}


def made(panel: Panel, cuts: Iterable[int], parameters: Mapping[str, Any]) -> Trial:
    """Forecasts as of past days.

    Args:
        panel: the chain.
        cuts: how many days are known, once a fold.
        parameters: of features, clustering and forecast.
    """
    found: Trial = {}
    for cut in cuts:
        past = panel.until(cut)
        features = store_features(past, parameters["features"])
        nobody = pd.Series(dtype=object)
        clusters = cluster_stores(features, nobody, parameters["clustering"])
        known_last = f"{panel.dates[cut - 1]:%Y-%m-%d}"
        found[known_last] = forecast_measures(past, clusters.label, parameters["forecast"])
    return found


def compared(panel: Panel, challenger: Trial, champion: Trial) -> dict[str, Any]:
    """Scores of two trials on the folds and store-days that both have.

    Returns:
        `folds`, and for `challenger` and `champion_scores` by measure `wape` and `coverage`
        (shares) and `store_days`; both are empty where nothing is known of what happened.
    """
    days = _days(panel)
    folds = sorted(challenger.keys() & champion.keys() & days.keys())
    pairs: dict[str, list[tuple[_Seen, _Seen]]] = {}
    for fold in folds:
        for measure in challenger[fold].keys() & champion[fold].keys() & panel.measures.keys():
            forecasts = challenger[fold][measure], champion[fold][measure]
            pairs.setdefault(measure, []).append(_pair(panel, days[fold] + 1, *forecasts))
    return {
        "folds": folds,
        "challenger": _scores({name: [a for a, _ in of] for name, of in pairs.items()}),
        "champion_scores": _scores({name: [b for _, b in of] for name, of in pairs.items()}),
    }


@dataclass(frozen=True)
class _Seen:
    """One forecast beside what happened, (N,) each: the store-days that count."""

    truth: FloatArray
    value: FloatArray
    inside: BoolArray


def _pair(panel: Panel, cut: int, one: Forecast, other: Forecast) -> tuple[_Seen, _Seen]:
    days = min(len(one.dates), len(other.dates), panel.known - cut)
    both = set(one.stores) & set(other.stores)
    stores = [place for place, store in enumerate(panel.stores) if store in both]
    names = [panel.stores[place] for place in stores]
    truth = panel.measures[one.measure][cut : cut + days][:, stores]
    known = np.isfinite(truth)
    known &= np.isfinite(panel.measures[one.measure][:cut][:, stores]).any(axis=0)
    if panel.planned is not None:
        known &= panel.planned[cut : cut + days][:, stores]
    return _seen(one, names, truth, known), _seen(other, names, truth, known)


def _seen(forecast: Forecast, names: list[str], truth: FloatArray, known: BoolArray) -> _Seen:
    place = {store: n for n, store in enumerate(forecast.stores)}
    columns = [place[name] for name in names]
    value, low, high = (
        part[: len(truth)][:, columns][known]
        for part in (forecast.value, forecast.low, forecast.high)
    )
    happened = truth[known]
    return _Seen(happened, value, (low <= happened) & (happened <= high))


def _scores(seen: Mapping[str, list[_Seen]]) -> Scores:
    found: Scores = {}
    for measure, parts in sorted(seen.items()):
        truth = np.concatenate([part.truth for part in parts])
        if not truth.sum() > 0:
            continue
        value = np.concatenate([part.value for part in parts])
        inside = np.concatenate([part.inside for part in parts])
        found[measure] = {
            "wape": round(float(np.abs(value - truth).sum() / truth.sum()), 6),
            "coverage": round(float(inside.mean()), 6),
            "store_days": len(truth),
        }
    return found


def _cuts(panel: Panel, parameters: Mapping[str, Any]) -> list[int]:
    horizon, folds = int(parameters["forecast"]["horizon"]), int(parameters["folds"])
    cuts = [panel.known - fold * horizon for fold in range(folds, 0, -1)]
    return [cut for cut in cuts if cut >= MIN_TRAINING_DAYS]


def _positions(panel: Panel, days: Iterable[str]) -> list[int]:
    """How many days are known on these last days; those that the panel lacks are left out."""
    known = _days(panel)
    return sorted(known[day] + 1 for day in days if known.get(day, -1) >= MIN_TRAINING_DAYS - 1)


def _days(panel: Panel) -> dict[str, int]:
    return {f"{day:%Y-%m-%d}": place for place, day in enumerate(panel.dates[: panel.known])}
