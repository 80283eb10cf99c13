"""Names, mails and card digits in payloads of every adapter: only the sealed archive has them."""

from __future__ import annotations

import httpx
import pytest

from gateways.registry import vendors
from tenpo.tenants import TenantTokens, create_tenant
from tests.e2e.visible import visible
from tests.gateways.counters import VIVOTEK_SPEC
from tests.gateways.payloads import COUNTS_SPEC, MASTERS, SALES_SPEC, TENANT
from tests.gateways.planted import Planted, misplaced, planted
from tests.machine import Machine

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

SPECS = {"till": SALES_SPEC, "door": COUNTS_SPEC, "vivotek": VIVOTEK_SPEC}


def send(url: str, tokens: TenantTokens, name: str, sent: Planted) -> list[dict[str, object]]:
    """The answers to a good payload, to others without stores, and to one cut off."""
    headers = {"X-Tenpo-Tenant": TENANT, "Authorization": f"Bearer {tokens.send}"}
    place = f"spec/{name}" if name in SPECS else name
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        if name in SPECS:
            client.put(f"/v1/specs/{name}", content=SPECS[name]).raise_for_status()
        answers = []
        shifted = [misplaced(sent.recorded, value, sent.codec) for value in sent.values]
        cut = sent.body[: len(sent.body) * 3 // 4]
        for body in (sent.body, _strangers(sent), cut, *shifted):
            assert body in shifted or any(v.encode(sent.codec) in body for v in sent.values), name
            answer = client.post(f"/v1/{sent.recorded.adapter.kind}/{place}", content=body)
            assert answer.status_code < 500, (name, answer.text)
            assert not [value for value in sent.values if value in answer.text], name
            answers.append(answer.json())
    return answers


def _strangers(sent: Planted) -> bytes:
    """The payload with numbers that are none: its records are rejected, with their persons."""
    body = sent.body
    marks = dict(zip((b"\0a", b"\0b", b"\0c"), sent.values, strict=True))
    for mark, value in marks.items():
        body = body.replace(value.encode(sent.codec), mark)
    body = body.replace(b"1", b"x").replace(b"2", b"y")
    for mark, value in marks.items():
        body = body.replace(mark, value.encode(sent.codec))
    return body


def test_personal_values_are_nowhere_but_in_the_sealed_archive(machine: Machine) -> None:
    settings = machine.settings()
    tokens = create_tenant(
        settings, TENANT, "Acme", MASTERS.store, MASTERS.store_code, MASTERS.device
    )
    payloads = planted()
    assert set(payloads) == set(vendors()) | set(SPECS)
    for name, sent in payloads.items():
        assert all(value.encode(sent.codec) in sent.body for value in sent.values), name
        good, *_ = send(settings.gateway_url, tokens, name, sent)
        assert int(str(good.get("accepted", 0))) > 0, (name, good)
    machine.here("ingest", "--tenant", TENANT)
    machine.here("aggregate", "--dirty", "--tenant", TENANT)
    found = visible(machine.home, settings)
    for place, text in found.items():
        assert TENANT in text, f"nothing of the tenant in {place}: the search proves nothing"
    seen = [
        (name, place, number)
        for name, sent in payloads.items()
        for number, value in enumerate(sent.values)
        for place, text in found.items()
        if value in text
    ]
    assert seen == []
    for name, sent in payloads.items():
        source = sent.recorded.adapter.name
        assert f"'source': '{source}'" in found["warehouse"], f"nothing of {name} was taken in"
    assert "SQ-1" in found["lake"]
    assert "SQ-1" in found["warehouse"]
    assert "customer_key" in found["warehouse"]
    sealed = [path for path in (machine.home / "lake" / "raw").rglob("*") if path.is_file()]
    assert sealed
