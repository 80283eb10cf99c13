"""Receipt lines for tests, and the short way from rows to dwh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from tenpo.contracts import SALE_LINE
from tenpo.identifiers import digest
from tenpo.masters import Store, TenantMasters
from tenpo.store_day import StoreDay
from tenpo.warehouse import (
    ConformResult,
    Job,
    Warehouse,
    append,
    conform,
    query,
    sync_stores,
)

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
TODAY = (NOW.date(), NOW.date())
_runs = count()


def store(store_id: str, timezone: str = "Asia/Tokyo", cutover: str = "00:00") -> Store:
    return Store(
        store_id=store_id, name=store_id, timezone=timezone, currency="JPY", day_cutover=cutover
    )


@dataclass(frozen=True)
class Receipt:
    """One sending of one receipt.

    Args:
        key: the receipt.
        version: of the document.
        amounts: one line each.
        at: when it happened.
        store_id: where.
        source_object: which raw-archive object.
        retracts: whether it only says that the receipt has no lines.
    """

    key: str
    version: int = 1
    amounts: Sequence[str] = ("1.50",)
    at: datetime = datetime(2026, 3, 29, 6, tzinfo=UTC)
    store_id: str = "s1"
    source_object: str = "raw/o1"
    tenant_id: str = "acme"
    retracts: bool = False

    def rows(self, load_id: str) -> list[dict[str, Any]]:
        return [
            {
                "event_id": digest(self.tenant_id, self.key, str(line)),
                "tenant_id": self.tenant_id,
                "store_id": self.store_id,
                "source": "till",
                "adapter_version": "1",
                "source_object": self.source_object,
                "source_position": f"0:{line}",
                "document_key": self.key,
                "document_version": self.version,
                "occurred_at": self.at,
                "received_at": NOW,
                "receipt_id": self.key,
                "line_number": line + 1,
                "kind": "sale",
                "quantity": Decimal(1),
                "net_amount": Decimal(amount),
                "currency": "JPY",
                "is_retraction": self.retracts or None,
                "ingested_at": NOW,
                "load_id": load_id,
            }
            for line, amount in enumerate(self.amounts)
        ]


@dataclass
class Till:
    """Loads receipts of one tenant that no other test uses."""

    warehouse: Warehouse
    tenant_id: str
    loads: list[str] = field(default_factory=list)

    def has_stores(self, *stores: Store) -> None:
        masters = TenantMasters(tenant_id=self.tenant_id, store=list(stores))
        sync_stores(self.warehouse, masters, job=job(self.tenant_id))

    def load(self, *receipts: Receipt) -> str:
        """Append to raw as one load."""
        load_id = f"{self.tenant_id}-{next(_runs)}"
        rows = [
            row | {"tenant_id": self.tenant_id, "event_id": digest(self.tenant_id, row["event_id"])}
            for receipt in receipts
            for row in receipt.rows(load_id)
        ]
        append(self.warehouse, SALE_LINE, SALE_LINE.table(rows))
        return load_id

    def conform(
        self, *load_ids: str, marked: list[StoreDay] | None = None, event: str = "sale_line"
    ) -> ConformResult:
        into: list[StoreDay] = [] if marked is None else marked
        return conform(
            self.warehouse, event, load_ids, TODAY,
            job=job(self.tenant_id), on_dirty=into.extend,
        )  # fmt: skip

    def send(self, *receipts: Receipt) -> ConformResult:
        return self.conform(self.load(*receipts))

    def held(self) -> list[tuple[str, int, str, date, Decimal]]:
        """(document_key, version, store, business date, amount) of every line of dwh."""
        table = self.warehouse.table("dwh", "sale_line")
        rows = query(
            self.warehouse,
            f"SELECT document_key, document_version, store_id, business_date, net_amount "  # noqa: S608
            f"FROM `{table}` WHERE tenant_id = @tenant AND business_date > '0001-01-01' "
            "ORDER BY document_key, net_amount, event_id",
            {"tenant": self.tenant_id},
            job=job(self.tenant_id),
        )
        return [tuple(row.values()) for row in rows.to_pylist()]

    def indexed(self) -> list[tuple[str, int, str, date, str]]:
        """(document_key, version, store, business date, state) of the document index."""
        table = self.warehouse.table("dwh", "document")
        rows = query(
            self.warehouse,
            f"SELECT document_key, document_version, store_id, business_date, state "  # noqa: S608
            f"FROM `{table}` WHERE tenant_id = @tenant AND bucket BETWEEN 0 AND 999 "
            "ORDER BY document_key, business_date, state",
            {"tenant": self.tenant_id},
            job=job(self.tenant_id),
        )
        return [tuple(row.values()) for row in rows.to_pylist()]


def job(tenant_id: str) -> Job:
    return Job("test", f"run{next(_runs)}", tenant_id)
