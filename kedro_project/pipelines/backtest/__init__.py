"""Pipeline `backtest`: how good forecasts, clusters and targets would have been."""

from kedro_project.pipelines.backtest.pipeline import create_pipeline

__all__ = ["create_pipeline"]
