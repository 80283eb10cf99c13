"""One field of a contract: name, type, unit, meaning, constraint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

import pyarrow as pa


class Type(Enum):
    """A type as BigQuery, Arrow and Python each know it.

    NUMERIC is BigQuery's NUMERIC: 38 digits, 9 of them after the point.
    """

    STRING = ("STRING", pa.string(), str)
    INT64 = ("INT64", pa.int64(), int)
    NUMERIC = ("NUMERIC", pa.decimal128(38, 9), Decimal)
    FLOAT64 = ("FLOAT64", pa.float64(), float)
    BOOL = ("BOOL", pa.bool_(), bool)
    TIMESTAMP = ("TIMESTAMP", pa.timestamp("us", tz="UTC"), datetime)
    DATE = ("DATE", pa.date32(), date)

    def __init__(self, bigquery: str, arrow: pa.DataType, python: type) -> None:
        self.bigquery = bigquery
        self.arrow = arrow
        self.python = python


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a contract.

    Args:
        name: snake_case; timestamps end in `_at`, dates in `_date`, amounts in `_amount`.
        type: the type everywhere.
        meaning: one sentence for the data dictionary.
        unit: `s`, `people`, `currency`, … or empty.
        required: never null.
        one_of: the only values allowed, where there are few.
    """

    name: str
    type: Type
    meaning: str
    unit: str = ""
    required: bool = False
    one_of: tuple[str, ...] = ()

    def arrow(self) -> pa.Field[pa.DataType]:
        """The field in an Arrow schema."""
        return pa.field(self.name, self.type.arrow, nullable=not self.required)

    def ddl(self) -> str:
        """The column in a GoogleSQL CREATE TABLE statement."""
        text = self.meaning + (f" [{self.unit}]" if self.unit else "")
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        null = " NOT NULL" if self.required else ""
        return f'`{self.name}` {self.type.bigquery}{null} OPTIONS(description="{quoted}")'
