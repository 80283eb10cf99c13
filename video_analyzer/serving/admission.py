"""What may lie in memory at once: every body says how long it is, and all together fit.

A body takes its room when it begins to be read, which `feature_service.bounds` does once it knows
who sends it: whoever is nobody takes none from others.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenpo.errors import InputError, PayloadTooLarge, RateLimited, TenpoError
from video_analyzer.feature_service.errors import answer_of_ours
from video_analyzer.serving.jobs import MAX_CLIP_BYTES
from video_analyzer.serving.still import MAX_STILL_BYTES

MAX_TOGETHER_BYTES = 512 * 1024**2
_MAX_JSON_BYTES = 64 * 1024


class Admission:
    """A middleware that lets bodies in as long as there is room.

    Args:
        app: what comes after.
        together: bytes of all bodies under way.
    """

    def __init__(self, app: ASGIApp, together: int = MAX_TOGETHER_BYTES) -> None:
        self._app, self._together, self._taken = app, together, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT"):
            await self._app(scope, receive, send)
            return
        try:
            size = _size(scope)
        except TenpoError as error:
            answer = answer_of_ours(Request(scope), error)
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)
            return
        taken = 0

        async def receive_with_room() -> Message:
            nonlocal taken
            if not taken:
                self._take(size)
                taken = size
            return await receive()

        try:
            await self._app(scope, receive_with_room, send)
        finally:
            self._taken -= taken

    def _take(self, size: int) -> None:
        if self._taken + size > self._together:
            raise RateLimited(
                "too much is under way", remedy="Wait for its answers, then send more."
            )
        self._taken += size


def _size(scope: Scope) -> int:
    told = Headers(scope=scope).get("content-length", "")
    if not told.isdecimal() or len(told) > 12:
        raise InputError(
            "the length of the body is missing",
            where="Content-Length",
            remedy="Send the body whole, with its length.",
        )
    size, most = int(told), most_bytes(scope["path"])
    if size > most:
        raise PayloadTooLarge(
            f"the body is above {most:,} bytes", where="body", remedy="Send a smaller one."
        )
    return size


def most_bytes(path: str) -> int:
    """The longest body of a call."""
    if path.endswith("/clip"):
        return MAX_CLIP_BYTES
    return MAX_STILL_BYTES if path == "/v1/still" else _MAX_JSON_BYTES
