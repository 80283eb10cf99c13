"""Features to clusters."""

from kedro.pipeline import Node, Pipeline

from kedro_project.pipelines.clustering.nodes import cluster_stores, labels


def create_pipeline() -> Pipeline:
    """The pipeline `clustering`."""
    inputs = ["features", "previous_clusters", "params:clustering"]
    return Pipeline(
        [
            Node(cluster_stores, inputs, "clusters", name="cluster_stores"),
            Node(labels, "clusters", "cluster_of_store", name="labels"),
        ]
    )
