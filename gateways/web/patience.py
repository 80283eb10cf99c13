"""A sender that stops in the middle of its body is not waited for for ever.

Its connection and what came of the body would be held until the process ends. Bounded is how
long nothing of a body comes, and how long it takes in all: else a byte now and then
would hold the rest as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenpo.errors import SenderStalled


@dataclass(frozen=True)
class Waits:
    """The longest waits for a body, in seconds.

    Args:
        idle_s: for its next piece.
        total_s: for all of it.
    """

    idle_s: float
    total_s: float


async def within(receive: Receive, waits: Waits, began: float) -> Message:
    """The next message of a body.

    Args:
        receive: of the request.
        waits: how long it is waited for.
        began: when that began, by the loop's clock.

    Raises:
        SenderStalled: it did not come in time.
    """
    left_s = began + waits.total_s - asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(min(waits.idle_s, left_s)):
            return await receive()
    except TimeoutError as error:
        if left_s < waits.idle_s:
            raise _late(waits.total_s) from error
        raise _stalled(f"nothing of the body came for {waits.idle_s:g} s") from error


@asynccontextmanager
async def in_all(total_s: float) -> AsyncIterator[None]:
    """Around reading a body that must be there sooner than others.

    Raises:
        SenderStalled: it was not.
    """
    try:
        async with asyncio.timeout(total_s):
            yield
    except TimeoutError as error:
        raise _late(total_s) from error


def _late(total_s: float) -> SenderStalled:
    return _stalled(f"the body was not there after {total_s:g} s")


def _stalled(what: str) -> SenderStalled:
    return SenderStalled(what, where="body", remedy="Send it again whole.")


class Patience:
    """A middleware: the longest waits for a body.

    Args:
        app: what comes after.
        waits: the waits.
    """

    def __init__(self, app: ASGIApp, waits: Waits) -> None:
        self._app = app
        self._waits = waits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; `SenderStalled` comes out of receiving."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        more, began = True, asyncio.get_running_loop().time()

        async def receive_in_time() -> Message:
            nonlocal more
            if not more:  # what comes after the body is the sender's going away
                return await receive()
            message = await within(receive, self._waits, began)
            more = message.get("more_body", False)
            return message

        await self._app(scope, receive_in_time, send)
