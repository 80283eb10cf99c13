"""The public data sets through the whole spine, against their published totals."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tenpo.demo import real_data
from tenpo.demo.hops import Hop, Span, hops, prove
from tests.gateways.real_data import DATA, real_files
from tests.machine import Machine

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

FACTS = {
    "sale_lines": Decimal(209_029),
    "event_ids": Decimal(209_029),
    "quantity_times_price": Decimal("3706827.641"),
}


@pytest.fixture(scope="module")
def loaded(machine: Machine) -> Path:
    """Both data sets in the datamart."""
    real_files("pos/uci_online_retail", "*.csv")
    real_files("counters/calit2", "*.data")
    send(machine, DATA)
    machine.here("ingest")
    for data in real_data.DATA_SETS:
        machine.here("aggregate", "--dirty", "--tenant", data.tenant_id)
    return DATA


def send(machine: Machine, folder: Path, *, backwards: bool = False) -> None:
    settings = machine.settings()
    for data in real_data.present(folder):
        real_data.create(settings, data)
        files = data.files(folder)
        assert files
        machine.here(
            "send", data.kind, *map(str, reversed(files) if backwards else files),
            "--spec", str(real_data.SPECS / f"{data.spec}.yaml"), "--tenant", data.tenant_id,
        )  # fmt: skip


def ask(machine: Machine, sql: str) -> list[dict[str, Any]]:
    rows = machine.json("sql", sql)
    return list(rows["rows"]) if isinstance(rows, dict) else list(rows)


def totals(machine: Machine) -> dict[str, Decimal]:
    (row,) = ask(
        machine,
        """
        SELECT COUNT(*) AS sale_lines, COUNT(DISTINCT event_id) AS event_ids,
          SUM(quantity * unit_price) AS quantity_times_price
        FROM dwh.sale_line
        WHERE tenant_id = 'uci' AND business_date BETWEEN '2010-01-01' AND '2011-12-31'
        """,
    )
    return {name: Decimal(str(value)) for name, value in row.items()}


def test_uci_is_whole_and_exact(machine: Machine, loaded: Path) -> None:
    del loaded
    assert totals(machine) == FACTS
    (row,) = ask(
        machine,
        "SELECT COUNT(*) AS n FROM raw.rejected "
        "WHERE tenant_id = 'uci' AND DATE(ingested_at) >= '2020-01-01'",
    )
    assert int(row["n"]) == 0


def test_uci_kinds_are_told_apart(machine: Machine, loaded: Path) -> None:
    del loaded
    rows = ask(
        machine,
        """
        SELECT kind, COUNT(*) AS n
        FROM dwh.sale_line
        WHERE tenant_id = 'uci' AND business_date BETWEEN '2010-01-01' AND '2011-12-31'
        GROUP BY kind
        """,
    )
    kinds = {row["kind"]: int(row["n"]) for row in rows}
    assert kinds.keys() >= {"sale", "return", "adjustment", "shipping", "fee", "discount"}
    assert kinds["shipping"] >= 476, "POST alone"
    assert sum(kinds.values()) == 209_029


def test_repeats_within_receipts_are_kept(machine: Machine, loaded: Path) -> None:
    del loaded
    (row,) = ask(
        machine,
        """
        SELECT SUM(n - 1) AS repeats
        FROM (
          SELECT receipt_id, store_id, sku, quantity, unit_price, occurred_at, customer_key,
            COUNT(*) AS n
          FROM dwh.sale_line
          WHERE tenant_id = 'uci' AND business_date BETWEEN '2010-01-01' AND '2011-12-31'
          GROUP BY receipt_id, store_id, sku, quantity, unit_price, occurred_at, customer_key
        )
        """,
    )
    assert int(row["repeats"]) >= 1_747


def test_calit2_counts(machine: Machine, loaded: Path) -> None:
    del loaded
    (row,) = ask(
        machine,
        "SELECT SUM(in_count) AS entered, SUM(out_count) AS gone FROM dwh.count_interval "
        "WHERE tenant_id = 'calit2' AND business_date BETWEEN '2005-01-01' AND '2005-12-31'",
    )
    assert (int(row["entered"]), int(row["gone"])) == (11_987, 11_286)


def test_the_hops_agree(machine: Machine, loaded: Path) -> None:
    del loaded
    settings = machine.settings()
    for data in real_data.DATA_SETS:
        tokens = real_data.create(settings, data)
        stages = hops(settings, Span(data.tenant_id, data.first, data.last), tokens.read)
        assert any(stage.totals for stage in stages)
        prove(stages)


def test_the_same_files_again_in_another_order_add_nothing(machine: Machine, loaded: Path) -> None:
    before: list[Hop] = _stages(machine)
    send(machine, loaded, backwards=True)
    machine.here("ingest")
    for data in real_data.DATA_SETS:
        outcome = machine.json("aggregate", "--dirty", "--tenant", data.tenant_id)
        assert sum(outcome["rows"].values()) == 0
    assert totals(machine) == FACTS
    assert _stages(machine) == before


def _stages(machine: Machine) -> list[Hop]:
    settings = machine.settings()
    tokens = real_data.create(settings, real_data.DATA_SETS[0])
    return hops(
        settings,
        Span("uci", real_data.DATA_SETS[0].first, real_data.DATA_SETS[0].last),
        tokens.read,
    )
