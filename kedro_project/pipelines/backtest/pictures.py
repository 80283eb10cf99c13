"""The report's pictures, with Plotly. Direct labels, zero baselines for bars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import plotly.graph_objects as go

from kedro_project.pipelines.backtest.nodes import Fold

_BLUE, _ORANGE, _GREY = "#0072b2", "#d55e00", "#7f7f7f"
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#000000")
_METHODS = {
    "model": "Tenpo",
    "seasonal_naive": "last week again",
    "last_year": "last year",
    "cluster_mean": "cluster mean",
}
_SHOWN = 15


def pictures(folds: list[Fold], metrics: dict[str, Any]) -> Iterator[tuple[str, go.Figure]]:
    """Title and figure, in reading order."""
    for measure in metrics["forecast"]:
        yield f"Error of {measure} forecasts", _errors(metrics["forecast"][measure])
        yield f"Chain's {measure}, day by day", _course(folds, measure)
    yield "Map of stores", _map(folds[-1])
    yield "Head-room a month", _headroom(folds[-1])


def _errors(methods: dict[str, dict[str, float | None]]) -> go.Figure:
    named = {_METHODS[name]: values["wape"] for name, values in methods.items()}
    known = {name: value for name, value in named.items() if value is not None}
    figure = go.Figure(
        go.Bar(
            x=list(known.values()),
            y=list(known),
            orientation="h",
            marker_color=[_BLUE if name == "Tenpo" else _GREY for name in known],
            text=[f"{value:.1%}" for value in known.values()],
        )
    )
    figure.update_xaxes(rangemode="tozero", tickformat=".0%", title="WAPE, mean over folds")
    figure.update_yaxes(autorange="reversed")
    return _plain(figure, 220)


def _course(folds: list[Fold], measure: str) -> go.Figure:
    figure = go.Figure()
    for fold in folds:
        forecast, truth = fold.forecasts[measure], fold.truth[measure]
        known = np.isfinite(truth)
        days = list(forecast.dates)
        thought = np.where(known, forecast.value, 0).sum(axis=1)
        happened = np.where(known, truth, 0).sum(axis=1)
        first = fold is folds[0]
        for name, values, colour in (("true", happened, _GREY), ("forecast", thought, _BLUE)):
            figure.add_scatter(
                x=days, y=values, name=name, line_color=colour, legendgroup=name, showlegend=first
            )
    figure.update_yaxes(rangemode="tozero")
    return _plain(figure, 320)


def _map(fold: Fold) -> go.Figure:
    clusters, places = fold.clusters, fold.clusters.map
    figure = go.Figure()
    for n, (cluster, row) in enumerate(clusters.profile.iterrows()):
        own = places[clusters.label == cluster]
        figure.add_scatter(
            x=own["x"],
            y=own["y"],
            mode="markers",
            text=list(own.index),
            hoverinfo="text",
            name=f"{cluster} {row['name']}",
            marker={"color": _COLOURS[n % len(_COLOURS)], "symbol": n % 8, "size": 9},
        )
    figure.update_xaxes(showticklabels=False, title="stores near each other are alike")
    figure.update_yaxes(showticklabels=False)
    return _plain(figure, 420)


def _headroom(fold: Fold) -> go.Figure:
    best = fold.targets.stores.nlargest(_SHOWN, "headroom_amount")
    figure = go.Figure(
        go.Bar(
            x=best["headroom_amount"],
            y=[str(store) for store in best.index],
            orientation="h",
            marker_color=_ORANGE,
            text=[f"{amount:,.0f} ({first})" for amount, first in
                  zip(best["headroom_amount"], best["first"], strict=True)],
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(rangemode="tozero", title="in units of the panel")
    return _plain(figure, 420)


def _plain(figure: go.Figure, height: int) -> go.Figure:
    return figure.update_layout(
        template="plotly_white", height=height, margin={"l": 10, "r": 10, "t": 10, "b": 40}
    )
