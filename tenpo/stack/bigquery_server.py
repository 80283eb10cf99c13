"""Runs the BigQuery-compatible server with extensions from installed packages, not the network.

A script for the `bigquery` environment, where `tenpo` is not installed; its arguments
are those of `bqemulator`. DuckDB keeps extensions below $HOME, which the stack points
into its own folder.
"""

import os
import sys

import duckdb_extensions
from bqemulator.cli import main
from bqemulator.storage.engine import DuckDBEngine
from bqemulator.versioning.snapshots import SnapshotManager


def capture_nothing(*_arguments: object, **_options: object) -> None:
    """Stands for `SnapshotManager.capture`, whose None means "no snapshot".

    bqemulator 1.4.0 copies the whole table after every append and DML statement, for
    `FOR SYSTEM_TIME AS OF`, and no setting stops it: 0.6 s and 50 MB of disk a write on
    a table of a million rows (seen 2026-11). Tenpo never asks for time travel.
    """


start_engine = DuckDBEngine.start


async def start_locked_in(engine: DuckDBEngine) -> None:
    """Starts DuckDB, then bars it from every file but its own.

    The server asks nobody who they are, and DuckDB's `read_text('…')` would read any file
    of the user it runs as, secrets included, for any user of the machine.
    """
    await start_engine(engine)
    memory = os.environ.get("TENPO_BIGQUERY_MEMORY")
    if memory:  # DuckDB's own bound is most of the machine
        engine.connection.execute("SET memory_limit = ?", [memory])
    engine.connection.execute("SET enable_external_access = false")


# The one limit bounds appends and also what a read sends, 65,536 rows a message however
# wide: the default of 10 MB breaks reads of rows above 160 bytes.
os.environ.setdefault("BQEMU_WRITE_API_MAX_REQUEST_BYTES", str(512 * 1024**2))
duckdb_extensions.import_extension("spatial")
duckdb_extensions.import_extension("icu")
SnapshotManager.capture = capture_nothing
DuckDBEngine.start = start_locked_in
sys.argv[0] = "bqemulator"
main()
