"""Shopify refunds: what was taken back, shipping and duties given back, and what differs.

A refund is a document of its own, whether it came by itself or within its order. Its
total is what its successful transactions paid back; while one of them is pending, or where one
paid in another currency than the shop's, it is not known. An adjustment `refund_discrepancy` tells
what was paid back less (positive) or more (negative) than the goods cost, so that it explains the
payment.

A refund by itself does not say whether its prices hold the tax. What was paid back does, where
it fits one way only; else the rates of its tax lines, if they do; else prices are without.

https://shopify.dev/docs/api/admin-rest/latest/resources/refund
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from gateways.formats.json_text import member
from gateways.normalize.json_adapter import Rows
from gateways.normalize.money import smallest_unit
from gateways.pos.figures import ZERO, Reading, plain
from gateways.pos.orders import Basket
from tenpo.contracts import SaleKind

_MOMENT = timedelta(microseconds=1)
#: Where amounts stand with their currency, in the shop's and in the customer's.
_SETS = {
    "refund_line_items": ("subtotal_set", "total_tax_set"),
    "refund_shipping_lines": ("subtotal_amount_set", "tax_amount_set"),
    "order_adjustments": ("amount_set", "tax_amount_set"),
}


def add_refund(
    refund: Mapping[str, Any], head: Mapping[str, Any], rows: Rows, position: str,
    included: bool | None = None,
) -> None:  # fmt: skip
    """A refund's lines.

    Args:
        refund: as Shopify sends it.
        head: what its order is known to have in common with it.
        rows: of the payload.
        position: of the refund in the payload.
        included: whether prices hold the tax; None where its order is not at hand.
    """
    reading = Reading()
    items = reading.listed(refund, "refund_line_items")
    readings = [Reading() for _ in items]
    amounts = [_amounts(item, one) for item, one in zip(items, readings, strict=True)]
    currency = head.get("currency") or _shop_currency(refund)
    head = {**head, "currency": currency}
    paid = _paid(refund, currency, reading)
    unit = smallest_unit(currency if isinstance(currency, str) else None)
    alone = included is None
    if included is None:
        included = _paid_within(refund, amounts, paid)
    if included is None:
        included = _rated_within(items, amounts, unit)
    basket = Basket(position, _head(refund, head, alone), unit, head.get("is_void") is True)
    for number, item in enumerate(items):
        price, tax = amounts[number]
        line = item.get("line_item")
        quantity = readings[number].needed(item, "quantity")
        is_card = member(line, "gift_card") is True
        basket.add(
            SaleKind.GIFT_CARD if is_card else SaleKind.RETURN,
            f"line:{item.get('id') or number + 1}",
            tax - price if included else -price, -tax,
            quantity=plain(-quantity), unit_price=member(line, "price"),
            sku=member(line, "sku") or member(line, "variant_id"), fault=readings[number].fault,
        )  # fmt: skip
    _others(basket, refund, reading)
    _shipping(basket, refund, reading, paid, included)
    if paid is not None and not reading.fault:
        basket.balance(-paid, None, "transactions.amount")
    basket.into(rows, reading.fault, "refund_line_items")


def _head(refund: Mapping[str, Any], head: Mapping[str, Any], alone: bool) -> dict[str, Any]:
    made = refund.get("processed_at") or refund.get("created_at")
    known = {name: value for name, value in head.items() if name != "is_void"}
    return known | {
        "document": None if refund.get("id") is None else f"refund:{refund['id']}",
        "receipt_id": refund.get("id"),
        "original_receipt_id": refund.get("order_id") or head.get("receipt_id"),
        "occurred_at": made,
        "version": _before(made) if alone else made,
        "staff": refund.get("user_id"),
    }


def _before(moment: Any) -> Any:
    """A moment earlier, so that the copy that knows more is the newer version."""
    try:
        return (datetime.fromisoformat(moment) - _MOMENT).isoformat()
    except (TypeError, ValueError, OverflowError):
        return moment


def _amounts(item: Mapping[str, Any], reading: Reading) -> tuple[Decimal, Decimal]:
    """Price after discounts and tax of what was taken back; old versions state the line's."""
    line = item.get("line_item")
    price, tax = reading.given(item, "subtotal"), reading.given(item, "total_tax")
    pieces, all_pieces = reading.number(item, "quantity"), reading.number(line, "quantity")
    part = pieces / all_pieces if all_pieces else ZERO
    if price is None:
        sold = reading.needed(line, "price") * pieces
        price = sold - reading.number(line, "total_discount") * part
    if tax is None:
        taxes = reading.listed(line, "tax_lines")
        tax = sum((reading.number(one, "price") for one in taxes), ZERO) * part
    return price, tax


