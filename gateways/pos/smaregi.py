"""Smaregi transactions: the platform API's responses, every number of which is a string.

A document is a transaction. `total` = `subtotal` - subtotal, point and coupon discounts +
rounding + exclusive tax + commission + carriage - tax exemption; `subtotal` is the sum of
the details after their own discounts. The `...Proportional` fields of a detail are its
parts of the discounts and taxes of the whole; where they are missing, taxes are spread over
the details of their division and discounts stay lines of the whole.

Divisions: only transactions of head division 1 are sales; deposits, points, layaways and the
like are ignored with a count. `cancelDivision` 1 voids a transaction. A transaction that was
disposed (`disposeDivision` 1) stays, and its counterpart (2) takes it back, as a return in the
sign of its amounts: what disposes of a return sells the goods again.
Details of division 2 are returns. The app states returned amounts positive under a negative
subtotal and the API negative ones, so the subtotal decides the sign. Details that are no
sales (`salesDivision` 1) are adjustments. Webhooks only name transactions: they are ignored,
and `gateways.fetch` has the transactions fetched.

https://developers.smaregi.dev/platform-api-reference/apis/pos/operations/gettransactions
https://developers.smaregi.dev/platform-api-reference/apis/pos/operations/posttransactions
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from gateways.normalize.faults import Reason
from gateways.normalize.json_adapter import Rows
from gateways.normalize.money import smallest_unit
from gateways.pos.figures import ZERO, Reading, plain, spread
from gateways.pos.orders import ROUNDING, Basket, Goods, OrderAdapter
from tenpo.contracts import SaleKind

FIELDS = {
    "store_code": "storeId",
    "register_id": "terminalId",
    "receipt_id": "transactionHeadId",
    "occurred_at": "terminalTranDateTime",
    "version": "updDateTime",
    "customer": "customerId",
    "staff": "staffId",
    "original_receipt_id": "disposeServerTransactionHeadId",
    "line_key": "transactionDetailId",
    "sku": "productCode",
    "category": "categoryId",
    "quantity": "quantity",
    "unit_price": "salesPrice",
    "tax_rate": "taxRate",
    "amount": "unitDiscountedSum",
    "tax_amount": "taxIncludeProportional",
}
SALE = "1"
#: Head divisions that are no sales: cash and deposits, points, coupons, holds, tips, miles, cards.
OTHERS = ("2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "13", "14", "15", "16")
RETURNED, NO_SALE, DISPOSAL = "2", "1", "2"
INCLUSIVE, EXCLUSIVE = "0", "1"
#: Yen has no smaller unit.
YEN = smallest_unit("JPY")
_HEAD_DISCOUNTS = ("subtotalDiscountPrice", "pointDiscount", "couponDiscount")
_PARTS = ("discountPriceProportional", "discountPointProportional", "discountCouponProportional")
_TAX_PARTS = {"taxIncludeProportional": INCLUSIVE, "taxExcludeProportional": EXCLUSIVE}


class Smaregi(OrderAdapter):
    """Transactions of Smaregi."""

    name = "smaregi"
    version = "3"
    fields = FIELDS

    def collect(self, document: Mapping[str, Any], rows: Rows, position: str) -> None:
        """One transaction, or what a webhook names."""
        named = document.get("transactionHeadIds")
        if isinstance(named, list) and "event" in document:
            rows.ignored += max(1, len(named))
            return
        division = document.get("transactionHeadDivision")
        if division in OTHERS:
            rows.ignored += 1
            return
        reading = Reading()
        if division != SALE:
            missing = division is None
            reason = Reason.MISSING_FIELD if missing else Reason.BAD_VALUE
            reading.wrong(reason, "transactionHeadDivision")
        _transaction(document, rows, position, reading)


def _transaction(head: Mapping[str, Any], rows: Rows, position: str, reading: Reading) -> None:
    _check(head, "cancelDivision", ("0", "1"), reading)
    _check(head, "disposeDivision", ("0", "1", "2"), reading)
    shared = {name: head.get(FIELDS[name]) for name in (
        "store_code", "register_id", "receipt_id", "occurred_at", "version", "customer", "staff",
        "original_receipt_id",
    )}  # fmt: skip
    shared["document"] = head.get("transactionHeadId")
    basket = Basket(position, shared, YEN, is_void=head.get("cancelDivision") == "1")
    details = reading.listed(head, "details")
    readings = [Reading() for _ in details]
    disposal = head.get("disposeDivision") == DISPOSAL
    goods = _goods(head, details, readings, reading)
    for number, detail in enumerate(details):
        _detail(basket, detail, goods[number], readings[number], number + 1, disposal)
    if details:
        _whole(basket, head, details, reading)
    if not reading.fault and details:
        tax = reading.number(head, "taxInclude") + reading.number(head, "taxExclude")
        basket.balance(reading.given(head, "total"), tax, "total")
    basket.into(rows, reading.fault, "details")


def _check(source: Mapping[str, Any], name: str, known: Sequence[str], reading: Reading) -> None:
    if source.get(name) is not None and source[name] not in known:
        reading.wrong(Reason.BAD_VALUE, name)


def _goods(
    head: Mapping[str, Any], details: list[Any], readings: list[Reading], reading: Reading
) -> list[Goods]:
    """What each detail states, in the sign that adds up to the subtotal."""
    priced = [_priced(detail, one) for detail, one in zip(details, readings, strict=True)]
    after = sum((price - discount for price, discount in priced), ZERO)
    subtotal = reading.given(head, "subtotal")
    sign = -1 if subtotal is not None and after and subtotal == -after else 1
    priced = [(sign * price, sign * discount) for price, discount in priced]
    found = []
    taxes = _taxes(head, details, readings, priced, reading)
    for number, (price, discount) in enumerate(priced):
        side = 1 if price >= 0 else -1
        more = sum((_part(details[number], name, readings[number]) for name in _PARTS), ZERO)
        more += _part(details[number], "taxFree", readings[number])
        included, excluded = taxes[INCLUSIVE][number], taxes[EXCLUSIVE][number]
        found.append(Goods(price, discount + side * more, included + excluded, included))
    return found


def _part(detail: Mapping[str, Any], name: str, reading: Reading) -> Decimal:
    return abs(reading.number(detail, name))


def _priced(detail: Mapping[str, Any], reading: Reading) -> tuple[Decimal, Decimal]:
    """Price and own discount of a detail; returned ones are negative."""
    quantity = reading.needed(detail, "quantity")
    price = reading.given(detail, "unitNonDiscountSum")
    if price is None:
        price = reading.needed(detail, "salesPrice") * quantity
    after = reading.given(detail, "unitDiscountedSum")
    if after is None:
        off = reading.number(detail, "unitDiscountPrice") * quantity
        after = price - off
    discount = price - after
    if detail.get("transactionDetailDivision") == RETURNED and price > 0:
        return -price, -discount
    return price, discount


def _taxes(
    head: Mapping[str, Any], details: list[Any], readings: list[Reading],
    priced: list[tuple[Decimal, Decimal]], reading: Reading,
) -> dict[str, list[Decimal]]:  # fmt: skip
    """Tax of each detail, inclusive and exclusive, in the sign of the detail's price."""
    found = {}
    for name, division in _TAX_PARTS.items():
        if any(name in detail for detail in details):
            found[division] = [
                _part(detail, name, one) * (1 if price >= 0 else -1)
                for detail, one, (price, _) in zip(details, readings, priced, strict=True)
            ]
            continue
        weights = [
            price - discount if detail.get("taxDivision") == division else ZERO
            for detail, (price, discount) in zip(details, priced, strict=True)
        ]
        total = "taxInclude" if division == INCLUSIVE else "taxExclude"
        found[division] = spread(reading.number(head, total), weights, YEN)
    return found


