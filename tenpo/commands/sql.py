"""`tenpo sql`: look into the warehouse with GoogleSQL. Reading only.

Not for changing data: what changes the warehouse is ingest and aggregation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_SHOWN = 200


def sql(
    statement: Annotated[str, typer.Argument(help="A GoogleSQL query.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV (RFC 4180).")] = False,
) -> None:
    """Ask the warehouse in GoogleSQL: datasets raw, dwh and mart.

    Tables are partitioned, and a query states which partitions it reads: business_date
    in dwh and mart, ingested_at in raw.

    Example: tenpo sql "SELECT store_id, SUM(net_amount) AS net FROM dwh.sale_line
    WHERE business_date BETWEEN '2026-03-01' AND '2026-03-31' GROUP BY store_id"
    """
    from tenpo.errors import InputError
    from tenpo.settings import get_settings
    from tenpo.warehouse import Job, connect, query

    if as_json and as_csv:
        raise InputError("--json and --csv exclude each other", remedy="Choose one of them.")
    settings = get_settings()
    check_is_query(statement, settings.dataset_prefix)
    with connect(settings) as warehouse:
        rows = query(warehouse, statement, job=Job("sql", _run_id()))
    if as_json:
        typer.echo(_as_json(rows))
    elif as_csv:
        typer.echo(_as_csv(rows), nl=False)
    else:
        _print_table(rows)


def check_is_query(statement: str, prefix: str = "") -> None:
    """Refuse statements that would change something, or read a whole partitioned table.

    Args:
        statement: GoogleSQL.
        prefix: what the datasets' names begin with.

    Raises:
        InputError: not GoogleSQL, not exactly one query, or without its partitions.
    """
    import sqlglot
    from sqlglot.errors import SqlglotError

    from tenpo.errors import InputError
    from tenpo.warehouse.pruning import partition_columns, unpruned

    try:
        parsed = [one for one in sqlglot.parse(statement, dialect="bigquery") if one is not None]
    except SqlglotError as error:
        raise InputError(
            f"this is no GoogleSQL: {str(error).splitlines()[0]}", remedy="Correct the statement."
        ) from error
    if len(parsed) != 1 or not isinstance(parsed[0], sqlglot.exp.Query):
        raise InputError(
            "tenpo sql runs one query (SELECT or WITH) and changes nothing",
            remedy="Events come in by `tenpo send`, KPIs by `tenpo aggregate`.",
        )
    for table in unpruned(parsed[0], prefix):
        dataset, name = table.split(".")
        column = partition_columns()[dataset, name]
        raise InputError(
            f"the query does not say which partitions of {table} it reads",
            where=table,
            remedy=f"Add to the WHERE of that SELECT: {column} >= '{_example(column)}'",
        )


def _example(column: str) -> str:
    return "0" if column == "bucket" else "2026-01-01"


def _run_id() -> str:
    from datetime import UTC, datetime

    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"


def _as_json(rows: pa.Table) -> str:
    import orjson

    document = {"columns": rows.column_names, "rows": rows.to_pylist()}
    return orjson.dumps(document, default=_plain, option=orjson.OPT_INDENT_2).decode()


def _plain(value: object) -> str:
    """What JSON has no form for: bytes as BigQuery shows them, the rest as text."""
    from base64 import b64encode

    return b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _as_csv(rows: pa.Table) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(rows.column_names)
    writer.writerows([_cell(value) for value in row.values()] for row in rows.to_pylist())
    return text.getvalue()


def _print_table(rows: pa.Table) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(header_style="bold")
    for field in rows.schema:
        table.add_column(field.name, justify="right" if _is_number(field.type) else "left")
    for row in rows.slice(0, _ROWS_SHOWN).to_pylist():
        table.add_row(*(_cell(value) for value in row.values()))
    Console().print(table)
    shown = min(rows.num_rows, _ROWS_SHOWN)
    rest = "" if shown == rows.num_rows else f", the first {shown} shown (--csv gives all)"
    Console(stderr=True).print(f"{rows.num_rows} rows{rest}", style="dim")


def _is_number(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(types.is_integer(kind) or types.is_decimal(kind) or types.is_floating(kind))


def _cell(value: object) -> str:
    """A value as text; null is empty, decimals without the zeros that only fill the scale."""
    from datetime import datetime
    from decimal import Decimal

    if isinstance(value, bytes):
        return _plain(value)
    if value is None:
        return ""
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return value.isoformat() if isinstance(value, datetime) else str(value)
