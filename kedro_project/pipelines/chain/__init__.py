"""Pipeline `chain`: a tenant's published store-days to a panel."""

from kedro_project.pipelines.chain.pipeline import create_pipeline

__all__ = ["create_pipeline"]
