"""Who may send: tenant and token of a request, against the masters in the lake."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fastapi import Request

from gateways.intake.rates import Rates
from tenpo.bearer import shown_secret, valid_token
from tenpo.errors import AuthError, UnknownReference
from tenpo.masters import MasterBook, TenantMasters, Token

_REMEDY = "Send X-Tenpo-Tenant and 'Authorization: Bearer TOKEN' of a sending token of that tenant."


@dataclass(frozen=True)
class Grant:
    """What a request may do.

    Args:
        masters: of the tenant it speaks for.
        allowed_store: the only store it may speak for; None means all.
    """

    masters: TenantMasters
    allowed_store: str | None

    def check_store(self, store_hint: str | None) -> None:
        """Whether the named store is known and allowed.

        Raises:
            AuthError: the token is for another store (403).
            UnknownReference: there is no such store.
        """
        if store_hint is None:
            return
        if self.allowed_store not in (None, store_hint):
            raise AuthError(
                "the token may not send for this store",
                where="X-Tenpo-Store",
                remedy="Use the store's own token, or one of the whole tenant.",
                forbidden=True,
            )
        if store_hint not in self.masters.stores:
            raise UnknownReference(
                "there is no such store",
                where="X-Tenpo-Store",
                remedy="Use a store_id of the tenant's store master.",
            )

    def check_whole_tenant(self) -> None:
        """Whether the token speaks for the whole tenant.

        Raises:
            AuthError: it is for one store (403).
        """
        if self.allowed_store is not None:
            raise AuthError(
                "the token is for one store only",
                where="Authorization",
                remedy="Use a token of the whole tenant.",
                forbidden=True,
            )


class Access:
    """Checks requests.

    Args:
        book: the masters.
        rates: how fast each token has sent.
        store_rate_per_s: payloads a second of a token of one store; 0 means no limit.
    """

    def __init__(
        self, book: MasterBook, rates: Rates | None = None, store_rate_per_s: float = 0
    ) -> None:
        self._book = book
        self._rates = rates
        self._store_rate_per_s = store_rate_per_s

    async def masters(self, tenant_id: str) -> TenantMasters:
        """The masters of one tenant; the lake is asked in a thread, and seldom.

        Raises:
            UnknownReference: there is no such tenant.
        """
        kept = self._book.kept(tenant_id)
        return kept if kept is not None else await asyncio.to_thread(self._book.get, tenant_id)

    async def grant(self, tenant_id: str | None, authorization: str | None) -> Grant:
        """What the bearer of a token may do.

        An unknown tenant and a wrong token get the same answer, so that nobody
        learns which tenants there are.

        Raises:
            AuthError: no tenant or token named, or wrong (401), or not for sending (403).
            RateLimited: the token sends too fast.
        """
        tenant, secret = shown_secret(tenant_id, authorization, _REMEDY)
        try:
            masters = await self.masters(tenant)
        except UnknownReference:
            masters = TenantMasters(tenant_id=tenant)
        token = valid_token(masters, secret, _REMEDY)
        if token.scope != "send":
            raise AuthError(
                "the token may read but not send",
                where="Authorization",
                remedy="Use a token of scope send.",
                forbidden=True,
            )
        self._check_rate(token)
        return Grant(masters, token.store_id)

    def _check_rate(self, token: Token) -> None:
        if self._rates is None:
            return
        rate = token.rate_per_s
        if rate is None:
            rate = 0 if token.store_id is None else self._store_rate_per_s
        self._rates.take(token.sha256, rate)


def credentials(request: Request) -> tuple[str | None, str | None]:
    """Tenant and authorization that a request names."""
    return request.headers.get("x-tenpo-tenant"), request.headers.get("authorization")
