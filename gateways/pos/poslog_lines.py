"""Line items of a POSLog retail transaction.

What registers disagree on is decided by arithmetic with the figures they state:

* whether `ExtendedAmount` is before or after the discount: whichever fits regular price times
  quantity better; after, where there is no regular price (so ARTS defines it);
* whether the tax lies within the prices: a flag says so, else the grand total does;
* what a voided line is: with a positive amount it was voided itself; with a negative one (NCR)
  it voids the last line before it of the same article, quantity and price, and without such a line
  it takes back a part.

What a transaction with loyalty rewards costs less than its lines is the rewards' discount.
Taxes of the whole transaction are spread over the lines where these state none. Returned
goods are negative whether the register writes them so, as `Return`, or as a sale of a
negative quantity. Weighed goods count in their unit of measure (`Quantity/@Units`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from gateways.pos.figures import ZERO, Reading, plain, spread
from gateways.pos.orders import ROUNDING, Basket, Goods
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


def add_lines(basket: Basket, retail: Node, reading: Reading) -> int:
    """Put the lines of a retail transaction into its basket.

    Returns:
        How many line items are none of our business.
    """
    lines = retail.children("LineItem")
    items, others, ignored = [], [], 0
    for number, line in enumerate(lines, start=1):
        key = line.text("SequenceNumber") or f"at {number}"
        goods = next((name for name in GOODS if line.child(name)), None)
        if goods is not None:
            items.append(_item(line, goods, f"line:{key}", basket.unit))
        elif _is_other(line):
            others.append((line, f"line:{key}"))
        else:
            ignored += line.child("Tax") is None
    totals = _totals(retail, reading)
    for item in _taxed(_paired(items), lines, totals, basket.unit, reading):
        _add(basket, item)
    for line, key in others:
        _add_other(basket, line, key)
    rewarded = any(line.child("LoyaltyReward") for line in lines)
    grand, tax = totals.get("TransactionGrandAmount"), totals.get("TransactionTaxAmount")
    basket.balance(grand, tax, SaleKind.DISCOUNT if rewarded else SaleKind.ADJUSTMENT)
    for line, key in others:
        _add_tender(basket, line, key)
    return ignored


def _paired(items: Sequence[Item]) -> list[Item]:
    """The lines, with those that others take back again voided, too."""
    found = list(items)
    for place, item in enumerate(items):
        if item.kind is not SaleKind.VOID or item.sign > 0:
            continue
        before = [i for i in range(place) if item.voids(found[i])]
        if before:
            found[before[-1]] = replace(found[before[-1]], kind=SaleKind.VOID)
        else:
            found[place] = replace(item, kind=SaleKind.RETURN)
    return found


def _is_other(line: Node) -> bool:
    return any(line.child(name) for name in ("Tender", "Discount", "Rounding"))


def _totals(retail: Node, reading: Reading) -> dict[str, Decimal]:
    """The transaction's own totals by their type."""
    found: dict[str, Decimal] = {}
    for total in retail.children("Total"):
        kind, amount = total.attribute("TotalType"), reading.given({"Total": total.own}, "Total")
        if kind and amount is not None and total.attribute("TypeCode") != "Return":
            found.setdefault(kind, amount)
    return found


def _item(line: Node, name: str, key: str, unit: Decimal) -> Item:
    reading = Reading()
    node = line.child(name) or line
    quantity = _quantity(node, reading)
    extended = _number(node, "ExtendedAmount", reading)
    regular = _number(node, "RegularSalesUnitPrice", reading)
    actual = _number(node, "ActualSalesUnitPrice", reading)
    if extended is None:
        unit_price = actual if actual is not None else regular
        extended = (
            reading.needed({"ExtendedAmount": plain(unit_price)}, "ExtendedAmount") * quantity
        )
    sign = -1 if name == "Return" or quantity < 0 or extended < 0 else 1
    quantity, extended = abs(quantity), abs(extended)
    discount = abs(_discount(node, reading))
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


def _number(node: Node, name: str, reading: Reading) -> Decimal | None:
    return reading.given({name: node.text(name)}, name)


def _quantity(node: Node, reading: Reading) -> Decimal:
    """Pieces, or what was weighed or measured; one where the register states none."""
    stated = node.child("Quantity")
    if stated is None:
        return Decimal(1)
    code = (stated.attribute("UnitOfMeasureCode") or "EA").upper()
    units = stated.attribute("Units")
    if units and code not in PIECES:
        amount = reading.number({"Quantity": units}, "Quantity")
        return amount.copy_sign(reading.number({"Quantity": stated.own}, "Quantity"))
    return reading.needed({"Quantity": stated.own}, "Quantity")


def _discount(node: Node, reading: Reading) -> Decimal:
    """What was taken off: the stated sum, else that of the price modifiers."""
    stated = _number(node, "ExtendedDiscountAmount", reading)
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
    amounts = [_number(tax, "Amount", reading) or ZERO for tax in taxes]
    flags = [node.flag("TaxIncludedInPriceFlag"), *(_says_included(tax) for tax in taxes)]
    return abs(sum(amounts, ZERO)), True if any(flags) else None


