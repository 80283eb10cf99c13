"""What a sender is told of a payload: counts, and the first rejections one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gateways.normalize.faults import Rejected
from gateways.normalize.normalized import Result
from tenpo.receipts import Accepted

MAX_SHOWN = 100


@dataclass(frozen=True)
class Answer:
    """An answer as HTTP gives it: 200 with the counts, or 202 with a receipt to ask for."""

    status: int
    content: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


def taken(job: Accepted) -> Answer:
    """A large payload is durable; what becomes of it is known later."""
    place = f"/v1/receipts/{job.receipt}"
    return Answer(
        202, {"receipt": job.receipt, "state": "queued", "url": place}, {"Location": place}
    )


def answer(receipt: str, result: Result, limit: int | None = MAX_SHOWN) -> dict[str, Any]:
    """What a sender is told, the first `limit` rejections one by one."""
    return {
        "receipt": receipt,
        "received": result.received,
        "accepted": result.accepted,
        "rejected": len(result.rejected),
        "ignored": result.ignored,
        "rejections": shown(result.rejected, limit),
    }


def shown(rejected: Sequence[Rejected], limit: int | None = MAX_SHOWN) -> list[dict[str, str]]:
    """The first rejections, as a sender is told them."""
    return [
        {
            "position": one.position,
            "reason_code": str(one.reason),
            "field": one.field,
            "message": one.message,
        }
        for one in rejected[:limit]
    ]
