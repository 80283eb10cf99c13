"""A small datamart to read: three tenants whose figures are known, and one with nothing yet.

* `hinode`: five shops in Japan over 35 days of believable trade; one counter falls silent, and
  ginza counts eight passers-by a visitor, who all stay for the time of one bucket.
* `globe`: shops in Tokyo, London and Paris in three currencies, over the end of summer time;
  the figures are round so that a test can say what must come out.
* `corner`: a shop with a register and no counter.
* `fresh`: a shop without any figures.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert

from tenpo.datamart.tables import TABLES
from tenpo.kpi import DEFINITION_VERSION, MEASURES
from tenpo.kpi.measures import MAXIMA, SKETCHES
from tenpo.kpi.sketch import merged
from tenpo.lake import Lake
from tenpo.masters import MasterBook, Store, Tenant, Token, token_digest

LAST = date(2026, 11, 20)
DAYS = 35
COMPUTED_AT = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)
TEN_DAYS = timedelta(days=10)
#: A day of ginza's that was corrected: it has two revisions.
CORRECTED = date(2026, 10, 31)
HOUR = timedelta(hours=1)
WEEK = (0.82, 0.78, 0.84, 0.88, 1.06, 1.42, 1.34)
SHAPE = (0.35, 0.6, 0.95, 1.05, 0.9, 0.95, 1.1, 1.3, 1.25, 0.95, 0.55)
OPENS = 10
DWELL_BUCKET = 160
DST_DAY = date(2026, 10, 25)

STORES: dict[str, tuple[Store, ...]] = {
    "hinode": tuple(
        Store(store_id=key, name=name, timezone="Asia/Tokyo", currency="JPY", industry="Fashion",
              sales_area_m2=120 if key == "ginza" else None)
        for key, name in (
            ("ginza", "銀座店"), ("shinjuku", "新宿店"), ("umeda", "梅田店"),
            ("tenjin", "天神店"), ("sapporo", "札幌店"),
        )
    ),
    "globe": (
        Store(store_id="london", name="London", timezone="Europe/London", currency="GBP"),
        Store(store_id="paris", name="Paris", timezone="Europe/Paris", currency="EUR"),
        Store(store_id="tokyo", name="Tokyo", timezone="Asia/Tokyo", currency="JPY"),
        Store(store_id="osaka", name="Osaka", timezone="Asia/Tokyo", currency="JPY"),
    ),
    "corner": (Store(store_id="corner", name="Corner", timezone="Europe/London", currency="GBP",
                     industry="Fashion"),),
    "fresh": (Store(store_id="fresh", name="Fresh", timezone="Asia/Tokyo", currency="JPY"),),
}  # fmt: skip
NAMES = {"hinode": "Hinode Stores", "globe": "Globe", "corner": "Corner Shop", "fresh": "Fresh"}
SIZES = {"ginza": 1.35, "shinjuku": 1.6, "umeda": 1.15, "tenjin": 0.8, "sapporo": 0.65}

Row = dict[str, Any]


def token_of(tenant_id: str) -> str:
    """The read token of a seeded tenant."""
    return f"read-{tenant_id}-0123456789abcdef"


@dataclass
class Rows:
    """Rows for the datamart, days summed from hours."""

    hours: list[Row] = field(default_factory=list)

    def add(self, keys: Row, hour_start_at: datetime, local_hour: int, measures: Row) -> None:
        """One hour; measures not named are null."""
        run_id = f"run-{keys['tenant_id']}"
        self.hours.append(
            {**dict.fromkeys(m.name for m in MEASURES), **keys, **_REVISED, **measures}
            | {"hour_start_at": hour_start_at, "local_hour": local_hour, "run_id": run_id}
        )

    def days(self) -> Iterator[Row]:
        """The store-days: sums that stay null where no hour knows the measure."""
        grouped: dict[tuple[Any, ...], list[Row]] = {}
        for row in self.hours:
            key = (row["tenant_id"], row["store_id"], row["business_date"])
            grouped.setdefault(key, []).append(row)
        for rows in grouped.values():
            day = {k: v for k, v in rows[0].items() if k not in ("hour_start_at", "local_hour")}
            for measure in MEASURES:
                known = [row[measure.name] for row in rows if row[measure.name] is not None]
                day[measure.name] = _combined(measure.name, known) if known else None
            yield day


def _combined(name: str, known: list[Any]) -> Any:
    if name in SKETCHES:
        return merged(known)
    return max(known) if name in MAXIMA else sum(known)


_REVISED: Row = {
    "definition_version": DEFINITION_VERSION,
    "revision": 1,
    "cause": "new events",
    "computed_at": COMPUTED_AT,
}


def all_rows() -> Rows:
    """Every seeded row."""
    rows = Rows()
    for store in STORES["hinode"]:
        for back in range(DAYS):
            _trade(rows, store, LAST - timedelta(days=back))
    _globe(rows)
    for back in range(14):
        _register_only(rows, LAST - timedelta(days=back))
    return rows


def _keys(tenant_id: str, store: Store, day: date) -> Row:
    return {
        "tenant_id": tenant_id,
        "store_id": store.store_id,
        "business_date": day,
        "currency": store.currency,
    }


def _trade(rows: Rows, store: Store, day: date) -> None:
    """A day of one shop: eleven open hours, weekly shape, seeded noise."""
    dice = random.Random(f"{store.store_id} {day}")
    growth = 1 + 0.004 * (day - LAST).days
    for index, shape in enumerate(SHAPE):
        hour = OPENS + index
        visitors = round(
            42
            * SIZES[store.store_id]
            * WEEK[day.weekday()]
            * shape
            * growth
            * dice.uniform(0.8, 1.2)
        )
        receipts = round(visitors * dice.uniform(0.22, 0.34))
        net = Decimal(receipts * dice.randrange(2_100, 3_400))
        silent = store.store_id == "umeda" and (LAST - day).days < 2 and (hour > 14 or day == LAST)
        rows.add(
            _keys("hinode", store, day),
            store.clock.at(day, timedelta(hours=hour)),
            hour,
            _sales(receipts, net, round(receipts * dice.uniform(1.4, 2.2)))
            | _counts(visitors, receipts, net, silent=silent)
            | (_watched(visitors) if store.store_id == "ginza" else {}),
        )


def _watched(visitors: int) -> Row:
    """What a street counter and a camera add."""
    return {
        "passers_by": 8 * visitors,
        "captured_footfall": visitors,
        "captured_passers_by": 8 * visitors,
        "visits": visitors,
        "dwell_sketch": f"{DWELL_BUCKET}:{visitors}",
        "occupancy_peak": visitors,
    }


def _sales(receipts: int, net: Decimal, units: int) -> Row:
    return {
        "transactions": receipts,
        "return_receipts": 0,
        "sale_lines": units,
        "net_sales_amount": net,
        "gross_sales_amount": net * Decimal("1.1"),
        "sold_net_amount": net,
        "returned_net_amount": Decimal(0),
        "merchandise_net_amount": net,
        "units": Decimal(units),
        "open_s": 3_600,
    }


def _counts(visitors: int, receipts: int, net: Decimal, *, silent: bool = False) -> Row:
    if silent:
        return {"expected_s": 3_600, "covered_s": 0, "imputed_s": 0}
    return {
        "in_count": visitors,
        "out_count": visitors,
        "footfall": visitors,
        "covered_footfall": visitors,
        "covered_transactions": receipts,
        "covered_net_sales_amount": net,
        "expected_s": 3_600,
        "covered_s": 3_600,
        "imputed_s": 0,
    }


def _globe(rows: Rows) -> None:
    """Every hour of the day summer time ends: 25 in London and Paris, 24 in Tokyo.

    London takes 10.10 GBP an hour with four visitors and one receipt; Paris 5.05 EUR, two
    visitors, one receipt; each Japanese shop 1000 JPY, ten visitors, no receipt in Osaka.
    """
    takings = {
        "london": (Decimal("10.10"), 4, 1),
        "paris": (Decimal("5.05"), 2, 1),
        "tokyo": (Decimal(1000), 10, 4),
        "osaka": (Decimal(0), 10, 0),
    }
    for store in STORES["globe"]:
        net, visitors, receipts = takings[store.store_id]
        for start in store.clock.hours(DST_DAY):
            rows.add(
                _keys("globe", store, DST_DAY),
                start,
                store.clock.local_hour(start),
                _sales(receipts, net, receipts) | _counts(visitors, receipts, net),
            )


def _register_only(rows: Rows, day: date) -> None:
    store = STORES["corner"][0]
    for hour in range(9, 17):
        start = store.clock.at(day, timedelta(hours=hour))
        rows.add(_keys("corner", store, day), start, hour, _sales(3, Decimal("12.345"), 7))


def _revise(connection: Connection, name: str, rows: list[Row]) -> None:
    """What ginza knew of `CORRECTED` ten days before: no counts yet, and 1,000 yen less an hour."""
    late = [r for r in rows if r["store_id"] == "ginza" and r["business_date"] == CORRECTED]
    less = Decimal(1000 if name == "kpi_store_hour" else 11_000)
    for row in late:
        before = {
            **row, "net_sales_amount": row["net_sales_amount"] - less, "footfall": None,
            "covered_footfall": None, "cause": "first computed", "run_id": "run-hinode-first",
            "computed_at": COMPUTED_AT - TEN_DAYS,
        }  # fmt: skip
        row |= {"revision": 2, "cause": "new or corrected sale_line"}
        _insert(connection, f"{name}_past", [before])


def _zones(hours: Iterable[Row]) -> Iterator[Row]:
    """Ginza's shelf and table, over ten days: every second visitor comes, half of them stay."""
    for hour in hours:
        if hour["store_id"] != "ginza" or (LAST - hour["business_date"]).days >= 10:
            continue
        kept = ("tenant_id", "store_id", "business_date", "hour_start_at", "local_hour", "run_id")
        for zone_id, part in (("shelf", 2), ("table", 10)):
            came = hour["footfall"] // part
            yield {name: hour[name] for name in kept} | _REVISED | {
                "zone_id": zone_id, "zone_visitors": came, "zone_engaged": came // 2,
                "exposed_visitors": came, "exposed_footfall": hour["footfall"],
            }  # fmt: skip


