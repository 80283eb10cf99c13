"""Adapters of registers: one module a vendor."""
