"""Reading a request's body up to the limit, and not a byte more into memory."""

from __future__ import annotations

from fastapi import Request
from starlette.requests import ClientDisconnect

from gateways.formats.encoding import too_large
from gateways.intake.shares import Holding
from tenpo.errors import Overloaded, PayloadError, PayloadTooLarge

#: A sender is told what is wrong only once it has stopped sending; most clients would otherwise
#: see a broken connection. So much is read and thrown away before we hang up.
DISCARD_FACTOR = 16


async def read_body(request: Request, limit: int, held: Holding) -> bytes:
    """The body.

    Args:
        request: whose body is read.
        limit: the largest body in bytes.
        held: what of it is in memory is added here, and stays there.

    Raises:
        PayloadTooLarge: it is above the limit; what came is thrown away.
        Overloaded: there is no room beside the other bodies; likewise.
        PayloadError: the sender went away before its end.
    """
    kept = bytearray()  # pieces of a byte each would take many times their size
    size = 0
    refused: PayloadTooLarge | Overloaded | None = None
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > limit and "expect" in request.headers:
        raise too_large(limit)
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if refused is None:
                refused = _no_room(size, len(chunk), limit, held)
            if refused is None:
                kept += chunk
                continue
            kept.clear()
            held.drop()
            if size > DISCARD_FACTOR * limit:
                break
    except ClientDisconnect as error:
        raise PayloadError(
            "the sender went away", where=f"byte {size}", remedy="Send it again whole."
        ) from error
    if refused is not None:
        raise refused
    return bytes(kept)


def _no_room(
    size: int, more: int, limit: int, held: Holding
) -> PayloadTooLarge | Overloaded | None:  # fmt: skip
    """Why a piece of a body cannot be kept; None where it can, and is held now."""
    if size > limit:
        return too_large(limit)
    try:
        held.add(more)
    except Overloaded as error:
        return error
    return None
