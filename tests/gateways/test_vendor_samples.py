"""Every sample of Square, Shopify and Smaregi: what its lines leave of its own total.

The totals and the sums of the lines are worked out here from the vendors' fields, without
anything of the adapters, so that a line that an adapter makes to fit cannot hide a mistake.
Three samples do not agree with themselves: what is left of them must be told, and of all
others nothing may be left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateways.normalize.adapter import Adapter
from gateways.pos.shopify import Shopify
from gateways.pos.smaregi import Smaregi
from gateways.pos.square import Square
from tests.gateways.order_checks import sender, total
from tests.gateways.real_data import real_files

#: By file and document, the remainder of what its vendor made up without adding.
MADE_UP = {
    ("order.json", "order:450789469"): "-199",  # three lines of 199.00, 398.00 in all
    ("refund.json", "refund:509562969"): "196.96",  # 405.96 taken back, 209.00 paid
    ("transaction_1001_sample.json", "1001"): "6050",  # a line of 5,500, 11,550 in all
}
#: Samples that are rejected because they lack lines: an order of some fields, a list of articles.
WITHOUT = ("orders.json", "products.json")


@dataclass(frozen=True)
class Stated:
    """What a sample states of one document: its total, and what its lines come to."""

    key: str
    total: Decimal
    lines: Decimal


def _number(value: Any) -> Decimal:
    return Decimal(str(value or 0))


def _sum(items: list[Any], value: Callable[[Any], Decimal]) -> Decimal:
    return sum(map(value, items), Decimal(0))


def square(body: Any) -> Iterator[Stated]:
    """An order is its lines' totals, its charges and its tip; in cents."""

    def money(of: Any, name: str) -> Decimal:
        return _number(of.get(name, {}).get("amount")) / 100

    for order in body.get("orders", [body["order"]] if "order" in body else []):
        lines = _sum(order["line_items"], lambda one: money(one, "total_money"))
        lines += _sum(order.get("service_charges", []), lambda one: money(one, "total_money"))
        lines += money(order, "total_tip_money")
        yield Stated(order["id"], money(order, "total_money"), lines)


def shopify(body: Any) -> Iterator[Stated]:
    """Prices without tax: goods and shipping, less discounts of lines, and the order's taxes."""
    if order := body.get("order"):
        assert not order["taxes_included"]
        lines = _sum(order["line_items"], lambda one: _number(one["price"]) * one["quantity"])
        lines += _sum(order["shipping_lines"], lambda one: _number(one["price"]))
        lines += _sum(order["tax_lines"], lambda one: _number(one["price"]))
        lines -= _number(order["total_discounts"])
        yield Stated(f"order:{order['id']}", _number(order["total_price"]), lines)
    if refund := body.get("refund"):
        goods = [one["line_item"] for one in refund["refund_line_items"]]
        lines = _sum(goods, lambda one: _number(one["price"]))
        lines += _sum([tax for one in goods for tax in one["tax_lines"]],
                      lambda one: _number(one["price"]))  # fmt: skip
        paid = _sum(refund["transactions"], lambda one: _number(one["amount"]))
        yield Stated(f"refund:{refund['id']}", -paid, -lines)


def smaregi(body: Any) -> Iterator[Stated]:
    """Prices with the tax in them; the samples have no discounts."""
    if "details" in body:
        lines = _sum(body["details"],
                     lambda one: _number(one["salesPrice"]) * _number(one["quantity"]))  # fmt: skip
        yield Stated(body["transactionHeadId"], _number(body["total"]), lines)


VENDORS: dict[str, tuple[Adapter, Callable[[Any], Iterator[Stated]], str]] = {
    "square": (Square(), square, "USD"),
    "shopify": (Shopify(), shopify, "USD"),
    "smaregi": (Smaregi(), smaregi, "JPY"),
}


def sample(path: Path) -> Any:
    """A sample; Square's order of 2016 has no time, for which it would be rejected."""
    body = orjson.loads(path.read_bytes())
    for order in body.get("orders", []) if isinstance(body, dict) else []:
        order.setdefault("created_at", "2016-01-20T10:00:00Z")
    return body


def codes(body: Any) -> list[str]:
    """Every store that a sample names."""
    held = [body, body.get("order", {}), *body.get("orders", [])]
    return [str(one[name]) for one in held for name in ("location_id", "storeId") if name in one]


def examined(vendor: str, path: Path) -> int:
    """How many documents of a sample were compared."""
    adapter, read, currency = VENDORS[vendor]
    body = sample(path)
    single = body if isinstance(body, dict) else {}
    stated = list(read(single))
    result = adapter.normalize(orjson.dumps(body), sender(vendor, codes(single), currency))
    rows = result.events["sale_line"].to_pylist()
    reasons = [one.reason.value for one in result.rejected]
    assert {row["document_key"] for row in rows} == {one.key for one in stated}
    if path.name in WITHOUT:
        assert (stated, set(reasons)) == ([], {"missing_field"})
        return 0
    left = {one.key: one.total - one.lines for one in stated if one.total != one.lines}
    made_up = {key: Decimal(rest) for (name, key), rest in MADE_UP.items() if name == path.name}
    assert left == made_up
    assert reasons == ["total_mismatch"] * len(left)
    for one in stated:
        lines = [row for row in rows if row["document_key"] == one.key]
        unexplained = [row for row in lines if row["category"] == "unexplained"]
        assert total(lines, "gross_amount") == one.total
        assert total(unexplained, "gross_amount") == left.get(one.key, 0)
        assert "difference" not in {row["category"] for row in lines}
    return len(stated)


@pytest.mark.parametrize(("vendor", "documents"), [("square", 5), ("shopify", 2), ("smaregi", 1)])
def test_the_lines_of_every_sample_explain_its_total(vendor: str, documents: int) -> None:
    files = real_files(f"pos/{vendor}", "*.json")
    assert sum(examined(vendor, path) for path in files) == documents
