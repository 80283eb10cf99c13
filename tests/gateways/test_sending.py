"""The sending client says where it did not get through."""

from __future__ import annotations

import httpx
import pytest

from gateways.cli import sending
from gateways.cli.sending import Sender
from tenpo.errors import ServiceError


@pytest.mark.parametrize("base", ["http://127.0.0.1:8081", "http://127.0.0.1:8081/"])
def test_the_address_that_did_not_answer_is_whole(
    base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "FIRST_WAIT_S", 0.0)
    tries: list[httpx.URL] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        tries.append(request.url)
        return httpx.Response(503)

    transport = httpx.MockTransport(refuse)
    with (
        httpx.Client(base_url=base, transport=transport) as client,
        pytest.raises(ServiceError) as raised,
    ):
        Sender(client, "acme", "secret").post("/v1/pos/posb", b"{}")
    assert raised.value.where == "http://127.0.0.1:8081/v1/pos/posb"
    assert {str(url) for url in tries} == {raised.value.where}
    assert len(tries) == sending.TRIES


def test_a_gateway_that_moved_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack was stopped and started again, and its port was taken meanwhile."""
    monkeypatch.setattr(sending, "FIRST_WAIT_S", 0.0)
    tries: list[str] = []

    def moved(request: httpx.Request) -> httpx.Response:
        tries.append(f"{request.url.port}{request.url.path}")
        if request.url.port == 8081:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json={"accepted": 1})

    base, transport = "http://127.0.0.1:8081", httpx.MockTransport(moved)
    now = iter([base, "http://127.0.0.1:8082"])
    with httpx.Client(base_url=base, transport=transport) as client:
        sender = Sender(client, "acme", "secret", address=lambda: next(now))
        for _ in range(2):
            assert sender.post("/v1/pos/posb", b"{}") == {"accepted": 1}
    path = "/v1/pos/posb"
    assert tries == [f"8081{path}", f"8081{path}", f"8082{path}", f"8082{path}"]
