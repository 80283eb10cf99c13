"""Line items of a POSLog retail transaction.

What registers disagree on is decided by arithmetic with the figures they state:

* whether the tax lies within the prices: a flag says so, else the grand total does;
* what a voided line is: with a positive amount it was voided itself; with a negative one (NCR)
  it voids the last line before it of the same article, quantity and price, and without such a line
  it takes back a part;
* whether totals without a sign are negative: `NegativeTotalFlag` says so, else the lines do;
* what a discount of the whole is taken off: what was sold, or what is given back where that is
  more; where there are both, the grand total decides if it fits one way alone.

What a transaction with loyalty rewards costs less than its lines is the rewards' discount.
Taxes of the whole transaction are spread over the lines where these state none. A discount of
the whole takes what the lines state of tax too much, where the totals come out exactly so.
The goods of a single line are `gateways.pos.poslog_items`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from gateways.pos.figures import ZERO, Fault, Reading, plain, spread
from gateways.pos.orders import ROUNDING, Basket, Goods
from gateways.pos.poslog_items import GOODS, Item, number, rate, read_item, says_included
from gateways.pos.poslog_xml import Node
from tenpo.contracts import SaleKind

#: Smallest units of the coarsest coin to which cash is rounded, e.g. New Zealand's ten cents.
CASH_ROUNDING = Decimal(10)


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
class Whole:
    """What is stated of the transaction as a whole.

    Args:
        lines: all line items.
        unit: the currency's smallest.
        discount: of the whole: negative where it is taken off what was sold.
    """

    lines: Sequence[Node]
    unit: Decimal
    discount: Decimal


def add_lines(basket: Basket, retail: Node, reading: Reading) -> int:
    """Put the lines of a retail transaction into its basket.

    Returns:
        How many line items are none of our business.
    """
    lines = retail.children("LineItem")
    items, others, ignored = [], [], 0
    for place, line in enumerate(lines, start=1):
        key = line.text("SequenceNumber") or f"at {place}"
        goods = next((name for name in GOODS if line.child(name)), None)
        if goods is not None:
            items.append(read_item(line, goods, f"line:{key}", basket.unit))
        elif _is_other(line):
            others.append((line, f"line:{key}"))
        else:
            ignored += line.child("Tax") is None
    items = _paired(items)
    totals = _totals(retail, reading)
    discount = _discount_of_whole(items, lines, totals, basket.unit)
    whole = Whole(lines, basket.unit, discount)
    totals = _signed(totals, retail, items, whole)
    for item in _taxed(items, whole, totals, reading):
        _add(basket, item)
    _add_others(basket, others, totals, -1 if discount <= 0 else 1)
    rewarded = any(line.child("LoyaltyReward") for line in lines)
    less = SaleKind.DISCOUNT if rewarded else SaleKind.ADJUSTMENT
    cash = CASH_ROUNDING / 2 * basket.unit
    basket.balance(totals.grand, totals.tax, "TransactionGrandAmount", less, cash)
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


def _discount_of_whole(
    items: Sequence[Item], lines: Sequence[Node], totals: Totals, unit: Decimal
) -> Decimal:
    """Discounts of the transaction as a whole, with the sign in which they change its total."""
    taken = _taken(lines)
    goods, tax = _sums(items, ZERO)
    likely = taken if goods < 0 else -taken
    grand, taxes = totals.grand, (ZERO, tax, totals.tax or ZERO)
    if grand is None or len({item.sign for item in items if item.kind is not SaleKind.VOID}) < 2:
        return likely
    fits = [
        any(abs(abs(goods + discount + more) - abs(grand)) < unit for more in taxes)
        for discount in (likely, -likely)
    ]
    return -likely if fits == [False, True] else likely


def _signed(totals: Totals, retail: Node, items: Sequence[Item], whole: Whole) -> Totals:
    """The totals, negative where the register leaves out the sign of what it gave back."""
    if totals.grand is None or totals.grand <= 0:
        return totals
    flag = "NegativeTotalFlag"
    after, tax = _sums(items, whole.discount)
    if retail.attribute(flag) or retail.text(flag):
        negative = retail.flag(flag)
    else:
        known = any(item.tax is not None for item in items)
        on_top = tax if known else -abs(_stated_tax(whole.lines, totals, Reading()))
        taxes = [ZERO, on_top]
        if whole.discount:  # the lines' tax may be that before the discount
            taxes.append(-abs(totals.tax or ZERO))
        gap = min(abs(after + one + totals.grand) for one in taxes)
        # A total that does not fit either way may have lines in it that are not read here.
        negative = after < 0 and gap < CASH_ROUNDING * whole.unit
    if not negative:
        return totals
    stated = None if totals.tax is None else abs(totals.tax)
    return Totals(-totals.grand, -stated if stated and tax <= 0 else stated, turned=True)


def _sums(items: Sequence[Item], discount: Decimal) -> tuple[Decimal, Decimal]:
    """What the lines cost after all discounts, and the tax they state."""
    counted = [item for item in items if item.kind is not SaleKind.VOID]
    after = sum((item.sign * item.after for item in counted), ZERO) + discount
    return after, sum((item.sign * (item.tax or ZERO) for item in counted), ZERO)


def _taxed(items: Sequence[Item], whole: Whole, totals: Totals, reading: Reading) -> list[Item]:
    """The lines with their tax, and with the knowledge whether it lies within the price."""
    if all(item.tax is None for item in items):
        items = _spread(items, whole, totals, reading)
    after, tax = _sums(items, whole.discount)
    taxes = [tax]
    if whole.discount and totals.tax:  # likewise
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
    """Discounts of the transaction as a whole, without a sign."""
    unread = Reading()  # they tell their faults where they become lines
    found = [line.child("Discount") for line in lines if not line.flag("VoidFlag")]
    amounts = [number(node, "Amount", unread) or ZERO for node in found if node is not None]
    return sum((abs(amount) for amount in amounts), ZERO)


def _taxes(lines: Sequence[Node]) -> list[Node]:
    """Taxes of the transaction as a whole."""
    return [tax for line in lines if not line.flag("VoidFlag") for tax in line.children("Tax")]


def _stated_tax(lines: Sequence[Node], totals: Totals, reading: Reading) -> Decimal:
    """The transaction's tax: of its own lines of tax, else of its totals."""
    taxes = _taxes(lines)
    if not taxes:
        return totals.tax or ZERO
    return sum((number(tax, "Amount", reading) or ZERO for tax in taxes), ZERO)


