"""A sender that stops in the middle of its body is not waited for for ever.

Its connection and what came of the body would be held until the process ends. How long
a body takes in all is not bounded, only how long nothing of it comes.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenpo.errors import SenderStalled


async def within(receive: Receive, idle_s: float) -> Message:
    """The next message of a body.

    Raises:
        SenderStalled: it did not come in time.
    """
    try:
        async with asyncio.timeout(idle_s):
            return await receive()
    except TimeoutError as error:
        raise SenderStalled(
            f"nothing of the body came for {idle_s:g} s",
            where="body",
            remedy="Send it again whole.",
        ) from error


class Patience:
    """A middleware: the longest wait for the next piece of a body.

    Args:
        app: what comes after.
        idle_s: the wait.
    """

    def __init__(self, app: ASGIApp, idle_s: float) -> None:
        self._app = app
        self._idle_s = idle_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; `SenderStalled` comes out of receiving."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        more = True

        async def receive_in_time() -> Message:
            nonlocal more
            if not more:  # what comes after the body is the sender's going away
                return await receive()
            message = await within(receive, self._idle_s)
            more = message.get("more_body", False)
            return message

        await self._app(scope, receive_in_time, send)
