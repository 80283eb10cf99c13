"""Tests of the Beam pipelines."""
