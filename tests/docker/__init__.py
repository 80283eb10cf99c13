"""Tests of the images' and compose files' text; no engine is needed."""
