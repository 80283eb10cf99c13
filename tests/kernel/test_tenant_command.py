"""`tenpo tenant` and `tenpo simulate --no-send` as a person types them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pyarrow.parquet as pq

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


def test_a_tenant_is_created_listed_and_given_tokens(tmp_path: Path) -> None:
    stores = tmp_path / "stores.yaml"
    stores.write_text(STORES)
    created = _tenpo(tmp_path, "tenant", "create", "acme", "--stores", str(stores), "--json")
    assert created.returncode == 0, created.stderr
    assert set(orjson.loads(created.stdout)["new_tokens"]) == {"send", "read"}
    again = _tenpo(tmp_path, "tenant", "create", "acme", "--json")
    assert orjson.loads(again.stdout)["new_tokens"] == {}
    issued = _tenpo(tmp_path, "tenant", "token", "acme", "--store", "tokyo-1", "--json")
    assert len(orjson.loads(issued.stdout)["token"]) == 64
    (row,) = orjson.loads(_tenpo(tmp_path, "tenant", "list", "--json").stdout)["tenants"]
    assert (row["tenant"], row["stores"], row["devices"]) == ("acme", ["tokyo-1"], 1)
    assert {token["name"] for token in row["tokens"]} == {"send", "read", "send-tokyo-1"}


def test_mistakes_get_a_remedy_and_their_exit_code(tmp_path: Path) -> None:
    nobody = _tenpo(tmp_path, "tenant", "token", "nobody")
    assert nobody.returncode == 3
    assert "tenpo tenant create" in nobody.stderr
    scope = _tenpo(tmp_path, "tenant", "token", "nobody", "--scope", "write")
    assert scope.returncode == 3
    assert "Use one of send, read, features" in scope.stderr


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
