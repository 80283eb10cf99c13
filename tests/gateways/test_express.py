"""The short way answers as the long one does, and takes nothing that is not plain."""

from __future__ import annotations

import gzip
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.gateways.conftest import GINZA, READ, REVOKED, SEND, Gateway
from tests.gateways.payloads import MILESIGHT, POSB, TENANT

pytestmark = pytest.mark.stack

#: Unknown to the short way, so it sends the request the long one.
LONG_WAY = {"x-request-id": "1"}


def told(gateway: Gateway, path: str, body: bytes, token: str, **headers: str) -> Any:
    """Status and answer, without what no two requests share."""
    response = gateway.post(path, body, token, **headers)
    content = {k: v for k, v in response.json().items() if k != "receipt"}
    kept = {k: v for k, v in response.headers.items() if k in ("content-type", "retry-after")}
    return response.status_code, content, kept


@pytest.mark.parametrize(
    ("token", "body", "headers", "status"),
    [
        (SEND, MILESIGHT, {}, 200),
        (SEND, MILESIGHT, {"content-type": "text/plain; charset=utf-8"}, 200),
        (SEND, MILESIGHT[:80], {}, 400),
        (SEND, b" ", {}, 400),
        (SEND, gzip.compress(MILESIGHT), {}, 400),
        (SEND, MILESIGHT, {"x-tenpo-store": "nowhere"}, 404),
        (GINZA, MILESIGHT, {"x-tenpo-store": "soho"}, 403),
        (READ, MILESIGHT, {}, 403),
        (REVOKED, MILESIGHT, {}, 401),
        ("wrong", MILESIGHT, {}, 401),
        (SEND, MILESIGHT, {"x-tenpo-tenant": "nobody"}, 401),
    ],
)
def test_both_ways_give_the_same_answer(
    gateway: Gateway, token: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    short = told(gateway, "/v1/iot/milesight", body, token, **headers)
    long = told(gateway, "/v1/iot/milesight", body, token, **headers, **LONG_WAY)
    assert short == long
    assert short[0] == status


def test_a_payload_above_what_is_read_inline_is_taken(gateway: Gateway) -> None:
    large = POSB + b" " * 70_000
    assert gateway.post("/v1/pos/posb", large).json()["accepted"] == 4


def test_each_payload_of_a_burst_has_its_own_answer(gateway: Gateway) -> None:
    bodies = [MILESIGHT, MILESIGHT[:80], POSB] * 4
    paths = ["/v1/iot/milesight", "/v1/iot/milesight", "/v1/pos/posb"] * 4
    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(pool.map(gateway.post, paths, bodies))
    assert [one.status_code for one in answers] == [200, 400, 200] * 4
    taken = [one.json() for one in answers if one.status_code == 200]
    assert [one["accepted"] for one in taken] == [2, 4] * 4
    assert len({one["receipt"] for one in taken}) == len(taken)


def stalled(gateway: Gateway, headers: dict[str, str]) -> bytes:
    """What a sender is told that stops after three bytes of ten."""
    told = {"X-Tenpo-Tenant": TENANT, "Authorization": f"Bearer {SEND}", "Content-Length": "10"}
    lines = [f"{name}: {value}" for name, value in (told | headers).items()]
    head = "\r\n".join(["POST /v1/iot/milesight HTTP/1.1", "Host: x", *lines, "", ""])
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as sender:
        sender.sendall(head.encode() + b'{"a')
        answer = b""
        while chunk := sender.recv(65_536):
            answer += chunk
    return answer


def test_a_sender_that_stops_is_told_and_hung_up_on(gateway: Gateway) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(stalled, [gateway] * 2, [{}, LONG_WAY]))
    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 408"), answer
        assert b"\r\nconnection: close\r\n" in answer.lower()
        assert b"Send it again whole." in answer
