"""Tests of the simulator, against an independent reading of its payloads."""
