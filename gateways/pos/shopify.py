"""Shopify orders and refunds: REST responses and the bodies of their webhooks.

An order is one document and each refund another, so a refund that arrives by itself and
again within its order counts once. Amounts are the shop's currency; `taxes_included` says
whether prices hold the tax. Discounts are the lines' `discount_allocations`, of old API
versions `total_discount`. Cancelled orders without a refund are void; with refunds they
stay sales, and the refunds take them back on their own day. Test orders are ignored, and so
are bodies that hold lines but are no orders (`gateways.pos.shopify_bodies`).

A refund that comes by itself does not say whether its prices hold the tax
(`gateways.pos.shopify_refunds` finds out). The copy within its order knows, so it has the
higher version.

https://shopify.dev/docs/api/admin-rest/latest/resources/order
https://shopify.dev/docs/api/admin-rest/latest/resources/refund
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from gateways.formats.json_text import member
from gateways.normalize.faults import Reason
from gateways.normalize.json_adapter import Rows
from gateways.normalize.money import smallest_unit
from gateways.pos.figures import ZERO, Reading, plain, spread
from gateways.pos.orders import TIP, Basket, Goods, OrderAdapter
from gateways.pos.shopify_bodies import is_no_order
from gateways.pos.shopify_refunds import add_refund
from tenpo.contracts import SaleKind

FIELDS = {
    "store_code": "location_id",
    "register_id": "device_id",
    "receipt_id": "id",
    "occurred_at": "processed_at",
    "version": "updated_at",
    "currency": "currency",
    "customer": "customer.id",
    "staff": "user_id",
    "original_receipt_id": "order_id",
    "line_key": "id",
    "category": "product_type",
    "unit_price": "price",
    "tax_rate": "tax_lines.rate",
    "amount": "price",
    "tax_amount": "tax_lines.price",
}
IGNORED = ("transaction", "transactions", "tender_transactions", "location", "locations",
           "product", "products", "checkout", "checkouts", "customer", "customers",
           "draft_order", "draft_orders", "fulfillment", "fulfillments", "order_edit")  # fmt: skip
DUTY = "duty"


class Shopify(OrderAdapter):
    """Orders and refunds of Shopify."""

    name = "shopify"
    version = "6"
    fields = FIELDS

    def collect(self, document: Mapping[str, Any], rows: Rows, position: str) -> None:
        """The orders and refunds of a response, or one as it is."""
        if is_no_order(document):
            rows.ignored += 1
            return None
        for name, add in (("order", _order), ("refund", _refund)):
            if isinstance(document.get(name), dict):
                return add(document[name], rows, position)
            if f"{name}s" in document and "line_items" not in document:
                return _each(document, f"{name}s", add, rows, position)
        if "refund_line_items" in document:
            return _refund(document, rows, position)
        # What has an id is one thing, e.g. an order of a part of its fields, and no envelope.
        known = [name for name in IGNORED if name in document and "id" not in document]
        transaction = "gateway" in document and "kind" in document
        if "line_items" in document or not (known or transaction):
            return _order(document, rows, position)
        held = [document[name] for name in known] or [document]
        rows.ignored += sum(len(one) if isinstance(one, list) else 1 for one in held)
        return None


def _each(document: Mapping[str, Any], name: str, add: Any, rows: Rows, position: str) -> None:
    reading = Reading()
    for number, one in enumerate(reading.listed(document, name), start=1):
        add(one, rows, f"{position}.{number}")
    if reading.fault:
        rows.faults.append((position, *reading.fault))


def _refund(refund: Mapping[str, Any], rows: Rows, position: str) -> None:
    """A refund that came by itself."""
    transactions = refund.get("transactions")
    first = transactions[0] if isinstance(transactions, list) and transactions else None
    head = {
        "store_code": member(first, "location_id"),
        "receipt_id": refund.get("order_id"),
    }
    add_refund(refund, head, rows, position)


def _order(order: Mapping[str, Any], rows: Rows, position: str) -> None:
    if order.get("test") is True:
        rows.ignored += 1
        return
    reading = Reading()
    if order.get("line_items") is None:
        # Asked for by a part of its fields only: its totals without its lines are no sale.
        rows.faults.append((position, Reason.MISSING_FIELD, "line_items"))
        return
    items = reading.listed(order, "line_items")
    shipping = reading.listed(order, "shipping_lines")
    refunds = reading.listed(order, "refunds")
    currency = order.get("currency")
    head = {name: order.get(FIELDS[name]) for name in ("store_code", "register_id", "receipt_id",
                                                       "version", "staff")}  # fmt: skip
    head |= {
        "document": None if order.get("id") is None else f"order:{order['id']}",
        "occurred_at": order.get("processed_at") or order.get("created_at"),
        "currency": currency,
        "customer": member(order, "customer", "id"),
    }
    unit = smallest_unit(currency if isinstance(currency, str) else None)
    cancelled = order.get("cancelled_at") is not None and not refunds
    is_void = cancelled or order.get("financial_status") == "voided"
    basket = Basket(position, head, unit, is_void)
    _items(basket, order, items, reading)
    for number, line in enumerate(shipping, start=1):
        _shipping(basket, order, line, f"shipping:{line.get('id') or number}")
    _rest(basket, order, [*items, *shipping], reading)
    if not reading.fault:
        gross, tax = reading.given(order, "total_price"), reading.given(order, "total_tax")
        basket.balance(gross, tax, "total_price")
    basket.into(rows, reading.fault, "line_items")
    for number, refund in enumerate(refunds, start=1):
        inside = head | {"version": None, "is_void": is_void}
        add_refund(refund, inside, rows, f"{position}.r{number}", included=_included(order))


def _included(order: Mapping[str, Any]) -> bool:
    return order.get("taxes_included") is True


def _items(basket: Basket, order: Mapping[str, Any], items: list[Any], reading: Reading) -> None:
    """The lines of goods; tips that came as lines among them."""
    readings = [Reading() for _ in items]
    prices = [
        r.needed(i, "price") * r.needed(i, "quantity") for i, r in zip(items, readings, strict=True)
    ]
    discounts = [_discount(i, r) for i, r in zip(items, readings, strict=True)]
    taxes = _taxes(order, items, readings, prices, discounts, basket.unit, reading)
    for number, item in enumerate(items):
        one, tax = readings[number], taxes[number]
        if tax and not isinstance(order.get("taxes_included"), bool):
            one.wrong(Reason.MISSING_FIELD, "taxes_included")
        key = f"line:{item.get('id') or number + 1}"
        included = tax if _included(order) else ZERO
        goods = Goods(prices[number], discounts[number], tax, included)
        if _is_tip(item):
            (net, tax), _ = goods.split(basket.unit)
            basket.add(SaleKind.FEE, key, net, tax, category=TIP, fault=one.fault)
            continue
        kind = SaleKind.GIFT_CARD if item.get("gift_card") is True else SaleKind.SALE
        basket.goods(
            kind, key, goods, quantity=item.get("quantity"), unit_price=item.get("price"),
            sku=item.get("sku") or item.get("variant_id"), category=item.get("product_type"),
            tax_rate=_rate(item, one), fault=one.fault,
        )  # fmt: skip


def _is_tip(item: Mapping[str, Any]) -> bool:
    return bool(item.get("tip") or item.get("tip_payment_gateway"))


def _discount(item: Mapping[str, Any], reading: Reading) -> Decimal:
    """What is taken off a line; the allocations hold the line's own discount, too."""
    allocations = reading.listed(item, "discount_allocations")
    if allocations:
        return sum((reading.number(one, "amount") for one in allocations), ZERO)
    return reading.number(item, "total_discount")


