"""Hikvision cameras: notifications in all their forms, a frozen clock, the expected events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from gateways.iot.hikvision import Hikvision
from tenpo.errors import PayloadError
from tests.gateways.counters import HIKVISION_MAC, OTHER_MAC, hikvision
from tests.gateways.payloads import context
from tests.gateways.recordings import document

START = datetime(2026, 11, 1, 1, 0, tzinfo=UTC)
JSON = document("hikvision", "summary.json")
HEARTBEAT = hikvision().replace(b"PeopleCounting", b"videoloss")


def multipart(*parts: tuple[str, bytes], end: bytes = b"\r\n") -> bytes:
    """A stream of parts, as the camera sends it."""
    body = b""
    for kind, content in parts:
        head = [b"--boundary", b"Content-Type: " + kind.encode(), b"", content, b""]
        body += end.join(head)
    return body + b"--boundary--" + end


def normalize(body: bytes) -> Any:
    return Hikvision().normalize(body, context())


def intervals(result: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = result.events["count_interval"].to_pylist()
    return rows


XML = 'application/xml; charset="UTF-8"'
BODIES = {
    "plain": hikvision(),
    "psia": hikvision(namespace=' xmlns="urn:psialliance-org"'),
    "isapi": hikvision(namespace=' xmlns="http://www.isapi.org/ver20/XMLSchema"'),
    "prefixed": hikvision(namespace=' xmlns:h="urn:x"').replace(b"<enter>15</enter>",
                                                                b"<h:enter>15</h:enter>"),
    "json": orjson.dumps(JSON),
    "wrapped": orjson.dumps({"EventNotificationAlert": JSON}),
    "listed": orjson.dumps(JSON | {"peopleCounting": [JSON["peopleCounting"]]}),
    "multipart": multipart((XML, hikvision())),
    "multipart json": multipart(("application/json", orjson.dumps(JSON)), end=b"\n"),
    "utf-16": hikvision().decode().replace("UTF-8", "UTF-16").encode("utf-16"),
}  # fmt: skip


@pytest.mark.parametrize("form", BODIES)
def test_a_summary_is_the_same_interval_in_every_form(form: str) -> None:
    result = normalize(BODIES[form])
    (row,) = intervals(result)
    assert (row["occurred_at"], row["interval_end_at"]) == (START, START.replace(minute=15))
    assert (row["device_id"], row["store_id"], row["line_id"]) == (HIKVISION_MAC, "shibuya", "1")
    names = ("in_count", "out_count", "pass_count", "child_in_count")
    assert [row[name] for name in names] == [15, 14, 3, 2]
    assert row["event_id"] == intervals(normalize(BODIES["plain"]))[0]["event_id"]


def test_a_stream_keeps_its_good_parts() -> None:
    image = ("image/jpeg", b"\xff\xd8\xff--\r\nnot a boundary\xff\xd9")
    body = multipart((XML, HEARTBEAT), image, (XML, hikvision()[:200]), (XML, hikvision()))
    result = normalize(body)
    assert (result.received, result.accepted, result.ignored) == (2, 1, 2)
    assert [(r.reason.value, r.position) for r in result.rejected] == [("unreadable_payload", "3")]


def test_totals_of_the_day_are_readings() -> None:
    result = normalize(hikvision("realTime", mac=OTHER_MAC.lower()))
    (row,) = result.events["count_reading"].to_pylist()
    assert (row["device_id"], row["in_total"], row["out_total"]) == (OTHER_MAC, 15, 14)
    assert row["occurred_at"] == START.replace(minute=15, second=7)


@pytest.mark.parametrize("body", [HEARTBEAT, hikvision("signalTrigger"), b"<ResponseStatus/>",
                                  b'{"eventType": "fielddetection"}'])  # fmt: skip
def test_everything_else_is_ignored(body: bytes) -> None:
    result = normalize(body)
    assert (result.received, result.ignored) == (0, 1)


def alarm(kind: str, *targets: str, **changes: str) -> bytes:
    """An alarm as cameras post it, one region entry a target."""
    fields = {"macAddress": HIKVISION_MAC, "channelID": "1", "activePostCount": "1",
              "dateTime": "2026-11-01T10:15:07+09:00", "eventType": kind, "eventState": "active",
              "channelName": "Camera 01"} | changes  # fmt: skip
    regions = "".join(
        "<DetectionRegionEntry><regionID>1</regionID><sensitivityLevel>50</sensitivityLevel>"
        f"<detectionTarget>{target}</detectionTarget><TargetRect><X>0.{place}25</X><Y>0.144</Y>"
        "<width>0.021</width><height>0.090</height></TargetRect></DetectionRegionEntry>"
        for place, target in enumerate(targets)
    )
    inner = "".join(f"<{name}>{text}</{name}>" for name, text in fields.items())
    return (
        '<EventNotificationAlert version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">'
        f"{inner}<DetectionRegionList>{regions}</DetectionRegionList></EventNotificationAlert>"
    ).encode()


JSON_ALARM = orjson.dumps(
    {"macAddress": HIKVISION_MAC, "channelID": 1, "dateTime": "2026-11-01T10:15:07+09:00",
     "eventType": "regionExiting", "eventState": "active",
     "DetectionRegionList": [{"DetectionRegionEntry": {"regionID": 1}}]}
)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "entered", "left"),
    [
        (alarm("linedetection", "human"), 1, 0),
        (alarm("linedetection"), 1, 0),  # older cameras say nothing of the target
        (alarm("linedetection", "human", direction="rightToLeft"), 0, 1),
        (alarm("linedetection", "human", channelName="Door east out"), 0, 1),
        (alarm("regionEntrance", "human"), 1, 0),
        (alarm("regionExiting", "human"), 0, 1),
        (JSON_ALARM, 0, 1),
    ],
)
def test_an_alarm_of_a_person_is_one_crossing(body: bytes, entered: int, left: int) -> None:
    (row,) = intervals(normalize(body))
    assert (row["in_count"], row["out_count"]) == (entered, left)
    assert row["occurred_at"] == START.replace(minute=15, second=7)
    assert row["interval_end_at"] == START.replace(minute=15, second=8)
    assert intervals(normalize(body))[0]["event_id"] == row["event_id"]


def test_targets_of_one_alarm_are_people_of_their_own_and_vehicles_are_none() -> None:
    result = normalize(alarm("linedetection", "human", "human", "vehicle"))
    assert (result.accepted, result.ignored) == (2, 1)
    assert len({row["document_key"] for row in intervals(result)}) == 2
    assert {row["line_id"] for row in intervals(result)} == {"1.1"}


@pytest.mark.parametrize("changes", [{"eventState": "inactive"}, {"activePostCount": "2"}])
def test_an_alarm_that_ends_or_lasts_is_ignored(changes: dict[str, str]) -> None:
    result = normalize(alarm("linedetection", "human", **changes))
    assert (result.received, result.ignored) == (0, 1)


def test_an_alarm_without_its_moment_is_rejected() -> None:
    result = normalize(alarm("linedetection", "human", dateTime=""))
    assert [one.reason.value for one in result.rejected] == ["missing_field"]


def test_several_countings_of_one_notification_are_rows_of_their_own() -> None:
    one = hikvision()
    counting = one[one.index(b"<peopleCounting>") : one.index(b"<childCounting>")]
    other = counting.replace(b"</pass>", b"</pass><regionsID>2</regionsID>")
    result = normalize(one.replace(counting, counting + other))
    assert [row["line_id"] for row in intervals(result)] == ["1", "1.2"]


def test_regions_are_lines_of_their_own() -> None:
    second = hikvision().replace(b"</pass>", b"</pass><regionsID>2</regionsID>")
    rows = [*intervals(normalize(hikvision())), *intervals(normalize(second))]
    assert [row["line_id"] for row in rows] == ["1", "1.2"]
    assert len({row["document_key"] for row in rows}) == 2


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        (hikvision(mac="00:00"), "unknown_device", "macAddress"),
        (hikvision(mac=""), "missing_field", "macAddress"),
        (hikvision("weekly"), "bad_value", "statisticalMethods"),
        (orjson.dumps(JSON | {"peopleCounting": []}), "bad_value", "statisticalMethods"),
        (hikvision().replace(b"<exit>14</exit>", b""), "missing_field", "exit"),
        (hikvision().replace(b"T10:15:00", b"T09:15:00"), "bad_time", "TimeRange.endTime"),
    ],
)
def test_what_cannot_be_counted_is_rejected(body: bytes, reason: str, field: str) -> None:
    result = normalize(body)
    assert [(r.reason.value, r.field) for r in result.rejected] == [(reason, field)]


DOCTYPE = b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
BOMB = b'<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "' + b"&a;" * 50 + b'">]><a>&b;</a>'


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (DOCTYPE + b"<EventNotificationAlert>&e;</EventNotificationAlert>", "document type"),
        (BOMB, "document type"),
        ('<!DOCTYPE a [<!ENTITY b "x">]><a>&b;</a>'.encode("utf-16"), "document type"),
        (b"<a>" * 60_000 + b"</a>" * 60_000, "nests too deeply"),
        (b'{"a":' * 60 + b"1" + b"}" * 60, "nests too deeply"),
        (b'<?xml version="1.0" encoding="shift_jis-nonsense"?><a/>', "XML"),
        (hikvision()[:-10], "well-formed"),
        (b"neither", "well-formed"),
    ],
    ids=range(8),
)
def test_hostile_and_broken_bodies_are_refused(body: bytes, what: str) -> None:
    with pytest.raises(PayloadError, match=what):
        normalize(body)


@pytest.mark.parametrize("body", [b"--", b"--b", b"--b\r\n--b--", b"--b\n\n\n--b\n--b--\n"])
def test_empty_streams_break_nothing(body: bytes) -> None:
    try:
        result = normalize(body)
    except PayloadError:
        return
    assert result.received == len(result.rejected)
    assert result.received + result.ignored > 0
