"""A server that stands for Square's and Smaregi's APIs, on loopback. No test of its own.

Its answers have the shape of the vendors' documentation (linked in `gateways.fetch`); it checks
what it is shown as they do.
"""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

_SQUARE = "Bearer sq-access-token"
_BASIC = "Basic " + b64encode(b"sm-id:sm-secret").decode()
_BOUGHT = "Bearer bought"
_NO_ORDER = {"errors": [{"category": "INVALID_REQUEST_ERROR", "code": "NOT_FOUND"}]}
_NO_TRANSACTION = {"type": "about:blank", "title": "Not Found", "status": 404}


@dataclass
class VendorServer:
    """What the vendors know, and how they fail.

    Args:
        url: of both.
        orders: Square's, by id.
        transactions: Smaregi's, by id.
        troubles: status and headers of the next answers, before they are right again.
        calls: method and path of each call.
        held: vendors that answer nothing until the event is set, by how their paths begin.
    """

    url: str = ""
    orders: dict[str, Any] = field(default_factory=dict)
    transactions: dict[str, Any] = field(default_factory=dict)
    troubles: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    held: dict[str, threading.Event] = field(default_factory=dict)

    def answer(self, method: str, target: str, shown: str, body: bytes) -> tuple[int, Any]:
        """Status and document of one call."""
        path = urlsplit(target).path
        last = path.rpartition("/")[2]
        self.calls.append(f"{method} {path}")
        for start, released in self.held.items():
            if path.startswith(start):
                released.wait(30)
        if path == "/app/sb_1/token":
            asked = parse_qs(body.decode())
            right = shown == _BASIC and asked["scope"] == ["pos.transactions:read"]
            return (200, {"access_token": "bought", "expires_in": 3600}) if right else (401, {})
        if path.startswith("/sb_1/pos/transactions/"):
            if shown != _BOUGHT:
                return 401, {}
            detailed = parse_qs(urlsplit(target).query) == {"with_details": ["all"]}
            found = self.transactions.get(last) if detailed else None
            return (200, found) if found else (404, _NO_TRANSACTION)
        if shown != _SQUARE:
            return 401, {"errors": [{"category": "AUTHENTICATION_ERROR", "code": "UNAUTHORIZED"}]}
        if path == "/v2/orders/batch-retrieve":
            ids = orjson.loads(body)["order_ids"]
            return 200, {"orders": [self.orders[one] for one in ids if one in self.orders]}
        found = self.orders.get(last)
        return (200, {"order": found}) if found else (404, _NO_ORDER)


@contextmanager
def vendor_server() -> Iterator[VendorServer]:
    """The server, running."""
    told = VendorServer()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            shown = self.headers.get("authorization", "")
            status, document = told.answer(self.command, self.path, shown, body)
            headers: dict[str, str] = {}
            if told.troubles:
                (status, headers), document = told.troubles.pop(0), {}
            content = orjson.dumps(document)
            self.send_response(status)
            for name, value in (headers | {"content-length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()
