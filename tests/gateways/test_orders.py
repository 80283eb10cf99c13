"""Registers of whole orders: exact sums whatever is split, and no value that breaks them.

`TENPO_MUTATIONS` raises the number of generated payloads an adapter; the default is small.
"""

from __future__ import annotations

import contextlib
import copy
import os
from decimal import Decimal, localcontext
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateways.adapter import Adapter
from gateways.pos.figures import PRECISION, Reading, plain, spread
from gateways.pos.orders import Goods
from gateways.pos.shopify import Shopify
from gateways.pos.smaregi import Smaregi
from gateways.pos.square import Square
from tenpo.errors import PayloadError
from tests.gateways.register_payloads import SHOPIFY, SMAREGI, SQUARE
from tests.gateways.test_mutations import ANYTHING, check, places

MUTATIONS = int(os.environ.get("TENPO_MUTATIONS", "60"))
CENT = Decimal("0.01")
CENTS = st.integers(-(10**7), 10**7).map(lambda n: n * CENT)
ADAPTERS: dict[str, tuple[Adapter, bytes]] = {
    "square": (Square(), SQUARE),
    "shopify": (Shopify(), SHOPIFY),
    "smaregi": (Smaregi(), SMAREGI),
}


@pytest.mark.parametrize("vendor", ADAPTERS)
def test_any_member_of_an_order_may_hold_anything(vendor: str) -> None:
    adapter, body = ADAPTERS[vendor]
    good = orjson.loads(body)

    @settings(max_examples=MUTATIONS, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def mutated(data: st.DataObject) -> None:
        document: Any = copy.deepcopy(good)
        for _ in range(data.draw(st.integers(1, 3))):
            container, key = data.draw(st.sampled_from(places(document)))
            container[key] = data.draw(ANYTHING)
        with contextlib.suppress(PayloadError):  # refused whole: no list of objects any more
            check(adapter, document)

    mutated()


@settings(max_examples=150, deadline=None)
@given(amount=CENTS, weights=st.lists(CENTS, max_size=6))
def test_parts_add_up_to_what_was_spread(amount: Decimal, weights: list[Decimal]) -> None:
    parts = spread(amount, weights, CENT)
    assert len(parts) == len(weights)
    assert sum(parts, Decimal(0)) == (amount if any(weights) else 0)


@settings(max_examples=150, deadline=None)
@given(price=CENTS, discount=CENTS, tax=CENTS, within=st.booleans())
def test_goods_and_discount_are_what_was_stated(
    price: Decimal, discount: Decimal, tax: Decimal, within: bool
) -> None:
    with localcontext() as exact:
        exact.prec = PRECISION
        included = tax if within else Decimal(0)
        (net, tax_of_goods), (less, tax_of_discount) = Goods(price, discount, tax, included).split(
            CENT
        )
        assert tax_of_goods + tax_of_discount == tax
        assert net + less == price - discount - included
        if within:
            assert (net + tax_of_goods, less + tax_of_discount) == (price, -discount)
        else:
            assert (net, less) == (price, -discount)


@pytest.mark.parametrize(
    ("value", "text"),
    [("1E+3", "1000"), ("0.1234567894", "0.123456789"), ("-0.0000000005", "-0.000000001")],
)
def test_numbers_become_text_of_nine_decimals(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


def test_the_first_fault_of_a_record_is_the_one_that_is_told() -> None:
    reading = Reading()
    assert reading.number({"a": "x"}, "a") == 0
    assert reading.needed({}, "b") == 0
    assert reading.fault == ("bad_number", "a")
