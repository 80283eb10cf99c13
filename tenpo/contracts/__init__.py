"""The contracts between gateways and everything after: one declaration a field.

A `Contract` yields the Arrow schema, the BigQuery DDL, a Pydantic model and the
documentation, so that none of them can drift from the others.
"""

from tenpo.contracts.benchmarks import BENCHMARK_TABLES, EVERYBODY
from tenpo.contracts.contract import Contract
from tenpo.contracts.events import (
    CONFORMED,
    COUNT_INTERVAL,
    COUNT_READING,
    EVENTS,
    REJECTION,
    SALE_LINE,
    VISIT_EVENT,
    SaleKind,
)
from tenpo.contracts.field import Field, Type
from tenpo.contracts.models import MODEL_TABLES

__all__ = [
    "BENCHMARK_TABLES",
    "CONFORMED",
    "COUNT_INTERVAL",
    "COUNT_READING",
    "EVENTS",
    "EVERYBODY",
    "MODEL_TABLES",
    "REJECTION",
    "SALE_LINE",
    "VISIT_EVENT",
    "Contract",
    "Field",
    "SaleKind",
    "Type",
]
