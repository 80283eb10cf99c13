"""Names, mails and card digits in payloads of every adapter: only the sealed archive has them."""

from __future__ import annotations

import httpx
import pytest

from tenpo.tenants import TenantTokens, create_tenant
from tests.e2e.machine import Machine
from tests.e2e.visible import visible
from tests.gateways.counters import VIVOTEK_SPEC
from tests.gateways.payloads import (
    COUNTS_SPEC,
    MASTERS,
    PERSONAL,
    SALES_SPEC,
    TENANT,
    Recorded,
    recorded,
)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

SPECS = {"till": SALES_SPEC, "door": COUNTS_SPEC, "vivotek": VIVOTEK_SPEC}


def send(url: str, tokens: TenantTokens, name: str, sent: Recorded) -> list[dict[str, object]]:
    """The answers to a good payload, to one without stores, and to one cut off."""
    headers = {"X-Tenpo-Tenant": TENANT, "Authorization": f"Bearer {tokens.send}"}
    place = f"spec/{name}" if name in SPECS else name
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        if name in SPECS:
            client.put(f"/v1/specs/{name}", content=SPECS[name]).raise_for_status()
        answers = []
        for body in (sent.body, _strangers(sent.body), sent.body[: len(sent.body) * 3 // 4]):
            answer = client.post(f"/v1/{sent.adapter.kind}/{place}", content=body)
            assert answer.status_code < 500, (name, answer.text)
            answers.append(answer.json())
    return answers


def _strangers(body: bytes) -> bytes:
    """The payload with numbers that are none: its records are rejected one by one."""
    return body.replace(b"1", b"x").replace(b"2", b"y")


def test_personal_values_are_nowhere_but_in_the_sealed_archive(machine: Machine) -> None:
    settings = machine.settings()
    tokens = create_tenant(
        settings, TENANT, "Acme", MASTERS.store, MASTERS.store_code, MASTERS.device
    )
    payloads = recorded()
    assert len(payloads) >= 15
    joined = b"".join(one.body for one in payloads.values())
    assert any(value.encode() in joined for value in PERSONAL)
    accepted = 0
    for name, sent in payloads.items():
        good, *_ = send(settings.gateway_url, tokens, name, sent)
        accepted += int(str(good.get("accepted", 0)))
    assert accepted > 30
    machine.here("ingest", "--tenant", TENANT)
    machine.here("aggregate", "--dirty", "--tenant", TENANT)
    found = visible(machine.home, settings)
    for place, text in found.items():
        assert TENANT in text, f"nothing of the tenant in {place}: the search proves nothing"
        seen = [value for value in PERSONAL if value in text]
        assert not seen, f"{place} shows {seen}"
    assert "SQ-1" in found["lake"]
    assert "SQ-1" in found["warehouse"]
    assert "customer_key" in found["warehouse"]
    sealed = [path for path in (machine.home / "lake" / "raw").rglob("*") if path.is_file()]
    assert sealed
