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
