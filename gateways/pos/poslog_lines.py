"""Line items of a POSLog retail transaction.

What registers disagree on is decided by arithmetic with the figures they state:

* whether `ExtendedAmount` is before or after the discount: whichever fits regular price times
  quantity better; after, where there is no regular price (so ARTS defines it);
* whether the tax lies within the prices: a flag says so, else the grand total does;
* what a voided line is: with a positive amount it was voided itself; with a negative one (NCR)
  it voids the last line before it of the same article, quantity and price, and without such a line
  it takes back a part;
* whether totals without a sign are negative: `NegativeTotalFlag` says so, else the lines do;
* what `Quantity` states of goods that are no pieces: the contents of one (`@Units`) times their
  number, unless only one of both fits price and amount.

What a transaction with loyalty rewards costs less than its lines is the rewards' discount.
Taxes of the whole transaction are spread over the lines where these state none. A discount of
the whole takes what the lines state of tax too much, where the totals come out exactly so.
Returned goods are negative whether the register writes them so, as `Return`, or as a sale of
a negative quantity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from gateways.pos.figures import ZERO, Fault, Reading, plain, spread
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
#: How many of the smallest unit a total may be off its lines by the rounding of cash.
CASH_ROUNDING = 10


@dataclass(frozen=True)
class Totals:
    """The transaction's own totals.

    Args:
        grand: what it costs; None where it is not stated.
        tax: the tax in it, likewise.
        turned: whether they were stated without their sign and are negative.
    """

    grand: Decimal | None
    tax: Decimal | None
    turned: bool = False


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
    items = _paired(items)
    totals = _signed(_totals(retail, reading), retail, items, lines, basket.unit)
    for item in _taxed(items, lines, totals, basket.unit, reading):
        _add(basket, item)
    _add_others(basket, others, totals)
    rewarded = any(line.child("LoyaltyReward") for line in lines)
    less = SaleKind.DISCOUNT if rewarded else SaleKind.ADJUSTMENT
    basket.balance(totals.grand, totals.tax, less)
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


def _totals(retail: Node, reading: Reading) -> Totals:
    """The transaction's own totals as they are stated."""
    found: dict[str, Decimal] = {}
    for total in retail.children("Total"):
        kind, amount = total.attribute("TotalType"), reading.given({"Total": total.own}, "Total")
        if kind and amount is not None and total.attribute("TypeCode") != "Return":
            found.setdefault(kind, amount)
    return Totals(found.get("TransactionGrandAmount"), found.get("TransactionTaxAmount"))


def _signed(
    totals: Totals, retail: Node, items: Sequence[Item], lines: Sequence[Node], unit: Decimal
) -> Totals:
    """The totals, negative where the register leaves out the sign of what it gave back."""
    if totals.grand is None or totals.grand <= 0:
        return totals
    flag = "NegativeTotalFlag"
    after, tax = _sums(items, lines)
    if retail.attribute(flag) or retail.text(flag):
        negative = retail.flag(flag)
    else:
        known = any(item.tax is not None for item in items)
        on_top = tax if known else -abs(_stated_tax(lines, totals, Reading()))
        gap = min(abs(after + totals.grand), abs(after + on_top + totals.grand))
        # A total that does not fit either way may have lines in it that are not read here.
        negative = after < 0 and gap < CASH_ROUNDING * unit
    if not negative:
        return totals
    stated = None if totals.tax is None else abs(totals.tax)
    return Totals(-totals.grand, -stated if stated and tax <= 0 else stated, turned=True)


def _sums(items: Sequence[Item], lines: Sequence[Node]) -> tuple[Decimal, Decimal]:
    """What the lines cost after all discounts, and the tax they state."""
    counted = [item for item in items if item.kind is not SaleKind.VOID]
    after = sum((item.sign * item.after for item in counted), ZERO) - _taken(lines)
    return after, sum((item.sign * (item.tax or ZERO) for item in counted), ZERO)


