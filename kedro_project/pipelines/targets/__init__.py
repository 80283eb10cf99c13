"""Pipeline `targets`: what each store could reach, and what it is worth."""

from kedro_project.pipelines.targets.pipeline import create_pipeline

__all__ = ["create_pipeline"]
