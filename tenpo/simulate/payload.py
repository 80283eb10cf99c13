"""One payload: the bytes a sender hands over, and where and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")


@dataclass(frozen=True, slots=True)
class Payload:
    """What one sender sends at once.

    Args:
        name: unique within a simulation; also its path below the output folder.
        due_at: when the real sender would send it.
        route: path at the gateway, such as `/v1/pos/posa`.
        body: the bytes.
        content_type: as the sender declares it.
        lane: payloads of one lane wait for each other's acknowledgement, because a later
            one may correct an earlier one; None where the order is of no account.
        records: receipt lines, counting intervals or stores in it.
        first: nothing else is sent before it is acknowledged.
        device: the device that publishes it over MQTT; None sends it by HTTP.
    """

    name: str
    due_at: datetime
    route: str
    body: bytes
    records: int
    content_type: str = "application/json"
    lane: str | None = None
    first: bool = False
    device: str | None = None


def moment(day: date, second: int) -> datetime:
    """The Tokyo time `second` seconds after a business date's midnight; may be past 24:00."""
    return datetime(day.year, day.month, day.day, tzinfo=TOKYO) + timedelta(seconds=second)
