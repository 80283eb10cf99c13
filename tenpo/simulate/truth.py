"""The simulation's own books: every measure it can know, by store, business date and local hour.

Booked from the drawn tables with integer arithmetic of its own. It uses no
adapter, no store clock and no warehouse, so that it can convict them. Imputed
values are none of its business: what a silent counter did not tell is not in here.
An hour counts as covered when all counters told at least half of its opening time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tenpo.simulate.chain import Shop
from tenpo.simulate.tables import Fate, Kind, Sales
from tenpo.simulate.visitors import QUARTER_S, Footfall

Ints = NDArray[np.int64]

#: The measures that the simulation knows: all but the imputed time.
KNOWN = (
    "in_count", "out_count", "footfall", "transactions", "return_receipts", "sale_lines",
    "net_sales_amount", "gross_sales_amount", "sold_net_amount", "returned_net_amount",
    "merchandise_net_amount", "units", "covered_footfall", "covered_transactions",
    "covered_net_sales_amount", "open_s", "expected_s", "covered_s",
)  # fmt: skip

_HOUR_S = 3600
_KEY = [("store_id", pa.string()), ("business_date", pa.date32()), ("local_hour", pa.int64())]


@dataclass(frozen=True)
class Truth:
    """Exact totals.

    Args:
        hours: one row a store, business date and local hour; the measures of `KNOWN`.
        events: how many distinct lines and intervals exist, now and ever.
    """

    hours: pa.Table
    events: dict[str, int]

    @cached_property
    def totals(self) -> dict[str, int]:
        """Each measure over everything."""
        return {name: int(_column(self.hours, name).sum()) for name in KNOWN}

    @cached_property
    def days(self) -> pa.Table:
        """The measures by store and business date."""
        keys = ["store_id", "business_date"]
        grouped = self.hours.group_by(keys, use_threads=False).aggregate(
            [(name, "sum") for name in KNOWN]
        )
        return grouped.select([*keys, *(f"{name}_sum" for name in KNOWN)]).rename_columns(
            [*keys, *KNOWN]
        )


def book(shops: Iterable[tuple[Shop, Footfall, Sales]], days: Sequence[date]) -> Truth:
    """Book all shops."""
    tables, events = [], []
    for shop, footfall, sales in shops:
        tables.append(_shop_hours(shop, footfall, sales, days))
        events.append(_shop_events(footfall, sales))
    sums = {name: sum(one[name] for one in events) for name in events[0]}
    return Truth(pa.concat_tables(tables), sums)


def _shop_events(footfall: Footfall, sales: Sales) -> dict[str, int]:
    dropped = int(sales.lines["dropped"].sum())
    return {
        "sale_lines_ever": len(sales.lines),
        "sale_lines_current": len(sales.lines) - dropped,
        "receipts": len(sales.receipts),
        "count_intervals": sum(int((~c.lost).sum()) for c in footfall.counts),
        "count_intervals_lost": sum(int(c.lost.sum()) for c in footfall.counts),
    }


def _shop_hours(shop: Shop, footfall: Footfall, sales: Sales, days: Sequence[date]) -> pa.Table:
    first = int(footfall.start_s[0]) // _HOUR_S
    count = int(footfall.start_s[-1]) // _HOUR_S - first + 1
    grid = _Grid(len(days), first, count)
    measures = _counted(footfall, grid) | _sold(shop, sales, grid)
    covered = (measures["open_s"] > 0) & (measures["covered_s"] * 2 >= measures["open_s"])
    for name in ("footfall", "transactions", "net_sales_amount"):
        measures[f"covered_{name}"] = measures[name] * covered
    measures["expected_s"] = measures["open_s"]
    columns = {name: pa.array(measures[name].ravel(), pa.int64()) for name in KNOWN}
    day, hour = np.indices((len(days), count)).reshape(2, -1)
    keys = {
        "store_id": [shop.store.store_id] * len(day),
        "business_date": [days[index] for index in day],
        "local_hour": (hour + first).tolist(),
    }
    schema = pa.schema([*_KEY, *((name, pa.int64()) for name in KNOWN)])
    return pa.table(keys | columns, schema=schema)


@dataclass(frozen=True)
class _Grid:
    days: int
    first_hour: int
    hours: int

    def add(self, day: Ints, second: Ints, value: Ints | int = 1) -> Ints:
        """Sums of values by day and hour."""
        cells = np.zeros((self.days, self.hours), dtype=np.int64)
        np.add.at(cells, (day, second // _HOUR_S - self.first_hour), value)
        return cells


def _counted(footfall: Footfall, grid: _Grid) -> dict[str, Ints]:
    day, quarter = np.indices(footfall.visitors.shape).reshape(2, -1)
    second = footfall.start_s[quarter]

    def total(values: Ints) -> Ints:
        return grid.add(day, second, values.ravel())

    told = [(c, ~c.lost) for c in footfall.counts]
    complete = np.logical_and.reduce([ok for _, ok in told])
    all_open = np.broadcast_to(footfall.is_open, complete.shape)
    return {
        "in_count": total(_sum([c.entered * ok for c, ok in told])),
        "out_count": total(_sum([c.left * ok for c, ok in told])),
        "footfall": total(_sum([(c.entered - c.staff_in) * ok * all_open for c, ok in told])),
        "open_s": total(all_open * QUARTER_S),
        "covered_s": total((all_open & complete) * QUARTER_S),
    }


def _sold(shop: Shop, sales: Sales, grid: _Grid) -> dict[str, Ints]:
    receipts, lines = sales.receipts, sales.lines[~sales.lines["dropped"]]
    of, kind = lines["receipt"], lines["kind"]
    day, second = receipts["day"].astype(np.int64), receipts["second"].astype(np.int64)
    voided = np.isin(receipts["fate"], (Fate.VOIDED_AT_ONCE, Fate.VOIDED_LATER))[of]
    net, gross = net_and_gross(shop, lines["amount"], lines["rate"])
    turnover = ~voided & np.isin(kind, (Kind.SALE, Kind.RETURN, Kind.DISCOUNT))
    goods = ~voided & np.isin(kind, (Kind.SALE, Kind.RETURN))
    returned = ~voided & (kind == Kind.RETURN)

    def total(chosen: NDArray[np.bool_], value: Ints) -> Ints:
        return grid.add(day[of[chosen]], second[of[chosen]], value[chosen])

    def receipts_with(chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        flags = np.zeros(len(receipts), dtype=np.bool_)
        flags[of[chosen]] = True
        return flags

    worth = np.zeros(len(receipts), dtype=np.int64)
    np.add.at(worth, of[turnover], net[turnover])
    buys = receipts_with(~voided & (kind == Kind.SALE)) & (worth > 0)
    returns = receipts_with(returned)
    return {
        "transactions": grid.add(day[buys], second[buys]),
        "return_receipts": grid.add(day[returns], second[returns]),
        "sale_lines": grid.add(day[of], second[of]),
        "net_sales_amount": total(turnover, net),
        "gross_sales_amount": total(turnover, gross),
        "sold_net_amount": total(~voided & (kind == Kind.SALE), net),
        "returned_net_amount": -total(returned, net),
        "merchandise_net_amount": total(goods, net),
        "units": total(goods, lines["quantity"]),
    }


def net_and_gross(shop: Shop, amount: Ints, rate: Ints) -> tuple[Ints, Ints]:
    """Amounts without and with tax; tax is cut off to whole yen, whatever the sign."""
    size = np.abs(amount)
    sign: Ints = np.where(amount < 0, -1, 1).astype(np.int64)
    if shop.vendor == "posa":
        return amount - sign * (size * rate // (100 + rate)), amount
    return amount, amount + sign * (size * rate // 100)


def _sum(arrays: Sequence[Ints]) -> Ints:
    return np.asarray(np.stack(arrays).sum(axis=0), dtype=np.int64)


def _column(table: pa.Table, name: str) -> Ints:
    return np.asarray(table.column(name).to_numpy(), dtype=np.int64)
