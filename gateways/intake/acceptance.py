"""Large payloads are made durable and answered at once; `work` reads them afterwards.

Two writes to the lake, then the answer: the sealed payload, and the job that says how to
read it. Whoever was not answered sends again. PostgreSQL is not needed.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from gateways.intake.archive import raw_name, write_archive
from gateways.intake.group import Entry
from gateways.intake.keyring import KeyRing
from tenpo.failpoint import failpoint
from tenpo.lake import Lake
from tenpo.masters import TenantMasters
from tenpo.receipts import Accepted, ReceiptBook, receipt_id
from tenpo.telemetry import get_logger

log = get_logger(__name__)


class Acceptance:
    """Takes large payloads in.

    Args:
        lake: where to.
        keys: the tenants' keys.
    """

    def __init__(self, lake: Lake, keys: KeyRing) -> None:
        self._lake = lake
        self._keys = keys
        self._book = ReceiptBook(lake)
        self._worker = secrets.token_hex(4)

    def accept_fetch(
        self, masters: TenantMasters, vendor: str, ids: tuple[str, ...]
    ) -> Accepted:  # fmt: skip
        """Make what has to be fetched from a vendor a job; durable when this returns. Blocks.

        Raises:
            LakeError: it is not durable and must be asked for again.
        """
        row, received_at = masters.webhook_of(vendor), datetime.now(UTC)
        receipt = receipt_id(received_at, secrets.token_hex(4))
        job = Accepted(
            receipt=receipt,
            tenant_id=masters.tenant_id,
            kind="pos",
            source=vendor,
            store_hint=row.store_id if row is not None else None,
            received_at=received_at,
            size_bytes=0,
            raw_object=raw_name(masters.tenant_id, "pos", f"{received_at:%Y-%m-%d}/{receipt}"),
            masters=masters.objects,
            fetch=ids,
        )
        self._book.accept(job)
        log.info("fetch_accepted", tenant=job.tenant_id, receipt=receipt, documents=len(ids))
        return job

    def accept(self, entry: Entry) -> Accepted:
        """Make one payload a job; durable when this returns. Blocks.

        Raises:
            LakeError: it is not durable and must be sent again.
        """
        context, received_at = entry.context, entry.context.received_at
        receipt = receipt_id(received_at, self._worker)
        name = raw_name(entry.tenant_id, entry.kind, f"{received_at:%Y-%m-%d}/{receipt}")
        job = Accepted(
            receipt=receipt,
            tenant_id=entry.tenant_id,
            kind=entry.kind,
            source=entry.adapter.name,
            spec_object=entry.spec_object,
            store_hint=context.store_hint,
            allowed_store=context.allowed_store,
            received_at=received_at,
            size_bytes=len(entry.body),
            raw_object=name,
            masters=context.masters.objects,
        )
        write_archive(self._lake, self._keys.of(entry.tenant_id), name, [entry.delivery])
        failpoint("accept.after_raw")
        self._book.accept(job)
        failpoint("accept.before_answer")
        log.info("accepted", tenant=job.tenant_id, receipt=receipt, bytes=job.size_bytes)
        return job


def stem_of(job: Accepted) -> str:
    """The stem that a job's raw and canonical objects share."""
    return f"{job.received_at:%Y-%m-%d}/{job.receipt}"