def write_datamart(connection: Connection) -> None:
    """Fill the empty datamart."""
    rows = all_rows()
    days = list(rows.days())
    _revise(connection, "kpi_store_hour", rows.hours)
    _revise(connection, "kpi_store_day", days)
    _insert(connection, "kpi_store_hour", rows.hours)
    _insert(connection, "kpi_store_day", days)
    _insert(connection, "kpi_zone_hour", _zones(rows.hours))
    stores = [
        {"tenant_id": t, "store_id": s.store_id, "name": s.name, "timezone": s.timezone,
         "currency": s.currency}
        for t, group in STORES.items() for s in group
    ]  # fmt: skip
    _insert(connection, "store", stores)
    runs: list[Row] = [
        {"run_id": f"run-{t}", "tenant_id": t, "job": "aggregate", "state": "published",
         "started_at": COMPUTED_AT - HOUR, "finished_at": COMPUTED_AT, "published_at": COMPUTED_AT}
        for t in STORES if t != "fresh"
    ]  # fmt: skip
    moments = ("started_at", "finished_at", "published_at")
    first = runs[0] | {name: runs[0][name] - TEN_DAYS for name in moments}
    runs.append(first | {"run_id": "run-hinode-first"})
    _insert(connection, "run", runs)
    _insert(connection, "device_health", _devices())


