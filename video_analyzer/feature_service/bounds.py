"""What a body may weigh, and how long its next piece is waited for: a middleware."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenpo.errors import PayloadTooLarge, SenderStalled
from video_analyzer.feature_service.errors import answer_of_ours

MAX_BODY_BYTES = 256 * 1024


class Bounds:
    """Reads a body whole before the call sees it, so that a slow or large one costs little.

    Args:
        app: what comes after.
        idle_s: the longest wait for the next piece.
    """

    def __init__(self, app: ASGIApp, idle_s: float) -> None:
        self._app, self._idle_s = app, idle_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._body(receive)
        except (PayloadTooLarge, SenderStalled) as error:
            answer = answer_of_ours(Request(scope), error)
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)
            return
        sent = False

        async def receive_whole() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, receive_whole, send)

    async def _body(self, receive: Receive) -> bytes:
        found = bytearray()
        more = True
        while more:
            try:
                async with asyncio.timeout(self._idle_s):
                    message = await receive()
            except TimeoutError as error:
                raise SenderStalled(
                    f"nothing of the body came for {self._idle_s:g} s", where="body",
                    remedy="Send it again whole.",
                ) from error  # fmt: skip
            found += message.get("body", b"")
            if len(found) > MAX_BODY_BYTES:
                raise PayloadTooLarge(
                    f"the body is above {MAX_BODY_BYTES:,} bytes", where="body",
                    remedy="Send less at once.",
                )  # fmt: skip
            more = message.get("more_body", False)
        return bytes(found)
