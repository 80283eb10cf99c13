"""The short way of small payloads of JSON: what most requests are, without a framework around it.

A counter's report or a receipt is a few hundred bytes, and routing and resolving its
request cost more than reading it. So exactly the plain ones go from the server to `intake`
directly; whatever is unusual about a request (its path, its size, an encoding, a header
that is unknown here or comes twice) sends it the long way, through the routes of `app`.
Answers and errors are the same on both.

It stands before the framework, so a tracer that is set up for FastAPI does not see what
ends here; the gateway's own metrics count it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateways.formats.encoding import decoded, media_type_of
from gateways.intake.answer import Answer
from gateways.intake.group import INLINE_BYTES
from gateways.intake.parcels import Intake, Parcel
from gateways.normalize.json_adapter import JsonAdapter
from gateways.registry import vendors
from gateways.web.head import WHOLE
from gateways.web.patience import Waits, within
from tenpo.errors import PayloadError, TenpoError

Explain = Callable[[Request, Exception], Awaitable[Response]]

_NAMES = {
    b"x-tenpo-tenant": "tenant",
    b"authorization": "authorization",
    b"x-tenpo-store": "store",
    b"content-length": "length",
    b"content-type": "type",
}
#: Headers that change nothing about how a payload is read.
_IDLE = {b"host", b"user-agent", b"accept", b"accept-encoding", b"connection", b"traceparent"}
_PLAIN_TYPES = ("application/json", "text/json", "text/plain", "application/octet-stream")


class Express:
    """An application around another: plain payloads end here, all else goes on to the routes.

    Args:
        app: the routes.
        intake: where payloads go.
        explain: an error as an answer.
        max_body: largest body in bytes.
        waits: the longest waits for a body.
    """

    def __init__(
        self, app: ASGIApp, intake: Intake, explain: Explain, max_body: int, waits: Waits
    ) -> None:
        self._app = app
        self._intake = intake
        self._explain = explain
        self._most = min(INLINE_BYTES, max_body)
        self._waits = waits
        self._adapters = {
            f"/v1/{adapter.kind}/{adapter.name}": adapter
            for adapter in vendors().values()
            if isinstance(adapter, JsonAdapter)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        adapter = self._adapters.get(scope["path"]) if scope["type"] == "http" else None
        told = self._told(scope) if adapter is not None and scope["method"] == "POST" else None
        if adapter is None or told is None:
            await self._app(scope, receive, send)
            return
        try:
            answer = await self._take(adapter, told, scope, receive)
        except Exception as error:
            response = await self._explain(Request(scope), error)
            await response(scope, receive, send)
            if not isinstance(error, TenpoError):  # a defect: the server logs where
                raise
            return
        if answer is None:  # the sender went away
            return
        content = orjson.dumps(answer.content)
        headers = [_JSON, (b"content-length", b"%d" % len(content))]
        headers += [(k.lower().encode(), v.encode()) for k, v in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _told(self, scope: Scope) -> dict[str, str] | None:
        """The headers that count; None if the request has to go the long way."""
        told: dict[str, str] = {}
        for name, value in scope["headers"]:
            known = _NAMES.get(name)
            if known is None:
                if name not in _IDLE:
                    return None
            elif known in told:
                return None
            else:
                told[known] = value.decode("latin-1")
        length = told.get("length", "")
        if not (length.isdigit() and int(length) <= self._most):
            return None
        media = told.get("type", _PLAIN_TYPES[0]).partition(";")[0].strip().lower()
        return told if media in _PLAIN_TYPES else None

    async def _take(
        self, adapter: JsonAdapter, told: dict[str, str], scope: Scope, receive: Receive
    ) -> Answer | None:
        intake, store = self._intake, told.get("store")
        grant = await intake.access.grant(told.get("tenant"), told.get("authorization"))
        grant.check_store(store)
        tenant, size = grant.masters.tenant_id, int(told["length"])
        intake.held_bodies.take(tenant, size)
        try:
            body = await self._body(scope, receive)
            if body is None:
                return None
            parcel = Parcel(grant, adapter, body, store)
            try:
                decoded(body, None, self._most)
            except PayloadError as error:
                await intake.refuse(parcel, error, media_type_of(body, None))
            return await intake.hand_in(parcel)
        finally:
            intake.held_bodies.give_back(tenant, size)

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """The whole body, which the server holds to its stated length; None if it never comes."""
        body, more, began = b"", True, asyncio.get_running_loop().time()
        while more:
            # A clock for a body that is there already would cost as much as reading it.
            there = WHOLE in scope
            message = await (receive() if there else within(receive, self._waits, began))
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return body


_JSON = (b"content-type", b"application/json")
