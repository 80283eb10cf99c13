"""Pipeline `clustering`: which stores are alike."""

from kedro_project.pipelines.clustering.pipeline import create_pipeline

__all__ = ["create_pipeline"]
