"""The grouping of sales and counts in the warehouse itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from beam_jobs.aggregate.compose import COUNTS_SCHEMA
from beam_jobs.aggregate.passing import PASSES_SCHEMA
from beam_jobs.aggregate.transforms import PACKAGE
from tenpo.contracts import CONFORMED
from tenpo.contracts.derived import READING_INTERVAL
from tenpo.kpi import KPIS
from tenpo.warehouse import Job, Warehouse, append, load_sql, query
from tenpo.warehouse.sources import store_day_sources

DAY = date(2026, 11, 5)
HOUR = datetime(2026, 11, 5, 9, tzinfo=UTC)


def line(source: str, net: int, **more: Any) -> dict[str, Any]:
    return {
        "business_date": DAY, "hour_start_at": HOUR, "local_hour": 10, "event_id": f"{source}{net}",
        "tenant_id": "t", "store_id": "berlin", "source": source, "adapter_version": "1",
        "source_object": "o", "source_position": "1/1", "document_key": "Berlin|7001",
        "document_version": 1, "occurred_at": HOUR, "received_at": HOUR, "receipt_id": "7001",
        "line_number": 1, "kind": "sale", "quantity": Decimal(1), "unit_price": Decimal(net),
        "net_amount": Decimal(net), "currency": "EUR", "ingested_at": HOUR, "load_id": "l", **more,
    }  # fmt: skip


def test_two_tills_may_number_their_receipts_alike(warehouse: Warehouse) -> None:
    contract = CONFORMED["sale_line"]
    append(warehouse, contract, contract.table([line("old_till", 10), line("new_till", 50)]))
    params = {"tenant": "t", "date_from": DAY, "date_to": DAY, "stores": ["berlin"]}
    sql = load_sql(warehouse, PACKAGE, "sales_by_hour")
    (hour,) = query(warehouse, sql, params, job=Job("test", "sales", "t")).to_pylist()
    assert hour["transactions"] == 2
    assert hour["net_sales_amount"] == 60
    assert hour["gross_sales_amount"] is None


def test_readings_count_where_the_device_states_no_interval(warehouse: Warehouse) -> None:
    """From 09:00 to 09:30 by readings, from 09:30 on by intervals of its own, beside a gap."""
    half = timedelta(minutes=30)
    stated, derived = CONFORMED["count_interval"], READING_INTERVAL
    common = line("door", 0, device_id="d1", line_id="1")
    interval = common | {
        "occurred_at": HOUR + half, "interval_end_at": HOUR + 2 * half, "in_count": 7,
        "out_count": 1, "pass_count": 30,
    }  # fmt: skip
    append(warehouse, stated, stated.table([interval]))
    between = [
        common | {"start_at": start, "end_at": end, "line_id": number, "in_count": entered,
                  "out_count": 2, "is_reset": False, "is_gap": is_gap}
        for number, start, end, entered, is_gap in (
            ("1", HOUR, HOUR + half, 3, False),
            ("2", HOUR, HOUR + half, 4, False),
            ("1", HOUR + half, HOUR + 2 * half, 99, False),
            ("1", HOUR + 2 * half, HOUR + 9 * half, 50, True),
        )
    ]  # fmt: skip
    append(warehouse, derived, derived.table(between))
    params = {"tenant": "t", "date_from": DAY, "date_to": DAY, "stores": ["berlin"]}
    sql = load_sql(warehouse, PACKAGE, "counts_by_interval")
    found = query(warehouse, sql, params, job=Job("test", "counts", "t"))
    found = found.select(COUNTS_SCHEMA.names).cast(COUNTS_SCHEMA)
    names = ("start_at", "in_count", "pass_count", "is_gap")
    rows = sorted(tuple(row[name] for name in names) for row in found.to_pylist())
    assert rows == [
        (HOUR, 7, None, False), (HOUR + half, 7, 30, False), (HOUR + 2 * half, 50, None, True),
    ]  # fmt: skip
    days = query(
        warehouse,
        load_sql(warehouse, PACKAGE, "store_days"),
        {name: params[name] for name in ("tenant", "date_from", "date_to")},
        job=Job("test", "days", "t"),
    )
    assert days.to_pylist() == [{"store_id": "berlin", "business_date": DAY}]


def test_passing_is_told_by_camera_and_minute_without_staff(warehouse: Warehouse) -> None:
    contract, second = CONFORMED["visit_event"], timedelta(seconds=1)
    common = line("video", 0, store_id="lima", track_id="t", camera_id="c1")
    seen = [
        common | {"event_id": f"{number}", "occurred_at": HOUR + at * second, "kind": kind,
                  "is_staff": staff}
        for number, (at, kind, staff) in enumerate([
            (5, "pass", None), (59, "pass", False), (60, "pass", None), (61, "pass", True),
            (62, "enter", None),
        ])
    ]  # fmt: skip
    append(warehouse, contract, contract.table(seen))
    params = {"tenant": "t", "date_from": DAY, "date_to": DAY, "stores": ["lima"]}
    sql = load_sql(warehouse, PACKAGE, "passes_by_minute")
    found = query(warehouse, sql, params, job=Job("test", "passes", "t"))
    found = found.select(PASSES_SCHEMA.names).cast(PASSES_SCHEMA)
    rows = sorted((row["start_at"], row["pass_count"]) for row in found.to_pylist())
    assert rows == [(HOUR, 2), (HOUR + 60 * second, 1)]
    whom = query(
        warehouse,
        load_sql(warehouse, PACKAGE, "stores_seen"),
        {name: params[name] for name in ("tenant", "date_from", "date_to")},
        job=Job("test", "seen", "t"),
    )
    assert whom.to_pylist() == [
        {"store_id": "lima", "knows_persons": False, "sees_passing": True, "sees_zones": False}
    ], "who passed is nobody known"


def test_a_crossing_counts_where_nothing_longer_tells_of_its_time(warehouse: Warehouse) -> None:
    """One camera pushes counts and crossings, one totals and crossings, one crossings."""
    stated, derived = CONFORMED["count_interval"], READING_INTERVAL
    common = line("door", 0, store_id="oslo", line_id="1", out_count=0)
    minute, second = timedelta(minutes=1), timedelta(seconds=1)
    told = [
        common | {"device_id": device, "occurred_at": HOUR + start, "in_count": entered,
                  "interval_end_at": HOUR + start + length}
        for device, start, length, entered in (
            ("d1", 0 * minute, 15 * minute, 3), ("d1", 0 * minute, second, 1),
            ("d1", 14 * minute + 59 * second, second, 1), ("d1", 15 * minute, second, 1),
            ("d2", 5 * minute, second, 1), ("d3", 5 * minute, second, 1),
            ("d3", 7 * minute, second, 1),
        )
    ]  # fmt: skip
    append(warehouse, stated, stated.table(told))
    total = common | {"device_id": "d2", "start_at": HOUR, "end_at": HOUR + 30 * minute,
                      "in_count": 9, "is_reset": False, "is_gap": False}  # fmt: skip
    append(warehouse, derived, derived.table([total]))
    params = {"tenant": "t", "date_from": DAY, "date_to": DAY, "stores": ["oslo"]}
    sql = load_sql(warehouse, PACKAGE, "counts_by_interval")
    found = query(warehouse, sql, params, job=Job("test", "crossings", "t")).to_pylist()
    rows = sorted((r["device_id"], (r["start_at"] - HOUR) // minute, r["in_count"]) for r in found)
    assert rows == [("d1", 0, 3), ("d1", 15, 1), ("d2", 0, 9), ("d3", 5, 1), ("d3", 7, 1)]


def test_what_one_channel_tells_leaves_out_nothing_of_another(warehouse: Warehouse) -> None:
    """A recorder counts on channel 1, its regions among it; channel 2 has crossings, 3 totals."""
    stated, derived = CONFORMED["count_interval"], READING_INTERVAL
    common = line("door", 0, store_id="wien", out_count=0)
    minute, second = timedelta(minutes=1), timedelta(seconds=1)
    told = [
        common | {"source": source, "device_id": source, "line_id": number, "in_count": entered,
                  "occurred_at": HOUR + start * minute, "interval_end_at": HOUR + end}
        for source, number, start, end, entered in (
            ("rec", "1", 0, 15 * minute, 3), ("rec", "1.2", 4, 4 * minute + second, 1),
            *(("rec", "2.1", n, n * minute + second, 1) for n in (2, 4, 6, 8)),
            # Its logics have other numbers than the lines that they count on, and are one channel.
            ("xovis", "1.100", 0, 15 * minute, 5), ("xovis", "1.7", 4, 4 * minute + second, 1),
        )
    ]  # fmt: skip
    append(warehouse, stated, stated.table(told))
    totals = [
        common | {"source": "rec", "device_id": "rec", "line_id": number, "start_at": HOUR,
                  "end_at": HOUR + 15 * minute, "in_count": entered, "is_reset": False,
                  "is_gap": False}
        for number, entered in (("1", 3), ("3", 20))
    ]  # fmt: skip
    append(warehouse, derived, derived.table(totals))
    params = {"tenant": "t", "date_from": DAY, "date_to": DAY, "stores": ["wien"]}
    sql = load_sql(warehouse, PACKAGE, "counts_by_interval")
    found = query(warehouse, sql, params, job=Job("test", "channels", "t")).to_pylist()
    rows = sorted((r["device_id"], (r["start_at"] - HOUR) // minute, r["in_count"]) for r in found)
    assert rows == [
        ("rec", 0, 23), ("rec", 2, 1), ("rec", 4, 1), ("rec", 6, 1), ("rec", 8, 1), ("xovis", 0, 5),
    ]  # fmt: skip
    hourly = query(
        warehouse,
        load_sql(warehouse, PACKAGE, "counts_by_hour"),
        {"tenant": "t", "dates": [DAY], "stores": ["wien"]},
        job=Job("test", "channel-hours", "t"),
    ).to_pylist()
    hours = sorted((r["device_id"], r["visitors"], r["told_s"]) for r in hourly)
    assert hours == [("rec", 23, 900), ("xovis", 5, 900)]


def test_an_hour_is_told_once_however_many_lines_tell_it(warehouse: Warehouse) -> None:
    """Two lines of one interval, an interval too long for an hour, readings beside and instead."""
    stated, derived = CONFORMED["count_interval"], READING_INTERVAL
    common = line("door", 0, store_id="rome", line_id="1", out_count=1)
    quarter = timedelta(minutes=15)
    told = [
        common | {"device_id": "d1", "line_id": number, "occurred_at": HOUR + start,
                  "interval_end_at": HOUR + end, "in_count": entered, "staff_in_count": staff}
        for number, start, end, entered, staff in (
            ("1", 0 * quarter, quarter, 3, 1), ("2", 0 * quarter, quarter, 4, None),
            ("1", quarter, 2 * quarter, 5, 0), ("1", 2 * quarter, 9 * quarter, 99, 0),
        )
    ]  # fmt: skip
    append(warehouse, stated, stated.table(told))
    between = [
        common | {"device_id": device, "start_at": HOUR, "end_at": HOUR + quarter,
                  "in_count": entered, "is_reset": False, "is_gap": is_gap}
        for device, entered, is_gap in (("d1", 50, False), ("d2", 6, False), ("d3", 70, True))
    ]  # fmt: skip
    append(warehouse, derived, derived.table(between))
    found = query(
        warehouse,
        load_sql(warehouse, PACKAGE, "counts_by_hour"),
        {"tenant": "t", "dates": [DAY], "stores": ["rome"]},
        job=Job("test", "hours", "t"),
    )
    rows = sorted((r["device_id"], r["visitors"], r["told_s"]) for r in found.to_pylist())
    assert rows == [("d1", 11, 1800), ("d2", 6, 900)]


def test_the_payloads_behind_a_day_are_named_newest_first(warehouse: Warehouse) -> None:
    contract = CONFORMED["sale_line"]
    late = {"store_id": "paris", "document_key": "P|1", "source_object": "late",
            "received_at": HOUR + timedelta(days=2)}  # fmt: skip
    lines = [line("till", 1, store_id="paris"), line("till", 2, store_id="paris"),
             line("till", 3, **late), line("till", 4, tenant_id="u", store_id="paris")]  # fmt: skip
    append(warehouse, contract, contract.table(lines))
    found = store_day_sources(warehouse, "t", "paris", DAY, KPIS["net_sales_amount"], None)
    told = [(o.source_object, o.line_count, o.document_count) for o in found.objects]
    assert (found.object_count, told) == (2, [("late", 1, 1), ("o", 2, 1)])
    assert store_day_sources(warehouse, "t", "paris", DAY, KPIS["upt"], 9).object_count == 0
    assert store_day_sources(warehouse, "t", "paris", DAY, KPIS["footfall"], None).objects == ()
