"""Pushes of counters and cameras, made after their vendors' documentation. No test of its own."""

from __future__ import annotations

from typing import Any

from tenpo.masters import Device
from tests.gateways.lorawan import EUI

XOVIS_SERIAL = "80:1F:12:D5:30:DC"
AXIS_SERIAL = "b8a44fa89c85"
HIKVISION_MAC = "44:47:cc:50:00:c1"
OTHER_MAC = "44:47:CC:50:00:C2"
TERABEE_ID = "FA21415EAEB7"
#: What a push carries besides counts, and nobody may see.
PASSWORD = "hunter2-Receiver"

DEVICES = [
    Device(device_id=EUI, store_id="shibuya", source="lorawan", interval_s=600),
    Device(device_id=XOVIS_SERIAL, store_id="shibuya", source="xovis"),
    Device(device_id=AXIS_SERIAL, store_id="soho", source="axis"),
    Device(device_id=HIKVISION_MAC, store_id="shibuya", source="hikvision"),
    Device(device_id=OTHER_MAC, store_id="shibuya", source="hikvision"),
    Device(device_id=TERABEE_ID, store_id="soho", source="terabee"),
]


#: Vivotek's counting report, read by a mapping.
VIVOTEK_SPEC = b"""
name: vivotek
event: count_interval
json:
  records: Data[].CountingInfo[]
  only: {^.RuleType: [Counting]}
columns: {device_id: $.Source.MacAddress, line_id: RuleName}
time: {start: StartTime, end: EndTime}
counts: {in: In, out: Out}
"""
VIVOTEK_PUSH: dict[str, Any] = {
    "Source": {"UtcTime": "2026-11-01T06:30:01Z", "MacAddress": "door-1", "TimeZone": "+8"},
    "Data": [
        {"RuleType": "Counting", "CountingInfo": [
            {"RuleName": "East", "In": 1, "Out": 2, "StartTime": "2026-11-01T06:15:00Z",
             "EndTime": "2026-11-01T06:30:00Z"},
            {"RuleName": "West", "In": 0, "Out": 3, "StartTime": "2026-11-01T06:15:00Z",
             "EndTime": "2026-11-01T06:30:00Z"}]},
        {"RuleType": "FlowPath", "CountingInfo": [{"RuleName": "Path"}]},
    ],
}  # fmt: skip


def xovis_counts(entered: int = 3, left: int = 1) -> dict[str, Any]:
    """Firmware 4, line counts of one minute, and a zone."""
    start, end = "2026-11-01T10:20:00+09:00", "2026-11-01T10:21:00+09:00"
    values = [{"value": entered, "label": "fw"}, {"value": left, "label": "bw"}]
    return {
        "sensor-time": {"timezone": "Asia/Tokyo", "time": "2026-11-01T10:21:06+09:00"},
        "status": {"code": "OK"},
        "content": {"element": [
            {"element-id": 0, "element-name": "Line 0", "sensor-type": "SINGLE_SENSOR",
             "data-type": "LINE", "from": start, "to": end, "resolution": "ONE_MINUTE",
             "measurement": [{"from": start, "to": end, "value": values}]},
            {"element-id": 1, "element-name": "Zone 0", "data-type": "ZONE", "measurement": [
                {"from": start, "to": end, "value": [{"value": 4, "label": "count"}]}]},
        ]},
        "sensor-info": {"serial-number": XOVIS_SERIAL, "name": "Entrance", "device-type": "PC2S"},
    }  # fmt: skip


def xovis_logics() -> dict[str, Any]:
    """Firmware 5, two minutes of a line and a zone."""
    start = 1793496000000  # 2026-11-01T01:20:00Z
    records = [
        {"from": start + n * 60_000, "to": start + (n + 1) * 60_000, "samples": 1,
         "counts": [{"id": 2, "name": "fw", "value": n + 1}, {"id": 3, "name": "bw", "value": n},
                    {"id": 10, "name": "fw-male", "value": n}]}
        for n in range(2)
    ]  # fmt: skip
    zone = [{"from": start, "to": start + 60_000, "counts": [{"name": "balance", "value": 2}]}]
    return {"logics_data": {
        "package_info": {"version": "5.0", "id": 28, "agent_id": 1008},
        "sensor_info": {"serial_number": XOVIS_SERIAL, "type": "SINGLE_SENSOR"},
        "logics": [
            {"id": 2, "name": "Line 0", "info": "XLT_LINE_IN_OUT_COUNT", "records": records},
            {"id": 1, "name": "Zone 0", "info": "XLT_4X_ZONE_COUNT", "records": zone},
        ],
    }}  # fmt: skip


