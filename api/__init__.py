"""The datamart API and the dashboard: thin routes over `tenpo.datamart`.

Nothing is computed here that the kernel does not define, and nothing is written.
"""
