"""All pipelines by name; Kedro's command and its viewer ask here."""

from __future__ import annotations

from kedro.pipeline import Pipeline

from kedro_project.pipelines import (
    backtest,
    chain,
    clustering,
    features,
    forecast,
    judge,
    publish,
    targets,
)


def register_pipelines() -> dict[str, Pipeline]:
    """The pipelines; `__default__` is what works on a panel, `product` all that the platform runs.

    `features` as the platform runs it begins with `chain`.
    """
    found = {
        "features": features.create_pipeline(),
        "clustering": clustering.create_pipeline(),
        "forecast": forecast.create_pipeline(),
        "targets": targets.create_pipeline(),
    }
    whole = sum(found.values(), start=Pipeline([]))
    ends = {
        "chain": chain.create_pipeline(),
        "judge": judge.create_pipeline(),
        "publish": publish.create_pipeline(),
    }
    return {
        **found,
        **ends,
        "product": ends["chain"] + whole + ends["judge"] + ends["publish"],
        "backtest": backtest.create_pipeline(),
        "__default__": whole,
    }
