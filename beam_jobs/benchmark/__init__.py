"""Benchmarks of industries: the one job that reads figures of several tenants together.

    store sums (GoogleSQL) ─▶ figures ─▶ groups by the rule (`privacy`) ─▶ quartiles (`estimate`)
      ─▶ mart, datamart (`job`)

What protects retailers is in docs/adr/0022-benchmarks.md. Not for comparisons within a tenant,
which the datamart answers (`tenpo.datamart.benchmark_read`).
"""
