"""Merging sketches in the datamart: the counts of each bucket are added up in SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, Subquery, cast, func, select

from tenpo.kpi.sketch import as_text


def read_sketches(
    connection: Connection, rows: Subquery, keys: Sequence[str], name: str
) -> dict[tuple[Any, ...], str]:
    """The merged sketch of each group of rows.

    Args:
        connection: the datamart.
        rows: what to merge.
        keys: the columns to group by.
        name: the measure, one of `SKETCHES`.

    Returns:
        By the values of the keys; groups in which no row counts anything are left out.
    """
    pair = func.string_to_table(rows.c[name], " ").table_valued("value").render_derived("pair")
    bucket = cast(func.split_part(pair.c.value, ":", 1), Integer).label("bucket")
    counted = cast(func.sum(cast(func.split_part(pair.c.value, ":", 2), BigInteger)), BigInteger)
    columns = [rows.c[key] for key in keys]
    statement = (
        select(*columns, bucket, counted)
        .select_from(rows.join(pair, pair.c.value != ""))
        .group_by(*columns, bucket)
    )
    found: defaultdict[tuple[Any, ...], dict[int, int]] = defaultdict(dict)
    for *key, place, count in connection.execute(statement):
        found[tuple(key)][place] = count
    return {key: as_text(counts) for key, counts in found.items()}
