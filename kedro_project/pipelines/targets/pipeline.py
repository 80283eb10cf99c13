"""Panel, clusters and forecasts to targets."""

from kedro.pipeline import Node, Pipeline

from kedro_project.pipelines.targets.nodes import attainable_targets


def create_pipeline() -> Pipeline:
    """The pipeline `targets`."""
    inputs = ["panel", "cluster_of_store", "forecasts", "params:targets"]
    return Pipeline([Node(attainable_targets, inputs, "targets", name="attainable_targets")])
