"""The head of a request is bounded before anybody looks at it: fields, bytes, and time.

uvicorn's parser, llhttp by way of httptools, bounds none of them (tried with uvicorn 0.54 and
httptools 0.9, 2026-11: it keeps a header of any length, and waits for its end for ever). What
is above is answered 431 (RFC 6585), what does not come 408, and the connection is closed.

Neither does uvicorn bound what comes after an answer: the rest of a body that was refused, or
empty lines, whose first byte ends its own clock for idle connections (seen likewise). Strangers
would hold connections for ever. Bodies before the answer are bounded by `body` and `patience`.
"""

from __future__ import annotations

import asyncio
from asyncio.events import TimerHandle
from http import HTTPStatus
from typing import Any, cast

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateways.web.joined import JoinedWrites
from tenpo.telemetry import get_logger

log = get_logger(__name__)

MAX_FIELDS = 100
MAX_HEAD_BYTES = 32 * 1024
HEAD_S = 30.0
#: After an answer, until the next head begins, while something comes that is none.
REST_S = 30.0
#: In a request's scope once all of its body has come: nobody has to wait for it.
WHOLE = "tenpo.whole"
_REMEDIES = {
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        f"Send at most {MAX_FIELDS} headers, together below {MAX_HEAD_BYTES // 1024} KB."
    ),
    HTTPStatus.REQUEST_TIMEOUT: f"Send the headers within {HEAD_S:g} s.",
}


class _TooLargeError(Exception):
    """The head is above a bound."""


class BoundedHead(HttpToolsProtocol):
    """uvicorn's protocol with bounds, for `uvicorn.run(http=BoundedHead)`."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._timer: TimerHandle | None = None
        self._resting: TimerHandle | None = None
        self._refused = False
        self._heads = 0
        self._parsed = 0
        self._unparsed = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(JoinedWrites(transport, self.loop))  # type: ignore[arg-type]
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._head_is_there()
        self._end_rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; what lies in a header that has no end yet is counted here."""
        heads = self._heads
        super().data_received(data)
        if self._timer is not None and heads == self._heads and not self._refused:
            self._unparsed += len(data)
            if self._unparsed > MAX_HEAD_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        self._bound_rest()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._end_rest()
        self._heads += 1
        self._parsed = self._unparsed = 0
        if self._timer is None:
            self._await_head()

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        if len(self.headers) >= MAX_FIELDS:
            raise _TooLargeError
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there: serve it."""
        self._head_is_there()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is there, too."""
        super().on_message_complete()
        cast("dict[str, Any]", self.scope)[WHOLE] = True

    def on_response_complete(self) -> None:
        """The answer is given; what has not come of the body is not wanted any more."""
        super().on_response_complete()
        if WHOLE not in self.scope:
            self._unset_keepalive_if_required()
            self._bound_rest()

    def send_400_response(self, msg: str) -> None:
        """The parser stopped, by itself or because of a bound."""
        if self._parsed > MAX_HEAD_BYTES or len(self.headers or ()) >= MAX_FIELDS:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        else:
            super().send_400_response(msg)

    def _count(self, size_bytes: int) -> None:
        self._parsed += size_bytes
        if self._parsed > MAX_HEAD_BYTES:
            raise _TooLargeError

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(HEAD_S, self._waited)

    def _waited(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:  # the request before is still being answered, and what follows it not read
            self._await_head()

    def _head_is_there(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _bound_rest(self) -> None:
        """Have a clock run where no other does: each byte may have stopped uvicorn's."""
        answered = self.cycle is not None and self.cycle.response_complete
        clocks = (self._timer, self._resting, self.timeout_keep_alive_task)
        if answered and clocks == (None, None, None) and not self.transport.is_closing():
            self._resting = self.loop.call_later(REST_S, self.transport.close)

    def _end_rest(self) -> None:
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None

    def _refuse(self, status: HTTPStatus) -> None:
        self._refused = True
        log.info("refused", status=int(status), error="head")
        said = {"error": status.phrase.lower(), "where": "headers", "remedy": _REMEDIES[status]}
        content = orjson.dumps(said)
        head = (
            f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(content)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + content)
        self.transport.close()
