"""What the tests of registers with whole orders look at. No test of its own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson

from gateways.normalize.adapter import Adapter
from gateways.normalize.context import Context
from tenpo.keys import TenantKeys
from tenpo.masters import Store, StoreCode, TenantMasters
from tests.gateways.payloads import RECEIVED_AT, ROOT, TENANT, context

TURNOVER = ("sale", "return", "discount")


def lines(adapter: Adapter, document: object) -> list[dict[str, Any]]:
    """Canonical lines of a document, none of which is rejected."""
    result = adapter.normalize(orjson.dumps(document), context())
    assert result.rejected == []
    found: list[dict[str, Any]] = result.events["sale_line"].to_pylist()
    return found


def rejections(adapter: Adapter, document: object) -> list[tuple[str, str, str]]:
    """Position, reason and field of what is rejected."""
    result = adapter.normalize(orjson.dumps(document), context())
    return [(one.position, one.reason.value, one.field) for one in result.rejected]


def table(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Kind, article, quantity, net, tax and gross of each line, as text without zeros."""
    numbers = ("quantity", "net_amount", "tax_amount", "gross_amount")
    return [
        (one["kind"], one["sku"], *(f"{one[name].normalize():f}" for name in numbers))
        for one in found
    ]


def total(found: list[dict[str, Any]], column: str, *kinds: str) -> Decimal:
    """Sum of a column, of some kinds alone where they are named."""
    chosen = [one[column] for one in found if not kinds or one["kind"] in kinds]
    return sum(chosen, Decimal(0))


def sender(source: str, codes: list[str], currency: str) -> Context:
    """A tenant with one store that a vendor knows by these codes."""
    store = Store(store_id="shop", name="Shop", timezone="UTC", currency=currency)
    known = [StoreCode(source=source, code=code, store_id="shop") for code in codes]
    masters = TenantMasters(tenant_id=TENANT, store=[store], store_code=known)
    return Context(masters, TenantKeys(ROOT, TENANT), RECEIVED_AT, "shop")
