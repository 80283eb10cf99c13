"""Panel and clusters to forecasts."""

from kedro.pipeline import Node, Pipeline

from kedro_project.pipelines.forecast.nodes import forecast_measures


def create_pipeline() -> Pipeline:
    """The pipeline `forecast`."""
    inputs = ["panel", "cluster_of_store", "params:forecast"]
    return Pipeline([Node(forecast_measures, inputs, "forecasts", name="forecast_measures")])
