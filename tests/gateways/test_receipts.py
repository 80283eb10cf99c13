"""Large payloads over HTTP: answered 202, and worked on afterwards."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.gateways.conftest import GINZA, READ, SEND, Gateway, new_gateway
from tests.gateways.payloads import PERSONAL, POSA, TENANT
from tests.gateways.test_commands import tenpo

pytestmark = pytest.mark.stack

LARGE = {"TENPO_LARGE_BODY_BYTES": "100", "TENPO_WORK_INTERVAL_S": "0.1", "TENPO_LEASE_S": "1"}
SETTLE_S = 60.0


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, datamart_dsn: str) -> Iterator[Gateway]:
    """A gateway with a datamart, to which nearly every payload is large."""
    made = new_gateway(tmp_path_factory.mktemp("large"))
    made.environment = LARGE | {"TENPO_DATAMART_DSN": datamart_dsn}
    made.start()
    yield made
    made.stop()


def ask(gateway: Gateway, place: str, token: str = SEND) -> httpx.Response:
    told = {"authorization": f"Bearer {token}", "x-tenpo-tenant": TENANT}
    return httpx.get(gateway.url + place, headers=told, trust_env=False)


def settled(gateway: Gateway, place: str) -> dict[str, Any]:
    """The receipt once it is settled."""
    until = time.monotonic() + SETTLE_S
    while time.monotonic() < until:
        answer = ask(gateway, place).raise_for_status()
        found: dict[str, Any] = answer.json()
        if found["state"] in ("done", "failed"):
            return found
        assert answer.headers["retry-after"]
        time.sleep(0.05)
    raise AssertionError(f"never settled: {gateway.log.read_text()[-2000:]}")


def test_a_large_payload_is_answered_at_once_and_read_afterwards(large: Gateway) -> None:
    answer = large.post("/v1/pos/posa", POSA, GINZA)
    assert answer.status_code == 202
    place = answer.headers["location"]
    assert place == f"/v1/receipts/{answer.json()['receipt']}" == answer.json()["url"]
    found = settled(large, place)
    assert (found["received"], found["accepted"], found["rejected"]) == (4, 2, 2)
    assert {one["reason_code"] for one in found["rejections"]} == {"store_not_allowed"}
    assert (found["attempts"], found["size_bytes"]) == (1, len(POSA))
    rows = large.events("sale_line").to_pylist()
    assert [row["store_id"] for row in rows] == ["ginza", "ginza"]
    assert ask(large, place, GINZA).status_code == 200


@pytest.mark.parametrize(("token", "status"), [(READ, 403), ("wrong", 401), (GINZA, 404)])
def test_whose_receipt_it_is(large: Gateway, token: str, status: int) -> None:
    place = large.post("/v1/pos/posa", POSA).headers["location"]
    assert ask(large, place, token).status_code == status
    assert ask(large, "/v1/receipts/0000-x").status_code == 404


def test_send_waits_for_what_became_of_a_large_file(large: Gateway, tmp_path: Any) -> None:
    good, broken = tmp_path / "good.csv", tmp_path / "broken.csv"
    good.write_bytes(POSA)
    broken.write_bytes(POSA.decode("cp932").encode())
    environment = large.settings() | large.environment | {"TENPO_TOKEN": SEND}
    words = ("--vendor", "posa", "--tenant", TENANT, "--json")
    done = tenpo(environment, "send", "pos", str(good), str(broken), *words)
    assert done.returncode == 3, done.stderr
    told = json.loads(done.stdout)
    assert (told["totals"]["accepted"], told["totals"]["refused"]) == (4, 1)
    assert "cp932" in told["files"][1]["refused"]["error"]
    listed = tenpo(environment, "receipts", "--tenant", TENANT, "--state", "done", "--json")
    states = {one["receipt"]: one for one in json.loads(listed.stdout)["receipts"]}
    assert states[told["files"][0]["receipt"]]["accepted"] == 4
    again = tenpo(environment, "receipts", "retry", told["files"][0]["receipt"])
    assert again.returncode == 3
    assert "failed" in again.stderr


def test_nothing_personal_is_in_receipts_jobs_or_logs(large: Gateway) -> None:
    settled(large, large.post("/v1/pos/posa", POSA[:-30]).headers["location"])
    names = large.lake.names("")
    assert any(name.startswith("receipt/") for name in names)
    kept = b"".join(large.lake.get(name) for name in names) + large.log.read_bytes()
    for value in PERSONAL:
        for encoding in ("utf-8", "cp932"):
            assert value.encode(encoding) not in kept


def test_what_was_answered_outlives_its_gateway_and_waits_for_postgresql(
    fresh: Gateway, datamart_dsn: str
) -> None:
    fresh.environment = LARGE
    fresh.start()  # PostgreSQL is down: taken, not worked on
    answer = fresh.post("/v1/pos/posa", POSA)
    place = answer.headers["location"]
    assert (answer.status_code, ask(fresh, place).json()["state"]) == (202, "queued")
    fresh.stop(signal.SIGKILL)

    fresh.start(TENPO_DATAMART_DSN=datamart_dsn)
    found = settled(fresh, place)
    assert (found["state"], found["accepted"]) == ("done", 4)
    wait_for_no_job(fresh)
    assert len(fresh.events("sale_line").to_pylist()) == 4


def wait_for_no_job(gateway: Gateway) -> None:
    until = time.monotonic() + SETTLE_S
    while gateway.lake.names("job"):
        assert time.monotonic() < until
        time.sleep(0.05)
