"""Tests of what sees people."""
