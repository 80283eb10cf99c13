"""A sender as a vendor's would be: payloads to the gateway, again until it has them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tenpo.errors import AuthError, InputError, PayloadError, PayloadTooLarge, ServiceError

FIRST_WAIT_S = 0.5
LAST_WAIT_S = 8.0
TRIES = 10
PATIENCE_S = 1_800.0
_OPEN = ("queued", "running")
_LOOK_S = 0.5
_TOO_FAST = 429
_TIMEOUT = httpx.Timeout(connect=5, read=180, write=180, pool=5)


@dataclass(frozen=True)
class Sender:
    """Sends for one tenant.

    Args:
        client: an open HTTP client whose base is the gateway.
        tenant_id: the tenant.
        token: its secret.
        store: the store named with each payload, where payloads name none.
        address: where the gateway is now; asked when it does not answer, since a stack that was
            started again may have another port.
    """

    client: httpx.Client
    tenant_id: str
    token: str
    store: str | None = None
    address: Callable[[], str] | None = None

    def post(
        self, path: str, body: bytes, waiting: Callable[[str], None] = lambda _: None
    ) -> dict[str, Any]:
        """Send one payload until it is acknowledged; returns what became of it.

        A large one is worked on after the gateway has it: this waits until that is done.

        Args:
            path: the gateway's.
            body: the payload.
            waiting: told the state of a large one, again and again.

        Raises:
            InputError: the gateway refuses it for good.
            AuthError: the token is not accepted.
            ServiceError: the gateway did not take it in `TRIES` tries, or could not work on it.
        """
        answer = self._request("POST", path, body)
        until = time.monotonic() + PATIENCE_S
        while answer.get("state") in _OPEN:
            receipt = str(answer["receipt"])
            if time.monotonic() > until:
                raise _too_slow(receipt)
            waiting(str(answer["state"]))
            time.sleep(_LOOK_S)
            answer = self._request("GET", f"/v1/receipts/{receipt}", b"")
        return _outcome(answer)

    def put(self, path: str, body: bytes) -> dict[str, Any]:
        """As `post`, for a spec."""
        return self._request("PUT", path, body)

    def _request(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.token}", "x-tenpo-tenant": self.tenant_id}
        if self.store:
            headers["x-tenpo-store"] = self.store
        wait, problem = FIRST_WAIT_S, ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(wait)
                wait = min(2 * wait, LAST_WAIT_S)
            try:
                response = self.client.request(method, path, content=body, headers=headers)
            except httpx.TransportError as error:
                problem = type(error).__name__
                self._follow()
                continue
            if response.status_code < 500 and response.status_code != _TOO_FAST:
                return _checked(response, path)
            problem = f"HTTP {response.status_code}"
        raise ServiceError(
            f"the gateway did not take the payload ({problem})",
            where=f"{str(self.client.base_url).rstrip('/')}/{path.lstrip('/')}",
            remedy="Start it with `tenpo up`, look at `tenpo status`, and send again.",
        )

    def _follow(self) -> None:
        if self.address is not None:
            self.client.base_url = self.address()


def _outcome(answer: dict[str, Any]) -> dict[str, Any]:
    """A settled receipt as if its payload had been read in the request."""
    error = answer.get("error")
    if not error:
        return answer
    kind = PayloadError if answer["state"] == "done" else ServiceError
    raise kind(error["error"], where=error["where"], remedy=error["remedy"])


def _too_slow(receipt: str) -> ServiceError:
    return ServiceError(
        "the gateway has the payload but has not read it yet",
        where=receipt,
        remedy="Do not send it again; look with: tenpo receipts",
    )


def open_client(gateway_url: str) -> httpx.Client:
    """A client of the gateway; no proxy, since it is a neighbour."""
    return httpx.Client(base_url=gateway_url, timeout=_TIMEOUT, trust_env=False)


def _checked(response: httpx.Response, path: str) -> dict[str, Any]:
    try:
        content = response.json()
    except ValueError:
        content = {}
    if response.is_success and isinstance(content, dict):
        return content
    told = content if isinstance(content, dict) else {}
    what = str(told.get("error") or f"the gateway answers HTTP {response.status_code}")
    where, remedy = str(told.get("where") or path), str(told.get("remedy") or "")
    match response.status_code:
        case 401 | 403:
            forbidden = response.status_code == 403
            raise AuthError(what, where=where, remedy=remedy, forbidden=forbidden)
        case 413:
            raise PayloadTooLarge(what, where=where, remedy=remedy)
        case 400:
            raise PayloadError(what, where=where, remedy=remedy)
        case _:
            raise InputError(what, where=where, remedy=remedy)
