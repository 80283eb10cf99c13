"""What the models say of the seeded tenants: few figures, chosen so that a test can say them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert

from tenpo.datamart.tables import TABLES
from tests.api.seed import LAST, STORES

AHEAD = 42
LEFT_OUT = "sapporo"
#: What a shop of size 1 is forecast a day.
BASES = {"sales": 300_000, "footfall": 500}
#: Factor, level, attainable, worth a month: of the shop in Ginza.
GINZA = (
    ("conversion", "0.18", "0.23", "1200000"),
    ("footfall", "420", "430", "90000"),
    ("atv", "2700", "2700", "0"),
)
OTHERS = (
    ("conversion", "0.27", "0.28", "60000"),
    ("footfall", "400", "405", "30000"),
    ("atv", "2500", "2600", "45000"),
)


def write_models(connection: Connection) -> None:
    """Fill the models' tables; `corner` and `fresh` have no run."""
    for tenant_id in ("hinode", "globe"):
        for table, rows in _rows(tenant_id).items():
            connection.execute(insert(TABLES[table]), rows)


def _rows(tenant_id: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {
        name: []
        for name in ("model_run", "store_cluster", "store_target", "store_forecast",
                     "chain_forecast")
    }  # fmt: skip
    common = {"tenant_id": tenant_id, "as_of_date": LAST, "run_id": f"models-{tenant_id}"}
    stores = STORES[tenant_id]
    for currency in sorted({store.currency for store in stores}):
        chain = common | {"currency": currency}
        own = [store.store_id for store in stores if store.currency == currency]
        found["model_run"].append(chain | _run(len(own)))
        found["chain_forecast"] += [chain | day for day in _days(len(own), 0.05)]
        for place, store_id in enumerate(own):
            row = chain | {"store_id": store_id}
            found["store_cluster"].append(row | _cluster(store_id, place))
            if store_id != LEFT_OUT:
                found["store_target"] += [row | factor for factor in _targets(store_id)]
            found["store_forecast"] += [
                row | day | {"target": day["value"] + 10, "is_cold": False}
                for day in _days(1 + place / 10, 0.2)
            ]
    return found


def _run(stores: int) -> dict[str, Any]:
    return {
        "first_date": date(2026, 10, 17), "store_count": stores, "cluster_count": 1,
        "silhouette": None, "stability": 1.0, "seed": 0, "data_fingerprint": "f" * 32,
        "parameters": "{}", "versions": "{}",
        "notes": '[{"code": "few_stores", "count": 4}, {"code": "no_year", "count": 35}]',
        "started_at": datetime(2026, 11, 21, 2, tzinfo=UTC),
    }  # fmt: skip


def _cluster(store_id: str, place: int) -> dict[str, Any]:
    if store_id == LEFT_OUT:
        reason = "5 known trading days; 28 are needed"
        return {"cluster_id": None, "traits": None, "map_x": None, "map_y": None,
                "left_out": reason}  # fmt: skip
    return {"cluster_id": "c1", "traits": "all_stores", "map_x": float(place), "map_y": 0.5,
            "left_out": None}  # fmt: skip


def _targets(store_id: str) -> list[dict[str, Any]]:
    factors = GINZA if store_id == "ginza" else OTHERS
    return [
        {
            "factor": factor, "level": Decimal(level), "attainable": Decimal(best),
            "low": Decimal(level), "high": Decimal(best) * Decimal("1.1"),
            "headroom_amount": Decimal(worth), "low_amount": Decimal(0),
            "high_amount": 2 * Decimal(worth), "basis": "cluster peers", "is_first": n == 0,
        }
        for n, (factor, level, best, worth) in enumerate(factors)
    ]  # fmt: skip


def _days(size: float, width: float) -> list[dict[str, Any]]:
    """Six weeks that grow by one a day."""
    return [
        {
            "business_date": LAST + timedelta(days=n), "measure": measure,
            "value": value, "low": value * Decimal(str(1 - width)),
            "high": value * Decimal(str(1 + width)),
        }
        for measure, base in BASES.items()
        for n in range(1, AHEAD + 1)
        for value in [Decimal(round(base * size) + n)]
    ]  # fmt: skip