def _detail(
    basket: Basket, detail: Mapping[str, Any], goods: Goods, reading: Reading, number: int,
    disposal: bool,
) -> None:  # fmt: skip
    _check(detail, "transactionDetailDivision", ("1", "2", "3"), reading)
    _check(detail, "salesDivision", ("0", "1"), reading)
    quantity = abs(reading.number(detail, "quantity"))
    back = disposal or detail.get("transactionDetailDivision") == RETURNED
    kind = SaleKind.RETURN if back or goods.price < 0 else SaleKind.SALE
    # What disposes of a return is above zero: the goods are sold again.
    taken = goods.price < 0 or (back and not (disposal and goods.price))
    discount = SaleKind.DISCOUNT
    if detail.get("salesDivision") == NO_SALE:
        kind = discount = SaleKind.ADJUSTMENT
    rate = reading.given(detail, "taxRate")
    basket.goods(
        kind, f"detail:{detail.get('transactionDetailId') or number}", goods, discount,
        quantity=plain(-quantity if taken else quantity),
        unit_price=detail.get("salesPrice"), category=detail.get("categoryId"),
        sku=detail.get("productCode") or detail.get("productId"),
        tax_rate=None if rate is None else plain(rate / 100), fault=reading.fault,
    )  # fmt: skip


def _whole(basket: Basket, head: Mapping[str, Any], details: list[Any], reading: Reading) -> None:
    """What the transaction states as a whole and no detail has a part of."""
    for name, part in zip(_HEAD_DISCOUNTS, _PARTS, strict=True):
        amount = reading.number(head, name)
        if amount and not any(part in detail for detail in details):
            basket.add(SaleKind.DISCOUNT, name, -amount, category=name)
    carriage, commission = reading.number(head, "carriage"), reading.number(head, "commission")
    if carriage:
        basket.add(SaleKind.SHIPPING, "carriage", carriage)
    if commission:
        basket.add(SaleKind.FEE, "commission", commission, category="commission")
    rounding = reading.number(head, "roundingPrice")
    if rounding:
        basket.add(SaleKind.ADJUSTMENT, ROUNDING, rounding, category=ROUNDING)
