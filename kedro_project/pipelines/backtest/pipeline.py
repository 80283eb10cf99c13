"""Panel to folds, their metrics and the report."""

from kedro.pipeline import Node, Pipeline

from kedro_project.pipelines.backtest.nodes import backtest, summary
from kedro_project.pipelines.backtest.report import report


def create_pipeline() -> Pipeline:
    """The pipeline `backtest`."""
    return Pipeline(
        [
            Node(backtest, ["panel", "parameters"], "folds_run", name="backtest"),
            Node(summary, "folds_run", "backtest_metrics", name="summary"),
            Node(report, "folds_run", "backtest_report", name="report"),
        ]
    )
