"""Pipeline `judge`: how a run's recipe does on past days, beside the one that readers see."""

from kedro_project.pipelines.judge.pipeline import create_pipeline

__all__ = ["create_pipeline"]
