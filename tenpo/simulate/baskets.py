"""Receipts as they are rung up: how many, when, and what is in the basket."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tenpo.simulate.catalogue import Catalogue
from tenpo.simulate.chain import Shop
from tenpo.simulate.tables import LINE, RECEIPT, Kind, Sales, Table, blank
from tenpo.simulate.visitors import Footfall

Ints = NDArray[np.int64]

MEMBERS = 4000
CLERKS = 6
_HOUR_S = 3600
_MAX_LINES = 14
_CHEAP_YEN = 600
_DISCOUNTS = 0.06
_SHIPPING_YEN = 500
_CARD_YEN = (1000, 3000, 5000)


def ring_up(
    shop: Shop, footfall: Footfall, catalogue: Catalogue, rng: np.random.Generator
) -> Sales:
    """Draw the sale receipts of all days, and their lines."""
    receipts = _receipts(shop, footfall, rng)
    lines = _merchandise(shop, catalogue, _basket_sizes(shop, len(receipts), rng), rng)
    extras = [_discounts(lines, len(receipts), rng)]
    if shop.vendor == "posb":
        extras += [_shipping(len(receipts), rng), _gift_cards(len(receipts), rng)]
        lines = lines[~np.isin(lines["receipt"], _cards_alone(extras[-1], rng))]
        extras[0] = extras[0][np.isin(extras[0]["receipt"], lines["receipt"])]
    return Sales(receipts, number_lines(np.concatenate([lines, *extras])))


def number_lines(lines: Table) -> Table:
    """The lines, receipt by receipt, numbered from 1 in each, in the order given."""
    ordered = lines[np.argsort(lines["receipt"], kind="stable")]
    starts = np.searchsorted(ordered["receipt"], ordered["receipt"])
    ordered["number"] = np.arange(len(ordered)) - starts + 1
    return ordered


def _receipts(shop: Shop, footfall: Footfall, rng: np.random.Generator) -> Table:
    """A part of each hour's visitors buys; the part differs by shop, hour and chance."""
    hour = footfall.start_s // _HOUR_S
    first, count = int(hour[0]), int(hour[-1] - hour[0]) + 1
    days = len(footfall.visitors)
    visitors = np.zeros((days, count), dtype=np.int64)
    for quarter, column in enumerate(hour - first):
        visitors[:, column] += footfall.visitors[:, quarter]
    evening = 1 + 0.12 * np.tanh((np.arange(first, first + count) - 16) / 3)
    part = np.clip(shop.conversion * evening * rng.lognormal(0, 0.12, (days, count)), 0.02, 0.9)
    bought = rng.binomial(visitors, part)
    receipts = blank(RECEIPT, int(bought.sum()))
    at_day, at_hour = np.indices(bought.shape).reshape(2, -1).repeat(bought.ravel(), axis=1)
    receipts["day"] = at_day
    receipts["second"] = _within_opening(footfall, (at_hour + first) * _HOUR_S, rng)
    return _people(receipts, rng)


def _within_opening(footfall: Footfall, hour_s: Ints, rng: np.random.Generator) -> Ints:
    """A second of the hour in which the shop is open, half hours included."""
    opens, closes = open_span(footfall)
    begin = np.maximum(hour_s, opens)
    end = np.minimum(hour_s + _HOUR_S, closes)
    return rng.integers(begin, end, dtype=np.int64)


def open_span(footfall: Footfall) -> tuple[int, int]:
    """First and last second of opening, the end excluded."""
    open_quarters = footfall.start_s[footfall.is_open]
    step = int(footfall.start_s[1] - footfall.start_s[0])
    return int(open_quarters[0]), int(open_quarters[-1]) + step


def _people(receipts: Table, rng: np.random.Generator) -> Table:
    count = len(receipts)
    member = np.minimum(MEMBERS, rng.zipf(1.3, count))
    receipts["customer"] = np.where(rng.random(count) < 0.42, member, 0)
    receipts["clerk"] = rng.integers(1, CLERKS + 1, count)
    return receipts


def _basket_sizes(shop: Shop, count: int, rng: np.random.Generator) -> Ints:
    mean = 1.5 if shop.commuters else 2.3
    return np.minimum(_MAX_LINES, 1 + rng.poisson(rng.gamma(1.5, mean / 1.5, count)))


def _merchandise(shop: Shop, catalogue: Catalogue, sizes: Ints, rng: np.random.Generator) -> Table:
    lines = blank(LINE, int(sizes.sum()))
    lines["receipt"] = np.arange(len(sizes)).repeat(sizes)
    lines["article"] = rng.choice(len(catalogue.sku), len(lines), p=catalogue.weight)
    price_lines(shop, catalogue, lines)
    several = rng.choice((1, 2, 3, 6), len(lines), p=(0.84, 0.11, 0.04, 0.01))
    lines["quantity"] = np.where(lines["unit_price"] < _CHEAP_YEN, several, 1)
    lines["amount"] = lines["quantity"] * lines["unit_price"]
    return lines


def price_lines(shop: Shop, catalogue: Catalogue, lines: Table) -> None:
    """Set kind, tax rate and unit price of merchandise lines, with tax at vendor A."""
    price = catalogue.gross_price if shop.vendor == "posa" else catalogue.net_price
    lines["kind"] = Kind.SALE
    lines["rate"] = catalogue.rate[lines["article"]]
    lines["unit_price"] = price[lines["article"]]


def _discounts(lines: Table, receipts: int, rng: np.random.Generator) -> Table:
    """Five to twenty percent off the first article of some receipts, at its tax rate."""
    first = lines[np.unique(lines["receipt"], return_index=True)[1]]
    chosen = first[rng.random(receipts) < _DISCOUNTS]
    off = -(chosen["amount"] * rng.choice((5, 10, 20), len(chosen)) // 100)
    discount = _extra(chosen["receipt"], Kind.DISCOUNT, quantity=0, amount=off)
    discount["rate"] = chosen["rate"]
    return discount[discount["amount"] < 0]


def _shipping(receipts: int, rng: np.random.Generator) -> Table:
    chosen = np.flatnonzero(rng.random(receipts) < 0.008)
    amount = np.full(len(chosen), _SHIPPING_YEN)
    lines = _extra(chosen, Kind.SHIPPING, quantity=1, amount=amount)
    lines["rate"] = 10
    lines["unit_price"] = amount
    return lines


def _gift_cards(receipts: int, rng: np.random.Generator) -> Table:
    chosen = np.flatnonzero(rng.random(receipts) < 0.006)
    amount = rng.choice(_CARD_YEN, len(chosen))
    lines = _extra(chosen, Kind.GIFT_CARD, quantity=1, amount=amount)
    lines["unit_price"] = amount
    return lines


def _cards_alone(cards: Table, rng: np.random.Generator) -> Ints:
    """Receipts on which nothing but a gift card is sold: no transaction."""
    return np.asarray(cards["receipt"][rng.random(len(cards)) < 0.5], dtype=np.int64)


def _extra(receipts: Ints, kind: Kind, quantity: int, amount: Ints) -> Table:
    lines = blank(LINE, len(receipts))
    lines["receipt"] = receipts
    lines["kind"] = kind
    lines["quantity"] = quantity
    lines["amount"] = amount
    return lines
