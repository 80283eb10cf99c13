"""Axis cameras: pushes of their three counters, a frozen clock, the expected events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from gateways.iot.axis import Axis
from tests.gateways.counters import AXIS_SERIAL, axis_crossline, axis_retail
from tests.gateways.payloads import context
from tests.gateways.recordings import document

QUARTER = datetime(2026, 11, 1, 10, 15, tzinfo=UTC)
EXPORT = document("axis", "export.json")


def normalize(document: object) -> Any:
    return Axis().normalize(orjson.dumps(document), context())


def test_retail_data_is_an_interval() -> None:
    (row,) = normalize(axis_retail()).events["count_interval"].to_pylist()
    assert (row["occurred_at"], row["interval_end_at"]) == (QUARTER.replace(minute=14), QUARTER)
    assert (row["device_id"], row["store_id"], row["line_id"]) == (AXIS_SERIAL, "soho", "1")
    assert (row["in_count"], row["out_count"]) == (5, 2)


def test_an_export_has_its_intervals_on_the_stores_clock() -> None:
    first, second = normalize(EXPORT).events["count_interval"].to_pylist()
    assert (first["occurred_at"].hour, second["interval_end_at"]) == (
        10,
        QUARTER.replace(minute=30),
    )
    assert [(row["in_count"], row["out_count"]) for row in (first, second)] == [(17, 13), (18, 17)]


@pytest.mark.parametrize(
    ("push", "moment"),
    [
        ({"serial": AXIS_SERIAL, "name": "Exit", "timestamp": "20261101101500", "in": 12,
          "out": 318}, QUARTER),
        ({"serial": AXIS_SERIAL, "timestamp": "2026-11-01T11:15:00+01:00", "occupancy": 1,
          "total_in": 12, "total_out": 318}, QUARTER),
    ],
)  # fmt: skip
def test_totals_of_the_day_are_readings(push: dict[str, Any], moment: datetime) -> None:
    result = normalize(push)
    (row,) = result.events["count_reading"].to_pylist()
    assert (row["occurred_at"], row["in_total"], row["out_total"]) == (moment, 12, 318)


@pytest.mark.parametrize(
    ("scenario", "totals"),
    [("Door in", (7, 0)), ("Door OUT", (0, 7)), ("main-exit", (0, 7)), ("Checkout", (7, 0))],
)
def test_a_scenario_counts_people_in_one_direction(scenario: str, totals: tuple[int, int]) -> None:
    (row,) = normalize(axis_crossline(scenario, 7)).events["count_reading"].to_pylist()
    assert (row["in_total"], row["out_total"]) == totals
    assert (row["line_id"], row["occurred_at"]) == (scenario, QUARTER)


def test_scenarios_of_one_moment_do_not_replace_each_other() -> None:
    pushes = [axis_crossline("Door in", 7), axis_crossline("Door out", 5)]
    rows = normalize(pushes).events["count_reading"].to_pylist()
    assert len({row["document_key"] for row in rows}) == 2


def changed(scenario_type: str) -> dict[str, Any]:
    push = axis_crossline("Door in", 7)
    push["message"]["data"]["scenarioType"] = scenario_type
    return push


@pytest.mark.parametrize(
    "document", [changed("OccupancyInArea"), {"occupancy": 3}, {"message": {"data": None}}]
)
def test_other_scenarios_are_ignored(document: dict[str, Any]) -> None:
    result = normalize(document)
    assert (result.received, result.ignored) == (0, 1)


def retail_items(*items: dict[str, Any]) -> dict[str, Any]:
    push = axis_retail()
    push["data"]["measurements"][0]["items"] = list(items)
    return push


@pytest.mark.parametrize(
    ("document", "reason", "field"),
    [
        (retail_items({"direction": "in", "count": 1}), "missing_field", "out"),
        (retail_items({"direction": "in", "count": 1}, {"direction": "in", "count": 1}),
         "bad_value", "items.direction"),
        (EXPORT | {"counter": {"serial": AXIS_SERIAL, "types": {"Occupancy": 64}}},
         "bad_columns", "counter.types"),
        (EXPORT | {"data": {"20261101100000": [4, 17]}}, "missing_field", "out"),
        (EXPORT | {"data": {"20261301100000": [4, 17, 1]}}, "bad_time", "start"),
        (axis_retail() | {"sensor": {"serial": "unheard"}}, "unknown_device", "serial"),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_rejected(
    document: dict[str, Any], reason: str, field: str
) -> None:
    result = normalize(document)
    assert [(r.reason.value, r.field) for r in result.rejected] == [(reason, field)]
