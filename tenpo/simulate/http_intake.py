"""Sending one payload over HTTP until the gateway has acknowledged it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from tenpo.errors import AuthError, InputError, PayloadError
from tenpo.simulate.patience import NotYet
from tenpo.simulate.payload import Payload
from tenpo.tenants import TenantTokens

_LOOK_S = 0.5
_TIMEOUT_S = 30.0
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_SHOWN = 5


@dataclass(slots=True)
class Counted:
    """What the gateway said about the payloads it acknowledged."""

    accepted: int = 0
    rejected: int = 0
    ignored: int = 0
    rejections: tuple[str, ...] = ()


class HttpIntake:
    """A gateway's HTTP intake, as one tenant's senders see it.

    Args:
        url: the gateway.
        tokens: the tenant and its token.
        connections: at most so many at once.
    """

    def __init__(self, url: str, tokens: TenantTokens, connections: int) -> None:
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={
                "Authorization": f"Bearer {tokens.send}",
                "X-Tenpo-Tenant": tokens.tenant_id,
            },
            timeout=_TIMEOUT_S,
            limits=httpx.Limits(max_connections=connections),
            trust_env=False,
        )
        self.counted = Counted()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def deliver(self, payload: Payload) -> None:
        """Send once.

        Raises:
            NotYet: not acknowledged; send it again.
            AuthError, PayloadError, InputError: refused; sending again would not help.
        """
        headers = {"Content-Type": payload.content_type}
        try:
            answer = await self._client.post(payload.route, content=payload.body, headers=headers)
        except httpx.TransportError as error:
            raise NotYet(f"the gateway does not answer: {error!r}") from error
        if answer.status_code in _AGAIN:
            raise NotYet(f"the gateway answers {answer.status_code}")
        if answer.status_code in (401, 403):
            raise AuthError(_said(answer), where=payload.name, forbidden=answer.status_code == 403)
        if answer.status_code == 400:
            raise PayloadError(_said(answer), where=payload.name)
        if answer.is_error:
            raise InputError(f"{answer.status_code}: {_said(answer)}", where=payload.name)
        self._count(payload, await self._outcome(orjson.loads(answer.content)))

    async def _outcome(self, receipt: dict[str, Any]) -> dict[str, Any]:
        """What became of a payload; a large one is read after it was taken."""
        while receipt.get("state") in ("queued", "running"):
            await asyncio.sleep(_LOOK_S)
            answer = await self._client.get(f"/v1/receipts/{receipt['receipt']}")
            receipt = orjson.loads(answer.raise_for_status().content)
        return receipt

    def _count(self, payload: Payload, receipt: dict[str, Any]) -> None:
        counted = self.counted
        counted.accepted += int(receipt.get("accepted", 0))
        counted.rejected += int(receipt.get("rejected", 0))
        counted.ignored += int(receipt.get("ignored", 0))
        room = _SHOWN - len(counted.rejections)
        found = [f"{payload.name}: {row}" for row in receipt.get("rejections", [])[:room]]
        counted.rejections += tuple(found)


def _said(answer: httpx.Response) -> str:
    try:
        return str(orjson.loads(answer.content).get("error", answer.text))
    except (orjson.JSONDecodeError, AttributeError):
        return answer.text[:200]
