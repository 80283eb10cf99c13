"""How long from a payload's acknowledgement until `/v1/kpis` shows it.

Needs a running stack (`tenpo up`). Sends receipts one after another for a tenant of
its own and polls the API: `python -m bench.freshness --payloads 20`.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from datetime import UTC, datetime

import httpx

from tenpo.masters import Store
from tenpo.settings import Settings, get_settings
from tenpo.tenants import TenantTokens, create_tenant

TENANT = "bench"
GIVE_UP_S = 300.0
POLL_S = 0.25


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payloads", type=int, default=20)
    count = parser.parse_args().payloads
    settings = get_settings()
    store = Store(store_id="s1", name="Bench", timezone="UTC", currency="JPY")
    tokens = create_tenant(settings, TENANT, "Benchmark", [store])
    seconds = [measure(settings, tokens, number) for number in range(count)]
    ordered = sorted(seconds[1:])  # the first also waits for Airflow to see the new tenant
    print(f"first {seconds[0]:.1f} s")
    print(
        f"n {len(ordered)}  median {statistics.median(ordered):.1f} s  "
        f"p95 {ordered[math.ceil(0.95 * len(ordered)) - 1]:.1f} s  max {ordered[-1]:.1f} s"
    )


def measure(settings: Settings, tokens: TenantTokens, number: int) -> float:
    """Seconds from the gateway's answer until the API counts the receipt."""
    before = transactions(settings, tokens)
    now = datetime.now(UTC)
    answer = httpx.post(
        f"{settings.gateway_url}/v1/pos/posb",
        headers={"Authorization": f"Bearer {tokens.send}", "X-Tenpo-Tenant": TENANT},
        json={
            "shop": "s1",
            "terminal": "1",
            "number": f"F-{now:%Y%m%d%H%M%S%f}-{number}",
            "issued_at": now.isoformat(),
            "status": "completed",
            "currency": "JPY",
            "lines": [
                {
                    "no": 1, "type": "item", "sku": "A", "dept": "X", "qty": "1",
                    "unit_price": "100", "amount": "100", "tax_rate": "0.10", "tax": "10",
                }
            ],
        },
        timeout=30,
    )  # fmt: skip
    answer.raise_for_status()
    begun = time.monotonic()
    while transactions(settings, tokens) <= before:
        if time.monotonic() - begun > GIVE_UP_S:
            raise SystemExit(f"payload {number} was not visible after {GIVE_UP_S:.0f} s")
        time.sleep(POLL_S)
    return time.monotonic() - begun


def transactions(settings: Settings, tokens: TenantTokens) -> int:
    """Today's transactions as the API has them."""
    today = datetime.now(UTC).date().isoformat()
    answer = httpx.get(
        f"{settings.api_url}/v1/kpis",
        params={"from": today, "to": today, "grain": "total", "kpi": "transactions"},
        headers={"Authorization": f"Bearer {tokens.read}"},
        timeout=30,
    )
    answer.raise_for_status()
    rows = answer.json()["rows"]
    return int(rows[0]["values"]["transactions"] or 0) if rows else 0


if __name__ == "__main__":
    main()
