"""Xovis sensors: pushes of both firmwares, a frozen clock, the expected intervals."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
import pytest

from gateways.iot.xovis import Xovis
from tenpo.identifiers import event_ids
from tests.gateways.counters import (
    XOVIS_SERIAL,
    xovis_counts,
    xovis_event,
    xovis_live,
    xovis_logics,
)
from tests.gateways.payloads import MASTERS, context
from tests.gateways.real_data import real_files

MINUTE = datetime(2026, 11, 1, 1, 20, tzinfo=UTC)


def normalize(document: object) -> Any:
    return Xovis().normalize(orjson.dumps(document), context())


def intervals(result: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = result.events["count_interval"].to_pylist()
    return rows


def test_line_counts_of_firmware_4() -> None:
    result = normalize(xovis_counts())
    (row,) = intervals(result)
    assert (row["occurred_at"], row["interval_end_at"]) == (MINUTE, MINUTE.replace(minute=21))
    assert (row["device_id"], row["line_id"]) == (XOVIS_SERIAL, "1.0")
    assert (row["in_count"], row["out_count"]) == (3, 1)
    assert result.ignored == 1  # the zone


def test_logics_of_firmware_5() -> None:
    result = normalize(xovis_logics())
    rows = intervals(result)
    assert [row["occurred_at"].minute for row in rows] == [20, 21]
    assert [(row["line_id"], row["in_count"], row["out_count"]) for row in rows] == [
        ("1.2", 1, 0), ("1.2", 2, 1),
    ]  # fmt: skip
    assert len({row["document_key"] for row in rows}) == 2
    assert result.ignored == 1


def test_events_of_firmware_4_are_crossings_of_one_person() -> None:
    kinds = ["LineCrossing", "ZoneExit", "LineCount", "CountZoneExit", "FillLevelChanged"]
    result = normalize({"values": [xovis_event(kind) for kind in kinds]})
    (row,) = intervals(result)
    assert row["occurred_at"] == MINUTE.replace(microsecond=305_000)
    assert (row["interval_end_at"] - row["occurred_at"]).total_seconds() == 1
    assert (row["in_count"], row["out_count"]) == (1, 0)
    assert result.ignored == 4


@pytest.mark.parametrize(
    ("kind", "counts"), [("LINE_CROSS_FORWARD", (1, 0)), ("LINE_CROSS_BACKWARD", (0, 1))]
)
def test_live_data_of_firmware_5_are_crossings_of_one_person(
    kind: str, counts: tuple[int, int]
) -> None:
    (row,) = intervals(normalize(xovis_live(kind)))
    assert (row["in_count"], row["out_count"], row["line_id"]) == (*counts, "1.2")


@pytest.mark.parametrize(
    "document",
    [
        xovis_live("LINE_CROSS_FORWARD", tracked="GROUP"),
        xovis_live("ZONE_ENTRY"),
        {"values": [xovis_event(objectType="UNKNOWN")]},
        {"status_data": {"sensor_info": {"serial_number": XOVIS_SERIAL}}},
        {"values": []},
    ],
)
def test_groups_zones_and_states_are_ignored(document: dict[str, Any]) -> None:
    result = normalize(document)
    assert (result.received, result.ignored) == (0, 1)


def test_all_of_a_sensor_is_one_channel_and_its_ids_are_those_of_its_lines() -> None:
    """Logics have other numbers than the lines that single crossings name."""
    result = normalize([xovis_logics(), xovis_live("LINE_CROSS_FORWARD")])
    found = result.events["count_interval"]
    assert {line.split(".")[0] for line in found["line_id"].to_pylist()} == {"1"}
    documents = found["document_key"].combine_chunks()
    ids = event_ids("acme", "xovis", documents, pa.array(["2"] * len(documents)))
    assert found["event_id"].to_pylist() == ids.to_pylist()


def test_two_people_at_one_moment_stay_two_and_a_resend_adds_none() -> None:
    both = {"values": [xovis_event(person=1), xovis_event(person=2)]}
    alone = {"values": [xovis_event(person=2)]}
    rows, again = intervals(normalize(both)), intervals(normalize(alone))
    assert len({row["document_key"] for row in rows}) == 2
    assert again[0]["event_id"] == rows[1]["event_id"]
    assert again[0]["document_key"] == rows[1]["document_key"]


@pytest.mark.parametrize(
    ("document", "reason", "field"),
    [
        (xovis_counts() | {"sensor-info": {"serial-number": "00:00"}}, "unknown_device",
         "serial number"),
        (xovis_counts() | {"sensor-info": {}}, "missing_field", "serial number"),
        ({"values": [xovis_event(direction="sideways")]}, "missing_field", "fw"),
        ({"values": [xovis_event(timestamp="soon")]}, "bad_time", "from"),
        (xovis_counts(entered=-1), "negative_count", "fw"),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_rejected(
    document: dict[str, Any], reason: str, field: str
) -> None:
    result = normalize(document)
    assert [(r.reason.value, r.field) for r in result.rejected] == [(reason, field)]


def test_recorded_pushes_yield_the_counts_they_state() -> None:
    (path,) = real_files("counters/devices/xovis_PC2S", "inputs_expected.json")
    cases = orjson.loads(path.read_bytes())
    assert cases
    assert XOVIS_SERIAL in MASTERS.devices
    for case in cases:
        stated = {key: int(value) for key, value in case["expected"] if key != "topic"}
        (row,) = intervals(normalize(case["input"]["data"]))
        assert (row["in_count"], row["out_count"]) == (stated["data.fw"], stated["data.bw"])
