"""`tenpo send` and `tenpo normalize`, called as functions: what is told when things go wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import typer

from gateways.cli import sending
from gateways.cli.commands import KindArgument, normalize, send
from gateways.cli.outcome import Outcome
from tenpo.errors import AuthError, InputError, ServiceError, TenpoError
from tenpo.settings import get_settings
from tests.gateways.payloads import SALES_CSV, SALES_SPEC

Handler = Callable[[httpx.Request], httpx.Response]
STORES = """
stores:
  - {store_id: soho, name: Soho, timezone: Europe/London, currency: GBP}
store_codes:
  - {source: till, code: London Soho, store_id: soho}
"""
TAKEN = {"received": 1, "accepted": 1, "rejected": 0, "ignored": 0, "rejections": []}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TENPO_HOME", str(tmp_path))
    monkeypatch.delenv("TENPO_GATEWAY_URL", raising=False)
    monkeypatch.setattr(sending, "FIRST_WAIT_S", 0.0)
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def _answered_by(monkeypatch: pytest.MonkeyPatch, handler: Handler) -> None:
    def open_client(url: str) -> httpx.Client:
        return httpx.Client(base_url=url, transport=httpx.MockTransport(handler))

    monkeypatch.setattr(sending, "open_client", open_client)


def _stack_at(home: Path, port: int) -> None:
    told = {"gateway_url": f"http://127.0.0.1:{port}"}
    (home / "stack.json").write_text(json.dumps(told))


def _files(folder: Path, count: int) -> list[Path]:
    files = [folder / f"{number}.csv" for number in range(count)]
    for file in files:
        file.write_bytes(file.name.encode())
    return files


def test_send_follows_a_stack_that_was_started_again_elsewhere(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _stack_at(home, 8091)
    tried: list[int | None] = []

    def moving(request: httpx.Request) -> httpx.Response:
        tried.append(request.url.port)
        if request.url.port == 8091:
            _stack_at(home, 8092)
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json=TAKEN)

    _answered_by(monkeypatch, moving)
    (file,) = _files(home, 1)
    send(KindArgument.POS, [file], tenant="acme", vendor="posa", token="t", as_json=True)
    assert tried == [8091, 8092]
    assert json.loads(capsys.readouterr().out)["totals"]["accepted"] == 1


@pytest.mark.parametrize(("status", "kind"), [(503, ServiceError), (401, AuthError)])
def test_send_that_gives_up_tells_of_the_files_before(
    status: int,
    kind: type[TenpoError],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers = {
        b"0.csv": httpx.Response(200, json=TAKEN),
        b"1.csv": httpx.Response(400, json={"error": "no header"}),
    }

    def failing(request: httpx.Request) -> httpx.Response:
        return answers.get(request.content, httpx.Response(status))

    _answered_by(monkeypatch, failing)
    files = _files(home, 4)
    with pytest.raises(kind) as ended:
        send(KindArgument.POS, files, tenant="acme", vendor="posa", token="t", as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert [one["file"] for one in told["files"]] == [str(file) for file in files[:2]]
    assert (told["totals"]["accepted"], told["totals"]["refused"]) == (1, 1)
    assert told["stopped"]["error"] == ended.value.what
    assert told["stopped"]["unsent"] == 2
    with pytest.raises(kind):
        send(KindArgument.POS, files, tenant="acme", vendor="posa", token="t")
    shown = capsys.readouterr().out
    assert "2 files: 1 received, 1 accepted" in shown
    assert "no header" in shown
    assert "2 files have no outcome" in shown


def test_more_rejections_than_are_listed_are_not_hidden(
    capsys: pytest.CaptureFixture[str],
) -> None:
    one = {"position": "1", "reason_code": "unknown_store", "field": "s", "message": "m"}
    outcome = Outcome()
    outcome.add("a.csv", TAKEN | {"received": 251, "rejected": 250, "rejections": [one] * 100})
    with pytest.raises(typer.Exit):
        outcome.report(as_json=False)
    shown = capsys.readouterr().out
    assert "Rejected: 250, the reasons of 100 known: 100 unknown_store" in shown
    assert "20 of 250 are shown; --json lists 100." in shown


def _normalize(home: Path, files: list[Path]) -> int:
    """The exit code."""
    (home / "till.yaml").write_bytes(SALES_SPEC)
    (home / "stores.yaml").write_text(STORES)
    spec, stores = home / "till.yaml", home / "stores.yaml"
    try:
        normalize(KindArgument.POS, files, spec=spec, stores=stores, out=home / "out")
    except typer.Exit as ended:
        return ended.exit_code
    return 0


def test_normalize_counts_all_rejections_by_reason(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head, *lines = SALES_CSV.replace(b"London Soho;", b"Atlantis;").splitlines(keepends=True)
    file = home / "bad.csv"
    file.write_bytes(head + b"".join(lines) * 50)
    assert _normalize(home, [file]) == 3
    shown = capsys.readouterr().out
    count = 50 * len(lines)
    assert count > 100
    assert f"Rejected: {count}: {count} unknown_store" in shown
    assert len(json.loads((home / "out" / "bad.csv.rejection.json").read_text())) == count


def test_normalize_refuses_two_files_of_one_name_before_it_writes(home: Path) -> None:
    files = [home / month / "sales.csv" for month in ("jan", "feb")]
    for file in files:
        file.parent.mkdir()
        file.write_bytes(SALES_CSV)
    with pytest.raises(InputError, match=r"written as sales\.csv") as refused:
        _normalize(home, files)
    assert all(str(file) in refused.value.where for file in files)
    assert not (home / "out").exists()


def test_a_mended_file_leaves_nothing_of_the_bad_one(home: Path) -> None:
    file, out = home / "a.csv", home / "out"
    file.write_bytes(SALES_CSV.replace(b"London Soho;", b"Atlantis;", 1))
    assert _normalize(home, [file]) == 3
    (out / "b.csv.rejection.json").write_text("of another file")
    file.write_bytes(SALES_CSV)
    assert _normalize(home, [file]) == 0
    written = {path.name for path in out.iterdir()}
    assert written == {"a.csv.sale_line.parquet", "b.csv.rejection.json"}
    file.write_bytes(SALES_CSV.replace(b"Ticket", b"Bon"))
    assert _normalize(home, [file]) == 3
    assert {path.name for path in out.iterdir()} == {"b.csv.rejection.json"}
