"""LoRaWAN people counters behind The Things Stack v3 or ChirpStack v4: one adapter.

An uplink's counts are those of the device's last reporting interval (`interval_s` of the
device in the stores file), which ends when the network server had the uplink, or when the
device's own clock says, where it sends that.

A document is an uplink: device, session, frame counter, bytes and hour. A frame that reached the
network by two ways and comes twice is one, though its two times differ by seconds. A device with
a fixed session counts frames from 0 after a restart; bytes and hour tell those from the earlier
ones. What a device sends with its own time is named by that time instead, so that a repetition
from its memory is the same document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from gateways.formats.json_text import read_objects
from gateways.iot.intervals import interval_records, unix_time
from gateways.iot.lorawan.decoded import Count, Decoded
from gateways.iot.lorawan.models import model_of
from gateways.iot.lorawan.uplink import Uplink, uplink_of
from gateways.iot.readings import reading_records
from gateways.iot.registered import registered
from gateways.normalize.adapter import Kind
from gateways.normalize.context import Context
from gateways.normalize.faults import Faults, Reason
from gateways.normalize.json_adapter import JsonAdapter, Rows
from gateways.normalize.records import Records
from tenpo.masters import Device

_HOUR_S = 3600
FIELDS = {"device_id": "dev_eui", "occurred_at": "received_at", "interval_end_at": "received_at"}


class Lorawan(JsonAdapter):
    """Interval counts, or running totals, of LoRaWAN devices."""

    name = "lorawan"
    version = "5"
    kind: Kind = "iot"

    def rows_under(self, body: bytes, context: Context) -> Rows:
        """One row a counting line of one uplink."""
        found = Rows()
        seen: set[str] = set()
        devices = context.masters.devices
        for number, envelope in enumerate(read_objects(body, "uplink"), start=1):
            uplink = uplink_of(envelope)
            name = "" if uplink is None else _name(uplink)
            if uplink is None or name in seen:
                found.ignored += 1
                continue
            seen.add(name)
            _take(found, str(number), uplink, devices)
        return found

    def records(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """Columns in canonical names."""
        records = interval_records(rows, faults, FIELDS)
        records.dated = False
        return records

    def readings(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """Running totals of uplinks that have nothing else."""
        records = reading_records(rows, faults, FIELDS)
        records.dated = False
        return records


def _name(uplink: Uplink) -> str:
    """What tells a frame from the one that bears its number after a restart: bytes and hour.

    The hours of each frame begin elsewhere, or a report on the hour that comes by two ways would
    be two. So one in 1,800 is, of those that come with times two seconds apart.
    """
    frame = f"{str(uplink.device).lower()}|{uplink.session}|{uplink.frame}"
    digest = sha256(frame.encode() + b"|" + (uplink.payload or b"")).digest()
    return f"{frame}|{digest[:8].hex()}|{_hour(uplink.at, int.from_bytes(digest[8:]) % _HOUR_S)}"


def _hour(at: Any, later_s: int) -> str:
    """The hour of a moment, if hours began so much earlier; empty where it cannot be read."""
    try:
        moment = datetime.fromisoformat(at)
    except (TypeError, ValueError):
        return ""  # the row is rejected for its time
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return str((int(known.timestamp()) + later_s) // _HOUR_S)


def _take(found: Rows, position: str, uplink: Uplink, devices: Mapping[str, Device]) -> None:
    """Rows and faults of one uplink."""
    if not isinstance(uplink.device, str) or not uplink.device:
        found.faults.append((position, Reason.MISSING_FIELD, "dev_eui"))
        return
    device = registered(uplink.device, devices)
    if device is None:
        found.faults.append((position, Reason.UNKNOWN_DEVICE, "dev_eui", uplink.device))
        return
    model = model_of(device.model, uplink.profile)
    if model is None:
        found.faults.append((position, Reason.UNKNOWN_MODEL, "dev_eui", device.device_id))
    elif uplink.payload is None:
        found.faults.append((position, Reason.BAD_VALUE, uplink.field))
    else:
        decoded = model.decode(uplink.payload, uplink.port)
        _keep(found, position, uplink, device, decoded)
        if decoded.unread is not None:
            found.faults.append((position, Reason.BAD_VALUE, uplink.field))


def _keep(found: Rows, position: str, uplink: Uplink, device: Device, decoded: Decoded) -> None:
    """Counts as rows, totals as readings where an uplink has no counts; the rest is ignored.

    Devices that send counts and totals in uplinks of their own do no harm: what the
    warehouse finds between readings is left out where counts of the time are stated.
    """
    found.ignored += decoded.ignored or int(decoded == Decoded())
    if decoded.periods:
        found.ignored += len(decoded.totals)
    else:
        found.readings += [_total(uplink, device, count) for count in decoded.totals]
        found.reading_positions += _places(position, decoded.totals)
    found.values += [_period(uplink, device, count) for count in decoded.periods]
    found.positions += _places(position, decoded.periods)


def _places(position: str, counts: Sequence[Count]) -> list[str]:
    return [f"{position}.{place}" for place in range(1, len(counts) + 1)]


def _period(uplink: Uplink, device: Device, count: Count) -> dict[str, Any]:
    return {
        "device_id": device.device_id,
        "line_id": count.line,
        "document": _document(uplink, device, count),
        "interval_end_at": _moment(uplink, count),
        "length_s": str(device.interval_s),
        "in_count": _text(count.entered),
        "out_count": _text(count.left),
        "child_in_count": _text(count.children),
    }


def _total(uplink: Uplink, device: Device, count: Count) -> dict[str, Any]:
    return {
        "device_id": device.device_id,
        "line_id": count.line,
        "document": _document(uplink, device, count),
        "occurred_at": _moment(uplink, count),
        "in_total": _text(count.entered),
        "out_total": _text(count.left),
    }


def _document(uplink: Uplink, device: Device, count: Count) -> str:
    """The uplink, or the moment that the device states: its memory sends each line by itself."""
    if count.at is None:
        return _name(uplink)
    return f"{device.device_id.lower()}|{count.line}|{count.at}"


def _moment(uplink: Uplink, count: Count) -> Any:
    return uplink.at if count.at is None else unix_time(str(count.at))


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