def _item(line: Node, name: str, key: str, unit: Decimal) -> Item:
    reading = Reading()
    node = line.child(name) or line
    extended = _number(node, "ExtendedAmount", reading)
    regular = _number(node, "RegularSalesUnitPrice", reading)
    actual = _number(node, "ActualSalesUnitPrice", reading)
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


def _number(node: Node, name: str, reading: Reading) -> Decimal | None:
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
    items: Sequence[Item], lines: Sequence[Node], totals: Totals, unit: Decimal, reading: Reading
) -> list[Item]:
    """The lines with their tax, and with the knowledge whether it lies within the price."""
    if all(item.tax is None for item in items):
        items = _spread(items, lines, totals, unit, reading)
    after, tax = _sums(items, lines)
    taxes = [tax]
    if _taken(lines) and totals.tax:  # the lines' tax may be that before the discount
        taxes.append(totals.tax)
    grand = totals.grand
    within = grand is not None and all(
        abs(after - grand) < abs(after + one - grand) for one in taxes
    )
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


def _taxes(lines: Sequence[Node]) -> list[Node]:
    """Taxes of the transaction as a whole."""
    return [tax for line in lines if not line.flag("VoidFlag") for tax in line.children("Tax")]


def _stated_tax(lines: Sequence[Node], totals: Totals, reading: Reading) -> Decimal:
    """The transaction's tax: of its own lines of tax, else of its totals."""
    taxes = _taxes(lines)
    if not taxes:
        return totals.tax or ZERO
    return sum((_number(tax, "Amount", reading) or ZERO for tax in taxes), ZERO)


def _spread(
    items: Sequence[Item], lines: Sequence[Node], totals: Totals, unit: Decimal, reading: Reading
) -> list[Item]:
    """The transaction's tax over its lines, after what they cost."""
    total = _stated_tax(lines, totals, reading)
    if totals.turned:
        total = -abs(total)
    included = True if any(_says_included(tax) for tax in _taxes(lines)) else None
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


def _add_others(basket: Basket, others: Sequence[tuple[Node, str]], totals: Totals) -> None:
    """Discounts and roundings of the transaction as a whole."""
    found = [part for line, key in others for part in _others(line, key)]
    discounts = [part.amount if part.kind is SaleKind.DISCOUNT else ZERO for part in found]
    rest = sum((part.amount for part in found), ZERO)
    tax, within = _discount_tax(basket, totals, sum(discounts, ZERO), rest)
    for part, taxed in zip(found, spread(tax, discounts, basket.unit), strict=True):
        net = part.amount - taxed if within else part.amount
        basket.add(part.kind, part.key, net, taxed, category=part.category, fault=part.fault)


def _discount_tax(
    basket: Basket, totals: Totals, discount: Decimal, rest: Decimal
) -> tuple[Decimal, bool]:
    """Tax of the discounts of the whole, and whether it lies within their amounts.

    It is what the lines have more than the transaction, if the totals are then exact; else none.

    Args:
        basket: with the lines of goods.
        totals: of the transaction.
        discount: all such discounts, negative.
        rest: discounts and roundings together.
    """
    missing = ZERO if totals.tax is None else totals.tax - basket.tax
    if not discount < missing < 0:
        return ZERO, False
    after = basket.gross + rest
    if totals.grand not in (after, after + missing):
        return ZERO, False
    return missing, totals.grand == after


@dataclass(frozen=True)
class Other:
    """A discount or rounding of the whole, the discount negative."""

    kind: SaleKind
    key: str
    amount: Decimal
    category: str | None
    fault: Fault | None


def _others(line: Node, key: str) -> Iterator[Other]:
    for name, kind in (("Discount", SaleKind.DISCOUNT), ("Rounding", SaleKind.ADJUSTMENT)):
        node = line.child(name)
        if node is None or line.flag("VoidFlag"):
            continue
        reading = Reading()
        stated = reading.given({name: node.text("Amount") or node.own}, name) or ZERO
        is_discount = kind is SaleKind.DISCOUNT
        amount = -abs(stated) if is_discount else stated
        yield Other(kind, key, amount, None if is_discount else ROUNDING, reading.fault)


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
