"""Heads of requests are bounded before anybody is asked who sends them, over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import orjson
import pytest
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from gateways.web import head
from gateways.web.head import MAX_FIELDS, MAX_HEAD_BYTES, BoundedHead
from tests.gateways.conftest import Gateway

START = b"POST /there HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"


async def told_its_fields(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the number of headers, once the body is there."""
    body = (await receive())["body"]
    content = orjson.dumps([len(scope["headers"]), body.decode()])
    headers = [(b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    """The port of a server with nothing behind the protocol."""
    config, state = Config(told_its_fields, log_config=None, ws="none"), ServerState()
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: BoundedHead(config, state, {}), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def answer_to(port: int, *pieces: bytes) -> bytes:
    """What comes back until the server hangs up, or has answered with a 200.

    Nothing more is sent once something has come back.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = b""
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        with suppress(TimeoutError):
            found = await asyncio.wait_for(reader.read(65_536), 0.02)
        if found:
            break
    async with asyncio.timeout(20):
        while not found.startswith(b"HTTP/1.1 200") and (chunk := await reader.read(65_536)):
            found += chunk
    writer.close()
    return found


async def test_what_is_within_the_bounds_is_served_in_whatever_pieces_it_comes() -> None:
    fields = b"".join(b"x-%d: y\r\n" % n for n in range(MAX_FIELDS - 2))
    large = b"x-large: " + b"v" * (MAX_HEAD_BYTES - 1_000) + b"\r\n"
    async with served() as port:
        assert (await answer_to(port, START + fields + b"\r\n{}")).endswith(b'[100,"{}"]')
        assert (await answer_to(port, START, large, b"\r\n", b"{}")).endswith(b'[3,"{}"]')
        body = b"P" * 400_000  # not counted, though the next head begins in the same read
        sized = START.replace(b" 2", b" %d" % len(body))
        assert b" 200 " in await answer_to(port, sized + b"\r\n" + body + START + b"\r\n{}")


@pytest.mark.parametrize(
    "pieces",
    [
        (START + b"x: y\r\n" * MAX_FIELDS + b"\r\n{}",),
        (START + b"x: " + b"v" * MAX_HEAD_BYTES + b"\r\n\r\n{}",),
        (START.replace(b"there", b"t" * MAX_HEAD_BYTES) + b"\r\n{}",),
        (START + b"x: ", *[b"v" * 16_384] * 40),  # a header without an end
    ],
    ids=["fields", "bytes", "address", "endless"],
)
async def test_what_is_above_a_bound_is_answered_431(pieces: tuple[bytes, ...]) -> None:
    async with served() as port:
        found = await answer_to(port, *pieces)
    assert found.startswith(b"HTTP/1.1 431 "), found[:200]
    said = orjson.loads(found.partition(b"\r\n\r\n")[2])
    assert (said["where"], bool(said["remedy"])) == ("headers", True)


async def test_no_http_stays_a_400() -> None:
    async with served() as port:
        assert (await answer_to(port, b"\x16\x03\x01 hello\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


async def test_a_head_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "HEAD_S", 0.2)
    async with served() as port:
        for begun in (b"", START, START + b"\r\n{}" + START):
            found = await answer_to(port, begun)
            served_first = found.startswith(b"HTTP/1.1 200")
            assert served_first == begun.endswith(b"{}" + START)
            if not served_first:
                assert found.startswith(b"HTTP/1.1 408 ")


CHUNKED = b"POST /there HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"


@pytest.mark.parametrize(
    ("begun", "rest"),
    [(CHUNKED, b"1\r\n.\r\n"), (CHUNKED, b"0\r\n\r\n"), (START + b"\r\n{}", b"\r\n")],
    ids=["a body without an end", "the end of one", "empty lines"],
)
async def test_nothing_that_follows_an_answer_holds_the_connection(
    monkeypatch: pytest.MonkeyPatch, begun: bytes, rest: bytes
) -> None:
    monkeypatch.setattr(head, "REST_S", 0.2)
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        assert (await reader.read(65_536)).startswith(b"HTTP/1.1 200 ")
        with suppress(ConnectionError):
            for _ in range(4):
                writer.write(rest if not reader.at_eof() else b"")
                await writer.drain()
                await asyncio.sleep(0.08)
                rest = rest if rest != b"0\r\n\r\n" else b""
            async with asyncio.timeout(2):  # uvicorn's own clock would take five seconds
                assert await reader.read(65_536) == b""
        writer.close()


async def test_a_connection_is_used_again_after_a_body_that_was_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(head, "REST_S", 0.3)
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for again in (CHUNKED, b"0\r\n\r\n" + START + b"\r\n{}"):
            writer.write(again)
            assert (await reader.read(65_536)).startswith(b"HTTP/1.1 200 ")
        await asyncio.sleep(0.4)
        writer.write(START + b"\r\n{}")
        assert (await reader.read(65_536)).startswith(b"HTTP/1.1 200 ")
        writer.close()


@pytest.mark.stack
def test_the_gateway_itself_has_the_bounds(gateway: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as sender:
        sender.sendall(START + b"x: y\r\n" * MAX_FIELDS + b"\r\n{}")
        assert sender.recv(65_536).startswith(b"HTTP/1.1 431 ")
