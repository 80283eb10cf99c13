"""Payloads of registers that send whole orders, from the corpora of the conformance kit.

The amounts were worked out by hand; names, mails and card digits are planted to be looked
for. No test of its own.
"""

from __future__ import annotations

from typing import Any

import orjson

from tests.gateways.recordings import document

#: Personal values of the payloads here.
PLANTED = ("CUST-SQ-4711", "4111111111111111", "hanako@example.com", "CUST-SM-0099",
           "佐藤花子", "207119551", "Bob Norman", "STAFF-888")  # fmt: skip


def pounds(pence: int) -> dict[str, Any]:
    return {"amount": pence, "currency": "GBP"}


_ORDERS = document("square", "orders.json")
SQUARE_SALE: dict[str, Any]
SQUARE_RETURN: dict[str, Any]
SQUARE_SALE, SQUARE_RETURN = _ORDERS["orders"]
SQUARE_EVENT: dict[str, Any] = document("square", "order-updated-event.json")
SQUARE = orjson.dumps(_ORDERS)

SHOPIFY_ORDER: dict[str, Any] = document("shopify", "order.json")["order"]
SHOPIFY_REFUND: dict[str, Any] = SHOPIFY_ORDER["refunds"][0]
SHOPIFY = orjson.dumps({"order": SHOPIFY_ORDER})

SMAREGI_SALE: dict[str, Any]
SMAREGI_RETURN: dict[str, Any]
SMAREGI_SALE, SMAREGI_RETURN = document("smaregi", "transactions.json")
SMAREGI = orjson.dumps([SMAREGI_SALE, SMAREGI_RETURN])
