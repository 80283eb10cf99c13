"""A small tenant in mart, lake and datamart, as aggregation would have left it.

`acme` trades in yen and, with two shops, in euros; half of its yen shops live from weekends and
the others from weekdays. `zeta` is somebody else's single shop.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from tenpo.kpi import KPI_STORE_DAY, PUBLICATION
from tenpo.lake import Lake
from tenpo.masters import MasterBook, Store
from tenpo.warehouse import Warehouse, append

FIRST, DAYS = date(2026, 6, 1), 98  # a Monday, and fourteen weeks
LAST = FIRST + timedelta(days=DAYS - 1)
YEN = tuple(f"s{n:02d}" for n in range(12))
EURO = ("paris", "lyon")
YOUNG, UNCOUNTED = "s11", "s10"  # five days old; with a counter that saw half of the last day
WEEKDAYS, WEEKENDS = (1.2, 1.2, 1.2, 1.2, 1.2, 0.5, 0.5), (0.7, 0.7, 0.7, 0.8, 1.0, 1.6, 1.5)
_OPEN_S = 36_000


def write(warehouse: Warehouse, lake: Lake) -> None:
    """Masters into the lake, published store-days into mart."""
    book = MasterBook(lake)
    book.put("acme", "store", [*(_store(s, "JPY") for s in YEN), *(_store(s, "EUR") for s in EURO)])
    book.put("zeta", "store", [_store("kiosk", "JPY")])
    book.put("empty", "store", [_store("nothing", "JPY")])
    rows = [*figures("acme", "JPY", YEN), *figures("acme", "EUR", EURO)]
    append(warehouse, KPI_STORE_DAY, KPI_STORE_DAY.table(rows))
    append(warehouse, KPI_STORE_DAY, KPI_STORE_DAY.table(list(figures("zeta", "JPY", ("kiosk",)))))
    wrong = [row | {"run_id": "unpublished", "revision": 2, "net_sales_amount": Decimal(10**9)}
             for row in rows]  # fmt: skip
    append(warehouse, KPI_STORE_DAY, KPI_STORE_DAY.table(wrong))
    published = [
        {"run_id": f"agg-{tenant}", "tenant_id": tenant, "published_at": datetime.now(UTC)}
        for tenant in ("acme", "zeta")
    ]
    append(warehouse, PUBLICATION, PUBLICATION.table(published))


def _store(store_id: str, currency: str) -> Store:
    zone = "Asia/Tokyo" if currency == "JPY" else "Europe/Paris"
    return Store(store_id=store_id, name=store_id.title(), timezone=zone, currency=currency)


def figures(tenant: str, currency: str, stores: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The published store-days of some stores."""
    rng = np.random.default_rng(len(stores))
    for place, store in enumerate(stores):
        week = WEEKDAYS if place % 2 else WEEKENDS
        rate = 0.15 if place == 0 else 0.25  # the first sells to fewer of its visitors
        for day in range(DAYS - 5 if store == YOUNG else 0, DAYS):
            people = round(400 * week[day % 7] * (1 + 0.02 * place) * rng.uniform(0.95, 1.05))
            receipts = round(people * rate)
            yield {
                "tenant_id": tenant, "store_id": store, "currency": currency,
                "business_date": FIRST + timedelta(days=day),
                "footfall": people, "transactions": receipts, "units": Decimal(receipts * 2),
                "net_sales_amount": Decimal(receipts * 1_000),
                "open_s": _OPEN_S, "expected_s": _OPEN_S,
                "covered_s": _OPEN_S // 2 if (store, day) == (UNCOUNTED, DAYS - 1) else _OPEN_S,
                "definition_version": 1, "revision": 1, "cause": "first computed",
                "computed_at": datetime(2026, 9, 7, tzinfo=UTC), "run_id": f"agg-{tenant}",
            }  # fmt: skip
