"""Square orders: responses of the Orders API, and webhooks that carry a whole order.

A document is an order. Money is in the currency's smallest unit. Per line Square states
`gross_sales_money` (price times quantity, an inclusive tax in it), discount, tax, apportioned
service charge and `total_money`. What was returned is an order of its own with `returns`,
so payments' `refunds` are no lines: they would count it twice. A return has taxes and discounts
of its own: its lines name its `return_taxes`, and what these and its `return_discounts` come to
more than the lines state is of the return as a whole. Open orders count as soon
as they are placed, cancelled ones are void, drafts are ignored.

Payments, refunds, locations, and what only names an order (search results, the webhooks
`order.created` and `order.updated`) hold no lines and are ignored with a count:
`gateways.fetch` has the order fetched.

https://developer.squareup.com/reference/square/objects/Order
https://developer.squareup.com/docs/orders-api/how-it-works
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from gateways.formats.json_text import member
from gateways.normalize.faults import Reason
from gateways.normalize.json_adapter import Rows
from gateways.normalize.money import smallest_unit
from gateways.pos.figures import ZERO, Reading, plain
from gateways.pos.orders import ROUNDING, TIP, Basket, Goods, OrderAdapter
from tenpo.contracts import SaleKind

FIELDS = {
    "store_code": "location_id",
    "receipt_id": "id",
    "occurred_at": "created_at",
    "version": "updated_at",
    "revision": "version",
    "currency": "total_money.currency",
    "customer": "customer_id",
    "original_receipt_id": "source_order_id",
    "line_key": "uid",
    "sku": "catalog_object_id",
    "unit_price": "base_price_money",
    "tax_rate": "taxes.percentage",
    "amount": "total_money",
    "tax_amount": "total_tax_money",
}
IGNORED = ("payment", "payments", "refund", "refunds", "location", "locations", "order_entries")
STATES = ("OPEN", "COMPLETED", "CANCELED", "DRAFT")
SERVICE = "service_charge"


class Square(OrderAdapter):
    """Orders of Square."""

    name = "square"
    version = "3"
    fields = FIELDS

    def collect(self, document: Mapping[str, Any], rows: Rows, position: str) -> None:
        """The orders of a response, of an envelope, or one as it is."""
        order = document.get("order", member(document, "data", "object", "order"))
        if isinstance(order, dict):
            _order(order, rows, position)
        elif "orders" in document:
            reading = Reading()
            orders = reading.listed(document, "orders")
            if reading.fault:
                rows.faults.append((position, *reading.fault))
            for number, one in enumerate(orders, start=1):
                _order(one, rows, f"{position}.{number}")
        elif "event_id" in document and "type" in document:
            rows.ignored += 1
        elif known := [name for name in IGNORED if name in document]:
            held = [document[name] for name in known]
            rows.ignored += sum(len(one) if isinstance(one, list) else 1 for one in held)
        else:
            _order(document, rows, position)


class _Money:
    """Reads an order's amounts of money.

    Args:
        currency: the order's; an amount in another one is a fault.
    """

    def __init__(self, currency: Any) -> None:
        self.currency = currency if isinstance(currency, str) else ""
        self.unit = smallest_unit(self.currency)
        self.reading = Reading()

    def given(self, source: Any, *path: str) -> Decimal | None:
        """An amount in whole units of the currency; None where there is none."""
        amount = self.reading.given(source, *path, "amount")
        if amount is None:
            return None
        if amount != amount.to_integral_value():
            self.reading.wrong(Reason.BAD_NUMBER, ".".join(path))
        if member(source, *path, "currency") != self.currency:
            self.reading.wrong(Reason.CURRENCY_MISMATCH, ".".join(path))
        return amount * self.unit

    def number(self, source: Any, *path: str) -> Decimal:
        """An amount; zero where there is none."""
        return self.given(source, *path) or ZERO


def _order(order: Mapping[str, Any], rows: Rows, position: str) -> None:
    state = order.get("state", "OPEN")
    if state == "DRAFT":
        rows.ignored += 1
        return
    totals = [member(order, name, "total_money") for name in ("net_amounts", "return_amounts")]
    total = totals[0] or order.get("total_money") or totals[1]
    money = _Money(member(total, "currency"))
    head = {name: order.get(FIELDS[name]) for name in ("store_code", "receipt_id", "version",
                                                       "revision", "customer")}  # fmt: skip
    head |= {
        "document": order.get("id"),
        "occurred_at": order.get("closed_at") or order.get("created_at"),
        "currency": money.currency or None,
    }
    basket = Basket(position, head, money.unit, is_void=state == "CANCELED")
    if state not in STATES:
        money.reading.wrong(Reason.BAD_VALUE, "state")
    items = money.reading.listed(order, "line_items")
    charges = money.reading.listed(order, "service_charges")
    returns = money.reading.listed(order, "returns")
    rates = _rates(order, "taxes", money.reading)
    for number, item in enumerate(items, start=1):
        _item(basket, item, f"line:{item.get('uid') or number}", rates, money.currency)
    _charges(basket, charges, "charge", rates, money)
    _extra(basket, TIP, SaleKind.FEE, money.number(order, "total_tip_money"))
    rounding = money.number(order, "rounding_adjustment", "amount_money")
    _extra(basket, ROUNDING, SaleKind.ADJUSTMENT, rounding)
    for one in returns:
        _return(basket, one, rates, money)
    gross, tax = _totals(order, returns, money)
    if not money.reading.fault:
        basket.balance(gross, tax, "total_money")
    basket.into(rows, money.reading.fault, "line_items")


def _rates(source: Mapping[str, Any], name: str, reading: Reading) -> dict[Any, Decimal]:
    """Tax rate of each tax of an order or return, by its uid."""
    found = {}
    for tax in reading.listed(source, name):
        percentage = reading.given(tax, "percentage")
        if percentage is not None and isinstance(tax.get("uid"), str):
            found[tax["uid"]] = percentage / 100
    return found


def _item(
    basket: Basket, item: Mapping[str, Any], key: str, rates: Mapping[Any, Decimal], currency: str,
    sign: int = 1, **facts: Any,
) -> None:  # fmt: skip
    """A sold line, or a returned one with the sign -1."""
    money = _Money(currency)
    goods, service = _goods(item, money)
    quantity = money.reading.needed(item, "quantity")
    card = item.get("item_type") == "GIFT_CARD"
    kind = SaleKind.GIFT_CARD if card else SaleKind.SALE if sign > 0 else SaleKind.RETURN
    price = money.given(item, "base_price_money")
    told = {
        "sku": item.get("catalog_object_id"),
        "tax_rate": _rate(item, rates, money.reading),
        **facts,
    }
    signed = Goods(*(sign * one for one in vars(goods).values()))
    basket.goods(
        kind, key, signed, quantity=plain(sign * quantity), fault=money.reading.fault,
        unit_price=plain(price), **told,
    )  # fmt: skip
    _extra(basket, f"{key}:{SERVICE}", SaleKind.FEE, sign * service, category=SERVICE)


def _goods(item: Mapping[str, Any], money: _Money) -> tuple[Goods, Decimal]:
    """What the line states, and its apportioned service charge.

    `total_money` is the price less the discount, plus service charge and additive taxes;
    what is left of the tax lies within the price. Whatever else the total holds is in no line, so
    that the order's own total shows it.
    """
    total = money.given(item, "total_money")
    if total is None:
        money.reading.wrong(Reason.MISSING_FIELD, "total_money")
        total = ZERO
    tax = money.number(item, "total_tax_money")
    discount = money.number(item, "total_discount_money")
    service = money.number(item, "total_service_charge_money")
    price = money.given(item, "gross_sales_money") or money.given(item, "gross_return_money")
    if price is None:
        price = total - tax - service + discount
    additive = total - service - price + discount
    included = max(min(ZERO, tax), min(tax - additive, max(ZERO, tax)))
    return Goods(price, discount, tax, included), service


def _rate(item: Mapping[str, Any], rates: Mapping[Any, Decimal], reading: Reading) -> str | None:
    """Sum of the rates of the taxes on a line; None where one is not known."""
    applied = reading.listed(item, "applied_taxes")
    uids = [one.get("tax_uid") for one in applied]
    if not uids or not all(isinstance(uid, str) and uid in rates for uid in uids):
        return None
    return plain(sum((rates[uid] for uid in uids), ZERO))


def _charges(
    basket: Basket, charges: list[Any], key: str, rates: Mapping[Any, Decimal], money: _Money,
    sign: int = 1, **facts: Any,
) -> None:  # fmt: skip
    """Service charges that are lines; the apportioned ones are within the goods."""
    for number, charge in enumerate(charges, start=1):
        treated = charge.get("treatment_type"), charge.get("calculation_phase")
        if any(isinstance(one, str) and one.startswith("APPORTIONED") for one in treated):
            continue
        gross = money.given(charge, "total_money")
        gross = money.number(charge, "applied_money") if gross is None else gross
        tax = money.number(charge, "total_tax_money")
        uid = charge.get("uid") or number
        told = {"category": SERVICE, "tax_rate": _rate(charge, rates, money.reading), **facts}
        basket.add(SaleKind.FEE, f"{key}:{uid}", sign * (gross - tax), sign * tax, **told)


def _extra(
    basket: Basket, key: str, kind: SaleKind, amount: Decimal, category: str | None = None
) -> None:
    if amount:
        basket.add(kind, key, amount, category=category or key)


def _return(
    basket: Basket, one: Mapping[str, Any], rates: Mapping[Any, Decimal], money: _Money
) -> None:
    """What one return takes back, all with its sign turned."""
    key = f"return:{one.get('uid') or one.get('source_order_id')}"
    source = {"original_receipt_id": one.get("source_order_id")}
    rates = {**rates, **_rates(one, "return_taxes", money.reading)}
    before = basket.gross, basket.tax
    items = money.reading.listed(one, "return_line_items")
    for number, item in enumerate(items, start=1):
        place = f"{key}:{item.get('uid') or number}"
        _item(basket, item, place, rates, money.currency, -1, **source)
    charges = money.reading.listed(one, "return_service_charges")
    _charges(basket, charges, f"{key}:charge", rates, money, -1, **source)
    tips = money.reading.listed(one, "return_tips")
    tip = sum((money.number(one, "applied_money") for one in tips), ZERO)
    _extra(basket, f"{key}:{TIP}", SaleKind.FEE, -tip, category=TIP)
    rounding = money.number(one, "rounding_adjustment", "amount_money")
    _extra(basket, f"{key}:{ROUNDING}", SaleKind.ADJUSTMENT, -rounding, category=ROUNDING)
    _return_rest(basket, one, [*items, *charges], key, money, before)


def _return_rest(
    basket: Basket, one: Mapping[str, Any], lines: list[Any], key: str, money: _Money,
    before: tuple[Decimal, Decimal],
) -> None:  # fmt: skip
    """Discounts and taxes of a return as a whole, where they are what its lines lack of its total.

    Args:
        basket: with all else of the return.
        one: the return.
        lines: its goods and service charges, which state their parts.
        key: of the return.
        money: reads its amounts.
        before: sum and tax of the basket before the return.
    """
    gross = money.given(one, "return_amounts", "total_money")
    stated = money.given(one, "return_amounts", "tax_money")
    discount = _beyond(one, "return_discounts", lines, "total_discount_money", money)
    tax = _beyond(one, "return_taxes", lines, "total_tax_money", money)
    kinds = {str(part.get("type")) for part in money.reading.listed(one, "return_taxes")}
    within = tax if kinds == {"INCLUSIVE"} else ZERO
    if gross is None or stated is None or not (discount or tax):
        return
    lacking = gross + basket.gross - before[0], stated + basket.tax - before[1]
    if lacking != (tax - within - discount, tax):
        return
    source = one.get("source_order_id")
    if discount:
        basket.add(SaleKind.DISCOUNT, f"{key}:discount", discount, original_receipt_id=source)
    if tax:
        basket.add(SaleKind.RETURN, f"{key}:tax", within, -tax, original_receipt_id=source)


def _beyond(
    one: Mapping[str, Any], name: str, lines: list[Any], part: str, money: _Money
) -> Decimal:
    """What a return's discounts or taxes come to more than its lines state of them."""
    unread = _Money(money.currency)  # the lines tell their own faults
    whole = [money.number(each, "applied_money") for each in money.reading.listed(one, name)]
    return sum(whole, ZERO) - sum((unread.number(line, part) for line in lines), ZERO)


def _totals(
    order: Mapping[str, Any], returns: list[Any], money: _Money
) -> tuple[Decimal | None, Decimal | None]:
    """What is left to the merchant, and the tax in it, as the order itself states."""
    if isinstance(order.get("net_amounts"), dict):
        net = order["net_amounts"]
        return money.given(net, "total_money"), money.given(net, "tax_money")
    gross, tax = money.given(order, "total_money"), money.given(order, "total_tax_money")
    back = sum((money.number(one, "return_amounts", "total_money") for one in returns), ZERO)
    taken = sum((money.number(one, "return_amounts", "tax_money") for one in returns), ZERO)
    if gross is None:
        gross = ZERO if returns else None
    return None if gross is None else gross - back, None if tax is None else tax - taken
