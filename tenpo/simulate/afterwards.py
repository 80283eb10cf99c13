"""What happens to receipts after they are rung up: voids, corrections, returns, numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tenpo.simulate.baskets import CLERKS, number_lines, open_span, price_lines
from tenpo.simulate.catalogue import Catalogue
from tenpo.simulate.chain import Shop
from tenpo.simulate.tables import LINE, RECEIPT, Fate, Kind, Sales, Table, blank
from tenpo.simulate.visitors import Footfall

Ints = NDArray[np.int64]

_RETURNED = 0.022
_EXCHANGED = 0.3
_RETURN_DAYS = 15
_FATES = (0.981, 0.006, 0.006, 0.007)


def settle(sales: Sales, shop: Shop, days: int, rng: np.random.Generator) -> None:
    """Void some receipts, at once or up to two days later; vendor B corrects some."""
    receipts, lines = sales.receipts, sales.lines
    fate = rng.choice(len(Fate), len(receipts), p=_FATES).astype(np.int8)
    size = np.diff(sales.line_ends)
    impossible = (size < 2) | (shop.vendor == "posa")
    fate[(fate == Fate.CORRECTED) & impossible] = Fate.STANDS
    receipts["fate"] = fate
    later = receipts["day"] + rng.integers(0, 3, len(receipts))
    receipts["settled_day"] = np.minimum(later, days - 1)
    last = lines["number"] == size[lines["receipt"]]
    lines["dropped"] = last & (fate[lines["receipt"]] == Fate.CORRECTED)


def take_back(
    sales: Sales, shop: Shop, footfall: Footfall, catalogue: Catalogue, rng: np.random.Generator
) -> Sales:
    """Add receipts on which goods of earlier days come back; vendor A exchanges some."""
    sold = _returnable(sales, rng)
    day = sales.receipts["day"][sold["receipt"]] + rng.integers(1, _RETURN_DAYS, len(sold))
    sold, day = sold[day < len(footfall.visitors)], day[day < len(footfall.visitors)]
    receipts = blank(RECEIPT, len(sold))
    receipts["day"] = receipts["settled_day"] = day
    receipts["second"] = rng.integers(*open_span(footfall), len(sold))
    receipts["original"] = sold["receipt"]
    receipts["customer"] = sales.receipts["customer"][sold["receipt"]]
    receipts["clerk"] = rng.integers(1, CLERKS + 1, len(sold))
    back = sold.copy()
    back["receipt"] = np.arange(len(sold)) + len(sales.receipts)
    back["kind"] = Kind.RETURN
    back["quantity"] *= -1
    back["amount"] *= -1
    added = [back]
    if shop.vendor == "posa":
        chosen = back["receipt"][rng.random(len(back)) < _EXCHANGED]
        swapped = blank(LINE, len(chosen))
        swapped["receipt"] = chosen
        swapped["article"] = rng.choice(len(catalogue.sku), len(chosen), p=catalogue.weight)
        swapped["quantity"] = 1
        price_lines(shop, catalogue, swapped)
        swapped["amount"] = swapped["unit_price"]
        added.append(swapped)
    return Sales(
        np.concatenate([sales.receipts, receipts]),
        number_lines(np.concatenate([sales.lines, *added])),
    )


def _returnable(sales: Sales, rng: np.random.Generator) -> Table:
    """The first line of some receipts that stand and hold nothing but sales."""
    mixed = sales.lines["receipt"][sales.lines["kind"] != Kind.SALE]
    stands = sales.receipts["fate"] == Fate.STANDS
    stands[mixed] = False
    chosen = stands & (rng.random(len(stands)) < _RETURNED)
    first = sales.lines["number"] == 1
    returnable: Table = sales.lines[first & chosen[sales.lines["receipt"]]]
    return returnable


def number_receipts(sales: Sales, shop: Shop, rng: np.random.Generator) -> Sales:
    """Put receipts in order of time and number them as the registers would."""
    receipts = sales.receipts
    receipts["register"] = rng.integers(1, shop.registers + 1, len(receipts))
    order = np.lexsort((receipts["second"], receipts["day"]))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    lines = sales.lines
    lines["receipt"] = place[lines["receipt"]]
    ordered = receipts[order]
    original = ordered["original"]
    ordered["original"] = np.where(original < 0, -1, place[original])
    counted_by = ordered["day"].astype(np.int64) * 100
    if shop.vendor == "posa":
        counted_by += ordered["register"]
    ordered["number"] = _running_number(counted_by)
    return Sales(ordered, lines[np.argsort(lines["receipt"], kind="stable")])


def _running_number(group: Ints) -> Ints:
    """1, 2, 3 … within each group, in the order given."""
    order = np.argsort(group, kind="stable")
    ranked = group[order]
    number = np.empty(len(group), dtype=np.int64)
    number[order] = np.arange(len(group)) - np.searchsorted(ranked, ranked) + 1
    return number
