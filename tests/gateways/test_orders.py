"""Registers of whole orders: exact sums whatever is split."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.pos.figures import PRECISION, Reading, plain, spread
from gateways.pos.orders import Goods

CENT = Decimal("0.01")
CENTS = st.integers(-(10**7), 10**7).map(lambda n: n * CENT)


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
