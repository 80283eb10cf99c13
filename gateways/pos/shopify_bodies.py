"""Which of Shopify's bodies with lines are no orders.

Draft orders, fulfilments, checkouts and carts hold lines and prices as orders do, and come
to the same address when a shop subscribes to their topics. The topic is in a header that
the signature does not cover, so the body alone is judged. What an order says is read in
`gateways.pos.shopify`.

https://shopify.dev/docs/api/admin-rest/latest/resources/webhook
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Orders alone have these. They decide, because a shop may have its orders named "#D1", too.
_ORDER = frozenset({"financial_status", "order_number", "processed_at"})
_DRAFT_ORDER = frozenset({"invoice_sent_at", "invoice_url"})
_DRAFT_NAME = "#D"
_FULFILMENT = frozenset({"tracking_company", "shipment_status"})
_CHECKOUT = frozenset({"abandoned_checkout_url", "cart_token"})


def is_no_order(body: Mapping[str, Any]) -> bool:
    """Whether a body has lines, but those of a draft order, fulfilment, checkout or cart."""
    if "line_items" not in body or not _ORDER.isdisjoint(body):
        return False
    known = body.keys()
    return (
        not _DRAFT_ORDER.isdisjoint(known)
        or str(body.get("name")).startswith(_DRAFT_NAME)
        or ("order_id" in known and not _FULFILMENT.isdisjoint(known))
        or not _CHECKOUT.isdisjoint(known)
        or ("token" in known and isinstance(body.get("id"), str))
    )
