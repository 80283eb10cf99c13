"""Ingest without an end: the same loads, planned window by window, appended by many workers.

    hints, ticks ─▶ windows ─▶ plan (ledger: loading) ─▶ LoadRaw ─▶ windows ─▶ conform ─▶ announce

For Dataflow, and for Flink where one process is not enough; on one machine `--follow` does
the same. Both may run at once: the ledger and the claims keep them apart.
"""
