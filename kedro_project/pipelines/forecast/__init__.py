"""Pipeline `forecast`: what will happen in the next weeks."""

from kedro_project.pipelines.forecast.pipeline import create_pipeline

__all__ = ["create_pipeline"]
