"""Runs pipelines in this process, without a project folder and without Kedro's plug-ins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from kedro.io import DataCatalog, DatasetError, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner

from tenpo.errors import TenpoError

_PARAMETERS = Path(__file__).parent / "conf" / "base" / "parameters.yml"


def parameters() -> dict[str, Any]:
    """The parameters of `conf/base`."""
    read: dict[str, Any] = yaml.safe_load(_PARAMETERS.read_text("utf-8"))
    return read


def seeded(
    settings: dict[str, Any], *, seed: int, horizon: int, folds: int = 1, threads: int = 1
) -> dict[str, Any]:
    """Parameters with the same seed everywhere, and what a backtest is asked for."""
    training = {**settings["forecast"]["training"], "seed": seed, "threads": threads}
    return {
        **settings,
        "clustering": {**settings["clustering"], "seed": seed},
        "forecast": {**settings["forecast"], "horizon": horizon, "training": training},
        "targets": {**settings["targets"], "seed": seed},
        "folds": folds,
    }


def execute(
    pipeline: Pipeline, inputs: Mapping[str, Any], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Run a pipeline on objects in memory.

    Args:
        pipeline: to run.
        inputs: its free inputs by name.
        settings: parameters, as `parameters()`.

    Returns:
        Its free outputs by name.
    """
    given = {**inputs, "parameters": settings}
    given |= {f"params:{key}": value for key, value in settings.items()}
    wanted = pipeline.inputs()
    # The datasets are frozen: nodes change nothing, and copies of large panels cost memory.
    catalog = DataCatalog(
        {
            name: MemoryDataset(value, copy_mode="assign")
            for name, value in given.items()
            if name in wanted
        }
    )
    outputs = SequentialRunner().run(pipeline, catalog)
    return {name: dataset.load() for name, dataset in outputs.items()}


def run_on(pipeline: Pipeline, catalog: DataCatalog, settings: Mapping[str, Any]) -> None:
    """Run a pipeline on a catalog's datasets.

    Args:
        pipeline: to run.
        catalog: has every dataset but the parameters.
        settings: parameters, as `parameters()`.

    Raises:
        TenpoError: as a dataset or node raised it; Kedro would wrap it.
    """
    given = {f"params:{key}": value for key, value in settings.items()} | {"parameters": settings}
    for name in pipeline.inputs() & given.keys():
        catalog[name] = MemoryDataset(given[name], copy_mode="assign")
    try:
        SequentialRunner().run(pipeline, catalog)
    except DatasetError as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, TenpoError):
            cause = cause.__cause__
        raise (cause or error) from None
