"""Goods of a POSLog line item: price, discount, tax and quantity as the register states them.

What registers disagree on within a line is decided by its own figures:

* whether `ExtendedAmount` is before or after the discount: whichever fits regular price times
  quantity better; after, where there is no regular price (so ARTS defines it);
* what `Quantity` states of goods that are no pieces: the contents of one (`@Units`) times their
  number, unless only one of both fits price and amount.

Returned goods are negative whether the register writes them so, as `Return`, or as a sale of
a negative quantity. What only the whole transaction tells is `gateways.pos.poslog_lines`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from gateways.pos.figures import ZERO, Reading, plain
from gateways.pos.poslog_xml import Node
from tenpo.contracts import SaleKind

GOODS = {"Sale": 1, "Return": -1}
#: Kinds of articles that are no goods (`ItemType`).
ITEM_TYPES = {
    "giftcertificate": SaleKind.GIFT_CARD,
    "giftcard": SaleKind.GIFT_CARD,
    "storedvalue": SaleKind.GIFT_CARD,
    "fee": SaleKind.FEE,
    "deposit": SaleKind.FEE,
    "shipping": SaleKind.SHIPPING,
    "negativeitem": SaleKind.DISCOUNT,
}
#: Units of measure that count pieces (UN/ECE Recommendation 20 and the usual short forms).
PIECES = ("EA", "PCE", "PC", "ST", "C62", "H87", "EACH")


@dataclass(frozen=True)
class Item:
    """A line of goods as the register states it; price, discount and tax without a sign."""

    node: Node
    key: str
    sign: int
    kind: SaleKind
    price: Decimal
    discount: Decimal
    tax: Decimal | None
    included: bool | None
    quantity: Decimal
    reading: Reading

    @property
    def sku(self) -> str | None:
        """The article."""
        identity = self.node.child("POSIdentity")
        return self.node.text("ItemID") or (identity.text("POSItemID") if identity else None)

    def voids(self, other: Item) -> bool:
        """Whether this line takes back all of another one that still stands."""
        same = (self.sku, self.quantity, self.price) == (other.sku, other.quantity, other.price)
        return same and other.sign > 0 and other.kind is not SaleKind.VOID

    @property
    def after(self) -> Decimal:
        """Price after the discount."""
        return self.price - self.discount


def read_item(line: Node, name: str, key: str, unit: Decimal) -> Item:
    """The goods of a line item.

    Args:
        line: the line item.
        name: of the element that holds the goods, one of `GOODS`.
        key: of the line.
        unit: the currency's smallest.
    """
    reading = Reading()
    node = line.child(name) or line
    extended = number(node, "ExtendedAmount", reading)
    regular = number(node, "RegularSalesUnitPrice", reading)
    actual = number(node, "ActualSalesUnitPrice", reading)
    discount = abs(_discount(node, reading))
    amounts = [] if extended is None else [abs(extended), abs(extended) + discount]
    prices = [price for price in (regular, actual) if price is not None]
    quantity = _quantity(node, prices, amounts, unit, reading)
    if extended is None:
        unit_price = actual if actual is not None else regular
        extended = (
            reading.needed({"ExtendedAmount": plain(unit_price)}, "ExtendedAmount") * quantity
        )
    sign = -1 if name == "Return" or quantity < 0 or extended < 0 else 1
    quantity, extended = abs(quantity), abs(extended)
    regular_amount = None if regular is None else (regular * quantity).quantize(unit, ROUND_HALF_UP)
    price = extended + discount
    if regular_amount is not None and abs(regular_amount - extended) < abs(regular_amount - price):
        price = extended
    stated = (node.attribute("ItemType") or "").rpartition(":")[2]
    kind = ITEM_TYPES.get(stated.lower())
    if kind is None:
        kind = SaleKind.SALE if sign > 0 else SaleKind.RETURN
    if line.flag("VoidFlag"):
        kind = SaleKind.VOID
    tax, included = _tax(node, reading)
    return Item(node, key, sign, kind, price, discount, tax, included, quantity, reading)


def number(node: Node, name: str, reading: Reading) -> Decimal | None:
    """The number of a child; None where there is none."""
    return reading.given({name: node.text(name)}, name)


def _quantity(
    node: Node, prices: Sequence[Decimal], amounts: Sequence[Decimal], unit: Decimal,
    reading: Reading,
) -> Decimal:  # fmt: skip
    """Pieces, or what was weighed or measured; one where the register states none."""
    stated = node.child("Quantity")
    if stated is None:
        return Decimal(1)
    code = (stated.attribute("UnitOfMeasureCode") or "EA").upper()
    number = reading.given({"Quantity": stated.own}, "Quantity")
    units = None
    if code not in PIECES:
        units = reading.given({"Quantity": stated.attribute("Units")}, "Quantity")
    if units is not None and not number:
        return units
    if not units or not number:
        return reading.needed({"Quantity": stated.own}, "Quantity")
    possible = [abs(units * number), abs(number), abs(units)]
    fitting = (
        quantity for quantity in possible
        if any(abs(abs(price) * quantity - amount) < unit for price in prices for amount in amounts)
    )  # fmt: skip
    return next(fitting, possible[0]).copy_sign(number)


def _discount(node: Node, reading: Reading) -> Decimal:
    """What was taken off: the stated sum, else that of the price modifiers."""
    stated = number(node, "ExtendedDiscountAmount", reading)
    if stated:
        return stated
    taken = ZERO
    for modifier in node.children("RetailPriceModifier"):
        amount = modifier.child("Amount")
        if amount is None or modifier.flag("VoidFlag"):
            continue
        value = reading.number({"RetailPriceModifier": amount.own}, "RetailPriceModifier")
        action = (amount.attribute("Action") or "Subtract").lower()
        taken += {"subtract": value, "add": -value}.get(action, ZERO)
    return taken


def _tax(node: Node, reading: Reading) -> tuple[Decimal | None, bool | None]:
    """Tax of a line and whether it lies within the price; None where that is not stated."""
    taxes = [tax for tax in node.children("Tax") if not tax.flag("VoidFlag")]
    if not taxes:
        return None, True if node.flag("TaxIncludedInPriceFlag") else None
    amounts = [number(tax, "Amount", reading) or ZERO for tax in taxes]
    flags = [node.flag("TaxIncludedInPriceFlag"), *(says_included(tax) for tax in taxes)]
    return abs(sum(amounts, ZERO)), True if any(flags) else None


def says_included(tax: Node) -> bool:
    """Whether a tax says itself that it lies within the price."""
    base = tax.child("TaxableAmount")
    within = base is not None and base.flag("TaxIncludedInTaxableAmountFlag")
    return within or tax.flag("TaxIncludedInPriceFlag")


def rate(node: Node, reading: Reading) -> str | None:
    """Sum of the rates of a line's taxes; None where one is not stated."""
    rates = [number(tax, "Percent", reading) for tax in node.children("Tax")]
    known = [rate / 100 for rate in rates if rate is not None]
    return plain(sum(known, ZERO)) if known and len(known) == len(rates) else None
