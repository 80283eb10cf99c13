"""Ingest: canonical objects of the lake into raw, and from there into dwh.

    sweep ─▶ ledger: loading ─▶ Beam: read, append to raw ─▶ ledger: loaded
          ─▶ conform (GoogleSQL): raw to dwh, store-days marked dirty ─▶ ledger: conformed

Any step may be killed; the ledger in PostgreSQL says where to go on.
"""
