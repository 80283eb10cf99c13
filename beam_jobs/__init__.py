"""Beam pipelines: `ingest` (lake to raw and dwh) and `aggregate` (dwh to mart and datamart).

Elements are few and large: Arrow tables, not rows. What a pipeline computes is
in plain functions over Arrow; the transforms only carry them.
"""