def _devices() -> Iterator[Row]:
    end = STORES["hinode"][0].clock.at(LAST, timedelta(hours=21))
    for store in STORES["hinode"]:
        silent = store.store_id == "umeda"
        last = end - timedelta(hours=30) if silent else end
        yield {
            "device_id": f"{store.store_id}-door",
            "tenant_id": "hinode",
            "store_id": store.store_id,
            "last_seen_at": last + timedelta(seconds=20),
            "last_interval_end_at": last,
        }


def _insert(connection: Connection, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    connection.execute(insert(TABLES[name]), [dict(row) for row in rows])


def write_masters(lake: Lake) -> None:
    """The tenants' masters, with one read token each and tokens that must not open anything."""
    book = MasterBook(lake)
    for tenant_id, stores in STORES.items():
        shares = tenant_id == "hinode"
        tenant = Tenant(tenant_id=tenant_id, name=NAMES[tenant_id], shares_benchmarks=shares)
        book.put(tenant_id, "tenant", [tenant])
        book.put(tenant_id, "store", stores)
        digest = token_digest
        tokens = [
            Token(name="reader", sha256=digest(token_of(tenant_id)), scope="read"),
            Token(name="gateway", sha256=digest(f"send-{tenant_id}"), scope="send"),
            Token(name="old", sha256=digest(f"old-{tenant_id}"), scope="read", revoked=True),
            Token(name="one", sha256=digest(f"one-{tenant_id}"), scope="read",
                  store_id=stores[0].store_id),
        ]  # fmt: skip
        book.put(tenant_id, "token", tokens)
