"""Specs of JSON: pushes as their vendors document them, a frozen clock, the expected events."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateways.declarative.adapter import DeclarativeAdapter
from gateways.declarative.choose import adapter_of, load_adapter
from gateways.declarative.json_mapping import JsonMapping
from gateways.declarative.json_path import parse_path, records_of, value_at
from gateways.intake.spec_shelf import SpecShelf
from tenpo.errors import ConfigError, PayloadError
from tenpo.lake import Lake
from tests.gateways.counters import VIVOTEK_PUSH, VIVOTEK_SPEC
from tests.gateways.payloads import COUNTS_SPEC, RECEIVED_AT, context

#: One record a direction, times of the store, no end.
SIDES = b"""
name: sides
event: count_interval
json: {records: "rows[]"}
constants: {device_id: door-1}
document: [way]
time: {start: day, formats: ["%d.%m.%Y %H:%M"]}
interval_s: 1800
counts:
  in: {path: n, when: {way: [A, a]}}
  out: {path: n, when: {way: [B]}}
"""
#: Totals in a list of labelled values.
TOTALS = b"""
name: totals
event: count_reading
json: {}
columns: {device_id: id}
time: {at: ts, unix: ms}
counts: {in: "values[label=fw].value", out: "values[1].value"}
"""


def normalize(spec: bytes, document: object) -> Any:
    return adapter_of(spec, "spec").normalize(orjson.dumps(document), context())


def test_records_of_nested_lists_find_what_is_around_them() -> None:
    result = normalize(VIVOTEK_SPEC, VIVOTEK_PUSH)
    first, second = result.events["count_interval"].to_pylist()
    assert (first["device_id"], first["store_id"], first["line_id"]) == ("door-1", "soho", "East")
    assert first["occurred_at"] == datetime(2026, 11, 1, 6, 15, tzinfo=UTC)
    assert first["interval_end_at"] == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert [(row["in_count"], row["out_count"]) for row in (first, second)] == [(1, 2), (0, 3)]
    assert first["document_key"] != second["document_key"]
    assert (result.received, result.ignored) == (2, 1)


def test_records_of_one_direction_each() -> None:
    rows = [{"way": way, "n": n, "day": "01.11.2026 10:30"} for way, n in (("A", 4), ("B", 5))]
    found = normalize(SIDES, {"rows": rows}).events["count_interval"].to_pylist()
    assert [(row["in_count"], row["out_count"]) for row in found] == [(4, None), (None, 5)]
    assert found[0]["occurred_at"] == datetime(2026, 11, 1, 10, 30, tzinfo=UTC)
    assert found[0]["interval_end_at"] == datetime(2026, 11, 1, 11, 0, tzinfo=UTC)
    assert found[0]["document_key"] != found[1]["document_key"]


def test_hours_of_the_30_hour_clock_are_of_the_next_day() -> None:
    document = {"rows": [{"way": "A", "n": 4, "day": "31.10.2026 25:30"}]}
    (row,) = normalize(SIDES, document).events["count_interval"].to_pylist()
    assert row["occurred_at"] == datetime(2026, 11, 1, 1, 30, tzinfo=UTC)


def test_totals_of_a_moment_are_readings() -> None:
    values = [{"label": "bw", "value": 1}, {"label": "fw", "value": 7}]
    result = normalize(TOTALS, {"id": "door-1", "ts": 1793529000123, "values": values})
    (row,) = result.events["count_reading"].to_pylist()
    assert (row["in_total"], row["out_total"]) == (7, 7)
    assert row["occurred_at"] == datetime(2026, 11, 1, 10, 30, 0, 123_000, tzinfo=UTC)


def test_totals_without_a_time_are_as_of_their_receiving() -> None:
    spec = TOTALS.replace(b"{at: ts, unix: ms}", b"{received: true}")
    result = normalize(
        spec, {"id": "door-1", "values": [{"label": "fw", "value": 7}, {"value": 1}]}
    )
    (row,) = result.events["count_reading"].to_pylist()
    assert row["occurred_at"] == RECEIVED_AT


@pytest.mark.parametrize(
    ("spec", "document", "reason", "field"),
    [
        (SIDES, {"rows": [{"way": "C", "n": 1, "day": "01.11.2026 10:30"}]}, "bad_value", "way"),
        (SIDES, {"rows": [{"way": "A", "n": 1, "day": "2026-11-01"}]}, "bad_time", "day"),
        (SIDES, {"rows": [{"way": "A", "n": "x", "day": "01.11.2026 10:30"}]}, "bad_number", "n"),
        (TOTALS, {"id": "door-1", "ts": 1793529000123, "values": []}, "missing_field",
         "values[label=fw].value"),
        (TOTALS, {"id": "other", "ts": 1793529000123, "values": [{"label": "fw", "value": 1},
         {"value": 2}]}, "unknown_device", "id"),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_rejected(
    spec: bytes, document: object, reason: str, field: str
) -> None:
    result = normalize(spec, document)
    assert [(r.reason.value, r.field) for r in result.rejected] == [(reason, field)]


@pytest.mark.parametrize("document", [{}, {"Data": 1}, {"Data": [{"CountingInfo": None}]}])
def test_a_push_without_records_is_ignored_and_counted(document: object) -> None:
    result = normalize(VIVOTEK_SPEC, document)
    assert (result.received, result.ignored) == (0, 1)


@pytest.mark.parametrize(
    ("before", "after", "where", "what"),
    [
        (b"RuleName}", b"a..b}", "line 7, key columns.line_id", "no name"),
        (b"RuleName}", b"'a[]'}", "line 7, key columns.line_id", "only records may hold"),
        (
            b"$.Source.MacAddress",
            b"^.^.^.id",
            "line 7, key columns.device_id",
            "not around a record",
        ),
        (b"$.Source.MacAddress", b"^.$.id", "line 7", "do not go together"),
        (b"records: Data", b"records: $.Data", "line 5, key json.records", "start at the root"),
        (b"device_id: $.Source.MacAddress, ", b"", "spec", "device_id is missing"),
        (b"end: EndTime", b"end: EndTime, unix: s, formats: ['%d']", "line 8", "formats or unix"),
        (b"end: EndTime", b"formats: ['%H:%M']", "spec", "has no day"),
        (b", end: EndTime", b"", "line 8, key time", "give two of"),
        (b"start: StartTime", b"at: StartTime", "line 8, key time", "has start and end"),
        (b"out: Out", b"sideways: Out", "line 9, key counts.sideways", "Input should be"),
        (b"  only", b"  onyl", "line 6, key json.onyl", "did you mean only"),
    ],
)
def test_a_wrong_spec_is_refused_with_line_and_key(
    before: bytes, after: bytes, where: str, what: str
) -> None:
    assert before in VIVOTEK_SPEC
    with pytest.raises(ConfigError) as caught:
        adapter_of(VIVOTEK_SPEC.replace(before, after), "spec")
    assert where in caught.value.where
    assert what in caught.value.what


def test_readings_have_totals_and_a_moment() -> None:
    for before, after in ((b"at: ts", b"start: ts"), (b"out:", b"pass:"), (b"at: ts, ", b"")):
        with pytest.raises(ConfigError, match="count_reading"):
            adapter_of(TOTALS.replace(before, after), "spec")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b", 1), ("a.c", None), ("list[1].x", 3), ("list[9].x", None), ("list[k=v].x", 3),
        ("list[k=w].x", None), ("a[0]", None), ("$.top", 5), ("^.top", 5), ("dotted[k=a.b].x", 4),
        ("a.b.c.d", None),
    ],
)  # fmt: skip
def test_where_a_path_leads(path: str, value: object) -> None:
    record = {"a": {"b": 1}, "list": [{"x": 2}, {"k": "v", "x": 3}, 7],
              "dotted": [{"k": "a.b", "x": 4}]}  # fmt: skip
    assert value_at(({"top": 5}, record), parse_path(path)) == value


def test_records_that_are_one_object() -> None:
    found = list(records_of({"a": {"b": {"n": 1}}}, parse_path("a.b")))
    assert [scopes[-1] for scopes in found] == [{"n": 1}]


def test_specs_of_json_and_csv_stand_on_one_shelf(tmp_path: Path) -> None:
    shelf = SpecShelf(Lake(tmp_path.as_uri()))
    shelf.put("acme", "vivotek", VIVOTEK_SPEC)
    shelf.put("acme", "door", COUNTS_SPEC)
    _, vivotek = shelf.of_kind("acme", "vivotek", "iot")
    _, door = shelf.of_kind("acme", "door", "iot")
    assert isinstance(vivotek, JsonMapping)
    assert isinstance(door, DeclarativeAdapter)
    assert vivotek.media_type == "application/json"


def test_a_kept_spec_that_is_refused_by_now_is_told_to_its_sender(tmp_path: Path) -> None:
    lake = Lake(tmp_path.as_uri())
    lake.put("spec/acme/door/00000000000000000001.yaml", COUNTS_SPEC + b"currency: ZZZ\n")
    shelf = SpecShelf(lake)
    stored, adapter = shelf.of_kind("acme", "door", "iot")  # so that what comes is kept
    assert (stored[-8:], adapter.name, adapter.kind) == ("001.yaml", "door", "iot")
    with pytest.raises(PayloadError, match="ISO 4217 has no ZZZ"):
        shelf.get("acme", "door")
    with pytest.raises(PayloadError, match="ISO 4217 has no ZZZ") as caught:
        adapter.normalize(b"a", context())
    assert "key currency" in caught.value.where


def test_times_with_an_offset_may_have_a_format() -> None:
    spec = SIDES.replace(b"%d.%m.%Y %H:%M", b"%d.%m.%Y %H:%M %z")
    result = normalize(spec, {"rows": [{"way": "A", "n": 1, "day": "01.11.2026 10:00 +0200"}]})
    assert result.events["count_interval"]["occurred_at"].to_pylist() == [
        datetime(2026, 11, 1, 8, tzinfo=UTC)
    ]


def test_a_mapping_goes_to_another_process_whole(tmp_path: Path) -> None:
    file = tmp_path / "vivotek.yaml"
    file.write_bytes(VIVOTEK_SPEC)
    adapter = load_adapter(file)
    copy = pickle.loads(pickle.dumps(adapter))  # noqa: S301  # our own bytes
    body = orjson.dumps(VIVOTEK_PUSH)
    first, second = (one.normalize(body, context()) for one in (adapter, copy))
    assert first.events["count_interval"].equals(second.events["count_interval"])
