"""What the registers of both vendors have in common: one shop's receipts and what they are of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from tenpo.simulate.catalogue import Catalogue
from tenpo.simulate.chain import Shop
from tenpo.simulate.tables import Sales
from tenpo.simulate.visitors import opening_s


class Register:
    """Writes the payloads of one shop.

    Args:
        shop: the shop, of the register's vendor.
        sales: its receipts.
        catalogue: the articles.
        days: business dates by index.
    """

    def __init__(
        self, shop: Shop, sales: Sales, catalogue: Catalogue, days: Sequence[date]
    ) -> None:
        self._shop = shop
        self._sales = sales
        self._catalogue = catalogue
        self._days = days
        self._closes = opening_s(shop)[1]
        self._ends = sales.line_ends
