"""All pipelines by name; Kedro's command and its viewer ask here."""

from __future__ import annotations

from kedro.pipeline import Pipeline

from kedro_project.pipelines import backtest, clustering, features, forecast, targets


def register_pipelines() -> dict[str, Pipeline]:
    """The pipelines, and `__default__`: everything but the backtest."""
    found = {
        "features": features.create_pipeline(),
        "clustering": clustering.create_pipeline(),
        "forecast": forecast.create_pipeline(),
        "targets": targets.create_pipeline(),
    }
    whole = sum(found.values(), start=Pipeline([]))
    return found | {"backtest": backtest.create_pipeline(), "__default__": whole}
