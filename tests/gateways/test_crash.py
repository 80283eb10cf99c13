"""`kill -9` between any two steps of the intake, a failing lake, PostgreSQL down."""

from __future__ import annotations

import signal

import httpx
import pytest

from tests.gateways.conftest import Gateway
from tests.gateways.payloads import POSB

pytestmark = pytest.mark.stack

STEPS = ("intake.before_raw", "intake.after_raw", "intake.after_canonical", "intake.before_ack")


def body(number: int) -> bytes:
    """A file of two receipts and four lines that differs from all others."""
    return POSB.replace(b"B-2026", b"%d-2026" % number)


def test_what_was_not_acknowledged_is_sent_again_and_counts_once(fresh: Gateway) -> None:
    # In each of its lives the gateway takes one file and dies with the next, which is sent again.
    for number, step in enumerate(STEPS):
        fresh.start(TENPO_FAILPOINT=f"{step}:2")
        taken = fresh.post("/v1/pos/posb", body(number))
        assert (taken.status_code, taken.json()["accepted"]) == (200, 4), step
        with pytest.raises(httpx.TransportError):
            fresh.post("/v1/pos/posb", body(number + 1))
        assert fresh.died() == -signal.SIGKILL
    fresh.start()
    assert fresh.post("/v1/pos/posb", body(len(STEPS))).json()["accepted"] == 4

    found: dict[str, list[str]] = {}
    for row in fresh.events("sale_line").to_pylist():
        found.setdefault(row["event_id"], []).append(row["document_key"])
    assert len(found) == 4 * (len(STEPS) + 1)
    assert all(len(set(documents)) == 1 for documents in found.values())
    # Those that died after they were written are there twice, and no others.
    assert sorted(map(len, found.values())) == [1] * 12 + [2] * 8


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
