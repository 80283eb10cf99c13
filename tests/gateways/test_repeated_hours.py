"""The hour that comes twice in London on 25 October 2026: 01:00 is 00:00 UTC, then 01:00 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from gateways.declarative.adapter import DeclarativeAdapter
from gateways.iot.axis import Axis
from gateways.iot.milesight import Milesight
from gateways.normalize.normalized import Normalized
from tests.gateways.counters import AXIS_SERIAL
from tests.gateways.payloads import COUNTS_SPEC, MASTERS, context
from tests.gateways.payloads import SERIAL as MILESIGHT_SERIAL

DAY = "2026-10-25"
MIDNIGHT = datetime(2026, 10, 25, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NEXT_DAY = MIDNIGHT + timedelta(days=1)
#: Both counters hang in London.
LONDON = MASTERS.model_copy(
    update={
        "device": [
            one.model_copy(update={"store_id": "soho"})
            if one.device_id in (MILESIGHT_SERIAL, AXIS_SERIAL)
            else one
            for one in MASTERS.device
        ]
    }
)


def report(start: str, end: str, **info: Any) -> dict[str, Any]:
    """Counts of a period by a clock without offset."""
    return {
        "device_info": {"device_sn": MILESIGHT_SERIAL},
        "time_info": {"start_time": f"{DAY} {start}:00", "end_time": f"{DAY} {end}:00"} | info,
        "line_periodic_data": [{"line": 1, "in": 2, "out": 1}],
    }


def taken(body: object, arrival: datetime) -> Normalized:
    there = context(arrival)
    london = type(there)(LONDON, there.keys, arrival)
    adapter = Axis() if "serial" in str(body) else Milesight()
    return adapter.normalize(orjson.dumps(body), london)


def spans(result: Normalized) -> list[tuple[float, float]]:
    """Start and end of each interval in minutes from midnight UTC."""
    rows = result.events["count_interval"].to_pylist()
    return [
        ((row["occurred_at"] - MIDNIGHT) / MINUTE, (row["interval_end_at"] - MIDNIGHT) / MINUTE)
        for row in rows
    ]


@pytest.mark.parametrize(
    ("info", "start"),
    [({"dst_status": 1}, 15), ({"dst_status": True}, 15), ({"dst_status": 0}, 75),
     ({"dst_status": False}, 75),
     ({"dst_status": 1, "time_zone": "UTC-0:00 WET/GMT"}, 15),
     ({"dst_status": 0, "time_zone": "UTC-0:00 WET/GMT"}, 75)],
)  # fmt: skip
def test_a_device_that_says_whether_it_is_summer_is_believed(
    info: dict[str, Any], start: int
) -> None:
    found = taken(report("01:15", "01:30", **info), NEXT_DAY)
    assert spans(found) == [(start, start + 15)]


@pytest.mark.parametrize(
    ("arrives", "start"), [(30.1, 15), (46, 15), (84, 15), (90.1, 75), (119, 75)]
)
def test_else_the_arrival_tells_it(arrives: float, start: int) -> None:
    """Before the second hour it was the first; soon after, it was the second."""
    found = taken(report("01:15", "01:30"), MIDNIGHT + arrives * MINUTE)
    assert spans(found) == [(start, start + 15)]


def test_what_comes_later_and_says_nothing_is_rejected() -> None:
    found = taken(report("01:15", "01:30"), NEXT_DAY)
    assert [(one.reason.value, one.field) for one in found.rejected] == [
        ("ambiguous_time", "time_info.start_time")
    ]
    assert "summer time" in found.rejected[0].message
    assert taken(report("02:15", "02:30"), NEXT_DAY).accepted == 1


@pytest.mark.parametrize(
    ("start", "end", "span"),
    [("01:45", "02:00", (105, 120)), ("01:45", "01:00", (45, 60)), ("00:45", "01:00", (-15, 0)),
     ("00:30", "01:30", (-30, 30))],
)  # fmt: skip
def test_an_end_shows_which_hour_a_period_began_in(
    start: str, end: str, span: tuple[float, float]
) -> None:
    assert spans(taken(report(start, end), NEXT_DAY)) == [span]


def test_a_delivery_in_which_the_time_goes_back_once_is_in_order() -> None:
    clock = ["01:00", "01:15", "01:30", "01:45"]
    periods = [(a, b) for a, b in zip(clock, [*clock[1:], "01:00"], strict=True)]
    again = [(a, b) for a, b in zip(clock, [*clock[1:], "02:00"], strict=True)]
    found = taken([report(*one) for one in [*periods[2:], *again[:2]]], NEXT_DAY)
    assert spans(found) == [(30, 45), (45, 60), (60, 75), (75, 90)]
    whole = taken([report(*one) for one in [*periods, *again]], NEXT_DAY)
    assert spans(whole) == [(15.0 * n, 15.0 * n + 15) for n in range(8)]


def test_readings_are_told_apart_likewise() -> None:
    push = {"serial": AXIS_SERIAL, "timestamp": "20261025011500", "in": 7, "out": 5}
    for arrives, minutes in ((16, 15), (76, 75)):
        found = taken(push, MIDNIGHT + arrives * MINUTE)
        (row,) = found.events["count_reading"].to_pylist()
        assert row["occurred_at"] == MIDNIGHT + minutes * MINUTE
    assert [one.reason.value for one in taken(push, NEXT_DAY).rejected] == ["ambiguous_time"]


def test_a_file_that_holds_the_hour_once_means_the_first() -> None:
    """Nobody could send it otherwise; a file that holds it twice is told apart by its order."""
    spec = DeclarativeAdapter.of(COUNTS_SPEC, "door")
    once, twice = b"9,10/25/26,01:15:00,4\n", b"9,10/25/26,01:15:00,6\n"
    assert spans(spec.normalize(once, context(NEXT_DAY))) == [(15, 45)]
    assert spans(spec.normalize(once + twice, context(NEXT_DAY))) == [(15, 45), (75, 105)]
