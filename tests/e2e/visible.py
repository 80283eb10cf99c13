"""Everything that people and programs can read of a machine, as text, compression undone.

The sealed raw archive is looked at as the bytes it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg.sql import SQL, Identifier

from tenpo.datamart.connect import libpq_dsn
from tenpo.settings import Settings
from tenpo.warehouse import TABLES, connect, read_table


def visible(home: Path, settings: Settings) -> dict[str, str]:
    """Text of lake, warehouse, datamart and logs, by name."""
    return {
        "lake": "\n".join(_files(home / "lake")),
        "logs": "\n".join(_files(home / "logs")),
        "warehouse": "\n".join(_warehouse(settings)),
        "datamart": "\n".join(_datamart(settings)),
    }


def _files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".parquet":
            yield _text(pq.read_table(path))
        elif path.is_file():
            yield path.read_bytes().decode("utf-8", "replace")


def _warehouse(settings: Settings) -> Iterator[str]:
    with connect(settings) as warehouse:
        for table in TABLES:
            yield f"{table.name}: {_text(read_table(warehouse, table.dataset, table.name))}"


def _datamart(settings: Settings) -> Iterator[str]:
    with psycopg.connect(libpq_dsn(settings.datamart_dsn)) as connection:
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
        for (name,) in names:
            for row in connection.execute(SQL("SELECT t::text FROM {} t").format(Identifier(name))):
                yield f"{name}: {row[0]}"


def _text(table: pa.Table) -> str:
    return "\n".join(str(row) for row in table.to_pylist())
