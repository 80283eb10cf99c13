"""Tests of the warehouse against the real compatible server."""
