"""How long a sender keeps trying: backoff for each payload, one deadline for the silence of all."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from tenpo.errors import AuthError, ServiceError, TenpoError

_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 2.0
_NEW_TOKEN_S = 6.0


class NotYet(ServiceError):
    """Not acknowledged; sending it again is right."""


class Patience:
    """Repeats until acknowledged; gives up when nothing at all was acknowledged for long.

    Args:
        silence_s: longest time without any acknowledgement.
        told: called with the reason whenever something has to be sent again.
    """

    def __init__(self, silence_s: float, told: Callable[[str], None]) -> None:
        self._silence_s = silence_s
        self._told = told
        self._begun = self._heard_at = time.monotonic()
        self.repeated = 0

    async def insist(self, once: Callable[[], Awaitable[None]]) -> None:
        """Call `once` until it succeeds.

        Raises:
            ServiceError: nothing was acknowledged for `silence_s`.
            TenpoError: refused; trying again would not help.
        """
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                await once()
            except (NotYet, AuthError) as error:
                self._consider(error)
                self.repeated += 1
                self._told(error.what)
                await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))
                wait_s = min(_LONGEST_WAIT_S, wait_s * 2)
            else:
                self._heard_at = time.monotonic()
                return

    def _consider(self, error: TenpoError) -> None:
        now = time.monotonic()
        if isinstance(error, AuthError) and now - self._begun > _NEW_TOKEN_S:
            raise error  # a token made just now needs seconds to be known everywhere
        if now - self._heard_at > self._silence_s:
            raise ServiceError(
                f"nothing was acknowledged for {self._silence_s:.0f} s: {error.what}",
                remedy="See `tenpo status`; then run the same command again, it goes on from here.",
            ) from error
