"""Milesight people counters (VS121, VS125, VS132, VS133, VS135): JSON pushed by HTTP or MQTT.

Fields as the devices send them: `device_info`, `time_info`, and one entry a
counting line in `line_periodic_data`. VS125 nests the counts (`total`, `children`,
`staff`, `group`), VS135 puts `in` and `out` right into the line; both are read. VS121 has
one line, whose `in_counted` and `out_counted` stand in its interval reports themselves.
`total` includes children and staff. Running totals (`line_total_data`, as of the end
of the report) count only where a report has no interval counts: they become readings. Single
crossings (`line_trigger_data`, with the moment in `time` or `trigger_time`) count where a report
has neither: they are intervals of a second. What is beside something better, and region
data, is ignored, and counted as ignored.

Communication protocol of the family: https://www.milesight.com/products/docs/en/
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gateways.formats.json_text import member, objects, read_objects, text_columns
from gateways.iot.intervals import CROSSING_S, interval_records, yes_or_no
from gateways.iot.readings import reading_times
from gateways.normalize import columns
from gateways.normalize.adapter import Kind
from gateways.normalize.columns import missing
from gateways.normalize.faults import Faults, Reason
from gateways.normalize.json_adapter import JsonAdapter, Rows
from gateways.normalize.records import Records

FIELDS = {
    "device_id": "device_info.device_sn",
    "line_id": "line_periodic_data.line",
    "occurred_at": "time_info.start_time",
    "interval_end_at": "time_info.end_time",
    "in_count": "line_periodic_data.total.in",
    "out_count": "line_periodic_data.total.out",
    "staff_in_count": "line_periodic_data.staff.in",
    "staff_out_count": "line_periodic_data.staff.out",
    "child_in_count": "line_periodic_data.children.in",
    "group_in_count": "line_periodic_data.group.in",
}
READING_FIELDS = {
    "device_id": "device_info.device_sn",
    "line_id": "line_total_data.line",
    "occurred_at": "time_info.end_time",
    "in_total": "line_total_data.total.in_counted",
    "out_total": "line_total_data.total.out_counted",
    "staff_in_total": "line_total_data.staff.in_counted",
    "staff_out_total": "line_total_data.staff.out_counted",
    "child_in_total": "line_total_data.children.in_counted",
    "group_in_total": "line_total_data.group.in_counted",
}
_TOTALS = tuple(name for name in READING_FIELDS if name.endswith("_total"))
_IGNORED = ("line_total_data", "line_trigger_data", "region_trigger_data", "region_data",
            "region_count_data", "dwell_time_data", "alarm_data", "total_data",
            "flow_data")  # fmt: skip
#: How firmwares say that the clock is put forward; numbers are read as text.
_DST = (True, "1", "true")
_OFFSET = re.compile(r"UTC\s*([+-])(\d{1,2}):(\d{2})")
_PLAIN = re.compile(r"\d{4}[-/]\d{2}[-/]\d{2}[ T]\d{2}:\d{2}:\d{2}")


class Milesight(JsonAdapter):
    """Interval counts and running totals of Milesight devices."""

    name = "milesight"
    version = "6"
    kind: Kind = "iot"

    def rows(self, body: bytes) -> Rows:
        """One row a counting line of one report."""
        found = Rows()
        for number, report in enumerate(read_objects(body, "report"), start=1):
            lines = _lines(report)
            totals = [] if lines else objects(report.get("line_total_data"))
            crossings = [] if lines or totals else objects(report.get("line_trigger_data"))
            head = _head(report) if lines else _momentary(report) if totals or crossings else {}
            found.values += [head | _counts(line) for line in lines]
            found.values += [_crossing(line, head) for line in crossings]
            found.positions += _positions(number, [*lines, *crossings])
            found.readings += [head | _totals(line) for line in totals]
            found.reading_positions += _positions(number, totals)
            taken = {"line_total_data": totals, "line_trigger_data": crossings}
            rest = [report[key] for key in _IGNORED if report.get(key) and not taken.get(key)]
            others = sum(max(1, len(objects(value))) for value in rest)
            found.ignored += others if lines or totals or crossings or others else 1
        return found

    def records(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """Columns in canonical names; see `FIELDS` for the vendor's."""
        return interval_records(rows, faults, FIELDS)

    def readings(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """Running totals as of the end of their report; see `READING_FIELDS`."""
        text = text_columns(rows, ("device_id", "line_id", "interval_end_at", "is_dst", *_TOTALS))
        name = READING_FIELDS["occurred_at"]
        at, local = reading_times(text["interval_end_at"], faults, name)
        values = {
            "device_id": text["device_id"],
            "line_id": text["line_id"],
            "line_key": text["line_id"],
            "document": text["device_id"],
            "at": at,
            "local": local,
            "is_dst": yes_or_no(text["is_dst"]),
        }
        for name in _TOTALS:
            values[name], bad = columns.integers(text[name])
            faults.mark(bad, Reason.BAD_NUMBER, READING_FIELDS[name])
        faults.mark(missing(values["out_total"]), Reason.MISSING_FIELD, READING_FIELDS["out_total"])
        return Records("count_reading", values, faults, READING_FIELDS, pushed=True)


def _lines(report: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Counts of the interval a line; VS121 has one line, right in the report."""
    if report.get("report_type") == "interval" and "in_counted" in report:
        return [{"line": "1", "in": report["in_counted"], "out": report.get("out_counted")}]
    return objects(report.get("line_periodic_data"))


def _positions(number: int, lines: Sequence[Any]) -> list[str]:
    return [f"{number}.{place}" for place in range(1, len(lines) + 1)]


def _head(report: Mapping[str, Any]) -> dict[str, Any]:
    info = report.get("time_info")
    return {
        "device_id": member(report, "device_info", "device_sn"),
        "occurred_at": _zoned(member(info, "start_time"), info),
        "interval_end_at": _zoned(member(info, "end_time"), info),
        "is_dst": member(info, "dst_status"),
    }


def _momentary(report: Mapping[str, Any]) -> dict[str, Any]:
    """`_head` of a report that tells of a moment, not of a period."""
    info, head = report.get("time_info"), _head(report)
    told = member(info, "end_time") or member(info, "trigger_time") or member(info, "time")
    return head | dict.fromkeys(("occurred_at", "interval_end_at"), _zoned(told, info))


def _crossing(line: Mapping[str, Any], head: Mapping[str, Any]) -> dict[str, Any]:
    """A crossing is an interval of a second; lines report each by itself."""
    parts = (head["device_id"], line.get("line"), "crossing")
    document = "|".join(part if isinstance(part, str) else "" for part in parts)
    of_moment = {"document": document, "interval_end_at": None, "length_s": CROSSING_S}
    return {**head, **_counts(line), **of_moment}


def _counts(line: Mapping[str, Any]) -> dict[str, Any]:
    total = line.get("total", line)
    return {
        "line_id": line.get("line"),
        "in_count": member(total, "in"),
        "out_count": member(total, "out"),
        "staff_in_count": member(line, "staff", "in"),
        "staff_out_count": member(line, "staff", "out"),
        "child_in_count": member(line, "children", "in"),
        "group_in_count": member(line, "group", "in"),
    }


def _totals(line: Mapping[str, Any]) -> dict[str, Any]:
    total = line.get("total", line)
    return {
        "line_id": line.get("line"),
        "in_total": member(total, "in_counted"),
        "out_total": member(total, "out_counted"),
        "staff_in_total": member(line, "staff", "in_counted"),
        "staff_out_total": member(line, "staff", "out_counted"),
        "child_in_total": member(line, "children", "in_counted"),
        "group_in_total": member(line, "group", "in_counted"),
    }


def _zoned(value: Any, info: Any) -> Any:
    """A time without offset gets the one that older firmware states beside it."""
    if not isinstance(value, str) or not _PLAIN.fullmatch(value.strip()):
        return value
    plain = value.strip().replace("/", "-")
    stated = _OFFSET.match(str(member(info, "time_zone") or member(info, "timezone") or ""))
    if stated is None:
        return plain
    minutes = int(stated[2]) * 60 + int(stated[3])
    minutes = -minutes if stated[1] == "-" else minutes
    minutes += 60 if member(info, "dst_status") in _DST else 0
    sign = "-" if minutes < 0 else "+"
    return f"{plain}{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
