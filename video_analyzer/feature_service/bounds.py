"""Who may send a body, what it may weigh, and how long it is waited for: a middleware."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenpo.errors import PayloadTooLarge, SenderStalled, TenpoError
from video_analyzer.feature_service.doors import Doors
from video_analyzer.feature_service.errors import answer_of_ours

MAX_BODY_BYTES = 256 * 1024
#: For all of a body, however steadily its pieces come.
MAX_BODY_S = 60.0
_CALLS = "/v1/"


class Bounds:
    """Asks who calls, then reads the body whole before the call sees it.

    So a slow or large one costs little, and one of nobody known nothing. The caller is in the
    request's state.

    Args:
        app: what comes after.
        doors: who knows the callers.
        idle_s: the longest wait for the next piece.
        total_s: the longest for all of them.
        max_bytes: of a body.
    """

    def __init__(
        self,
        app: ASGIApp,
        doors: Doors,
        idle_s: float,
        total_s: float = MAX_BODY_S,
        max_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._app, self._doors, self._idle_s, self._total_s = app, doors, idle_s, total_s
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not scope["path"].startswith(_CALLS):
            await self._app(scope, receive, send)
            return
        try:
            shown = Headers(scope=scope)
            caller = await self._doors.caller(
                shown.get("x-tenpo-tenant"), shown.get("authorization")
            )
            body = await self._whole(receive)
        except TenpoError as error:
            answer = answer_of_ours(Request(scope), error)
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        sent = False

        async def receive_whole() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, receive_whole, send)

    async def _whole(self, receive: Receive) -> bytes:
        try:
            async with asyncio.timeout(self._total_s):
                return await self._body(receive)
        except TimeoutError as error:
            raise SenderStalled(
                f"the body took longer than {self._total_s:g} s", where="body",
                remedy="Send it faster.",
            ) from error  # fmt: skip

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
            if len(found) > self._max_bytes:
                raise PayloadTooLarge(
                    f"the body is above {self._max_bytes:,} bytes", where="body",
                    remedy="Send less at once.",
                )  # fmt: skip
            more = message.get("more_body", False)
        return bytes(found)
