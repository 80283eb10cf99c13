"""Pipeline `features`: what is typical of each store."""

from kedro_project.pipelines.features.pipeline import create_pipeline

__all__ = ["create_pipeline"]
