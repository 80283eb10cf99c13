"""Large deliveries to read: receipts in each state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tenpo.lake import Lake
from tenpo.receipts import Accepted, ReceiptBook, Rejection, Settled, Trouble, receipt_id

FIRST = datetime(2026, 11, 20, 1, tzinfo=UTC)


def accepted(number: int, store_id: str | None = None, tenant_id: str = "corner") -> Accepted:
    received_at = FIRST + timedelta(hours=number)
    return Accepted(
        receipt=receipt_id(received_at, f"{number:08x}"), tenant_id=tenant_id, kind="pos",
        source="posa", allowed_store=store_id, received_at=received_at, size_bytes=2_000_000,
        raw_object=f"raw/corner/pos/2026-11-20/{number}.sealed",
    )  # fmt: skip


def settled(job: Accepted, *, failed: bool = False) -> Settled:
    counts = {} if failed else {"received": 10, "accepted": 8, "rejected": 2}
    row = Rejection(position="3", reason_code="unknown_store", message="no such store")
    return Settled(
        accepted_as=job, state="failed" if failed else "done", attempts=1,
        started_at=job.received_at, finished_at=job.received_at, rejections=(row,),
        error=Trouble(error="broke", remedy="Mend it.") if failed else None, **counts,
    )  # fmt: skip


def write_deliveries(lake: Lake) -> None:
    """One of each state for the tenant `hinode`."""
    book = ReceiptBook(lake)
    waiting, good, failed = (accepted(number, tenant_id="hinode") for number in range(3))
    for job in (waiting, good, failed):
        book.accept(job)
    book.settle(settled(good))
    book.settle(settled(failed, failed=True))
