"""Does a statement say which partitions it reads?

BigQuery refuses a query on a partitioned table that does not, for it would read (and
bill) all of it; the local server lets it pass. So it is checked here, before either.

A predicate counts when it compares the partition column with constants and parameters
alone, in the WHERE or ON of the very SELECT, UPDATE or DELETE (or the ON of the MERGE) that
names the table. BigQuery sees through more than that; what passes here passes there.
What an INSERT writes to is not read, and so needs none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from sqlglot import exp

from tenpo.warehouse.tables import TABLES, VIEWS

_COMPARISONS = (exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In)


@cache
def partition_columns() -> Mapping[tuple[str, str], str]:
    """What each partitioned table (or view of one) is partitioned by, by dataset and table."""
    return {
        (table.dataset, table.name): re.sub(r"^\w+\(|[,)].*$", "", table.partition_by)
        for table in (*TABLES, *VIEWS)
        if table.partition_by
    }


def unpruned(statement: exp.Expr, prefix: str = "") -> list[str]:
    """Partitioned tables that a statement reads without saying which partitions.

    Args:
        statement: parsed GoogleSQL.
        prefix: what the datasets' names begin with.

    Returns:
        `dataset.table` of each, in the order of the statement.
    """
    return [
        f"{dataset}.{table.name}"
        for table in statement.find_all(exp.Table)
        if (dataset := table.db.rsplit(".", 1)[-1].removeprefix(prefix))
        and (column := partition_columns().get((dataset, table.name)))
        and not _is_inserted_to(table)
        and not any(_prunes(test, column, table) for test in _conditions(table))
    ]


def _is_inserted_to(table: exp.Table) -> bool:
    place = table.parent.parent if isinstance(table.parent, exp.Schema) else table.parent
    return isinstance(place, exp.Insert)


def _conditions(table: exp.Table) -> Iterator[exp.Expr]:
    """What limits the table, taken apart at each AND."""
    scope = table.find_ancestor(exp.Select, exp.Merge, exp.Update, exp.Delete)
    for condition in _clauses(scope):
        pending = [condition]
        while pending:
            part = pending.pop().unnest()
            if isinstance(part, exp.And):
                pending += [part.left, part.right]
            else:
                yield part


def _clauses(scope: exp.Expr | None) -> Sequence[exp.Expr]:
    if isinstance(scope, exp.Merge):
        return [scope.args["on"]]
    if scope is None:
        return []
    where = scope.args.get("where")
    joined = [join.args.get("on") for join in scope.args.get("joins") or []]
    return [*([where.this] if where else []), *(on for on in joined if on is not None)]


def _prunes(test: exp.Expr, column: str, table: exp.Table) -> bool:
    if not isinstance(test, _COMPARISONS):
        return False
    columns = list(test.find_all(exp.Column))
    names = {table.alias_or_name, ""}
    return len(columns) == 1 and columns[0].name == column and columns[0].table in names
