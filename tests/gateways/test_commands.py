"""`tenpo send` and `tenpo normalize` as people run them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tenpo.cli.main import main
from tenpo.settings import get_settings
from tests.gateways.conftest import SEND, Gateway, free_port
from tests.gateways.payloads import PERSONAL, POSA, POSA_LINES, SALES_CSV, SALES_SPEC, TENANT, posa

STORES = """
stores:
  - {store_id: soho, name: Soho, timezone: Europe/London, currency: GBP}
store_codes:
  - {source: till, code: London Soho, store_id: soho}
"""


def tenpo(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tenpo.cli", *words],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of a sender: a spec, its stores, good and bad data."""
    (tmp_path / "till.yaml").write_bytes(SALES_SPEC)
    (tmp_path / "stores.yaml").write_text(STORES)
    (tmp_path / "good.csv").write_bytes(SALES_CSV)
    (tmp_path / "bad.csv").write_bytes(SALES_CSV.replace(b"London Soho;", b"Atlantis;", 1))
    (tmp_path / "broken.csv").write_bytes(SALES_CSV.replace(b"Ticket", b"Bon"))
    (tmp_path / "posa.csv").write_bytes(POSA)
    return tmp_path


@pytest.mark.stack
def test_send_registers_the_spec_and_reports_what_was_rejected(
    gateway: Gateway, folder: Path
) -> None:
    environment = gateway.settings() | {"TENPO_TOKEN": SEND}
    spec = ("--spec", str(folder / "till.yaml"), "--tenant", TENANT, "--json")
    done = tenpo(environment, "send", "pos", str(folder / "good.csv"), *spec)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["totals"] == {
        "received": 3, "accepted": 3, "rejected": 0, "ignored": 0, "files": 1, "refused": 0,
    }  # fmt: skip
    files = [str(folder / name) for name in ("bad.csv", "broken.csv", "good.csv")]
    mixed = tenpo(environment, "send", "pos", *files, *spec)
    assert mixed.returncode == 3
    told = json.loads(mixed.stdout)
    assert told["totals"]["accepted"] == 5
    assert told["totals"]["refused"] == 1
    assert told["files"][0]["rejections"][0]["reason_code"] == "unknown_store"
    assert "Ticket" in told["files"][1]["refused"]["error"]


@pytest.mark.stack
def test_send_shows_people_a_table(gateway: Gateway, folder: Path) -> None:
    environment = gateway.settings() | {"TENPO_TOKEN": SEND}
    (folder / "posa.csv").write_bytes(posa(POSA_LINES[3].replace("0001", "4711", 1)))
    done = tenpo(
        environment, "send", "pos", str(folder / "posa.csv"), "--vendor", "posa", "--tenant", TENANT
    )
    assert done.returncode == 3
    assert "1 rejected" in done.stdout
    assert "unknown_store" in done.stdout


@pytest.mark.stack
def test_send_without_a_valid_token_says_what_to_do(gateway: Gateway, folder: Path) -> None:
    words = ("send", "pos", str(folder / "posa.csv"), "--vendor", "posa", "--tenant", TENANT)
    none = tenpo(gateway.settings(), *words)
    assert none.returncode != 0
    assert "tenpo tenant create" in none.stderr
    wrong = tenpo(gateway.settings(), *words, "--token", "wrong")
    assert wrong.returncode != 0
    assert "Bearer" in wrong.stderr


@pytest.mark.stack
def test_send_waits_for_a_gateway_that_starts_late(fresh: Gateway, folder: Path) -> None:
    sending = subprocess.Popen(
        [sys.executable, "-m", "tenpo.cli", "send", "pos", str(folder / "posa.csv"),
         "--vendor", "posa", "--tenant", TENANT, "--token", SEND, "--json"],
        env=fresh.settings(), stdout=subprocess.PIPE,
    )  # fmt: skip
    fresh.start()
    shown, _ = sending.communicate(timeout=120)
    assert sending.returncode == 0
    assert json.loads(shown)["totals"]["accepted"] == 4


def test_normalize_needs_no_service(folder: Path) -> None:
    out = folder / "out"
    environment = {"TENPO_HOME": str(folder / "home"), "PATH": "/usr/bin:/bin"}
    environment["TENPO_GATEWAY_URL"] = f"http://127.0.0.1:{free_port()}"
    files = [str(folder / name) for name in ("good.csv", "bad.csv")]
    done = tenpo(
        environment, "normalize", "pos", *files, "--spec", str(folder / "till.yaml"),
        "--stores", str(folder / "stores.yaml"), "--out", str(out), "--json",
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["totals"]["accepted"] == 5
    assert pq.ParquetFile(out / "good.csv.sale_line.parquet").metadata.num_rows == 3
    assert pq.ParquetFile(out / "bad.csv.rejection.parquet").metadata.num_rows == 1
    (rejection,) = json.loads((out / "bad.csv.rejection.json").read_text())
    assert rejection["reason_code"] == "unknown_store"
    written = b"".join(path.read_bytes() for path in out.iterdir())
    assert not [value for value in PERSONAL if value.encode() in written]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--vendor", "posa", "--spec", "till.yaml"], "told once"),
        (["--vendor", "nobody", "--stores", "stores.yaml"], "posa, posb"),
        (["--vendor", "posa"], "--stores"),
        (["--spec", "stores.yaml", "--stores", "stores.yaml"], "line"),
    ],
)
def test_normalize_says_what_is_missing(
    folder: Path,
    words: list[str],
    what: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TENPO_HOME", str(folder / "home"))
    given = [str(folder / word) if word.endswith(".yaml") else word for word in words]
    get_settings.cache_clear()
    with pytest.raises(SystemExit) as ended:
        main(["normalize", "pos", str(folder / "posa.csv"), "--out", str(folder), *given])
    get_settings.cache_clear()
    assert ended.value.code in (2, 3)
    assert what in capsys.readouterr().err
