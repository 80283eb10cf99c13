"""Square: orders that webhooks name, by the Orders API.

`order.created`, `order.updated` and `order.fulfillment.updated` name an order; so do payments and
refunds, which are all that a sale at Square's own register is told by. A batch holds 100 at most
and leaves out what it does not know, so what is missing is asked for by itself. The token is the
seller's access token, with the permission ORDERS_READ. Versions are the order's `updated_at`:
a webhook that comes late fetches the order as it is now.

https://developer.squareup.com/reference/square/webhooks/order.updated
https://developer.squareup.com/reference/square/orders-api/batch-retrieve-orders
https://developer.squareup.com/reference/square/orders-api/retrieve-order
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gateways.fetch.api import VendorApi
from gateways.fetch.calls import Calls, Login, together

_BATCH = 100


class SquareApi(VendorApi):
    """Square's Orders API.

    Args:
        url: where it is.
    """

    name = "square"

    def __init__(self, url: str) -> None:
        self._orders = f"{url.rstrip('/')}/v2/orders"

    def ids(self, event: dict[str, Any], account: str | None) -> Iterable[Any]:
        """The `order_id` of whatever object the event is about."""
        del account
        data = event.get("data")
        held = data.get("object") if isinstance(data, dict) else None
        if not isinstance(held, dict) or "order" in held:
            return []
        return [one.get("order_id") for one in held.values() if isinstance(one, dict)]

    def fetch(self, calls: Calls, ids: Sequence[str], login: Login) -> bytes:
        """The orders of some ids."""
        headers = {"Authorization": f"Bearer {login.token}"}
        replies = []
        for start in range(0, len(ids), _BATCH):
            asked = list(ids[start : start + _BATCH])
            batch = calls.call("POST", f"{self._orders}/batch-retrieve", headers=headers,
                               json={"order_ids": asked})  # fmt: skip
            known = _known(batch.document)
            replies += [batch] if known else []
            replies += [calls.call("GET", f"{self._orders}/{one}", headers=headers)
                        for one in asked if one not in known]  # fmt: skip
        return together(replies)


def _known(document: Any) -> set[Any]:
    orders = document.get("orders") if isinstance(document, dict) else None
    return {one.get("id") for one in orders or [] if isinstance(one, dict)}
