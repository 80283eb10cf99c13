"""What `tenpo demo` proves and says, without a stack: it refuses totals that differ."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from tenpo.datamart.kpi_answer import KpiRow
from tenpo.demo import real_data
from tenpo.demo.hops import Hop, Span, prove
from tenpo.demo.models import Found, sentence
from tenpo.demo.report import Proof, report, report_json
from tenpo.errors import InputError, IntegrityError
from tenpo.kpi import MEASURES
from tenpo.settings import Settings
from tenpo.tenants import TenantTokens
from tenpo.warehouse import Reconciliation

DAY = date(2026, 11, 2)
SOLD = {"net_sales_amount": Decimal("1234.50"), "transactions": Decimal(1_000)}
TARGET = {
    "store_id": "ginza", "factor": "conversion", "basis": "cluster peers", "level": 0.21,
    "attainable": 0.253, "headroom_amount": 45_678.9, "currency": "EUR",
}  # fmt: skip
FOUND = Found("demo", 3, [TARGET], {("sales", "EUR"): 7_654.4}, ["a short history"])
PROOF = Proof(
    Span("demo", DAY, DAY), TenantTokens("demo", "s-token", "r-token"),
    [Hop("simulator", SOLD), Hop("mart", SOLD | {"units": Decimal("2.5")})],
    [Reconciliation("sale_line", 7, current=4, duplicate=2, superseded=1, orphaned=0)],
)  # fmt: skip


def test_a_total_that_differs_is_named_with_both_values() -> None:
    prove(PROOF.stages, PROOF.balance)
    api = Hop("API", SOLD | {"transactions": Decimal(999)})
    with pytest.raises(IntegrityError, match="transactions: simulator 1000, API 999") as refused:
        prove([*PROOF.stages, api])
    assert "net_sales_amount" not in str(refused.value)


@pytest.mark.parametrize(("current", "orphaned"), [(3, 0), (5, 0), (4, 1)])
def test_a_row_that_is_unaccounted_for_is_refused(current: int, orphaned: int) -> None:
    with pytest.raises(IntegrityError, match="sale_line"):
        prove(PROOF.stages, [Reconciliation("sale_line", 7, current, 2, 1, orphaned)])


def test_a_folder_without_data_sets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of the data sets"):
        real_data.present(tmp_path)


def test_machines_get_every_hop_and_no_token() -> None:
    text = report_json([PROOF], [FOUND])
    told = json.loads(text)["demo"]
    assert told["mart"] == {"net_sales_amount": "1234.50", "transactions": "1000", "units": "2.5"}
    assert told["raw"]["sale_line"]["duplicate"] == 2
    assert told["models"] == {
        "clusters": 3, "targets": 1, "next_seven_days": {"sales EUR": 7654},
        "notes": ["a short history"],
    }  # fmt: skip
    assert "token" not in text


def test_a_person_gets_the_proof_the_kpis_and_where_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums = dict.fromkeys(measure.name for measure in MEASURES) | SOLD
    row = KpiRow("EUR", None, None, None, None, 1, 1, sums, (), 1, False, 1, datetime.now(UTC))
    shown = io.StringIO()
    monkeypatch.setattr("tenpo.demo.report.total", lambda *_: row)
    monkeypatch.setattr("tenpo.demo.report.console", Console(file=shown, width=120))
    settings = Settings(home=tmp_path, api_url="http://127.0.0.1:7")
    report(settings, [PROOF], [FOUND])
    lines = [" ".join(line.split()) for line in shown.getvalue().splitlines()]
    assert "net sales 1,234.5 1,234.5" in lines
    assert "units - 2.5" in lines, "a hop that does not carry a total says nothing of it"
    assert "demo sale_line 7 4 2 1" in lines
    assert any(line.endswith(" 1,234.50 EUR") for line in lines)
    assert f"ginza {sentence(TARGET)}" in lines
    assert "demo: sales of the next 7 days: 7,654 EUR" in lines
    assert "demo http://127.0.0.1:7/login?token=r-token" in lines
    assert "s-token" not in shown.getvalue()


def test_a_target_is_one_sentence() -> None:
    told = "conversion 21.0 %, stores like it 25.3 %"
    assert sentence(TARGET) == f"{told}: worth 45,679 EUR a month"
    assert sentence(TARGET | {"headroom_amount": None}) == told
    weeks = TARGET | {"factor": "traffic", "basis": "own", "level": 1_200.4, "attainable": 1_500}
    assert sentence(weeks).startswith("traffic 1,200, its best weeks 1,500: ")
