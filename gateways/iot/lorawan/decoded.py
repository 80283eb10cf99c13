"""What the bytes of one uplink say. How a device writes them is its decoder's business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Count:
    """People over one counting line: in one period, or since the counter was last reset.

    Args:
        line: the counting line.
        entered: people in; None where the bytes lack it.
        left: people out.
        children: children among those in, where told.
        at: end of the period by the device's own clock, in Unix seconds; None: the uplink's time.
    """

    line: str
    entered: int | None = None
    left: int | None = None
    children: int | None = None
    at: int | None = None


@dataclass
class Decoded:
    """The parts of one uplink.

    Args:
        periods: counts of the device's last reporting interval, or of earlier ones.
        totals: running totals.
        ignored: other parts, e.g. battery, temperature, people waiting in a region.
        unread: from which byte on nothing could be read; None when all was.
    """

    periods: list[Count] = field(default_factory=list)
    totals: list[Count] = field(default_factory=list)
    ignored: int = 0
    unread: int | None = None


#: Payload bytes and port to parts. Never raises: what cannot be read is told by `unread`.
Decoder = Callable[[bytes, int], Decoded]


def little(data: bytes) -> int:
    """An unsigned number, lowest byte first."""
    return int.from_bytes(data, "little")


def big(data: bytes) -> int:
    """An unsigned number, highest byte first."""
    return int.from_bytes(data, "big")
