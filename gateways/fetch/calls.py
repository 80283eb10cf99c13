"""Calls of a vendor's API: bounded in time and size, and what its answers mean.

An answer of 200 is what was asked for, one of 404 that there is no such thing, which is an
answer, too. All else is worth another try later: the vendor may be down, ask to be left
alone, or not accept a token that somebody mends meanwhile. Redirects are not followed: a token goes
to the address of the settings alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from tenpo.errors import VendorError

TIMEOUT = httpx.Timeout(connect=5, read=20, write=20, pool=5)
#: Of all calls of a job: its tenant's others wait for it.
ALL_S = 120.0
_ANSWERS = (200, 404)
_DENIED, _TOO_FAST = (401, 403), 429
_KEEP_ONE = (
    "Keep one that may read orders with: "
    "tenpo tenant webhook TENANT VENDOR --secret-file FILE --token-file FILE"
)


@dataclass(frozen=True)
class Login:
    """What a tenant shows a vendor.

    Args:
        token: its access token, or whatever the vendor has in its place.
        account: who the tenant is there, where the vendor's addresses need it.
    """

    token: str = field(repr=False)
    account: str | None = None


@dataclass(frozen=True)
class Reply:
    """JSON that a vendor answered with.

    Args:
        body: byte for byte.
        document: the same, read.
    """

    body: bytes
    document: Any


class Calls:
    """Calls of one job, one after the other.

    Args:
        client: an open client.
        limit: bytes of all answers together.
        all_s: for all of them.
    """

    def __init__(self, client: httpx.Client, limit: int, all_s: float = ALL_S) -> None:
        self._client = client
        self._left = limit
        self._until = time.monotonic() + all_s

    def call(self, method: str, url: str, **asked: Any) -> Reply:
        """One call; `asked` is httpx's.

        Raises:
            VendorError: there is no answer that says anything.
        """
        if time.monotonic() > self._until:
            raise _too_slow(url)
        try:
            with self._client.stream(method, url, **asked) as response:
                body = self._body(response)
        except httpx.HTTPError as error:
            raise VendorError(
                f"the vendor's API does not answer: {type(error).__name__}", where=_place(url)
            ) from error
        if response.status_code not in _ANSWERS:
            raise _refused(response)
        try:
            return Reply(body, orjson.loads(body))
        except orjson.JSONDecodeError as error:
            raise VendorError("the vendor's answer is no JSON", where=_place(url)) from error

    def _body(self, response: httpx.Response) -> bytes:
        pieces: list[bytes] = []
        for piece in response.iter_bytes():
            if time.monotonic() > self._until:
                raise _too_slow(str(response.url))
            self._left -= len(piece)
            if self._left < 0:
                raise VendorError(
                    "the vendor's answers are too large", where=_place(str(response.url)),
                    remedy="Raise TENPO_MAX_BODY_BYTES.",
                )  # fmt: skip
            pieces.append(piece)
        return b"".join(pieces)


def together(replies: list[Reply]) -> bytes:
    """Answers as one payload: a list of what the vendor said, byte for byte."""
    return b"[" + b",".join(reply.body for reply in replies) + b"]"


def _too_slow(url: str) -> VendorError:
    return VendorError("the vendor answers too slowly", where=_place(url))


def _refused(response: httpx.Response) -> VendorError:
    status, where = response.status_code, _place(str(response.url))
    if status in _DENIED:
        return VendorError(f"the vendor does not accept the token ({status})", where=where,
                           remedy=_KEEP_ONE)  # fmt: skip
    told = response.headers.get("retry-after", "")
    after_s = float(told) if told.isdigit() else 0.0
    what = "asks to be called less often" if status == _TOO_FAST else "has no answer at the moment"
    return VendorError(f"the vendor {what} ({status})", where=where, retry_after_s=after_s)


def _place(url: str) -> str:
    return url.partition("?")[0]
