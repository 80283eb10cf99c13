"""Panel to features."""

from kedro.pipeline import Node, Pipeline

from kedro_project.pipelines.features.nodes import store_features


def create_pipeline() -> Pipeline:
    """The pipeline `features`."""
    return Pipeline(
        [Node(store_features, ["panel", "params:features"], "features", name="store_features")]
    )
