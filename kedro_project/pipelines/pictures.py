"""Pictures of results, with Plotly: direct labels, zero baselines, colours safe for all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from kedro_project.panel import FloatArray
from kedro_project.pipelines.clustering.nodes import Clusters
from kedro_project.pipelines.forecast.nodes import Forecast
from kedro_project.pipelines.targets.nodes import Targets

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#7f7f7f"
_BAND = "rgba(0, 114, 178, 0.2)"
_COLOURS = (BLUE, ORANGE, "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#000000")
_SHOWN = 15
_SHOWN_DAYS = 56


def map_of_stores(clusters: Clusters) -> go.Figure:
    """Stores as points; those near each other are alike."""
    figure = go.Figure()
    for n, (cluster, row) in enumerate(clusters.profile.iterrows()):
        own = clusters.map[clusters.label == cluster]
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
    return plain(figure, 420)


def headroom_of_stores(targets: Targets) -> go.Figure:
    """The stores with the largest head-room, and the factor to work on first."""
    best = targets.stores.nlargest(_SHOWN, "headroom_amount")
    figure = go.Figure(
        go.Bar(
            x=best["headroom_amount"],
            y=[str(store) for store in best.index],
            orientation="h",
            marker_color=ORANGE,
            text=[f"{amount:,.0f} ({first})" for amount, first in
                  zip(best["headroom_amount"], best["first"], strict=True)],
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(rangemode="tozero", title="in units of the panel")
    return plain(figure, 420)


def course_ahead(forecast: Forecast, dates: pd.DatetimeIndex, known: FloatArray) -> go.Figure:
    """The sum over all stores: the last weeks, and the weeks to come with their band.

    Args:
        forecast: of one measure.
        dates: of the panel.
        known: its figures so far (T, S).
    """
    days = list(forecast.dates)
    figure = go.Figure()
    figure.add_scatter(
        x=[*days, *reversed(days)],
        y=[*forecast.total_high, *reversed(forecast.total_low)],
        fill="toself", fillcolor=_BAND, line_width=0, name="interval", hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(x=days, y=forecast.value.sum(axis=1), name="forecast", line_color=BLUE)
    recent = slice(max(0, len(known) - _SHOWN_DAYS), len(known))
    sums = np.where(np.isfinite(known), known, 0.0).sum(axis=1)
    figure.add_scatter(
        x=list(dates[: len(known)][recent]), y=sums[recent], name="so far", line_color=GREY
    )
    figure.update_yaxes(rangemode="tozero")
    return plain(figure, 320)


def plain(figure: go.Figure, height: int) -> go.Figure:
    """The figure in the style of all."""
    return figure.update_layout(
        template="plotly_white", height=height, margin={"l": 10, "r": 10, "t": 10, "b": 40}
    )
