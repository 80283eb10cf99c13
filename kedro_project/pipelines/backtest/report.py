"""The backtest as one HTML file that needs no network."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from kedro_project.pipelines.backtest.nodes import Fold, summary
from kedro_project.pipelines.backtest.pictures import pictures

_HERE = Path(__file__).parent


def report(folds: list[Fold]) -> str:
    """The HTML of a backtest: metrics beside the baselines, then pictures."""
    metrics = summary(folds)
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=select_autoescape(), undefined=StrictUndefined
    )
    drawn = []
    for n, (title, figure) in enumerate(pictures(folds, metrics)):
        # Plotly itself comes once, within the page. Its HTML is escaped by Plotly.
        html = figure.to_html(full_html=False, include_plotlyjs=n == 0, div_id=f"picture-{n}")
        drawn.append((title, Markup(html)))  # noqa: S704
    return environment.get_template("report.html").render(metrics=metrics, pictures=drawn)
