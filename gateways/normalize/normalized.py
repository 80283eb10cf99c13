"""What became of deliveries: canonical events, rejections, and what each sender is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from gateways.normalize.context import Context
from gateways.normalize.faults import Places, Rejected
from tenpo.contracts.events import canonical_schema
from tenpo.errors import PayloadError
from tenpo.identifiers import digest


@dataclass(frozen=True)
class Result:
    """What became of one delivery.

    Args:
        received: records in the payload.
        accepted: records that became events.
        ignored: records that are none of our business, not among the received.
        rejected: each rejected record.
        refusal: why the payload as a whole could not be read, if so.
    """

    received: int
    accepted: int
    ignored: int
    rejected: Sequence[Rejected]
    refusal: PayloadError | None = None


@dataclass(frozen=True)
class Events:
    """Canonical rows, and which delivery each of them is of."""

    table: pa.Table
    deliveries: Places


@dataclass(frozen=True)
class Normalized:
    """What became of deliveries that were normalised together.

    Args:
        results: of each delivery, in order.
        located: canonical rows by event name, the rejections among them.
    """

    results: Sequence[Result]
    located: dict[str, Events] = field(default_factory=dict)

    @property
    def events(self) -> dict[str, pa.Table]:
        """Canonical tables by event name."""
        return {name: found.table for name, found in self.located.items()}

    @property
    def received(self) -> int:
        """Records received with all deliveries."""
        return sum(one.received for one in self.results)

    @property
    def accepted(self) -> int:
        """Records that became events."""
        return sum(one.accepted for one in self.results)

    @property
    def ignored(self) -> int:
        """Records that are none of our business."""
        return sum(one.ignored for one in self.results)

    @property
    def rejected(self) -> list[Rejected]:
        """Every rejected record."""
        return [rejected for one in self.results for rejected in one.rejected]


def rejection_rows(
    source: str,
    version: str,
    deliveries: Sequence[tuple[bytes, Context]],
    rejected: Sequence[Rejected],
) -> Events:
    """Rejections as canonical rows; the same payload makes the same ids."""
    schema = canonical_schema("rejection")
    if not rejected:
        return Events(schema.empty_table(), np.zeros(0, np.int64))
    prints = {n: digest(deliveries[n][0].hex()) for n in {one.delivery for one in rejected}}
    rows = [
        _row(source, version, deliveries[one.delivery][1], prints[one.delivery], one)
        for one in rejected
    ]
    places = np.array([one.delivery for one in rejected], np.int64)
    return Events(pa.Table.from_pylist(rows, schema=schema), places)


def _row(
    source: str, version: str, context: Context, fingerprint: str, one: Rejected
) -> dict[str, Any]:
    return {
        "rejection_id": digest(context.tenant_id, source, fingerprint, one.position, one.reason),
        "tenant_id": context.tenant_id,
        "store_id": context.store_hint,
        "source": source,
        "adapter_version": version,
        "source_object": "",
        "source_position": one.position,
        "reason_code": str(one.reason),
        "field": one.field or None,
        "message": one.message,
        "received_at": context.received_at,
    }
