"""A contract: the fields of one table and everything derived from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, create_model

from tenpo.contracts.field import Field
from tenpo.errors import IntegrityError


@dataclass(frozen=True)
class Contract:
    """One table: its name, grain, fields, partitioning and clustering.

    Args:
        name: singular noun with its grain, e.g. `kpi_store_hour`.
        dataset: `raw`, `dwh` or `mart`.
        grain: what one row is, one sentence.
        fields: the columns in order.
        partition_by: a GoogleSQL partition expression; empty for a small table without.
        cluster_by: up to four columns.
    """

    name: str
    dataset: str
    grain: str
    fields: tuple[Field, ...]
    partition_by: str
    cluster_by: tuple[str, ...] = ()

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema, in field order."""
        return pa.schema([field.arrow() for field in self.fields])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(field.name for field in self.fields)

    def ddl(self, dataset: str) -> str:
        """CREATE TABLE IF NOT EXISTS in GoogleSQL, with descriptions.

        Args:
            dataset: the real dataset name (project and prefix included).
        """
        columns = ",\n  ".join(field.ddl() for field in self.fields)
        partition = f"\nPARTITION BY {self.partition_by}" if self.partition_by else ""
        cluster = f"\nCLUSTER BY {', '.join(self.cluster_by)}" if self.cluster_by else ""
        required = ", require_partition_filter=TRUE" if self.partition_by else ""
        return (
            f"CREATE TABLE IF NOT EXISTS `{dataset}.{self.name}` (\n  {columns}\n)"
            f'{partition}{cluster}\nOPTIONS(description="{self.grain}"{required})'
        )

    def table(self, rows: list[dict[str, Any]]) -> pa.Table:
        """Rows as an Arrow table of exactly this schema; absent keys are null."""
        return pa.Table.from_pylist(rows, schema=self.schema)

    def conform(self, table: pa.Table) -> pa.Table:
        """The table with this contract's columns, order and types.

        Raises:
            IntegrityError: a column is missing, or a required one holds nulls.
        """
        missing = [name for name in self.names if name not in table.column_names]
        if missing:
            raise IntegrityError(f"{self.name} lacks {', '.join(missing)}")
        for field in self.fields:
            if field.required and table.column(field.name).null_count:
                raise IntegrityError(f"{self.name}.{field.name} is required but holds nulls")
        return table.select(list(self.names)).cast(self.schema)

    def model(self) -> type[BaseModel]:
        """A Pydantic model of one row."""
        columns: dict[str, Any] = {
            f.name: (f.type.python, ...) if f.required else (f.type.python | None, None)
            for f in self.fields
        }
        title = "".join(part.title() for part in self.name.split("_"))
        return create_model(title, __doc__=self.grain, **columns)

    def markdown(self) -> str:
        """A section of the data dictionary."""
        lines = [f"### `{self.dataset}.{self.name}`", "", self.grain, ""]
        lines += ["| column | type | unit | meaning |", "|---|---|---|---|"]
        for f in self.fields:
            meaning = f.meaning + (f" One of: {', '.join(f.one_of)}." if f.one_of else "")
            kind = f.type.bigquery + ("" if f.required else ", nullable")
            lines.append(f"| `{f.name}` | {kind} | {f.unit} | {meaning} |")
        return "\n".join(lines) + "\n"
