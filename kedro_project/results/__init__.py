"""Results of a run: kept in the lake between its pipelines, then published."""