def _tax(line: Mapping[str, Any], reading: Reading) -> Decimal:
    return sum((reading.number(one, "price") for one in reading.listed(line, "tax_lines")), ZERO)


def _rate(line: Mapping[str, Any], reading: Reading) -> str | None:
    """Sum of the rates of a line's taxes; None where there is none."""
    rates = [reading.given(one, "rate") for one in reading.listed(line, "tax_lines")]
    known = [rate for rate in rates if rate is not None]
    return plain(sum(known, ZERO)) if known and len(known) == len(rates) else None


def _taxes(
    order: Mapping[str, Any], items: list[Any], readings: list[Reading], prices: list[Decimal],
    discounts: list[Decimal], unit: Decimal, reading: Reading,
) -> list[Decimal]:  # fmt: skip
    """Tax of each line: its own, else (old API versions) its part of the order's."""
    others = reading.listed(order, "shipping_lines")
    if any("tax_lines" in line for line in [*items, *others]):
        return [_tax(item, one) for item, one in zip(items, readings, strict=True)]
    weights = [
        ZERO if item.get("taxable") is False else max(ZERO, price - discount)
        for item, price, discount in zip(items, prices, discounts, strict=True)
    ]
    return spread(_tax(order, reading), weights, unit)


def _shipping(basket: Basket, order: Mapping[str, Any], line: Mapping[str, Any], key: str) -> None:
    """A shipping line after its discount; one that was taken off the order again is void."""
    reading = Reading()
    price, tax = reading.needed(line, "price"), _tax(line, reading)
    gross = price - _allocated(line, reading)
    net = gross - tax if _included(order) else gross
    kind = SaleKind.VOID if line.get("is_removed") is True else SaleKind.SHIPPING
    if kind is SaleKind.VOID:
        net = tax = ZERO
    basket.add(kind, key, net, tax, tax_rate=_rate(line, reading), fault=reading.fault)


def _allocated(line: Mapping[str, Any], reading: Reading) -> Decimal:
    allocations = reading.listed(line, "discount_allocations")
    return sum((reading.number(one, "amount") for one in allocations), ZERO)


def _rest(basket: Basket, order: Mapping[str, Any], lines: list[Any], reading: Reading) -> None:
    """What the order states as a whole: discounts of no line, duties, tips."""
    ignored = Reading()  # the lines told their own faults
    taken = sum((_discount(line, ignored) for line in lines), ZERO)
    rest = reading.number(order, "total_discounts") - taken
    if rest > 0 and not any(line.get("discount_allocations") for line in lines):
        basket.add(SaleKind.DISCOUNT, "order:discount", -rest)
    duty = reading.number(order, "original_total_duties_set", "shop_money", "amount")
    if duty:
        basket.add(SaleKind.FEE, DUTY, duty, category=DUTY)
    tip = reading.number(order, "total_tip_received")
    if tip and not any(_is_tip(line) for line in lines):
        basket.add(SaleKind.FEE, TIP, tip, category=TIP)
