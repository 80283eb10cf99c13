"""Smaregi: transactions with their divisions, and the vendor's sample against its totals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from gateways.pos.smaregi import Smaregi
from tests.gateways.order_checks import lines, rejections, sender, table, total
from tests.gateways.real_data import real_files
from tests.gateways.register_payloads import SMAREGI_RETURN, SMAREGI_SALE

SALE = lines(Smaregi(), SMAREGI_SALE)


def sale(**changes: Any) -> dict[str, Any]:
    return SMAREGI_SALE | changes


def detail(number: int, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = SMAREGI_SALE["details"][number] | changes
    return found


def without_parts(number: int) -> dict[str, Any]:
    return {k: v for k, v in detail(number).items() if not k.endswith("Proportional")}


def test_both_kinds_of_tax_and_the_parts_of_the_subtotal_discount() -> None:
    assert table(SALE) == [
        ("sale", "RICE", "2", "1000", "80", "1080"),
        ("discount", "RICE", "0", "-74", "-6", "-80"),
        ("sale", "BAG", "1", "1000", "100", "1100"),
        ("discount", "BAG", "0", "-120", "-12", "-132"),
        ("shipping", None, "0", "500", "0", "500"),
    ]
    assert total(SALE, "gross_amount") == Decimal(SMAREGI_SALE["total"])
    assert total(SALE, "tax_amount") == 74 + 88
    assert [line["tax_rate"] for line in SALE[:4:2]] == [Decimal("0.08"), Decimal("0.1")]


def test_without_the_parts_the_taxes_are_spread_and_the_discount_is_a_line() -> None:
    found = lines(Smaregi(), sale(details=[without_parts(0), without_parts(1)]))
    assert table(found) == [
        ("sale", "RICE", "2", "1006", "74", "1080"),
        ("sale", "BAG", "1", "1000", "98", "1098"),
        ("discount", "BAG", "0", "-100", "-10", "-110"),
        ("discount", None, "0", "-100", "0", "-100"),
        ("shipping", None, "0", "500", "0", "500"),
    ]


@pytest.mark.parametrize("negative", [False, True])
def test_returns_are_negative_however_they_are_written(negative: bool) -> None:
    """The app writes them positive under a negative subtotal, the API negative."""
    sign = "-" if negative else ""
    one = SMAREGI_RETURN["details"][0] | {
        "quantity": f"{sign}1", "unitNonDiscountSum": f"{sign}540",
        "unitDiscountedSum": f"{sign}540",
    }  # fmt: skip
    found = lines(Smaregi(), SMAREGI_RETURN | {"details": [one]})
    assert table(found) == [("return", "RICE", "-1", "-500", "-40", "-540")]


def test_a_disposal_takes_back_what_it_disposes_of() -> None:
    one = detail(0, unitNonDiscountSum="540", unitDiscountedSum="540", quantity="1",
                 discountPriceProportional="0", taxIncludeProportional="40")  # fmt: skip
    disposal = SMAREGI_RETURN | {
        "returnSales": "0", "disposeDivision": "2", "disposeServerTransactionHeadId": "301",
        "details": [one],
    }  # fmt: skip
    found = lines(Smaregi(), disposal)
    assert table(found) == [("return", "RICE", "-1", "-500", "-40", "-540")]
    assert found[0]["original_receipt_id"] == "301"
    assert table(lines(Smaregi(), sale(disposeDivision="1"))) == table(SALE)


def test_what_disposes_of_a_return_sells_the_goods_again() -> None:
    one = SMAREGI_RETURN["details"][0] | {"transactionDetailDivision": "1"}
    again = SMAREGI_RETURN | {"returnSales": "0", "disposeDivision": "2", "details": [one]}
    again |= {name: again[name].lstrip("-") for name in ("subtotal", "total", "taxInclude")}
    assert table(lines(Smaregi(), again)) == [("return", "RICE", "1", "500", "40", "540")]


def test_a_return_that_adds_money_is_rejected() -> None:
    """Its details are below zero and its subtotal is not: which of both is true nobody knows."""
    one = SMAREGI_RETURN["details"][0] | {"unitNonDiscountSum": "-540", "unitDiscountedSum": "-540"}
    totals = {name: SMAREGI_RETURN[name].lstrip("-") for name in ("subtotal", "total")}
    document = SMAREGI_RETURN | totals | {"details": [one]}
    assert rejections(Smaregi(), document)[0] == ("1.1", "wrong_sign", "unitDiscountedSum")


def test_a_cancelled_transaction_is_void() -> None:
    found = lines(Smaregi(), sale(cancelDivision="1"))
    assert {line["kind"] for line in found} == {"void"}


def test_what_is_no_sale_is_no_turnover() -> None:
    found = lines(Smaregi(), sale(details=[detail(0, salesDivision="1"), detail(1)]))
    assert [line["kind"] for line in found[:3]] == ["adjustment", "adjustment", "sale"]


def test_an_exchange_sells_and_takes_back_at_once() -> None:
    back = detail(0, transactionDetailId="3", transactionDetailDivision="2", quantity="1",
                  unitNonDiscountSum="540", unitDiscountedSum="540",
                  discountPriceProportional="0", taxIncludeProportional="40")  # fmt: skip
    found = lines(Smaregi(), sale(
        details=[detail(0), detail(1), back], subtotal="1440", taxInclude="34", total="1928",
    ))  # fmt: skip
    assert table(found)[4] == ("return", "RICE", "-1", "-500", "-40", "-540")
    assert total(found, "gross_amount") == 1928
    assert "adjustment" not in {line["kind"] for line in found}


def test_deposits_and_webhooks_are_ignored_and_counted() -> None:
    webhook = {"contractId": "c", "event": "pos:transactions", "action": "created",
               "transactionHeadIds": ["3", "4"]}  # fmt: skip
    body = orjson.dumps([sale(transactionHeadDivision="2"), webhook])
    result = Smaregi().normalize(body, sender("smaregi", [], "JPY"))
    assert (result.received, result.ignored) == (0, 3)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (sale(transactionHeadDivision="77"), ("1.1", "bad_value", "transactionHeadDivision")),
        (sale(transactionHeadDivision=None), ("1.1", "missing_field", "transactionHeadDivision")),
        (sale(cancelDivision="2"), ("1.1", "bad_value", "cancelDivision")),
        (sale(details=[detail(0, transactionDetailDivision="9")]),
         ("1.1", "bad_value", "transactionDetailDivision")),
        (sale(details=[detail(0, quantity="1e3")]), ("1.1", "bad_number", "quantity")),
        (sale(details=None), ("1", "missing_field", "details")),
        (sale(storeId="8"), ("1.1", "unknown_store", "storeId")),
        (sale(terminalTranDateTime=None), ("1.1", "missing_field", "terminalTranDateTime")),
        (sale(updDateTime="2026-11-01T13:00:09"), ("1.1", "bad_time", "updDateTime")),
        (sale(total="9" * 20), ("1.1", "bad_number", "total")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_rejected_by_name(document: object, expected: tuple[str, ...]) -> None:
    assert rejections(Smaregi(), document)[0] == expected


def test_the_vendors_sample_adds_up_to_its_own_totals() -> None:
    """Its one detail is 5,500 of 11,550, all of which it calls tax: the rest is told and shown."""
    (path,) = real_files("pos/smaregi", "transaction_*.json")
    stated = orjson.loads(path.read_bytes())
    body = orjson.dumps(stated)
    result = Smaregi().normalize(body, sender("smaregi", [stated["storeId"]], "JPY"))
    assert [one.reason.value for one in result.rejected] == ["total_mismatch"]
    found = result.events["sale_line"].to_pylist()
    assert total(found, "gross_amount") == Decimal(stated["total"])
    assert total(found, "tax_amount") == Decimal(stated["taxInclude"]) + Decimal(
        stated["taxExclude"]
    )
    assert total(found, "gross_amount", "sale") == 5500