def xovis_event(kind: str = "LineCount", person: int = 3006, **changes: Any) -> dict[str, Any]:
    """Firmware 4, one event."""
    return {
        "timestamp": 1793496000305, "type": kind, "serial": XOVIS_SERIAL, "direction": "forward",
        "object": {"id": person, "x": 303, "y": 275, "height": 1748},
        "countItem": {"id": 0, "name": "Line 0"}, "objectType": "PERSON",
    } | changes  # fmt: skip


def xovis_live(kind: str, tracked: str = "PERSON") -> dict[str, Any]:
    """Firmware 5, one event of a frame."""
    place = {"track_id": 490, "sequence_number": 0, "geometry_id": 2, "geometry_type": "LINE"}
    return {"live_data": {
        "package_info": {"version": "5.0", "id": 150, "agent_id": 1005},
        "sensor_info": {"serial_number": XOVIS_SERIAL, "type": "SINGLE_SENSOR"},
        "frames": [{
            "framenumber": 4137403, "time": 1793496000470,
            "tracked_objects": [{"track_id": 490, "type": tracked, "position": [0.0, 0.1, 1.7]}],
            "events": [{"category": "SCENE", "type": kind, "attributes": place}],
        }],
    }}  # fmt: skip


def axis_retail(entered: int = 5, left: int = 2) -> dict[str, Any]:
    """AXIS 3D People Counter, one minute."""
    times = {"utcFrom": "2026-11-01T10:14:00Z", "utcTo": "2026-11-01T10:15:00Z"}
    items = [{"direction": "in", "count": entered, "adults": 0},
             {"direction": "out", "count": left, "adults": 0}]  # fmt: skip
    return {
        "apiName": "Axis Retail Data", "apiVersion": "0.4", "utcSent": "2026-11-01T10:15:38Z",
        "data": {**times, "measurements": [{"kind": "people-counts", **times, "items": items}]},
        "sensor": {"application": "AXIS 3D People Counter", "timeZone": "Europe/London",
                   "name": "axis-b8a44fa89c85", "serial": AXIS_SERIAL},
    }  # fmt: skip


def axis_crossline(scenario: str, people: int) -> dict[str, Any]:
    """AXIS Object Analytics by the camera's event bridge."""
    return {
        "topic": "axis:CameraApplicationPlatform/ObjectAnalytics/Device1Scenario1",
        "timestamp": 1793528100000, "serial": AXIS_SERIAL,
        "message": {"source": {}, "key": {}, "data": {
            "scenario": scenario, "scenarioType": "CrosslineCounting", "reason": "human",
            "total": str(people + 4), "totalHuman": str(people), "totalCar": "4"}},
    }  # fmt: skip


def hikvision(method: str = "timeRange", mac: str = HIKVISION_MAC, namespace: str = "") -> bytes:
    """An XML notification."""
    times = {
        "timeRange": "<TimeRange><startTime>2026-11-01T10:00:00+09:00</startTime>"
        "<endTime>2026-11-01T10:15:00+09:00</endTime></TimeRange>",
        "realTime": "<RealTime><time>2026-11-01T10:15:07+09:00</time></RealTime>",
    }.get(method, "")
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<EventNotificationAlert version="2.0"{namespace}>
<ipAddress>192.168.1.64</ipAddress><protocol>HTTP</protocol><macAddress>{mac}</macAddress>
<channelID>1</channelID><dateTime>2026-11-01T10:15:07+09:00</dateTime>
<activePostCount>1</activePostCount><eventType>PeopleCounting</eventType>
<eventState>active</eventState><channelName>Camera 01</channelName>
<peopleCounting><statisticalMethods>{method}</statisticalMethods>{times}
<enter>15</enter><exit>14</exit><pass>3</pass><duplicatePeople>4</duplicatePeople></peopleCounting>
<childCounting><enter>2</enter><exit>0</exit></childCounting>
</EventNotificationAlert>""".encode()


def terabee(**changes: Any) -> dict[str, Any]:
    """Totals of a device, with the credentials of its receiver."""
    return {
        "count_in": 23, "count_out": 12, "timestamp": "1793529000", "device_id": TERABEE_ID,
        "username": "receiver-user", "password": PASSWORD,
    } | changes  # fmt: skip
