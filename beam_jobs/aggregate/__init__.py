"""Aggregation: the measures of each dirty store-day, from dwh to mart and datamart.

    plan ─▶ read (GoogleSQL, grouped) ─▶ compose ─▶ revise ─▶ Parquet, mart, datamart

The unit of work is the store-day. Nothing is visible before the last step, one
PostgreSQL transaction that checks the lease.
"""
