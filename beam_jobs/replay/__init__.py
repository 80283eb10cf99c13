"""Replay: the raw archive through today's adapters again, after a fix.

    plan        which raw objects
    readapt     one delivery through its adapter, as if it came now for the first time
    compare     which documents came out otherwise
    transforms  the same as Beam steps
    job         one run

It writes canonical objects; ingest takes them in as any others, and only store-days whose
content differs become dirty.
"""
