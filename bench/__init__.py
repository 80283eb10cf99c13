"""Benchmarks: each runs by itself, prints its figures, and goes to docs/benchmarks.md."""
