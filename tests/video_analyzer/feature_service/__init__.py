"""Tests of the feature service."""
