"""Contracts: one declaration yields schema, DDL, model and dictionary, and they agree."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from pydantic import ValidationError

from tenpo.contracts import CONFORMED, EVENTS, Contract, Field, Type
from tenpo.contracts.events import canonical_schema
from tenpo.errors import IntegrityError
from tenpo.kpi import KPI_STORE_DAY, KPI_STORE_HOUR

TABLES = [*EVENTS.values(), *CONFORMED.values(), KPI_STORE_HOUR, KPI_STORE_DAY]
SMALL = Contract(
    "thing",
    "raw",
    "One thing.",
    (
        Field("at", Type.TIMESTAMP, 'When it "was".', required=True),
        Field("amount", Type.NUMERIC, "How much.", "currency"),
        Field("count", Type.INT64, "How many."),
    ),
    partition_by="DATE(at)",
)


@pytest.mark.parametrize("contract", TABLES, ids=lambda contract: contract.name)
def test_every_form_names_the_same_columns(contract: Contract) -> None:
    names = list(contract.names)
    assert len(names) == len(set(names)) > 3
    assert contract.schema.names == names
    assert list(contract.model().model_fields) == names
    ddl = contract.ddl(f"project.{contract.dataset}")
    assert all(f"`{name}` " in ddl for name in names)
    assert "require_partition_filter=TRUE" in ddl
    assert all(f"| `{name}` |" in contract.markdown() for name in names)
    assert set(contract.cluster_by) <= set(names)
    assert len(contract.cluster_by) <= 4


@pytest.mark.parametrize("event", EVENTS)
def test_the_lake_has_every_field_but_those_of_the_load(event: str) -> None:
    missing = set(EVENTS[event].names) - set(canonical_schema(event).names)
    assert missing == {"ingested_at", "load_id"}


def test_descriptions_are_quoted() -> None:
    assert r'OPTIONS(description="When it \"was\".")' in SMALL.ddl("p.raw")


def test_rows_become_a_table_with_nulls_for_absent_keys() -> None:
    table = SMALL.table([{"at": datetime(2026, 1, 1, tzinfo=UTC), "amount": Decimal("0.1")}])
    assert table.schema == SMALL.schema
    assert table.column("count").null_count == 1
    assert table.column("amount")[0].as_py() == Decimal("0.1")


def test_conform_orders_casts_and_drops() -> None:
    loose = pa.table(
        {
            "extra": ["x"],
            "count": pa.array([3], pa.int32()),
            "amount": pa.array([Decimal(2)], pa.decimal128(5, 2)),
            "at": pa.array([datetime(2026, 1, 1, tzinfo=UTC)], pa.timestamp("s", "UTC")),
        }
    )
    assert SMALL.conform(loose).schema == SMALL.schema


def test_conform_refuses_missing_columns_and_nulls_where_required() -> None:
    with pytest.raises(IntegrityError, match="lacks at, count"):
        SMALL.conform(pa.table({"amount": [Decimal(1)]}))
    with pytest.raises(IntegrityError, match=r"thing\.at is required"):
        SMALL.conform(SMALL.table([{"count": 1}]))


def test_the_model_checks_a_row() -> None:
    model = SMALL.model()
    assert model(at=datetime(2026, 1, 1, tzinfo=UTC)).model_dump()["count"] is None
    with pytest.raises(ValidationError):
        model(count=1)
