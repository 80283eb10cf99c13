"""The report's pictures, with Plotly. Direct labels, zero baselines for bars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import plotly.graph_objects as go

from kedro_project.pipelines.backtest.nodes import Fold
from kedro_project.pipelines.pictures import (
    BLUE,
    GREY,
    headroom_of_stores,
    map_of_stores,
    plain,
)

_METHODS = {
    "model": "Tenpo",
    "seasonal_naive": "last week again",
    "last_year": "last year",
    "cluster_mean": "cluster mean",
}


def pictures(folds: list[Fold], metrics: dict[str, Any]) -> Iterator[tuple[str, go.Figure]]:
    """Title and figure, in reading order."""
    for measure in metrics["forecast"]:
        yield f"Error of {measure} forecasts", _errors(metrics["forecast"][measure])
        yield f"Chain's {measure}, day by day", _course(folds, measure)
    yield "Map of stores", map_of_stores(folds[-1].clusters)
    yield "Head-room a month", headroom_of_stores(folds[-1].targets)


def _errors(methods: dict[str, dict[str, float | None]]) -> go.Figure:
    named = {_METHODS[name]: values["wape"] for name, values in methods.items()}
    known = {name: value for name, value in named.items() if value is not None}
    figure = go.Figure(
        go.Bar(
            x=list(known.values()),
            y=list(known),
            orientation="h",
            marker_color=[BLUE if name == "Tenpo" else GREY for name in known],
            text=[f"{value:.1%}" for value in known.values()],
        )
    )
    figure.update_xaxes(rangemode="tozero", tickformat=".0%", title="WAPE, mean over folds")
    figure.update_yaxes(autorange="reversed")
    return plain(figure, 220)


def _course(folds: list[Fold], measure: str) -> go.Figure:
    figure = go.Figure()
    for fold in folds:
        forecast, truth = fold.forecasts[measure], fold.truth[measure]
        known = np.isfinite(truth)
        days = list(forecast.dates)
        thought = np.where(known, forecast.value, 0).sum(axis=1)
        happened = np.where(known, truth, 0).sum(axis=1)
        first = fold is folds[0]
        for name, values, colour in (("true", happened, GREY), ("forecast", thought, BLUE)):
            figure.add_scatter(
                x=days, y=values, name=name, line_color=colour, legendgroup=name, showlegend=first
            )
    figure.update_yaxes(rangemode="tozero")
    return plain(figure, 320)
