"""`kill -9` between any two steps of the intake, a failing lake, PostgreSQL down."""

from __future__ import annotations

import signal

import httpx
import pytest

from tests.gateways.conftest import Gateway
from tests.gateways.payloads import POSB

pytestmark = pytest.mark.stack

STEPS = ("intake.before_raw", "intake.after_raw", "intake.after_canonical", "intake.before_ack")


@pytest.mark.parametrize("step", STEPS)
def test_what_was_not_acknowledged_is_sent_again_and_counts_once(fresh: Gateway, step: str) -> None:
    fresh.start(TENPO_FAILPOINT=f"{step}:2")
    first = fresh.post("/v1/pos/posb", POSB.replace(b"B-2026", b"A-2026"))
    assert first.status_code == 200
    with pytest.raises(httpx.TransportError):
        fresh.post("/v1/pos/posb", POSB)
    assert fresh.died() == -signal.SIGKILL

    fresh.start()
    assert fresh.post("/v1/pos/posb", POSB).json()["accepted"] == 4
    rows = fresh.events("sale_line").to_pylist()
    receipts: dict[str, set[str]] = {}
    for row in rows:
        receipts.setdefault(row["event_id"], set()).add(row["document_key"])
    assert len(receipts) == 8
    assert all(len(documents) == 1 for documents in receipts.values())
    twice = step in ("intake.after_canonical", "intake.before_ack")
    assert len(rows) == (12 if twice else 8)


def test_a_failing_lake_acknowledges_nothing_and_the_gateway_recovers(fresh: Gateway) -> None:
    fresh.start()
    assert fresh.post("/v1/pos/posb", POSB).status_code == 200
    raw = fresh.home / "lake" / "raw"
    raw.rename(fresh.home / "lake" / "raw-away")
    raw.write_text("a file where a folder must be")
    refused = fresh.post("/v1/pos/posb", POSB)
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert refused.json()["error"]
    raw.unlink()
    (fresh.home / "lake" / "raw-away").rename(raw)
    assert fresh.post("/v1/pos/posb", POSB).status_code == 200
