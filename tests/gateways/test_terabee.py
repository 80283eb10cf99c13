"""Terabee over HTTP: totals as readings, credentials nowhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from gateways.iot.terabee import Terabee
from tests.gateways.counters import PASSWORD, TERABEE_ID, terabee
from tests.gateways.payloads import RECEIVED_AT, context
from tests.gateways.real_data import real_files


def normalize(document: object) -> Any:
    return Terabee().normalize(orjson.dumps(document), context())


def test_a_push_is_a_reading() -> None:
    (row,) = normalize(terabee()).events["count_reading"].to_pylist()
    assert (row["device_id"], row["store_id"], row["line_id"]) == (TERABEE_ID, "soho", "1")
    assert (row["in_total"], row["out_total"]) == (23, 12)
    assert row["occurred_at"] == datetime(2026, 11, 1, 10, 30, tzinfo=UTC)


def test_a_device_without_a_clock_is_dated_by_the_receiver() -> None:
    push = terabee()
    del push["timestamp"]
    (row,) = normalize(push).events["count_reading"].to_pylist()
    assert row["occurred_at"] == RECEIVED_AT


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"device_id": "FA0000000000"}, "unknown_device", "device_id"),
        ({"timestamp": "165776767"}, "clock_behind", "timestamp"),  # 1975: the clock is not set
        ({"timestamp": "1657767670"}, "clock_behind", "timestamp"),  # 2022
        ({"timestamp": PASSWORD}, "bad_time", "timestamp"),
        ({"count_out": None}, "missing_field", "count_out"),
        ({"count_in": "-1"}, "negative_count", "count_in"),
        ({"count_in": PASSWORD}, "bad_number", "count_in"),
    ],
)
def test_what_cannot_be_counted_is_rejected_without_its_value(
    changes: dict[str, Any], reason: str, field: str
) -> None:
    result = normalize(terabee(**changes))
    assert [(r.reason.value, r.field) for r in result.rejected] == [(reason, field)]
    shown = str([table.to_pylist() for table in result.events.values()])
    assert PASSWORD not in shown
    assert "receiver-user" not in shown


def test_other_messages_are_ignored() -> None:
    result = normalize({"device_id": TERABEE_ID, "status": "ok"})
    assert (result.received, result.ignored) == (0, 1)


def test_the_recorded_push_yields_the_totals_it_states() -> None:
    """Its timestamp lies in 1975, so it is completed here; as it is, it would be rejected."""
    (path,) = real_files("counters/devices/terabee_peopleCountingXL", "inputs_expected.json")
    pushes = [c for c in orjson.loads(path.read_bytes()) if "count_in" in c["input"]["data"]]
    assert pushes
    for case in pushes:
        stated = dict(case["expected"])
        result = normalize(case["input"]["data"] | {"timestamp": "1793529000"})
        (row,) = result.events["count_reading"].to_pylist()
        totals = (str(row["in_total"]), str(row["out_total"]))
        assert totals == (stated["data.absoluteFw"], stated["data.absoluteBw"])
