"""Runs the BigQuery-compatible server with extensions from installed packages, not the network.

A script for the `bigquery` environment, where `tenpo` is not installed; its arguments
are those of `bqemulator`. DuckDB keeps extensions below $HOME, which the stack points
into its own folder.
"""

import gc
import os
import re
import sys
from copy import deepcopy
from functools import lru_cache
from typing import Any

import duckdb_extensions
from bqemulator.cli import main
from bqemulator.domain.result import Ok
from bqemulator.sql.translator import SQLTranslator
from bqemulator.storage.engine import DuckDBEngine
from bqemulator.versioning.snapshots import SnapshotManager
from sqlglot.dialects.dialect import Dialect
from sqlglot.expressions import core


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

    Without one way of packing strings, writing takes a quarter less processor time, reading a
    fifth less, and the file is twice as large (DuckDB 1.5.5, two million sale lines, 2026-11).
    """
    await start_engine(engine)
    memory = os.environ.get("TENPO_BIGQUERY_MEMORY")
    if memory:  # DuckDB's own bound is most of the machine
        engine.connection.execute("SET memory_limit = ?", [memory])
    engine.connection.execute("SET disabled_compression_methods = 'fsst'")
    engine.connection.execute("SET enable_external_access = false")


parse = Dialect.parse


@lru_cache(maxsize=256)
def parsed(dialect: Dialect, settings: str, text: str, options: tuple[Any, ...]) -> list[Any]:
    """What a text of SQL means. Whoever gets it may change it, so hand out copies."""
    del settings  # two dialects are equal whatever they are set to
    return parse(dialect, text, **dict(options))


#: Modules that only look at what they have parsed.
READERS = frozenset(
    f"bqemulator.{name}"
    for name in ("catalog.ddl_sync", "jobs.ddl_result", "jobs.executor", "sql.catalog_schema")
)


def parse_once(dialect: Dialect, sql: str, **options: Any) -> list[Any]:
    """Stands for `Dialect.parse`, at half its cost.

    bqemulator 1.4.0 parses each statement some twenty times, one rule after the other: two
    fifths of its processor time (seen 2026-11).
    """
    found = parsed(dialect, repr(dialect.settings), sql, tuple(sorted(options.items())))
    if sys._getframe(2).f_globals["__name__"] in READERS:
        return found
    return [expression and expression.copy() for expression in found]


def copied(value: Any) -> Any:
    """Stands for `deepcopy` of what a tree's nodes carry: flat dicts of positions, and comments.

    A node's whole copy takes half as long so.
    """
    if type(value) in (dict, list):
        return value.copy()
    return deepcopy(value)


#: Names of tables that one run of a job makes and drops: nothing else differs between its runs.
TEMPORARY = re.compile(r"staging`?\.`?(\w{8,})")
translate = SQLTranslator.translate


@lru_cache(maxsize=512)
def translated(
    text: str, schema: tuple[tuple[str, tuple[tuple[str, str], ...]], ...], caller: Any
) -> Any:
    """A statement for DuckDB. It depends on nothing else: not on rows, parameters or the time."""
    tables = {table: dict(columns) for table, columns in schema}
    return translate(SQLTranslator(), text, schema=tables or None, caller=caller)


def translate_once(
    translator: SQLTranslator, bq_sql: str, *, schema: Any = None, caller: Any = None, **more: Any
) -> Any:
    """Stands for `SQLTranslator.translate`, which is two thirds of a short statement's time."""
    found = list(dict.fromkeys(TEMPORARY.findall(bq_sql)))
    names = {name: f"temporary_table_{number}" for number, name in enumerate(found)}
    tables = sorted((schema or {}).items())
    known = tuple((names.get(table, table), tuple(columns.items())) for table, columns in tables)
    answer = translated(renamed(bq_sql, names), known, caller)
    if not answer.is_ok():  # in the words of who asked
        return translate(translator, bq_sql, schema=schema, caller=caller, **more)
    return Ok(renamed(answer.value, {standing: name for name, standing in names.items()}))


def renamed(text: str, names: dict[str, str]) -> str:
    """A text with other names in it, of whole words."""
    if not names:
        return text
    return re.sub(rf"\b({'|'.join(names)})\b", lambda found: names[found[1]], text)


# The one limit bounds appends and also what a read sends, 65,536 rows a message however
# wide: the default of 10 MB breaks reads of rows above 160 bytes.
os.environ.setdefault("BQEMU_WRITE_API_MAX_REQUEST_BYTES", str(512 * 1024**2))
duckdb_extensions.import_extension("spatial")
duckdb_extensions.import_extension("icu")
SnapshotManager.capture = capture_nothing
DuckDBEngine.start = start_locked_in
core.deepcopy = copied  # type: ignore[attr-defined, assignment]
Dialect.parse = parse_once  # type: ignore[method-assign, assignment]
SQLTranslator.translate = translate_once
sys.argv[0] = "bqemulator"
# Trees of SQL are many small objects: by default Python would look for cycles all the time.
gc.freeze()
gc.set_threshold(100_000)
main()
