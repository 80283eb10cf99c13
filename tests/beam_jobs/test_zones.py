"""Zones: the warehouse's grouping against a plain reading, and what hours say of the store."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from beam_jobs.aggregate.compose import COUNTS_SCHEMA, SALES_SCHEMA, compose_hours
from beam_jobs.aggregate.hours import StoreDay
from beam_jobs.aggregate.transforms import PACKAGE
from beam_jobs.aggregate.zones import ZONES_SCHEMA, compose_zones
from tenpo.contracts import CONFORMED
from tenpo.masters import Store
from tenpo.warehouse import Job, Warehouse, append, load_sql, query
from tests.beam_jobs.test_grouping_sql import line
from tests.beam_jobs.test_passing import NO_VISITS, told

DAY = date(2026, 11, 5)
NINE = datetime(2026, 11, 5, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def event(
    track: str, at: int, kind: str, zone: str, person: str | None, staff: bool
) -> dict[str, Any]:
    moment = NINE + at * SECOND
    return line("video", 0, store_id="quito", camera_id="c1", track_id=track, zone_id=zone) | {
        "event_id": f"{track}{at}{kind}{zone}", "occurred_at": moment, "kind": kind,
        "hour_start_at": moment.replace(minute=0, second=0), "local_hour": moment.hour,
        "person_id": person, "is_staff": staff or None,
    }  # fmt: skip


def drawn(dice: random.Random) -> list[dict[str, Any]]:
    """Tracks that go in and out of zones, some without an exit, some of one person."""
    events = []
    for number in range(60):
        person = dice.choice([None, "ann", "bob", "eve"])
        track, at = f"t{number}", dice.randrange(3 * 3600)
        for _ in range(dice.randrange(4)):
            zone, inside = dice.choice("ab"), dice.choice([10, 29, 30, 31, 300])
            events.append(event(track, at, "zone_enter", zone, person, staff=False))
            if dice.random() < 0.8:
                events.append(event(track, at + inside, "zone_exit", zone, person, staff=False))
            at += inside + dice.randrange(1, 40)
    return [*events, event("t99", 5, "exit", "door", "eve", staff=True)]


def plain(events: list[dict[str, Any]]) -> Counter[tuple[str, datetime, str]]:
    """Visitors and stays by zone and hour, one after the other."""
    came: dict[tuple[str, str], tuple[datetime, float]] = {}
    staff = {row["person_id"] for row in events if row["is_staff"]}
    for row in events:
        who = row["person_id"] or row["track_id"]
        if row["kind"] not in ("zone_enter", "zone_exit") or who in staff:
            continue
        first, stay = came.get((row["zone_id"], who), (row["hour_start_at"], 0.0))
        later = sorted(
            (x["occurred_at"], x["kind"]) for x in events
            if (x["track_id"], x["zone_id"]) == (row["track_id"], row["zone_id"])
            and (x["occurred_at"], x["kind"]) > (row["occurred_at"], row["kind"])
        )  # fmt: skip
        if row["kind"] == "zone_enter" and later and later[0][1] == "zone_exit":
            stay += (later[0][0] - row["occurred_at"]).total_seconds()
        came[row["zone_id"], who] = (min(first, row["hour_start_at"]), stay)
    found: Counter[tuple[str, datetime, str]] = Counter()
    for (zone, _), (hour, stay) in came.items():
        found[zone, hour, "zone_visitors"] += 1
        found[zone, hour, "zone_engaged"] += stay > 30
    return found


def test_zones_are_grouped_as_a_plain_reading_does(warehouse: Warehouse) -> None:
    contract, events = CONFORMED["visit_event"], drawn(random.Random(4))
    append(warehouse, contract, contract.table(events))
    params = {"tenant": "t", "date_from": DAY, "date_to": DAY, "stores": ["quito"]}
    sql = load_sql(warehouse, PACKAGE, "zones_by_hour")
    rows = query(warehouse, sql, params, job=Job("test", "zones", "t"))
    got: Counter[tuple[str, datetime, str]] = Counter()
    for row in rows.select(ZONES_SCHEMA.names).cast(ZONES_SCHEMA).to_pylist():
        for name in ("zone_visitors", "zone_engaged"):
            got[row["zone_id"], row["hour_start_at"], name] = row[name]
    want = plain(events)
    assert want.total() > 20
    assert got == want


def test_a_zone_has_every_open_hour_and_the_footfall_of_covered_ones() -> None:
    hours = (("09:00", "11:00"),)
    store = Store(store_id="s1", name="s1", timezone="UTC", currency="EUR", opening_hours=hours)
    counts = pa.Table.from_pylist([told("door", NINE, 60, in_count=8)], schema=COUNTS_SCHEMA)
    composed = compose_hours({"s1": store}, {"s1": ["door"]}, [StoreDay("s1", DAY)],
                             SALES_SCHEMA.empty_table(), counts, NO_VISITS)  # fmt: skip
    hour = timedelta(hours=1)
    zones = [
        {"store_id": "s1", "business_date": DAY, "hour_start_at": NINE + at * hour,
         "local_hour": 9 + at, "zone_id": "a", "zone_visitors": came, "zone_engaged": 1}
        for at, came in ((0, 4), (3, 2))
    ]  # fmt: skip
    found = compose_zones(composed, pa.Table.from_pylist(zones, schema=ZONES_SCHEMA)).to_pylist()
    names = ("local_hour", "zone_visitors", "zone_engaged", "exposed_visitors", "exposed_footfall")
    assert [tuple(row[name] for name in names) for row in found] == [
        (9, 4, 1, 4, 8), (10, 0, 0, None, None), (12, 2, 1, None, None),
    ]  # fmt: skip
    assert compose_zones(composed, ZONES_SCHEMA.empty_table()).num_rows == 0
