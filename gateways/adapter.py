"""The base of every adapter: one vendor's bytes in, canonical events and rejections out.

An adapter is one file with one class that reads its vendor's bytes into `Records`.
Everything that must be the same for all vendors happens here and in `assembly`:
ids, versions, stores, timezones, tax, pseudonyms, limits, and the sum
received = accepted + rejected.

Not for transport: how bytes arrive and where they are kept is `intake` and `commit`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from gateways.assembly import assemble
from gateways.context import Context
from gateways.faults import Reason, Rejected
from gateways.records import Records
from tenpo.contracts.events import canonical_schema
from tenpo.errors import IntegrityError, PayloadError
from tenpo.identifiers import digest

Kind = Literal["pos", "iot"]
MAX_RECORDS = 5_000_000


@dataclass(frozen=True)
class Normalized:
    """What became of one payload.

    Args:
        received: records in the payload.
        ignored: records that are none of our business, not among the received.
        rejected: each rejected record.
        events: canonical tables by event name, the rejections among them.
    """

    received: int
    ignored: int
    rejected: list[Rejected]
    events: dict[str, pa.Table] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        """Records that became events."""
        return sum(t.num_rows for name, t in self.events.items() if name != "rejection")


class Adapter(ABC):
    """One vendor. Subclass it, name it, implement `read`, register it in `registry`."""

    name: str
    version: str
    kind: Kind
    media_type: str = "application/json"

    @abstractmethod
    def read(self, body: bytes, context: Context) -> Records:
        """The records of one payload, faults included.

        Raises:
            PayloadError: the bytes as a whole cannot be read; says where.
        """

    def normalize(self, body: bytes, context: Context) -> Normalized:
        """Canonical events and rejections of one payload.

        Raises:
            PayloadError: the bytes as a whole cannot be read.
        """
        if not body.strip():
            raise PayloadError("the payload is empty", where="byte 0", remedy="Send its contents.")
        records = self.read(body, context)
        if len(records) > MAX_RECORDS:
            raise PayloadError(
                f"the payload has more than {MAX_RECORDS:,} records",
                remedy="Send it in parts, each document whole.",
            )
        table = assemble(records, self.name, self.version, context)
        rejected = records.faults.rejected
        result = Normalized(
            received=records.faults.received,
            ignored=records.ignored,
            rejected=rejected,
            events={
                records.event: table,
                "rejection": self.rejections(body, rejected, context),
            },
        )
        if result.received != result.accepted + len(rejected):
            raise IntegrityError(
                f"received {result.received}, accepted {result.accepted}, "
                f"rejected {len(rejected)}: these do not add up",
                where=self.name,
            )
        return result

    def refusal(self, body: bytes, error: PayloadError, context: Context) -> Normalized:
        """A payload that cannot be read at all, as one rejection."""
        reason = Reason.UNREADABLE_PAYLOAD
        rejected = [Rejected("payload", reason, error.where, str(error))]
        table = self.rejections(body, rejected, context)
        return Normalized(1, 0, rejected, {"rejection": table})

    def rejections(self, body: bytes, rejected: list[Rejected], context: Context) -> pa.Table:
        """Rejections as canonical rows; the same payload makes the same ids."""
        fingerprint = digest(body.hex()) if rejected else ""
        rows = [
            {
                "rejection_id": digest(
                    context.tenant_id, self.name, fingerprint, one.position, one.reason
                ),
                "tenant_id": context.tenant_id,
                "store_id": context.store_hint,
                "source": self.name,
                "adapter_version": self.version,
                "source_object": "",
                "source_position": one.position,
                "reason_code": str(one.reason),
                "field": one.field or None,
                "message": one.message,
                "received_at": context.received_at,
            }
            for one in rejected
        ]
        return pa.Table.from_pylist(rows, schema=canonical_schema("rejection"))
