"""Store-days to a panel, with notes for its readers."""

from kedro.pipeline import Node, Pipeline

from kedro_project.chain import chain_notes, chain_panel


def create_pipeline() -> Pipeline:
    """The pipeline `chain`."""
    noted = ["store_days", "panel", "params:chain"]
    return Pipeline(
        [
            Node(chain_panel, ["store_days", "params:chain"], "panel", name="chain_panel"),
            Node(chain_notes, noted, "chain_notes", name="chain_notes"),
        ]
    )
