"""Tests of counting over HTTP."""
