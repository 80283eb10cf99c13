"""Revisions: only what changed is written, and why."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from beam_jobs.aggregate.compose import DAY_KEY
from beam_jobs.aggregate.revise import RunStamp, revise
from tenpo.kpi import DEFINITION_VERSION, KPI_STORE_DAY, MEASURES
from tenpo.kpi.causes import FIRST

DAY = date(2026, 11, 3)
STAMP = RunStamp(
    run_id="run-2",
    tenant_id="demo",
    computed_at=datetime(2026, 11, 4, tzinfo=UTC),
    causes={("ginza", DAY): "late receipts", ("ueno", DAY): "late receipts"},
)


def row(store: str, net: str | None, **more: Any) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(measure.name for measure in MEASURES)
    values |= {"store_id": store, "business_date": DAY, "currency": "JPY"}
    values["net_sales_amount"] = None if net is None else Decimal(net)
    return values | more


def computed(*rows: dict[str, Any]) -> pa.Table:
    schema = KPI_STORE_DAY.schema
    kept = [schema.field(name) for name in rows[0]]
    return pa.Table.from_pylist(list(rows), schema=pa.schema(kept))


def published(*rows: dict[str, Any]) -> pa.Table:
    filled = [
        {
            "tenant_id": "demo", "definition_version": 1, "revision": 4, "cause": FIRST,
            "computed_at": STAMP.computed_at, "run_id": "run-1", **row,
        }
        for row in rows
    ]  # fmt: skip
    return KPI_STORE_DAY.table(filled)


def test_a_new_row_is_revision_one() -> None:
    (got,) = revise(
        computed(row("ginza", "10")), published(), KPI_STORE_DAY, DAY_KEY, STAMP
    ).to_pylist()
    assert (got["revision"], got["cause"], got["run_id"]) == (1, FIRST, "run-2")
    assert got["definition_version"] == DEFINITION_VERSION


def test_an_unchanged_row_makes_no_revision() -> None:
    table = revise(
        computed(row("ginza", "10")),
        published(row("ginza", "10.000000000")),
        KPI_STORE_DAY, DAY_KEY, STAMP,
    )  # fmt: skip
    assert table.num_rows == 0


def test_a_changed_row_is_the_next_revision_with_its_cause() -> None:
    (got,) = revise(
        computed(row("ginza", "11"), row("ueno", "5")),
        published(row("ginza", "10"), row("ueno", "5")),
        KPI_STORE_DAY, DAY_KEY, STAMP,
    ).to_pylist()  # fmt: skip
    assert (got["store_id"], got["revision"], got["cause"]) == ("ginza", 5, "late receipts")
    assert got["net_sales_amount"] == Decimal(11)


def test_null_and_zero_differ() -> None:
    table = revise(
        computed(row("ginza", "0")), published(row("ginza", None)), KPI_STORE_DAY, DAY_KEY, STAMP
    )
    assert table["revision"].to_pylist() == [5]


def test_a_vanished_row_becomes_null_once() -> None:
    present = computed(row("ginza", "1"))
    old = published(row("ginza", "1"), row("ueno", "7"))
    gone = revise(present, old, KPI_STORE_DAY, DAY_KEY, STAMP)
    assert gone["store_id"].to_pylist() == ["ueno"]
    assert gone["net_sales_amount"].to_pylist() == [None]
    again = revise(
        present, published(row("ginza", "1"), row("ueno", None)), KPI_STORE_DAY, DAY_KEY, STAMP
    )
    assert again.num_rows == 0