def _says_included(tax: Node) -> bool:
    base = tax.child("TaxableAmount")
    within = base is not None and base.flag("TaxIncludedInTaxableAmountFlag")
    return within or tax.flag("TaxIncludedInPriceFlag")


def _taxed(
    items: Sequence[Item], lines: Sequence[Node], totals: dict[str, Decimal], unit: Decimal,
    reading: Reading,
) -> list[Item]:  # fmt: skip
    """The lines with their tax, and with the knowledge whether it lies within the price."""
    if all(item.tax is None for item in items):
        items = _spread(items, lines, totals, unit, reading)
    counted = [item for item in items if item.kind is not SaleKind.VOID]
    after = sum((item.sign * item.after for item in counted), ZERO) - _taken(lines)
    tax = sum((item.sign * (item.tax or ZERO) for item in counted), ZERO)
    grand = totals.get("TransactionGrandAmount")
    within = grand is not None and abs(after - grand) < abs(after + tax - grand)
    return [
        replace(item, tax=item.tax or ZERO, included=within if item.included is None else True)
        for item in items
    ]


def _taken(lines: Sequence[Node]) -> Decimal:
    """Discounts of the transaction as a whole."""
    unread = Reading()  # they tell their faults where they become lines
    found = [line.child("Discount") for line in lines if not line.flag("VoidFlag")]
    amounts = [_number(node, "Amount", unread) or ZERO for node in found if node is not None]
    return sum((abs(amount) for amount in amounts), ZERO)


def _spread(
    items: Sequence[Item], lines: Sequence[Node], totals: dict[str, Decimal], unit: Decimal,
    reading: Reading,
) -> list[Item]:  # fmt: skip
    """The transaction's tax over its lines, after what they cost."""
    taxes = [tax for line in lines if not line.flag("VoidFlag") for tax in line.children("Tax")]
    stated = [_number(tax, "Amount", reading) or ZERO for tax in taxes]
    total = sum(stated, ZERO) if taxes else totals.get("TransactionTaxAmount", ZERO)
    included = True if any(_says_included(tax) for tax in taxes) else None
    weights = [ZERO if item.kind is SaleKind.VOID else item.sign * item.after for item in items]
    parts = spread(total, weights, unit)
    return [
        replace(item, tax=part * item.sign, included=item.included or included)
        for item, part in zip(items, parts, strict=True)
    ]


def _add(basket: Basket, item: Item) -> None:
    tax = item.sign * (item.tax or ZERO)
    goods = Goods(
        item.sign * item.price, item.sign * item.discount, tax, tax if item.included else ZERO
    )
    node, link = item.node, item.node.child("TransactionLink")
    price = _number(node, "RegularSalesUnitPrice", item.reading)
    is_void = item.kind is SaleKind.VOID
    before = basket.gross, basket.tax
    basket.goods(
        item.kind, item.key, goods, SaleKind.VOID if is_void else SaleKind.DISCOUNT,
        quantity=plain(item.sign * item.quantity), unit_price=plain(price),
        sku=item.sku,
        category=node.text("MerchandiseHierarchy"), tax_rate=_rate(node, item.reading),
        original_receipt_id=link.text("SequenceNumber") if link else None,
        fault=item.reading.fault,
    )  # fmt: skip
    if is_void:  # in the log, but no part of the transaction's totals
        basket.gross, basket.tax = before


def _rate(node: Node, reading: Reading) -> str | None:
    """Sum of the rates of a line's taxes; None where one is not stated."""
    rates = [_number(tax, "Percent", reading) for tax in node.children("Tax")]
    known = [rate / 100 for rate in rates if rate is not None]
    return plain(sum(known, ZERO)) if known and len(known) == len(rates) else None


def _add_other(basket: Basket, line: Node, key: str) -> None:
    """Discounts and roundings of the transaction as a whole."""
    for name, kind, sign in (
        ("Discount", SaleKind.DISCOUNT, -1),
        ("Rounding", SaleKind.ADJUSTMENT, 1),
    ):
        node = line.child(name)
        if node is None or line.flag("VoidFlag"):
            continue
        reading = Reading()
        stated = reading.given({name: node.text("Amount") or node.own}, name) or ZERO
        amount = -abs(stated) if sign < 0 else stated
        category = ROUNDING if name == "Rounding" else None
        basket.add(kind, key, amount, category=category, fault=reading.fault)


def _add_tender(basket: Basket, line: Node, key: str) -> None:
    """What was paid: kept for reconciling tills, no part of any total here."""
    node = line.child("Tender")
    if node is None:
        return
    reading = Reading()
    paid = reading.needed({"Tender.Amount": node.text("Amount")}, "Tender.Amount")
    change = node.child("TenderChange")
    back = reading.number({"x": change.text("Amount")}, "x") if change else ZERO
    refunded = (node.attribute("TypeCode") or "").lower() == "refund"
    amount = -abs(paid) if refunded else paid - back
    kind = SaleKind.VOID if line.flag("VoidFlag") else SaleKind.TENDER
    basket.add(
        kind, key, amount, category=node.attribute("TenderType"), fault=reading.fault
    )  # fmt: skip
