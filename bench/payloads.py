"""One-event payloads that differ from each other by their number alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import orjson

from bench.own_gateway import DEVICE, STORE

#: Start of the interval of report number 0; each number is another minute.
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def report(number: int) -> bytes:
    """One counting line of one interval."""
    start = FIRST + timedelta(minutes=number)
    end = start + timedelta(minutes=1)
    return orjson.dumps(
        {
            "device_info": {"device_sn": DEVICE},
            "time_info": {"start_time": start.isoformat(), "end_time": end.isoformat()},
            "line_periodic_data": [{"line": 1, "total": {"in": number % 40, "out": 3}}],
        }
    )


def receipt(number: int) -> bytes:
    """A receipt of one line."""
    return orjson.dumps(
        {
            "shop": STORE, "terminal": "1", "number": f"R-{number}", "status": "completed",
            "issued_at": "2026-01-01T12:00:00+00:00", "currency": "JPY",
            "customer_id": f"C-{number}",
            "lines": [
                {
                    "no": 1, "type": "item", "sku": "A", "dept": "X", "qty": "1",
                    "unit_price": "100", "amount": "100", "tax_rate": "0.10", "tax": "10",
                }
            ],
        }
    )  # fmt: skip


def posted(
    path: str, tenant_id: str, token: str, build: Callable[[int], bytes]
) -> Callable[[int], bytes]:
    """The whole request that sends a payload of a number."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n"
        f"x-tenpo-tenant: {tenant_id}\r\nauthorization: Bearer {token}\r\ncontent-length: "
    ).encode()

    def request(number: int) -> bytes:
        body = build(number)
        return head + b"%d\r\n\r\n" % len(body) + body

    return request
