"""Milesight counters: a recorded report, a frozen clock, the expected intervals."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from gateways.iot.milesight import Milesight
from tests.gateways.payloads import MILESIGHT, SERIAL, context

REPORT: dict[str, Any] = orjson.loads(MILESIGHT)


def normalize(document: object) -> Any:
    return Milesight().normalize(orjson.dumps(document), context())


def test_both_forms_of_a_line_become_intervals() -> None:
    result = normalize(REPORT)
    first, second = result.events["count_interval"].to_pylist()
    assert first["occurred_at"] == datetime(2026, 11, 1, 1, 0, tzinfo=UTC)
    assert first["interval_end_at"] == datetime(2026, 11, 1, 1, 15, tzinfo=UTC)
    assert (first["store_id"], first["device_id"], first["line_id"]) == ("shibuya", SERIAL, "1")
    counts = ("in_count", "out_count", "staff_in_count", "staff_out_count", "child_in_count",
              "group_in_count", "pass_count")  # fmt: skip
    assert [first[name] for name in counts] == [12, 9, 0, 1, 1, 3, None]
    assert [second[name] for name in counts] == [4, 5, None, None, None, None, None]
    assert result.ignored == 1


@pytest.mark.parametrize(
    ("start", "zone"),
    [
        ("2026/11/01 10:00:00", {"timezone": "UTC+9:00"}),
        ("2026-11-01 09:00:00", {"time_zone": "UTC+8:00 China"}),
        ("2026-11-01 10:00:00", {}),  # the store's own
        ("2026-11-01 10:00:00", {"time_zone": "UTC+8:00 x", "dst_status": True}),
    ],
)
def test_older_firmware_states_its_offset_apart(start: str, zone: dict[str, Any]) -> None:
    end = start.replace(":00:00", ":15:00")
    report = REPORT | {"time_info": {"start_time": start, "end_time": end, **zone}}
    row = normalize(report).events["count_interval"].to_pylist()[0]
    assert row["occurred_at"] == datetime(2026, 11, 1, 1, 0, tzinfo=UTC)


def test_a_correction_of_an_interval_is_the_same_document() -> None:
    corrected = orjson.loads(MILESIGHT)
    corrected["line_periodic_data"][0]["total"]["in"] = 99
    before, after = (normalize(r).events["count_interval"] for r in (REPORT, corrected))
    assert before["event_id"].equals(after["event_id"])
    assert before["document_key"].equals(after["document_key"])


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"device_info": {"device_sn": "NEW"}}, "unknown_device", "device_info.device_sn"),
        ({"device_info": None}, "missing_field", "device_info.device_sn"),
        ({"time_info": None}, "missing_field", "time_info.start_time"),
        ({"line_periodic_data": [{"line": 1, "in": 1}]}, "missing_field",
         "line_periodic_data.total.out"),
        ({"line_periodic_data": [{"line": 1, "in": 1.5, "out": 1}]}, "bad_number",
         "line_periodic_data.total.in"),
        ({"line_periodic_data": [{"line": 1, "in": -1, "out": 1}]}, "negative_count",
         "line_periodic_data.total.in"),
        ({"line_periodic_data": [], "line_total_data": [{"line": 1, "total": {"in_counted": 1}}]},
         "missing_field", "line_total_data.total.out_counted"),
        ({"line_periodic_data": [], "time_info": None}, "missing_field", "time_info.end_time"),
        ({"line_periodic_data": [], "line_total_data": [{"line": 1, "in_counted": -1,
          "out_counted": 2}]}, "negative_count", "line_total_data.total.in_counted"),
        ({"line_periodic_data": [], "device_info": {"device_sn": "NEW"}}, "unknown_device",
         "device_info.device_sn"),
        ({"line_periodic_data": [], "time_info": {"end_time": "2027-01-01T10:00:00Z"}},
         "future_date", "time_info.end_time"),
        ({"time_info": {"start_time": "2026-11-01T10:00:00Z", "end_time": "2026-11-01T10:00:00Z"}},
         "bad_time", "time_info.end_time"),
        # A clock that was set within the interval, and two that never were.
        ({"time_info": {"start_time": "2000-01-01T00:00:00Z", "end_time": "2026-11-01T10:00:00Z"}},
         "interval_too_long", "time_info.end_time"),
        ({"time_info": {"start_time": "2000-01-01T00:00:00Z", "end_time": "2000-01-01T00:15:00Z"}},
         "clock_behind", "time_info.start_time"),
        ({"time_info": {"start_time": "1970-01-01T00:00:00Z", "end_time": "1970-01-01T00:15:00Z"}},
         "clock_behind", "time_info.start_time"),
        ({"line_periodic_data": [{"line": 1, "in": 4294967295, "out": 1}]}, "implausible_count",
         "line_periodic_data.total.in"),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_rejected(
    changes: dict[str, Any], reason: str, field: str
) -> None:
    result = normalize([REPORT | changes, REPORT])
    assert {(r.reason.value, r.field) for r in result.rejected} == {(reason, field)}
    assert result.accepted == 2


TOTALS = {key: value for key, value in REPORT.items() if key != "line_periodic_data"} | {
    "line_total_data": [
        {"line": 1, "total": {"in_counted": 412, "out_counted": 399, "capacity_counted": 13},
         "staff": {"in_counted": 7, "out_counted": 6}, "children": {"in_counted": 5}},
        {"line": 2, "in_counted": 10, "out_counted": 0},
    ],
}  # fmt: skip


def test_totals_without_intervals_become_readings_as_of_the_end_of_the_report() -> None:
    result = normalize(TOTALS)
    first, second = result.events["count_reading"].to_pylist()
    assert "count_interval" not in result.events
    assert first["occurred_at"] == datetime(2026, 11, 1, 1, 15, tzinfo=UTC)
    assert (first["store_id"], first["device_id"], first["line_id"]) == ("shibuya", SERIAL, "1")
    names = ("in_total", "out_total", "staff_in_total", "staff_out_total", "child_in_total",
             "group_in_total")  # fmt: skip
    assert [first[name] for name in names] == [412, 399, 7, 6, 5, None]
    assert [second[name] for name in names] == [10, 0, None, None, None, None]
    assert first["document_key"] == second["document_key"]
    assert first["event_id"] != second["event_id"]
    assert (result.received, result.accepted, result.ignored) == (2, 2, 0)


def test_reports_of_both_kinds_go_together_and_add_up() -> None:
    bad = TOTALS | {"line_total_data": [{"line": 3, "in_counted": "x", "out_counted": 1}]}
    bodies = [[REPORT, TOTALS], [bad], [TOTALS], [REPORT, bad]]
    sent = [(orjson.dumps(body), context()) for body in bodies]
    result = Milesight().normalize_many(sent)
    counts = [(one.received, one.accepted, len(one.rejected)) for one in result.results]
    assert counts == [(4, 4, 0), (1, 0, 1), (2, 2, 0), (3, 2, 1)]
    assert result.events["count_interval"].num_rows == 4
    assert result.located["count_reading"].deliveries.tolist() == [0, 0, 2, 2]
    assert [one.position for one in result.rejected] == ["1.1", "2.1"]


def test_vs121_has_one_line_in_the_report_itself() -> None:
    report = {
        "event": "Line Crossing People Counting", "report_type": "interval",
        "device_info": {"device": "Workplace Sensor", "device_sn": SERIAL},
        "time_info": {"timezone": "UTC+9:00", "dst_status": False,
                      "start_time": "2026/11/01 10:00:00", "end_time": "2026/11/01 11:00:00"},
        "in_counted": 6, "out_counted": 5, "capacity_counted": 1,
        "total_data": {"in_cumulative_counted": 60, "out_cumulative_counted": 50},
    }  # fmt: skip
    result = normalize(report)
    (row,) = result.events["count_interval"].to_pylist()
    assert (row["line_id"], row["in_count"], row["out_count"]) == ("1", 6, 5)
    assert row["interval_end_at"] == datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
    assert result.ignored == 1


def test_people_that_vs121_sees_in_regions_are_ignored() -> None:
    report = {"event": "Region People Counting", "report_type": "interval", "current_total": 10,
              "device_info": {"device_sn": SERIAL}, "numbering_regions": [1, 2]}  # fmt: skip
    result = normalize(report)
    assert (result.received, result.ignored) == (0, 1)


def crossing(line: int, entered: int, left: int, **time: Any) -> dict[str, Any]:
    """As a VS125 sends it when somebody crosses a line."""
    told = {
        "group": {"in": 0, "out": 0},
        "total": {"in": entered, "out": left},
        "line": line,
        "line_name": f"Line{line}",
        "line_uuid": "9a0440de-3188-4f6d-b886-bb20c97bd26b",
    }
    return {"device_info": {"device_sn": SERIAL}, "time_info": time, "line_trigger_data": [told]}


def test_single_crossings_are_intervals_of_a_second() -> None:
    zoned = crossing(1, 1, 0, time="2026-11-01T10:11:32+09:00", time_zone="UTC+9:00", dst_status=0)
    plain = crossing(2, 0, 1, trigger_time="2026-11-01 10:11:32")
    result = normalize([zoned, plain])
    first, second = result.events["count_interval"].to_pylist()
    moment = datetime(2026, 11, 1, 1, 11, 32, tzinfo=UTC)
    assert [row["occurred_at"] for row in (first, second)] == [moment, moment]
    assert first["interval_end_at"] == moment.replace(second=33)
    assert [(row["line_id"], row["in_count"], row["out_count"]) for row in (first, second)] == [
        ("1", 1, 0), ("2", 0, 1),
    ]  # fmt: skip
    assert first["document_key"] != second["document_key"]
    again = normalize(zoned).events["count_interval"]
    assert again["event_id"].to_pylist() == [first["event_id"]]


def test_crossings_beside_counts_or_totals_of_their_report_are_ignored() -> None:
    crossed = crossing(1, 1, 0, time="2026-11-01T10:15:00+09:00")
    beside = REPORT | {"line_trigger_data": crossed["line_trigger_data"]}
    result = normalize([beside, crossed | {"line_total_data": TOTALS["line_total_data"]}])
    assert (result.accepted, result.ignored) == (4, 3)
    assert {row["occurred_at"] for row in result.events["count_reading"].to_pylist()} == {
        datetime(2026, 11, 1, 1, 15, tzinfo=UTC)
    }


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (crossing(1, 1, 0), "missing_field"),
        (crossing(1, -1, 0, time="2026-11-01T10:15:00+09:00"), "negative_count"),
        (crossing(1, 1, 0, time="noon"), "bad_time"),
        ({"device_info": {"device_sn": SERIAL}, "line_trigger_data": [{"line": 1}, {"line": 2}]},
         "missing_field"),
    ],
)  # fmt: skip
def test_a_crossing_that_tells_no_moment_or_no_person_is_rejected(
    report: dict[str, Any], reason: str
) -> None:
    result = normalize(report)
    assert (result.accepted, {one.reason.value for one in result.rejected}) == (0, {reason})
    assert result.received == len(result.rejected) > 0
