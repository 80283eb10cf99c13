"""Results to rows and pages. Pages come first: what is published has its pictures."""

from kedro.pipeline import Node, Pipeline

from kedro_project.pipelines.publish.report import reports
from kedro_project.results.rows import published_tables


def create_pipeline() -> Pipeline:
    """The pipeline `publish`."""
    rows = ["run_results", "run_record"]
    return Pipeline(
        [
            Node(reports, "run_results", "reports", name="reports"),
            Node(published_tables, rows, "publication", name="published_tables"),
        ]
    )
