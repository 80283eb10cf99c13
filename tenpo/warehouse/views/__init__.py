"""Queries that are kept as views. Whoever reads a view states the partitions."""
