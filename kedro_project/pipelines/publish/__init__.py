"""Pipeline `publish`: what all chains' pipelines found becomes what readers see."""

from kedro_project.pipelines.publish.pipeline import create_pipeline

__all__ = ["create_pipeline"]
