"""Panel and champion to the challenger's trial and the verdict."""

from kedro.pipeline import Node, Pipeline

from kedro_project.pipelines.judge.nodes import judge


def create_pipeline() -> Pipeline:
    """The pipeline `judge`."""
    inputs = ["panel", "champion", "run_record"]
    return Pipeline([Node(judge, inputs, ["trial", "verdict"], name="judge")])
