"""The backtest as one HTML file that needs no network."""

from __future__ import annotations

from kedro_project.pipelines.backtest.nodes import Fold, summary
from kedro_project.pipelines.backtest.pictures import pictures
from kedro_project.pipelines.report import page


def report(folds: list[Fold]) -> str:
    """The HTML of a backtest: metrics beside the baselines, then pictures."""
    metrics = summary(folds)
    return page("backtest.html", pictures(folds, metrics), metrics=metrics)
