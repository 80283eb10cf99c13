"""The shipped specs against the real files and their known totals."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from gateways.declarative.adapter import DeclarativeAdapter
from gateways.declarative.load import load_spec
from gateways.normalize.context import Context, ReceivingClock
from tenpo.keys import TenantKeys
from tenpo.masters import TenantMasters
from tenpo.masters_file import load_masters_file
from tests.gateways.payloads import ROOT
from tests.gateways.real_data import REPOSITORY, real_files

SPECS = REPOSITORY / "specs"


def load(name: str) -> tuple[DeclarativeAdapter, TenantMasters]:
    adapter = DeclarativeAdapter(*load_spec(SPECS / f"{name}.yaml"))
    rows: dict[str, Any] = {
        str(kind): found for kind, found in load_masters_file(SPECS / f"{name}.stores.yaml").items()
    }
    return adapter, TenantMasters(tenant_id="real", **rows)


def normalize(name: str, files: list[Path]) -> tuple[pa.Table, int, int]:
    """All events, and how many records were rejected and ignored."""
    adapter, masters = load(name)
    keys, clock = TenantKeys(ROOT, "real"), ReceivingClock()
    results = [
        adapter.normalize(file.read_bytes(), Context(masters, keys, clock.now())) for file in files
    ]
    tables = [result.events[adapter.spec.event] for result in results]
    return (
        pa.concat_tables(tables),
        sum(len(result.rejected) for result in results),
        sum(result.ignored for result in results),
    )


def test_specs_are_shipped_and_short() -> None:
    specs = [path for path in SPECS.glob("*.yaml") if not path.name.endswith(".stores.yaml")]
    assert len(specs) >= 3
    for path in specs:
        adapter, _ = load(path.stem)
        assert adapter.name == path.stem
        assert len(path.read_text("utf-8").splitlines()) < 40


def test_running_totals_are_readings_and_half_a_reading_is_none() -> None:
    adapter, masters = load("beam_totals")
    rows = ["7;2026-11-01 10:00;12;7", "17;2026-11-01 10:00;12;7", "17;2026-11-01 11:00;1,013;",
            "17;2026-11-01 12:00;-1;8"]  # fmt: skip
    head = "Counter;Door;Read at;Total in;Total out\n"
    body = head + "".join(f"BC-{row.replace(';', ';north;', 1)}\n" for row in rows)
    context = Context(masters, TenantKeys(ROOT, "real"), datetime(2026, 11, 2, tzinfo=UTC))
    result = adapter.normalize(body.encode(), context)
    told = [(one.position, one.reason.value, one.field) for one in result.rejected]
    assert told == [("1", "unknown_device", "Counter"), ("3", "missing_field", "Total out"),
                    ("4", "negative_count", "Total in")]  # fmt: skip
    (reading,) = result.events["count_reading"].to_pylist()
    assert (reading["in_total"], reading["out_total"], reading["store_id"]) == (12, 7, "soho")
    assert (reading["line_id"], reading["occurred_at"].hour) == ("north", 10)


@pytest.fixture(scope="module")
def uci() -> tuple[pa.Table, int, int]:
    return normalize("uci_online_retail", real_files("pos/uci_online_retail", "*.csv"))


def test_uci_every_line_is_accepted_under_an_id_of_its_own(uci: tuple[pa.Table, int, int]) -> None:
    table, rejected, ignored = uci
    assert (table.num_rows, rejected, ignored) == (209_029, 0, 0)
    assert len(set(table["event_id"].to_pylist())) == 209_029


def test_uci_the_sum_is_exact(uci: tuple[pa.Table, int, int]) -> None:
    table = uci[0]
    prices = zip(table["quantity"].to_pylist(), table["unit_price"].to_pylist(), strict=True)
    assert sum(quantity * price for quantity, price in prices) == Decimal("3706827.641")
    assert sum(table["net_amount"].to_pylist()) == Decimal("3706827.641")
    assert table["gross_amount"].null_count == table.num_rows


def test_uci_every_document_is_of_one_version_so_nothing_replaces_anything(
    uci: tuple[pa.Table, int, int],
) -> None:
    pairs = set(
        zip(uci[0]["document_key"].to_pylist(), uci[0]["document_version"].to_pylist(), strict=True)
    )
    assert len(pairs) == len({document for document, _ in pairs}) == 10_783


def test_uci_kinds(uci: tuple[pa.Table, int, int]) -> None:
    # Counted in the raw files with awk and Python's csv alone, by the codes that the spec lists.
    assert Counter(uci[0]["kind"].to_pylist()) == {
        "sale": 202_970, "return": 3_526, "adjustment": 1_292, "shipping": 880, "fee": 316,
        "discount": 28, "gift_card": 17,
    }  # fmt: skip
    assert len(set(uci[0]["store_id"].to_pylist())) == 36


def test_calit2_counts_are_those_known() -> None:
    table, rejected, ignored = normalize("calit2", real_files("counters/calit2", "*.data"))
    # The file's 6,626 lines end in two that are blank.
    assert (table.num_rows, rejected, ignored) == (6_624, 0, 2)
    assert sum(n or 0 for n in table["in_count"].to_pylist()) == 11_987
    assert sum(n or 0 for n in table["out_count"].to_pylist()) == 11_286
    assert len(set(table["document_key"].to_pylist())) == 6_624
    assert min(table["occurred_at"].to_pylist()) == datetime(2005, 7, 24, 7, 0, tzinfo=UTC)
