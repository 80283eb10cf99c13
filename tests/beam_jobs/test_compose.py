"""The composed measures against a slow reference, on random small worlds."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beam_jobs.aggregate.compose import COUNTS_SCHEMA, SALES_SCHEMA, compose_days, compose_hours
from beam_jobs.aggregate.hours import StoreDay, hour_grid
from beam_jobs.aggregate.visits import VISITORS_SCHEMA, VISITS_SCHEMA, visit_hours
from tenpo.errors import IntegrityError
from tenpo.masters import Store
from tests.beam_jobs.reference import Interval, Line, Shop, measures

# The European clock change of 2026 is on 29 March and 25 October.
DAYS = (date(2026, 3, 29), date(2026, 10, 25), date(2026, 7, 1))


def store_of(shop: Shop) -> Store:
    return Store(
        store_id=shop.store,
        name=shop.store,
        timezone=shop.timezone,
        currency="EUR",
        day_cutover=f"{shop.cutover_h:02d}:00",
        opening_hours=(tuple(f"{h:02d}:00" for h in shop.opening),),
    )


def grouped_sales(shop: Shop, lines: list[Line]) -> pa.Table:
    receipts: dict[tuple[str, date], list[Line]] = defaultdict(list)
    for line in lines:
        receipts[line.receipt, shop.business_date(line.at)].append(line)
    hours: dict[tuple[date, datetime], dict[str, Any]] = {}
    for (_, day), group in receipts.items():
        hour = min(shop.hour(x.at) for x in group)
        row = hours.setdefault(
            (day, hour),
            {
                "store_id": shop.store,
                "business_date": day,
                "hour_start_at": hour,
                "local_hour": store_of(shop).clock.local_hour(hour),
                **dict.fromkeys(("transactions", "return_receipts", "sale_lines"), 0),
                **dict.fromkeys(
                    (
                        "net_sales_amount",
                        "gross_sales_amount",
                        "sold_net_amount",
                        "returned_net_amount",
                        "merchandise_net_amount",
                        "units",
                    ),
                    Decimal(0),
                ),
            },
        )
        turnover = [x for x in group if x.kind in ("sale", "return", "discount")]
        goods = [x for x in group if x.kind in ("sale", "return")]
        net = sum((x.net for x in turnover), Decimal(0))
        row["transactions"] += any(x.kind == "sale" for x in group) and net > 0
        row["return_receipts"] += any(x.kind == "return" for x in group)
        row["sale_lines"] += len(group)
        row["net_sales_amount"] += net
        row["gross_sales_amount"] = None
        row["returned_net_amount"] -= sum((x.net for x in goods if x.kind == "return"), Decimal(0))
        row["sold_net_amount"] += sum((x.net for x in goods if x.kind == "sale"), Decimal(0))
        row["merchandise_net_amount"] += sum((x.net for x in goods), Decimal(0))
        row["units"] += sum((x.quantity for x in goods), Decimal(0))
    return pa.Table.from_pylist(list(hours.values()), schema=SALES_SCHEMA)


def counted(shop: Shop, intervals: list[Interval]) -> pa.Table:
    rows = [
        {
            "store_id": x.store,
            "business_date": shop.business_date(x.start),
            "device_id": x.device,
            "hour_start_at": shop.hour(x.start),
            "local_hour": store_of(shop).clock.local_hour(x.start),
            "start_at": x.start,
            "end_at": x.end,
            "in_count": x.entered,
            "out_count": x.left,
            "staff_in_count": x.staff,
        }
        for x in intervals
    ]
    return pa.Table.from_pylist(rows, schema=COUNTS_SCHEMA)


NO_VISITS = visit_hours(VISITS_SCHEMA.empty_table(), VISITORS_SCHEMA.empty_table(), {})

World = tuple[Shop, date, list[Line], list[Interval]]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    cutover_h, opening = draw(st.sampled_from([(0, (10, 21)), (5, (5, 26)), (0, (9, 12))]))
    shop = Shop(
        store="s1",
        timezone=draw(st.sampled_from(["Europe/Berlin", "Asia/Tokyo", "Asia/Kolkata", "UTC"])),
        cutover_h=cutover_h,
        opening=opening,
        devices=draw(st.sampled_from([(), ("d1",), ("d1", "d2")])),
    )
    day = draw(st.sampled_from(DAYS))
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    minutes = st.integers(-1000, 1000).map(lambda m: noon + timedelta(minutes=m))
    lines = []
    for number in range(draw(st.integers(0, 6))):
        at = draw(minutes)
        for _ in range(draw(st.integers(1, 3))):
            kind = draw(st.sampled_from(["sale", "sale", "return", "discount", "void", "fee"]))
            sign = -1 if kind in ("return", "discount") else 1
            amount = Decimal(draw(st.integers(0, 99999))) / 100
            quantity = Decimal(sign * (kind in ("sale", "return")))
            lines.append(Line("s1", f"r{number}", at, kind, quantity, sign * amount, None))
    intervals = []
    for device in shop.devices:
        for offset in draw(st.lists(st.integers(-900, 900), max_size=12, unique=True)):
            start = noon + timedelta(minutes=offset)
            length = timedelta(minutes=draw(st.sampled_from([1, 15, 60, 150])))
            staff = draw(st.integers(0, 3))
            intervals.append(
                Interval(
                    "s1", device, start, start + length,
                    staff + draw(st.integers(0, 40)), draw(st.integers(0, 40)), staff,
                )
            )  # fmt: skip
    return shop, day, lines, intervals


def hours_of(world: World) -> pa.Table:
    shop, day, lines, intervals = world
    return compose_hours(
        {"s1": store_of(shop)},
        {"s1": shop.devices} if shop.devices else {},
        [StoreDay("s1", day)],
        grouped_sales(shop, lines),
        counted(shop, intervals),
        NO_VISITS,
    )


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_hours_equal_the_slow_reference(
    world: World,
) -> None:
    shop, day, lines, intervals = world
    hours = hours_of(world)
    got = {row["hour_start_at"]: row for row in hours.to_pylist()}
    want = measures(shop, day, lines, intervals)
    assert sorted(got) == sorted(want)
    names = {"net": "net_sales_amount", "returned": "returned_net_amount"}
    for start, hour in want.items():
        for name in (
            "open_s", "covered_s", "transactions", "return_receipts", "sale_lines", "net",
            "units", "returned", "in_count", "footfall", "covered_footfall", "covered_transactions",
        ):  # fmt: skip
            assert got[start][names.get(name, name)] == hour.get(name), (start, name)
        assert not got[start]["gross_sales_amount"], "a register that states no tax has no gross"


@settings(max_examples=50, deadline=None)
@given(worlds())
def test_a_day_is_the_sum_of_its_hours(
    world: World,
) -> None:
    hours = hours_of(world)
    (total,) = compose_days(hours).to_pylist()
    for name in ("net_sales_amount", "footfall", "covered_s", "covered_transactions", "open_s"):
        known = [x for x in hours[name].to_pylist() if x is not None]
        assert total[name] == (sum(known) if known else None), name


def test_an_amount_that_one_hour_does_not_know_is_unknown_for_the_day() -> None:
    shop = Shop("s1", "Asia/Tokyo", 0, (10, 21), ())
    lines = [
        Line(
            "s1", f"r{h}", datetime(2026, 7, 1, h, tzinfo=UTC), "sale", Decimal(1), Decimal(9), None
        )
        for h in (2, 3)
    ]
    rows = grouped_sales(shop, lines).to_pylist()
    rows[0]["gross_sales_amount"] = Decimal(10)
    sales = pa.Table.from_pylist(rows, schema=SALES_SCHEMA)
    day = StoreDay("s1", DAYS[2])
    hours = compose_hours(
        {"s1": store_of(shop)},
        {},
        [day],
        sales,
        COUNTS_SCHEMA.empty_table(),
        NO_VISITS,
    )
    (total,) = compose_days(hours).to_pylist()
    assert total["gross_sales_amount"] is None
    assert total["net_sales_amount"] == 18


def test_a_day_without_any_data_knows_its_opening_time_and_nothing_else() -> None:
    shop = Shop("s1", "Asia/Tokyo", 0, (10, 21), ("d1",))
    empty_sales, empty_counts = SALES_SCHEMA.empty_table(), COUNTS_SCHEMA.empty_table()
    day = StoreDay("s1", DAYS[0])
    hours = compose_hours(
        {"s1": store_of(shop)}, {"s1": ["d1"]}, [day], empty_sales, empty_counts, NO_VISITS
    )
    (total,) = compose_days(hours).to_pylist()
    assert hours.num_rows == 11
    assert total["open_s"] == 11 * 3600
    assert total["covered_s"] == 0
    assert total["transactions"] is None
    assert total["net_sales_amount"] is None
    assert total["footfall"] is None


@pytest.mark.parametrize(("day", "count"), [(DAYS[0], 23), (DAYS[1], 25), (DAYS[2], 24)])
def test_the_grid_has_the_hours_of_the_day(day: date, count: int) -> None:
    shop = Shop("s1", "Europe/Berlin", 0, (0, 24), ())
    grid = hour_grid({"s1": store_of(shop)}, [StoreDay("s1", day)])
    assert grid.num_rows == count
    assert sum(grid["open_s"].to_pylist()) == count * 3600


def test_an_hour_that_comes_twice_is_refused() -> None:
    shop = Shop("s1", "Asia/Tokyo", 0, (10, 21), ())
    line = Line(
        "s1", "r1", datetime(2026, 7, 1, 3, tzinfo=UTC), "sale", Decimal(1), Decimal(9), None
    )
    sales = grouped_sales(shop, [line])
    with pytest.raises(IntegrityError, match="twice"):
        compose_hours(
            {"s1": store_of(shop)}, {}, [StoreDay("s1", DAYS[2])],
            pa.concat_tables([sales, sales]), COUNTS_SCHEMA.empty_table(), NO_VISITS,
        )  # fmt: skip
