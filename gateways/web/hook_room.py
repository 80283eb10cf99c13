"""How much of bodies is held whose signature nobody has checked yet.

Anybody may send to the address of a webhook. What strangers make a gateway hold is a part of the
room for bodies, apart from what senders with tokens hold. Of it no address may hold more
than a piece, and all who name one tenant in the path no more than three quarters: so one stranger
keeps nobody's webhooks out, and many who name one tenant not those of the others. Tenants that do
not exist, or have no webhook of that vendor, are one.

Not for rates and wrong signatures: that is `hook_gate`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network

from gateways.intake.shares import HeldTogether, Shares
from tenpo.masters import Webhook
from tenpo.settings import Settings

#: The part of all room, and of that part the piece of one address.
_PART, _PIECE = 4, 8
_WHAT = "too many webhooks are being read"
_V6_PREFIX = 64


class HookRoom:
    """The room for webhooks before their signature is checked.

    Args:
        settings: how much room there is for all bodies.
        bodies: all bodies, these among them.
        largest: the largest webhook, in bytes; one always fits into an address's piece.
    """

    def __init__(self, settings: Settings, bodies: Shares, largest: int) -> None:
        limit = max(settings.max_bodies_bytes // _PART, 2 * largest)
        self._bodies = bodies
        self._addresses = Shares(limit, _WHAT, most=max(limit // _PIECE, largest))
        self._tenants = Shares(limit * 3 // 2, _WHAT)  # half of it for one: three quarters

    @contextmanager
    def hold(self, network: str, tenant_id: str, row: Webhook | None) -> Iterator[HeldTogether]:
        """Nothing yet; what is added to it is given back at the end of the block.

        Args:
            network: whose it is, see `network_of`.
            tenant_id: whom the path names.
            row: how that tenant's webhooks are taken; None where they are not.
        """
        tenant = None if row is None else tenant_id
        with (
            self._addresses.hold(network) as of_address,
            self._tenants.hold(tenant) as of_tenant,
            self._bodies.hold(None) as of_all,
        ):
            yield HeldTogether((of_address, of_tenant, of_all))


def network_of(address: str) -> str:
    """Whose an address is: of IPv6 one sender has a whole /64 (RFC 6177)."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if known.version == 4:
        return address
    mapped = known.ipv4_mapped
    return str(mapped or ip_network(f"{known}/{_V6_PREFIX}", strict=False))
