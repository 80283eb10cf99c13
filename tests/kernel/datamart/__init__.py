"""Tests of the datamart against a real PostgreSQL."""