def _shop_currency(refund: Mapping[str, Any]) -> Any:
    """The currency of a refund's amounts; of versions that state none, that of its payment."""
    unread = Reading()  # the lines tell their own faults
    sets = [refund.get("total_duties_set")]
    for listed, names in _SETS.items():
        sets += [one.get(name) for one in unread.listed(refund, listed) for name in names]
    paid_in = [one.get("currency") for one in unread.listed(refund, "transactions")]
    stated = [*(member(one, "shop_money", "currency_code") for one in sets), *paid_in]
    return next((one for one in stated if one), None)


def _paid(refund: Mapping[str, Any], currency: Any, reading: Reading) -> Decimal | None:
    """What was paid back, in the shop's currency.

    None where no transaction tells, one has yet to be done, or one paid in another currency:
    at which rate it was changed is not said.
    """
    back = [one for one in reading.listed(refund, "transactions") if one.get("kind") == "refund"]
    if any((one.get("currency") or currency) != currency for one in back):
        return None
    states = [one.get("status", "success") for one in back]
    done = [
        reading.number(one, "amount")
        for one, state in zip(back, states, strict=True) if state == "success"
    ]  # fmt: skip
    return sum(done, ZERO) if done and "pending" not in states else None


def _paid_within(
    refund: Mapping[str, Any], amounts: Sequence[tuple[Decimal, Decimal]], paid: Decimal | None
) -> bool | None:
    """Whether the payment shows that prices hold the tax; None where it fits neither or both."""
    unread = Reading()  # the lines tell their own faults
    shipping = _shipping_lines(refund, unread)
    every = [*amounts, *shipping]
    given = sum((price for price, _ in every), ZERO) + _duty(refund, unread)
    for one in unread.listed(refund, "order_adjustments"):
        given -= unread.number(one, "amount") + unread.number(one, "tax_amount")
    tax = sum((tax for _, tax in every), ZERO)
    if not tax or paid not in (given, given + tax):
        return None
    return paid == given


def _rated_within(
    items: Sequence[Mapping[str, Any]], amounts: Sequence[tuple[Decimal, Decimal]], unit: Decimal
) -> bool:
    """Whether the taxes are what their rates come to within the prices, and not on top of them."""
    unread = Reading()
    within = on_top = stated = ZERO
    for item, (price, tax) in zip(items, amounts, strict=True):
        lines = unread.listed(item.get("line_item"), "tax_lines")
        rate = sum((unread.number(line, "rate") for line in lines), ZERO)
        if rate > 0:
            within, on_top = within + price * rate / (1 + rate), on_top + price * rate
            stated += tax
    rounding = unit * len(items)
    return abs(stated - within) <= rounding < abs(stated - on_top)


def _others(basket: Basket, refund: Mapping[str, Any], reading: Reading) -> None:
    """What adjustments tell, shipping among it, and duties given back."""
    for number, one in enumerate(reading.listed(refund, "order_adjustments"), start=1):
        kind = SaleKind.SHIPPING if _is_shipping(one) else SaleKind.ADJUSTMENT
        net, tax = reading.number(one, "amount"), reading.number(one, "tax_amount")
        told = one.get("kind") if kind is SaleKind.ADJUSTMENT else None
        basket.add(kind, f"adjustment:{one.get('id') or number}", net, tax, category=told)
    duty = _duty(refund, reading)
    if duty:
        basket.add(SaleKind.FEE, "duty", -duty, category="duty")


def _duty(refund: Mapping[str, Any], reading: Reading) -> Decimal:
    return reading.number(refund, "total_duties_set", "shop_money", "amount")


def _is_shipping(adjustment: Mapping[str, Any]) -> bool:
    return adjustment.get("kind") == "shipping_refund"


def _shipping(
    basket: Basket, refund: Mapping[str, Any], reading: Reading, paid: Decimal | None,
    included: bool,
) -> None:  # fmt: skip
    """Shipping given back.

    Whether its price holds its tax is what the payment fits, once all else is in the basket;
    without a payment that fits either way it is as for the goods.
    """
    amounts = _shipping_lines(refund, reading)
    if paid is not None:
        left, price = paid + basket.gross, sum((one for one, _ in amounts), ZERO)
        on_top = price + sum((tax for _, tax in amounts), ZERO)
        included = left == price or (included and left != on_top)
    lines = reading.listed(refund, "refund_shipping_lines")
    for number, (price, tax) in enumerate(amounts, start=1):
        key = f"shipping:{lines[number - 1].get('id') or number}"
        basket.add(SaleKind.SHIPPING, key, tax - price if included else -price, -tax)


def _shipping_lines(refund: Mapping[str, Any], reading: Reading) -> list[tuple[Decimal, Decimal]]:
    """Price and tax of shipping given back, where no adjustment has told the same already."""
    if any(_is_shipping(one) for one in reading.listed(refund, "order_adjustments")):
        return []
    price, tax = (
        [reading.number(one, name, "shop_money", "amount")
         for one in reading.listed(refund, "refund_shipping_lines")]
        for name in ("subtotal_amount_set", "tax_amount_set")
    )  # fmt: skip
    return list(zip(price, tax, strict=True))
