"""Answers in one piece: what is written in one turn of the loop goes out together, and in order."""

from __future__ import annotations

import asyncio
from typing import cast

from gateways.web.joined import MOST_BYTES, JoinedWrites


class Wire:
    """A transport that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        """Remember a piece."""
        self.told.append(data)

    def close(self) -> None:
        """Remember the end."""
        self.told.append("closed")

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return "closed" in self.told


def joined() -> tuple[Wire, JoinedWrites]:
    wire = Wire()
    return wire, JoinedWrites(cast("asyncio.Transport", wire), asyncio.get_running_loop())


async def test_head_and_body_leave_together_and_what_comes_later_by_itself() -> None:
    wire, transport = joined()
    transport.write(b"head")
    transport.write(b"body")
    assert wire.told == []
    await asyncio.sleep(0)
    assert wire.told == [b"headbody"]
    transport.write(b"more")  # of an answer that is told piece by piece
    await asyncio.sleep(0)
    assert wire.told == [b"headbody", b"more"]


async def test_much_is_not_held_and_stays_in_order() -> None:
    wire, transport = joined()
    much = b"x" * MOST_BYTES
    transport.write(b"head")
    transport.write(much)
    assert wire.told == [b"head" + much]
    transport.write(b"end")
    await asyncio.sleep(0)
    assert wire.told == [b"head" + much, b"end"]


async def test_what_is_held_goes_out_before_the_end() -> None:
    wire, transport = joined()
    transport.write(b"answer")
    assert not transport.is_closing()
    transport.close()
    assert transport.is_closing()
    await asyncio.sleep(0)
    assert wire.told == [b"answer", "closed"]
