"""Arrow rows into PostgreSQL: COPY into a temporary table, then one INSERT … ON CONFLICT.

The caller owns the transaction, so that several tables and the lease's check commit
together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from secrets import token_hex
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.sql import SQL, Composable, Composed, Identifier
from sqlalchemy import Connection, Table

from tenpo.errors import IntegrityError
from tenpo.store_day import StoreDay


def upsert(connection: Connection, table: Table, rows: pa.Table) -> int:
    """Insert rows, replacing those of the same primary key.

    Args:
        connection: in a transaction.
        table: one of `tables`.
        rows: columns of the table, its primary key among them; columns left out keep
            their value or default.

    Returns:
        The number of rows.

    Raises:
        IntegrityError: a column is unknown or the key is not complete.
    """
    columns = _checked(table, rows.column_names)
    if not rows.num_rows:
        return 0
    key = [c.name for c in table.primary_key]
    others = [name for name in columns if name not in key]
    draft = f"draft_{table.name}_{token_hex(4)}"
    cursor = driver(connection).cursor()
    cursor.execute(
        SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WHERE false").format(
            Identifier(draft), _names(columns), Identifier(table.name)
        )
    )
    _copy(cursor, draft, columns, rows)
    action: Composable = SQL("DO NOTHING")
    if others:
        sets = SQL(", ").join(SQL("{0} = excluded.{0}").format(Identifier(n)) for n in others)
        action = SQL("DO UPDATE SET {}").format(sets)
    cursor.execute(
        SQL("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT ({}) {}").format(
            Identifier(table.name), _names(columns), _names(columns), Identifier(draft),
            _names(key), action,
        )
    )  # fmt: skip
    cursor.execute(SQL("DROP TABLE {}").format(Identifier(draft)))
    return int(rows.num_rows)


def store_day_arrays(store_days: Iterable[StoreDay]) -> dict[str, list[Any]]:
    """Store-days as three arrays to unnest side by side."""
    days = sorted(set(store_days))
    return {
        "tenants": [day.tenant_id for day in days],
        "stores": [day.store_id for day in days],
        "dates": [day.business_date for day in days],
    }


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """The psycopg connection below, within the same transaction."""
    found = connection.connection.driver_connection
    if not isinstance(found, psycopg.Connection):
        raise IntegrityError("the datamart is not reached through psycopg")
    return found


def _checked(table: Table, names: Sequence[str]) -> list[str]:
    unknown = [name for name in names if name not in table.c]
    missing = [c.name for c in table.primary_key if c.name not in names]
    if unknown or missing:
        raise IntegrityError(
            f"rows do not fit {table.name}",
            where=", ".join([*(f"unknown {n}" for n in unknown), *(f"no {n}" for n in missing)]),
            remedy="Migrate the datamart (`tenpo up`), or correct the columns.",
        )
    return list(names)


def _names(columns: Iterable[str]) -> Composed:
    return SQL(", ").join(map(Identifier, columns))


def _copy(cursor: psycopg.Cursor[Any], draft: str, columns: Sequence[str], rows: pa.Table) -> None:
    statement = SQL("COPY {} ({}) FROM STDIN").format(Identifier(draft), _names(columns))
    with cursor.copy(statement) as copy:
        for batch in rows.to_batches(max_chunksize=10_000):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                copy.write_row(row)
