"""Tables come out as the contracts say, again and again, and grow by new columns alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from tenpo.contracts import Contract, Field, Type
from tenpo.errors import ConfigError
from tenpo.settings import Settings
from tenpo.warehouse import (
    TABLES,
    Warehouse,
    append,
    connect,
    ensure_tables,
    execute,
    query,
    schema,
)
from tenpo.warehouse.tables import VIEWS
from tests.kernel.warehouse.sales import job

THING = Contract(
    name="thing",
    dataset="mart",
    grain="One thing.",
    fields=(
        Field("thing_id", Type.STRING, "Its id.", required=True),
        Field("business_date", Type.DATE, "Its day.", required=True),
        Field("net_amount", Type.NUMERIC, "Its price.", "currency"),
    ),
    partition_by="business_date",
    cluster_by=("thing_id",),
)
WIDER = replace(
    THING,
    fields=(*THING.fields, Field("gross_amount", Type.NUMERIC, "Price with tax.", "currency"),
            Field("note", Type.STRING, "What to know.")),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _no_thing(warehouse: Warehouse) -> Iterator[None]:
    yield
    warehouse.client.delete_table(warehouse.table("mart", "thing"), not_found_ok=True)


def ensure(warehouse: Warehouse, contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "TABLES", (contract,))
    ensure_tables(warehouse)


def test_every_table_is_as_its_contract_says(warehouse: Warehouse) -> None:
    ensure_tables(warehouse)
    assert len(TABLES) > 10
    for contract in TABLES:
        held = warehouse.client.get_table(warehouse.table(contract.dataset, contract.name))
        assert [column.name for column in held.schema] == list(contract.names)
        assert {c.name for c in held.schema if c.mode == "REQUIRED"} == {
            f.name for f in contract.fields if f.required
        }
        assert tuple(held.clustering_fields or ()) == contract.cluster_by
        wanted = schema.described(contract, str(held.reference))
        assert held.time_partitioning == wanted.time_partitioning
        # The compatible server keeps no range partitioning, so look at what it is told.
        is_partitioned = bool(wanted.time_partitioning or wanted.range_partitioning)
        assert is_partitioned == bool(contract.partition_by)
        assert is_partitioned == bool(wanted.require_partition_filter)


def test_a_view_has_the_columns_of_its_contract(warehouse: Warehouse) -> None:
    assert VIEWS
    for contract in VIEWS:
        held = warehouse.client.get_table(warehouse.table(contract.dataset, contract.name))
        assert [column.name for column in held.schema] == list(contract.names)


def test_numbers_keep_nine_decimals(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compatible server's own DDL would keep three."""
    ensure(warehouse, THING, monkeypatch)
    ensure(warehouse, WIDER, monkeypatch)
    amount = Decimal("12345678901234567890.123456789")
    row = {"thing_id": "a", "business_date": "2026-03-29", "net_amount": amount,
           "gross_amount": -amount}  # fmt: skip
    rows = pa.Table.from_pylist([row]).set_column(
        1, "business_date", pa.array(["2026-03-29"]).cast(pa.date32())
    )
    append(warehouse, WIDER, rows.append_column("note", pa.nulls(1, pa.string())))
    table = warehouse.table("mart", "thing")
    held = query(
        warehouse,
        f"SELECT net_amount, gross_amount, note FROM `{table}` WHERE business_date > '2000-01-01'",  # noqa: S608
        job=job("x"),
    )
    assert held.to_pylist() == [{"net_amount": amount, "gross_amount": -amount, "note": None}]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (Field("net_amount", Type.STRING, "Its price."), "net_amount is NUMERIC, not STRING"),
        (Field("colour", Type.STRING, "Its colour.", required=True), "new but required"),
    ],
)
def test_any_other_change_is_refused(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, changed: Field, problem: str
) -> None:
    ensure(warehouse, THING, monkeypatch)
    kept = [field for field in THING.fields if field.name != changed.name]
    with pytest.raises(ConfigError, match=problem) as caught:
        ensure(warehouse, replace(THING, fields=(*kept, changed)), monkeypatch)
    assert "mart.thing" in str(caught.value)
    assert caught.value.remedy


def test_a_column_gone_from_the_contract_is_refused(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure(warehouse, WIDER, monkeypatch)
    with pytest.raises(ConfigError, match="note is in no contract"):
        ensure(warehouse, THING, monkeypatch)


def test_a_retired_column_is_dropped(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure(warehouse, WIDER, monkeypatch)
    monkeypatch.setattr(schema, "RETIRED", {"thing": ("note", "gross_amount", "never_held")})
    for _ in range(2):
        ensure(warehouse, THING, monkeypatch)
        held = warehouse.client.get_table(warehouse.table("mart", "thing"))
        assert [column.name for column in held.schema] == list(THING.names)
    row = {"thing_id": "a", "business_date": date(2026, 3, 29), "net_amount": Decimal(1)}
    assert append(warehouse, THING, THING.table([row])) == 1


def test_a_partitioning_nobody_understands_is_refused(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="not understood"):
        ensure(warehouse, replace(THING, partition_by="EVERY SECOND DAY"), monkeypatch)


def test_what_dead_runs_left_in_staging_is_swept(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = f"CREATE TABLE `{warehouse.table('staging', 'left_behind')}` AS SELECT 1 AS n"
    execute(warehouse, sql, job=job("x"))
    ensure_tables(warehouse)
    assert names_in_staging(warehouse) == ["left_behind"]
    monkeypatch.setattr(schema, "LIFETIME", timedelta(0))
    ensure_tables(warehouse)
    assert names_in_staging(warehouse) == []


def names_in_staging(warehouse: Warehouse) -> list[str]:
    return [t.table_id for t in warehouse.client.list_tables(warehouse.dataset("staging"))]


def test_the_storage_address_is_asked_for() -> None:
    settings = Settings(bigquery_endpoint="http://127.0.0.1:1", bigquery_grpc_endpoint=None)
    with connect(settings) as warehouse, pytest.raises(ConfigError, match="GRPC_ENDPOINT"):
        _ = warehouse.writer
