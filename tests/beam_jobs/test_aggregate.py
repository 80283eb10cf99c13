"""A whole run: from dwh to mart and datamart, its revisions, and what they explain."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine

from beam_jobs.aggregate.job import Outcome, Request, aggregate
from beam_jobs.aggregate.transforms import PACKAGE
from tenpo.contracts import CONFORMED
from tenpo.datamart import dirty, transaction
from tenpo.datamart.explain import ExplainQuery, Explanation, read_explanation
from tenpo.datamart.explain_words import in_words
from tenpo.datamart.kpi_answer import KpiRow
from tenpo.datamart.kpi_query import KpiQuery
from tenpo.datamart.kpi_read import read_kpis
from tenpo.datamart.run import past
from tenpo.datamart.zone_read import read_zones
from tenpo.errors import LeaseLost
from tenpo.kpi.causes import ENDED, FOLLOWED, USUAL, arrived
from tenpo.lake import Lake
from tenpo.masters import Device, MasterBook, Store, Tenant
from tenpo.settings import Settings
from tenpo.store_day import StoreDay
from tenpo.warehouse import Job, Warehouse, append, load_sql, query

TENANT = "acme"
MONDAY, TUESDAY = date(2026, 11, 2), date(2026, 11, 3)
NINE = {day: datetime(day.year, day.month, day.day, 9, tzinfo=UTC) for day in (MONDAY, TUESDAY)}
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def stack(
    warehouse: Warehouse, datamart_dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    home: Path = tmp_path_factory.mktemp("aggregate")
    settings = warehouse.settings.model_copy(
        update={"home": home, "datamart_dsn": datamart_dsn, "lake_url": f"file://{home}/lake"}
    )
    book = MasterBook(Lake(settings.lake_url))
    book.put(TENANT, "tenant", [Tenant(tenant_id=TENANT, name="Acme")])
    hours = (("09:00", "12:00"),)
    store = Store(store_id="s1", name="s1", timezone="UTC", currency="EUR", opening_hours=hours)
    book.put(TENANT, "store", [store])
    cameras = Device(device_id="c1", store_id="s1", source="video", role="camera")
    book.put(TENANT, "device", [cameras])
    return settings


def line(event: str, day: date, at: datetime, key: str, **more: Any) -> dict[str, Any]:
    hour = at.replace(minute=0)
    return {
        "business_date": day, "hour_start_at": hour, "local_hour": hour.hour, "tenant_id": TENANT,
        "store_id": "s1", "event_id": key, "source": "till", "adapter_version": "1",
        "source_object": f"raw/{key}", "source_position": "1/1", "document_key": key,
        "document_version": 1, "occurred_at": at, "received_at": at, "ingested_at": at,
        "load_id": "l", **more,
    }  # fmt: skip


def sell(warehouse: Warehouse, day: date, key: str, net: int) -> None:
    row = line("sale_line", day, NINE[day], key, receipt_id=key, line_number=1, kind="sale",
               quantity=Decimal(1), net_amount=Decimal(net), currency="EUR")  # fmt: skip
    contract = CONFORMED["sale_line"]
    append(warehouse, contract, contract.table([row]))


def visit(warehouse: Warehouse, day: date, person: str, hours: float) -> None:
    enter = NINE[day] + timedelta(minutes=5)
    rows = [
        line("visit_event", day, at, f"{person}{day}{kind}", source="video", camera_id="c1",
             track_id=f"{at}", kind=kind, person_id=person)
        for at, kind in ((enter, "enter"), (enter + hours * HOUR, "exit"))
    ]  # fmt: skip
    rows += [row | {"kind": f"zone_{row['kind']}", "event_id": f"z{row['event_id']}",
                    "zone_id": "shelf"} for row in rows]  # fmt: skip
    contract = CONFORMED["visit_event"]
    append(warehouse, contract, contract.table(rows))


def run(stack: Settings, datamart: Engine, event: str, *days: date) -> Outcome:
    with transaction(datamart) as connection:
        marks = [StoreDay(TENANT, "s1", day) for day in days]
        dirty.mark(connection, marks, arrived(event))
    return aggregate(stack, Request(TENANT))


def figures(datamart: Engine, day: date, as_of: datetime | None = None) -> KpiRow:
    with datamart.connect() as connection:
        query = KpiQuery(TENANT, day, day, "total", as_of=as_of)
        (row,) = read_kpis(connection, query)
    return row


def zone_visitors(datamart: Engine, as_of: datetime | None = None) -> dict[date, int]:
    with datamart.connect() as connection:
        rows = read_zones(connection, KpiQuery(TENANT, MONDAY, TUESDAY, "day", as_of=as_of))
    assert {(row.store_id, row.zone_id) for row in rows} == {("s1", "shelf")}
    return {row.business_date: row.sums["zone_visitors"] or 0 for row in rows if row.business_date}


def explained(datamart: Engine, kpi: str, day: date) -> Explanation:
    with datamart.connect() as connection:
        return read_explanation(connection, ExplainQuery(TENANT, kpi, day, day, ("s1",)))


def of_run(warehouse: Warehouse, table: str, run_id: str) -> list[dict[str, Any]]:
    told = {"run_id": run_id, "tenant": TENANT, "date_from": MONDAY, "date_to": TUESDAY}
    sql = load_sql(warehouse, PACKAGE, "rows_of_run", table=table)
    job = Job("test", f"{table}-{run_id}", TENANT)
    rows: list[dict[str, Any]] = query(warehouse, sql, told, job=job).to_pylist()
    return rows


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = ("store_id", "business_date", "hour_start_at", "zone_id")
    return sorted(rows, key=lambda row: [str(row.get(name)) for name in names])


def assert_lake_keeps(stack: Settings, warehouse: Warehouse, outcome: Outcome) -> None:
    """The Parquet files of a run hold exactly the rows that mart has of it."""
    lake = Lake(stack.lake_url)
    for table, count in outcome.rows.items():
        names = lake.names(f"artifact/{TENANT}/{table}/{outcome.run_id}")
        files = [pq.ParquetFile(lake.path(name)).read() for name in names]
        kept = in_order([row for file in files for row in file.to_pylist()])
        assert len(kept) == count
        assert kept == in_order(of_run(warehouse, table, outcome.run_id))


def test_late_events_revise_what_they_touch_and_nothing_is_forgotten(
    stack: Settings, warehouse: Warehouse, datamart: Engine
) -> None:
    sell(warehouse, MONDAY, "r1", 100)
    visit(warehouse, TUESDAY, "ann", 0.5)
    first = run(stack, datamart, "visit_event", MONDAY, TUESDAY)
    assert all(first.rows.values())
    assert_lake_keeps(stack, warehouse, first)
    monday, tuesday = figures(datamart, MONDAY), figures(datamart, TUESDAY)
    assert monday.values["net_sales_amount"] == 100
    assert monday.values["visits"] is None
    assert (tuesday.values["visits"], tuesday.values["dwell_s"]) == (1, 1800)
    assert tuesday.values["repeat_visitor_ratio"] == 0
    assert zone_visitors(datamart) == {TUESDAY: 1}
    between = datetime.now(UTC)

    assert run(stack, datamart, "sale_line", TUESDAY).rows == {
        "kpi_store_hour": 0, "kpi_store_day": 0, "kpi_zone_hour": 0,
    }  # fmt: skip

    sell(warehouse, MONDAY, "r2", 50)
    visit(warehouse, MONDAY, "ann", 1)
    outcome = run(stack, datamart, "sale_line", MONDAY)
    assert outcome.store_days == 2, "the day on which ann came back is computed, too"
    assert figures(datamart, MONDAY).values["net_sales_amount"] == 150
    assert figures(datamart, MONDAY, between).values["net_sales_amount"] == 100
    assert figures(datamart, TUESDAY).values["repeat_visitor_ratio"] == 1
    assert figures(datamart, TUESDAY, between).values["repeat_visitor_ratio"] == 0
    assert zone_visitors(datamart) == {MONDAY: 1, TUESDAY: 1}
    assert zone_visitors(datamart, between) == {TUESDAY: 1}

    found = explained(datamart, "net_sales_amount", MONDAY)
    told = [(c.revision, c.old, c.new, c.cause) for c in found.changes]
    assert told == [
        (2, 100, 150, "new or corrected sale_line"),
        (1, None, 100, "first computed"),
    ]
    assert "it changed from 100.00 EUR to 150.00 EUR" in " ".join(in_words(found, "en"))
    MasterBook(Lake(stack.lake_url)).put(TENANT, "device", [])
    sell(warehouse, TUESDAY, "r3", 70)
    run(stack, datamart, "sale_line", TUESDAY)
    tuesday = figures(datamart, TUESDAY)
    assert tuesday.values["net_sales_amount"] == 70
    assert tuesday.values["visits"] == 1, "the camera is gone, what it saw is not"

    later = explained(datamart, "repeat_visitor_ratio", TUESDAY)
    assert [(c.revision, c.cause) for c in later.changes][-2] == (2, FOLLOWED)


def test_a_run_that_was_superseded_publishes_nothing(
    stack: Settings, warehouse: Warehouse, datamart: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    successors: list[Outcome] = []

    def superseded(place: str) -> None:
        """Before the first run publishes it is believed dead, and another sees more."""
        if place != "aggregate.after_mart" or successors:
            return
        successors.append(Outcome("", TENANT, 0, {}))  # so that the successor is left alone
        with transaction(datamart) as connection:
            connection.exec_driver_sql("UPDATE lease SET expires_at = clock_timestamp()")
        sell(warehouse, MONDAY, "r5", 20)
        successors[0] = aggregate(stack, Request(TENANT))

    monkeypatch.setattr("beam_jobs.aggregate.job.failpoint", superseded)
    before = figures(datamart, MONDAY).values["net_sales_amount"] or 0
    sell(warehouse, MONDAY, "r4", 10)
    with pytest.raises(LeaseLost):
        run(stack, datamart, "sale_line", MONDAY)
    (successor,) = successors
    assert figures(datamart, MONDAY).values["net_sales_amount"] == before + 30

    with transaction(datamart) as connection:
        newest, dead, *_ = past(connection, TENANT, "aggregate")
    assert (newest.run_id, newest.state) == (successor.run_id, "published")
    assert (dead.state, dead.published_at) == ("abandoned", None)
    assert of_run(warehouse, "kpi_store_day", dead.run_id), "it came as far as mart"
    sql = load_sql(warehouse, "tenpo.demo.sql", "mart")
    days = {"tenant": TENANT, "date_from": MONDAY, "date_to": MONDAY,
            "published_from": MONDAY, "published_to": date(2100, 1, 1)}  # fmt: skip
    job = Job("test", f"mart-{successor.run_id}", TENANT)
    (told,) = query(warehouse, sql, days, job=job).to_pylist()
    assert told["net_sales_amount"] == before + 30, "readers of mart see the successor's rows"


def count(warehouse: Warehouse, at: datetime, entered: int, line_id: str = "1") -> None:
    row = line("count_interval", at.date(), at, f"{at}{line_id}", store_id="s2", source="door",
               device_id="d2", line_id=line_id, interval_end_at=at + HOUR,
               in_count=entered)  # fmt: skip
    contract = CONFORMED["count_interval"]
    append(warehouse, contract, contract.table([row]))


def filled(datamart: Engine, day: date) -> tuple[Any, ...]:
    with datamart.connect() as connection:
        query = KpiQuery(TENANT, day, day, "total", stores=("s2",))
        (row,) = read_kpis(connection, query)
        assert row.values["visits"] == 1, "computed again for its counts, not without its visits"
        asked = ExplainQuery(TENANT, "footfall_filled", day, day, ("s2",))
        cause = read_explanation(connection, asked).changes[0].cause
    return row.values["footfall"], row.values["footfall_filled"], cause


def test_estimates_follow_what_is_usual_and_the_end_of_the_date(
    stack: Settings, warehouse: Warehouse, datamart: Engine
) -> None:
    book = MasterBook(Lake(stack.lake_url))
    hours = (("09:00", "12:00"),)
    kept = book.own(TENANT, "store")
    store = Store(store_id="s2", name="s2", timezone="UTC", currency="EUR", opening_hours=hours)
    book.put(TENANT, "store", [*kept, store])
    book.put(TENANT, "device", [Device(device_id="d2", store_id="s2", source="door")])
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    weeks_before = yesterday - timedelta(weeks=5)
    nine = datetime(yesterday.year, yesterday.month, yesterday.day, 9, tzinfo=UTC)
    for hour, entered in enumerate((10, 20, 30)):
        count(warehouse, nine - timedelta(weeks=5) + hour * HOUR, entered)
    count(warehouse, nine, 7)
    seen = line("visit_event", yesterday, nine, f"seen{yesterday}", store_id="s2", source="video",
                camera_id="c2", track_id="t", kind="enter", person_id="bob")  # fmt: skip
    append(warehouse, CONFORMED["visit_event"], CONFORMED["visit_event"].table([seen]))
    with transaction(datamart) as connection:
        days = [StoreDay(TENANT, "s2", day) for day in (weeks_before, yesterday)]
        dirty.mark(connection, days, arrived("count_interval"))
    aggregate(stack, Request(TENANT))
    assert filled(datamart, yesterday) == (7, 7 + 20 + 30, "first computed")

    count(warehouse, nine - timedelta(weeks=5) + 2 * HOUR, 5, line_id="2")
    with transaction(datamart) as connection:
        dirty.mark(connection, days[:1], arrived("count_interval"))
    assert aggregate(stack, Request(TENANT)).store_days == 2
    assert filled(datamart, yesterday) == (7, 7 + 20 + 35, USUAL)

    with transaction(datamart) as connection:  # as if it was last computed while it ran
        connection.exec_driver_sql(
            "UPDATE kpi_store_day SET uncovered_s = NULL, footfall_filled = NULL"
            " WHERE store_id = 's2' AND business_date = %s", (yesterday,)
        )  # fmt: skip
    assert aggregate(stack, Request(TENANT)).store_days == 1
    assert filled(datamart, yesterday) == (7, 7 + 20 + 35, ENDED)
    assert aggregate(stack, Request(TENANT)).store_days == 0
