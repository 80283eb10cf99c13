"""`tenpo tenant` and `tenpo simulate --no-send` as a person types them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from tenpo.commands.tenant import tenant
from tenpo.errors import InputError, UnknownReference
from tenpo.settings import get_settings

STORES = """
stores:
  - {store_id: tokyo-1, name: Tokyo 1, timezone: Asia/Tokyo, currency: JPY}
devices:
  - {device_id: 6384E16179950009, store_id: tokyo-1, source: milesight}
"""


def _tenpo(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tenpo.cli", *arguments],
        env=os.environ | {"TENPO_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TENPO_HOME", str(tmp_path))
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def _said(*arguments: str) -> str:
    told = CliRunner().invoke(tenant, arguments, catch_exceptions=False)
    assert told.exit_code == 0, told.output
    return told.stdout


def test_a_counter_that_leaves_its_interval_to_a_guess_is_named(home: Path) -> None:
    stores = home / "stores.yaml"
    told = "24E124538B223213, store_id: tokyo-1, source: lorawan, interval_s: 600"
    stores.write_text(f"{STORES}  - {{device_id: {told}}}\n")
    arguments = ("create", "acme", "--stores", str(stores), "--json")
    assert CliRunner().invoke(tenant, arguments, catch_exceptions=False).stderr == ""
    stores.write_text(stores.read_text().replace(", interval_s: 600", ""))
    warned = CliRunner().invoke(tenant, arguments, catch_exceptions=False)
    assert orjson.loads(warned.stdout)["tenant"] == "acme"
    assert "24E124538B223213 has no interval_s" in warned.stderr
    assert "6384E16179950009" not in warned.stderr  # it tells its intervals itself


def test_a_tenant_is_created_listed_and_given_tokens(home: Path) -> None:
    stores = home / "stores.yaml"
    stores.write_text(STORES)
    created = _said("create", "acme", "--stores", str(stores), "--json")
    assert set(orjson.loads(created)["new_tokens"]) == {"send", "read"}
    again = _said("create", "acme", "--json")
    assert orjson.loads(again)["new_tokens"] == {}
    issued = _said("token", "acme", "--store", "tokyo-1", "--json")
    assert len(orjson.loads(issued)["token"]) == 64
    (row,) = orjson.loads(_said("list", "--json"))["tenants"]
    assert (row["tenant"], row["stores"], row["devices"]) == ("acme", ["tokyo-1"], 1)
    assert {token["name"] for token in row["tokens"]} == {"send", "read", "send-tokyo-1"}


def test_benchmarks_are_joined_and_left(home: Path) -> None:
    def shares() -> bool:
        (row,) = orjson.loads(_said("list", "--json"))["tenants"]
        return bool(row["shares_benchmarks"])

    _said("create", "acme")
    assert not shares()
    assert "takes part" in _said("benchmark", "acme", "--join")
    assert shares()
    assert "sees none" in _said("benchmark", "acme", "--leave")
    assert not shares()
    with pytest.raises(InputError, match="nothing is asked for"):
        _said("benchmark", "acme")


def test_mistakes_get_a_remedy_and_their_exit_code(home: Path) -> None:
    with pytest.raises(UnknownReference) as nobody:
        _said("token", "nobody")
    assert nobody.value.exit_code == 3
    assert "tenpo tenant create" in nobody.value.remedy
    with pytest.raises(InputError) as scope:
        _said("token", "nobody", "--scope", "write")
    assert "Use one of send, read, features" in scope.value.remedy


def test_a_simulation_is_written_with_its_truth(tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ("--stores", "2", "--days", "2", "--end", "2026-09-24", "--no-send")
    done = _tenpo(tmp_path, "simulate", *arguments, "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr
    told, truth = orjson.loads(done.stdout), orjson.loads((out / "truth.json").read_bytes())
    assert told["totals"] == truth["totals"]
    assert told["sent"] is None
    hours = pq.read_table(out / "truth.parquet")
    assert sum(hours["net_sales_amount"].to_pylist()) == truth["totals"]["net_sales_amount"] > 0
    written = sorted(path.suffix for path in out.rglob("*") if path.is_file())
    assert {".csv", ".json", ".jsonl", ".parquet"} == set(written)
    body = (out / "pos/posa/0001_20260924.csv").read_bytes()
    assert body.decode("cp932").startswith('"店舗コード"')
