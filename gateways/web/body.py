"""Reading a request's body up to the limit, and not a byte more into memory."""

from __future__ import annotations

from fastapi import Request
from starlette.requests import ClientDisconnect

from gateways.formats.encoding import too_large
from tenpo.errors import PayloadError

#: A sender is told 413 only once it has stopped sending; most clients would otherwise
#: see a broken connection. So much is read and thrown away before we hang up.
DISCARD_FACTOR = 16


async def read_body(request: Request, limit: int) -> bytes:
    """The body.

    Raises:
        PayloadTooLarge: it is above the limit; what came is thrown away.
        PayloadError: the sender went away before its end.
    """
    kept: list[bytes] = []
    size = 0
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > limit and "expect" in request.headers:
        raise too_large(limit)
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                kept.clear()
                if size > DISCARD_FACTOR * limit:
                    break
                continue
            kept.append(chunk)
    except ClientDisconnect as error:
        raise PayloadError(
            "the sender went away", where=f"byte {size}", remedy="Send it again whole."
        ) from error
    if size > limit:
        raise too_large(limit)
    return b"".join(kept)
