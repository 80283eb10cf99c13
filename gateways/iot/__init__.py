"""Adapters of people counters: one module a vendor."""
