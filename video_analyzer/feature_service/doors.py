"""Who asks, looked up before anything else of a request is read, at the same cost for everybody.

An unknown tenant costs no look into the lake of its own, and every refusal takes as long as a
look into it would, so that its time tells nobody which tenants there are. What a token opens is
`access`'s.
"""

from __future__ import annotations

import asyncio
import time

from tenpo.errors import AuthError
from tenpo.masters import MasterBook
from video_analyzer.feature_service.access import Caller, caller_of, not_valid

#: How long a refusal takes at least.
REFUSAL_S = 0.1


class Doors:
    """Looks callers up.

    Args:
        book: the masters of all tenants.
        refusal_s: how long a refusal takes at least.
        max_age_s: how long the list of tenants counts; a new tenant waits as long at most.
    """

    def __init__(
        self, book: MasterBook, *, refusal_s: float = REFUSAL_S, max_age_s: float = 2.0
    ) -> None:
        self._book, self._refusal_s, self.max_age_s = book, refusal_s, max_age_s
        self._listing = asyncio.Lock()
        self._tenants: frozenset[str] = frozenset()
        self._listed_at = float("-inf")

    async def caller(self, tenant_id: str | None, authorization: str | None) -> Caller:
        """Who asks.

        Raises:
            AuthError: see `caller_of`.
            LakeError: the masters cannot be looked up now.
        """
        began = time.monotonic()
        try:
            return await self._caller(tenant_id, authorization)
        except AuthError as error:
            if error.status == 401:
                await asyncio.sleep(max(0.0, began + self._refusal_s - time.monotonic()))
            raise

    async def _caller(self, tenant_id: str | None, authorization: str | None) -> Caller:
        if not tenant_id or not authorization or self._book.kept(tenant_id) is not None:
            return caller_of(self._book, tenant_id, authorization)
        if tenant_id not in await self._known():
            raise not_valid()
        return await asyncio.to_thread(caller_of, self._book, tenant_id, authorization)

    async def _known(self) -> frozenset[str]:
        async with self._listing:  # one look, however many ask
            if time.monotonic() - self._listed_at >= self.max_age_s:
                self._tenants = frozenset(await asyncio.to_thread(self._book.tenants))
                self._listed_at = time.monotonic()
            return self._tenants
