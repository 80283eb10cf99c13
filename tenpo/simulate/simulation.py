"""A whole simulation: a chain, its days, the payloads in order of time, and the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from tenpo.simulate.afterwards import number_receipts, settle, take_back
from tenpo.simulate.baskets import ring_up
from tenpo.simulate.cameras import draw_sights, sight_payloads
from tenpo.simulate.catalogue import Catalogue, make_catalogue
from tenpo.simulate.chain import CHAIN_NAME, MAX_STORES, Chain, Shop, make_chain
from tenpo.simulate.milesight import Reports
from tenpo.simulate.payload import TOKYO, Payload
from tenpo.simulate.posa import Files, store_file
from tenpo.simulate.posb import Messages
from tenpo.simulate.tables import Sales
from tenpo.simulate.truth import Truth, book
from tenpo.simulate.visitors import Footfall, draw_footfall

MAX_DAYS = 1100
_DAY_IS_OVER = timedelta(hours=6)  # the latest shop closes at 26:00 and cuts over at 05:00


@dataclass(frozen=True)
class Simulation:
    """What `simulate_chain` made.

    Args:
        seed: the seed; with the number of stores and the days it makes the same bytes.
        name: the chain's name.
        chain: the shops and their masters.
        days: business dates, in order.
        payloads: in the order in which the senders send them.
        truth: the exact totals.
    """

    seed: int
    name: str
    chain: Chain
    days: tuple[date, ...]
    payloads: tuple[Payload, ...]
    truth: Truth


def latest_end(now: datetime | None = None) -> date:
    """The newest business date that is over for every shop: yesterday, or the day before."""
    return ((now or datetime.now(UTC)).astimezone(TOKYO) - _DAY_IS_OVER).date() - timedelta(days=1)


def simulate_chain(
    seed: int = 1, stores: int = 6, days: int = 35, end: date | None = None
) -> Simulation:
    """Draw a chain's trade and write it as its senders' payloads.

    Args:
        seed: any number from 0.
        stores: number of shops.
        days: number of business dates.
        end: the last of them; by default the latest that is over.

    Raises:
        ValueError: a number is out of range.
    """
    if not (seed >= 0 and 1 <= stores <= MAX_STORES and 1 <= days <= MAX_DAYS):
        raise ValueError(f"need a seed from 0, 1 to {MAX_STORES} stores, 1 to {MAX_DAYS} days")
    last = end or latest_end()
    dates = [last - timedelta(days=back) for back in reversed(range(days))]
    chain = make_chain(seed, stores)
    catalogue = make_catalogue(np.random.default_rng([seed, 0, 9]))
    drawn = [_draw(shop, dates, catalogue, seed) for shop in chain.shops]
    sights = draw_sights(chain.camera, chain.shops[0], drawn[0][1], seed)
    truth = book(drawn, dates)
    payloads = [
        store_file([shop for shop in chain.shops if shop.vendor == "posa"], dates[0]),
        *(p for trade in drawn for p in _payloads(*trade, catalogue, dates)),
        *sight_payloads(sights, dates),
    ]
    return Simulation(
        seed=seed,
        name=CHAIN_NAME,
        chain=chain,
        days=tuple(dates),
        payloads=tuple(sorted(payloads, key=lambda payload: (payload.due_at, payload.name))),
        truth=replace(truth, events=truth.events | sights.events),
    )


def _draw(
    shop: Shop, dates: list[date], catalogue: Catalogue, seed: int
) -> tuple[Shop, Footfall, Sales]:
    footfall = draw_footfall(shop, dates, seed)
    rng = np.random.default_rng([seed, shop.index, 2])
    sales = ring_up(shop, footfall, catalogue, rng)
    settle(sales, shop, len(dates), rng)
    sales = take_back(sales, shop, footfall, catalogue, rng)
    return shop, footfall, number_receipts(sales, shop, rng)


def _payloads(
    shop: Shop, footfall: Footfall, sales: Sales, catalogue: Catalogue, dates: list[date]
) -> Iterator[Payload]:
    if shop.vendor == "posa":
        yield from Files(shop, sales, catalogue, dates).all()
    else:
        yield from Messages(shop, sales, catalogue, dates).all()
    for counts in footfall.counts:
        yield from Reports(counts, footfall, dates).all()