def _spread(items: Sequence[Item], whole: Whole, totals: Totals, reading: Reading) -> list[Item]:
    """The transaction's tax over its lines, after what they cost."""
    total = _stated_tax(whole.lines, totals, reading)
    if totals.turned:
        total = -abs(total)
    included = True if any(says_included(tax) for tax in _taxes(whole.lines)) else None
    weights = [ZERO if item.kind is SaleKind.VOID else item.sign * item.after for item in items]
    parts = spread(total, weights, whole.unit)
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
    price = number(node, "RegularSalesUnitPrice", item.reading)
    is_void = item.kind is SaleKind.VOID
    before = basket.gross, basket.tax
    basket.goods(
        item.kind, item.key, goods, SaleKind.VOID if is_void else SaleKind.DISCOUNT,
        quantity=plain(item.sign * item.quantity), unit_price=plain(price),
        sku=item.sku,
        category=node.text("MerchandiseHierarchy"), tax_rate=rate(node, item.reading),
        original_receipt_id=link.text("SequenceNumber") if link else None,
        fault=item.reading.fault,
    )  # fmt: skip
    if is_void:  # in the log, but no part of the transaction's totals
        basket.gross, basket.tax = before


def _add_others(
    basket: Basket, others: Sequence[tuple[Node, str]], totals: Totals, sign: int
) -> None:
    """Discounts of the transaction as a whole in their sign, and roundings."""
    found = [part for line, key in others for part in _others(line, key, sign)]
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
        discount: all such discounts, in their sign.
        rest: discounts and roundings together.
    """
    missing = ZERO if totals.tax is None else totals.tax - basket.tax
    if not min(discount, ZERO) < missing < max(discount, ZERO) or not missing:
        return ZERO, False
    after = basket.gross + rest
    if totals.grand not in (after, after + missing):
        return ZERO, False
    return missing, totals.grand == after


@dataclass(frozen=True)
class Other:
    """A discount or rounding of the whole, the discount in its sign."""

    kind: SaleKind
    key: str
    amount: Decimal
    category: str | None
    fault: Fault | None


def _others(line: Node, key: str, sign: int) -> Iterator[Other]:
    for name, kind in (("Discount", SaleKind.DISCOUNT), ("Rounding", SaleKind.ADJUSTMENT)):
        node = line.child(name)
        if node is None or line.flag("VoidFlag"):
            continue
        reading = Reading()
        stated = reading.given({name: node.text("Amount") or node.own}, name) or ZERO
        is_discount = kind is SaleKind.DISCOUNT
        amount = sign * abs(stated) if is_discount else stated
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
