"""What clocks may do: stores in other zones, days of 23 and 25 hours, devices that are off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateways.conformance.card import Finding
from gateways.conformance.corpus import Subject
from gateways.conformance.versions import rows
from gateways.normalize.assembly import FUTURE_TOLERANCE
from gateways.normalize.context import Context
from gateways.normalize.json_adapter import JsonAdapter
from tenpo.device_clock import LONGEST

#: Whole, half and quarter hours, both hemispheres, and an island that shifts by half an hour.
_ZONES = ("Asia/Tokyo", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")
#: By how much clocks are put forward.
_SKIPPED = (timedelta(0), timedelta(minutes=30), timedelta(hours=1))
_DAY = timedelta(days=1)


def zones(subject: Subject) -> Finding:
    """Under stores elsewhere a moment stays itself, or the same hour on the clock there."""
    faults, moments = [], 0
    for one, here in subject.results:
        home = {row["source_position"]: row for row in rows(here)}
        for zone in _ZONES:
            there = subject.adapter.normalize(one.body, _moved(subject, zone))
            if there.received != here.received:
                faults.append(f"{one.name}: other records under {zone}")
            for row in rows(there):
                moments += 1
                if row["source_position"] in home and not _agree(
                    home[row["source_position"]], row, subject, zone
                ):
                    faults.append(f"{one.name}: record {row['source_position']} under {zone}")
    return Finding.of("time zones", faults, f"{moments} moments in {len(_ZONES)} zones", moments)


def _moved(subject: Subject, zone: str) -> Context:
    stores = [one.model_copy(update={"timezone": zone}) for one in subject.masters.store]
    masters = subject.masters.model_copy(update={"store": stores})
    # Three days on, so that no zone makes a record lie in the future.
    return subject.context(3 * 86_400_000_000, masters)


def _agree(home: dict[str, Any], row: dict[str, Any], subject: Subject, zone: str) -> bool:
    before, after = home["occurred_at"], row["occurred_at"]
    if before == after:
        return True
    # Both ways: a time that the clock skips or repeats is one or the other.
    passes = (
        wall.replace(tzinfo=ZoneInfo(zone), fold=fold)
        for wall in _walls(before, subject.zone(home))
        for fold in (0, 1)
    )
    return any(one.timestamp() == after.timestamp() for one in passes)


def _walls(moment: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """What a clock may have shown that was read as the moment; also a time that it skips."""
    shown = moment.astimezone(zone).replace(tzinfo=None)
    for skipped in _SKIPPED:
        wall = shown - skipped
        if wall.replace(tzinfo=zone).timestamp() == moment.timestamp() or not skipped:
            yield wall


def clock_changes(subject: Subject) -> Finding:
    """On days of 23 and 25 hours the moments are those that the corpus states."""
    faults, hours = [], dict.fromkeys((23.0, 25.0), 0)
    for one, result in subject.results:
        if one.expected.moments is None:
            continue
        found = sorted(row["occurred_at"] for row in rows(result))
        if found != sorted(one.expected.moments):
            faults.append(f"{one.name}: other moments than are stated")
        for row in rows(result):
            length = _hours(row["occurred_at"], subject.zone(row))
            if length in hours:
                hours[length] += 1
    seen = f"{hours[23]} moments on days of 23 hours, {hours[25]} on days of 25"
    return Finding.of("days of 23 and 25 hours", faults, seen, min(hours.values()))


def device_clocks(subject: Subject) -> Finding:
    """Times that are off stay as told, beside their arrival, or are rejected with the reason.

    The warehouse judges what is off by less (docs/adr/0015-device-clocks.md): it needs both.
    """
    faults, checked = [], 0
    for one, result in subject.results:
        home = {row["source_position"]: row for row in rows(result)}
        moments = [row["occurred_at"] for row in home.values()]
        for name, arrival in _arrivals(moments) if moments else ():
            there = subject.adapter.normalize(one.body, subject.arriving(arrival))
            found = rows(there)
            checked += len(found) + len(there.rejected)
            if there.received != result.received:
                faults.append(f"{one.name}: other records {name}")
            faults += [
                f"{one.name}: record {row['source_position']} {name}"
                for row in found
                if not _as_told(row, home.get(row["source_position"]), arrival)
                or _is_impossible(row, arrival, isinstance(subject.adapter, JsonAdapter))
            ]
    return Finding.of("clocks that are off", faults, f"{checked} moments", checked)


def _arrivals(moments: Sequence[datetime]) -> Iterator[tuple[str, datetime]]:
    """When payloads would have arrived, had their clock been off."""
    yield "hours ahead", max(moments) - timedelta(hours=3)
    yield "days ahead", min(moments) - 2 * FUTURE_TOLERANCE
    yield "years behind", max(moments) + 2 * LONGEST


def _as_told(row: dict[str, Any], home: dict[str, Any] | None, arrival: datetime) -> bool:
    """Whether the time is the same as ever, or never was the device's own."""
    if home is None:
        return True
    told = row["occurred_at"] == home["occurred_at"]
    return bool(
        row["received_at"] == arrival and (told or home["occurred_at"] == home["received_at"])
    )


def _is_impossible(row: dict[str, Any], arrival: datetime, is_pushed: bool) -> bool:
    """Whether it tells a time that cannot be; a file, other than a device, may hold years."""
    told = row["occurred_at"]
    is_ancient = is_pushed and "in_total" in row and told < arrival - LONGEST
    return bool(is_ancient or told > arrival + FUTURE_TOLERANCE)


def _hours(moment: datetime, zone: ZoneInfo) -> float:
    """Length of the store's calendar day."""
    day = moment.astimezone(zone).date()
    start, end = (datetime.combine(d, time(), zone).astimezone(UTC) for d in (day, day + _DAY))
    return (end - start) / timedelta(hours=1)
