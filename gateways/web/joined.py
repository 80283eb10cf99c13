"""Answers leave in one piece: head and body of a small one cost one call of the system, not two.

uvicorn writes the head of an answer when it is begun and the body when that comes, each of which
uvloop hands to the system at once (tried with uvicorn 0.54 and uvloop 0.23, 2026-11); of a
small answer this is the dearest part. What is written within one turn of the loop goes out
together.
"""

from __future__ import annotations

import asyncio
from typing import Any

#: More than this goes out at once, so that the transport can tell when it holds too much.
MOST_BYTES = 64 * 1024


class JoinedWrites:
    """A transport in front of another, with all of its methods.

    Args:
        transport: what writes.
        loop: whose turns count.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Write within this turn of the loop, or now where it has become much."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)
        self._size += len(data)
        if self._size > MOST_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what is held, and close."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        """Whatever else the transport has."""
        return getattr(self._transport, name)

    def _flush(self) -> None:
        if self._held:
            held, self._held, self._size = self._held, [], 0
            self._transport.write(b"".join(held))
