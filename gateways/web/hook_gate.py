"""How fast webhooks are taken: before their signature is checked, and after.

A vendor never signs wrong, so who does is a stranger or a mistake: after a few, nothing more is
read from that address for a while. A vendor sends all of its customers' webhooks from the same few
addresses, so a tenant's wrong secret counts against that tenant and vendor there alone; tenants
that nobody knows are one. It is the address that uvicorn knows: behind a proxy, what the
proxy tells, where `FORWARDED_ALLOW_IPS` names it. What is genuine has a rate of its own, a tenant
and vendor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from gateways.intake.rates import Rates, Told
from tenpo.errors import AuthError, RateLimited
from tenpo.settings import Settings

#: Wrong signatures from one address: so many at once, then one in so many seconds.
WRONG_BURST, WRONG_PER_S = 50, 0.5

_WRONG = Told(
    "too many wrong signatures came from this address for this tenant",
    "/v1/hooks",
    "Compare the secret with the vendor's, then wait: one in two seconds is listened to.",
)
_GENUINE = Told(
    "this vendor's webhooks come too fast",
    "/v1/hooks",
    "At most {} a second are taken; the vendor sends again. Raise TENPO_HOOK_RATE_PER_S.",
)


class HookGate:
    """The rates of a gateway's webhooks."""

    def __init__(self, settings: Settings) -> None:
        self._per_s = settings.hook_rate_per_s
        self._genuine = Rates(settings.rate_burst, told=_GENUINE)
        self._wrong = Rates(WRONG_BURST, told=_WRONG)

    @contextmanager
    def checking(self, address: str, tenant_id: str | None, vendor: str) -> Iterator[None]:
        """Around reading and checking; an `AuthError` within counts against who is named.

        Args:
            address: whose request it is.
            tenant_id: whom it names; None where nobody is known of that name.
            vendor: likewise.

        Raises:
            RateLimited: wrong signatures have come too often.
        """
        named = (address, None) if tenant_id is None else (address, tenant_id, vendor)
        self._wrong.check(named, WRONG_PER_S)
        try:
            yield
        except AuthError:
            with suppress(RateLimited):  # said at the next request
                self._wrong.take(named, WRONG_PER_S)
            raise

    def pass_genuine(self, tenant_id: str, vendor: str) -> None:
        """Let one webhook through whose signature is right.

        Raises:
            RateLimited: they come too fast.
        """
        self._genuine.take((tenant_id, vendor), self._per_s)
