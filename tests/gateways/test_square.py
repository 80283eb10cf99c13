"""Square: orders made after its documentation, and its own examples against their totals."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from gateways.pos.square import Square
from tenpo.identifiers import micros
from tests.gateways.order_checks import TURNOVER, lines, rejections, sender, table, total
from tests.gateways.payloads import context
from tests.gateways.real_data import real_files
from tests.gateways.register_payloads import (
    SQUARE_EVENT,
    SQUARE_RETURN,
    SQUARE_SALE,
    pounds,
)

SALE = lines(Square(), SQUARE_SALE)


def item(**changes: Any) -> dict[str, Any]:
    return SQUARE_SALE | {"line_items": [SQUARE_SALE["line_items"][0] | changes]}


def test_an_inclusive_tax_lies_within_the_price_and_the_discount_has_its_part() -> None:
    assert table(SALE) == [
        ("sale", "TEA", "2", "10", "2", "12"),
        ("discount", "TEA", "0", "-1", "-0.2", "-1.2"),
        ("sale", "CHEESE", "0.35", "3.5", "0", "3.5"),
        ("fee", None, "0", "1", "0", "1"),
        ("fee", None, "0", "0.5", "0", "0.5"),
    ]
    assert [line["category"] for line in SALE[3:]] == ["service_charge", "tip"]
    assert SALE[0]["tax_rate"] == Decimal("0.2")


def test_an_additive_tax_comes_on_top() -> None:
    """12.00 less 1.20 at 20 %: 10.80 and 2.16 of tax."""
    changed = {"total_tax_money": pounds(216), "total_money": pounds(1296)}
    order = item(**changed) | changed | {"net_amounts": None, "service_charges": [],
                                         "total_tip_money": None}  # fmt: skip
    assert table(lines(Square(), order)) == [
        ("sale", "TEA", "2", "12", "2.4", "14.4"),
        ("discount", "TEA", "0", "-1.2", "-0.24", "-1.44"),
    ]


def test_turnover_leaves_out_service_charge_and_tip() -> None:
    assert total(SALE, "gross_amount", *TURNOVER) == Decimal("14.30")
    assert total(SALE, "gross_amount") == Decimal("15.80")


def test_a_sale_counts_when_it_was_closed_and_its_version_is_its_last_change() -> None:
    assert SALE[0]["occurred_at"] == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert SALE[0]["document_version"] == micros(datetime(2026, 11, 1, 10, 0, 1, tzinfo=UTC))
    old = lines(Square(), SQUARE_SALE | {"updated_at": None})
    assert old[0]["document_version"] == 4


def test_a_return_takes_back_goods_and_discount_and_names_its_sale() -> None:
    found = lines(Square(), SQUARE_RETURN)
    assert table(found) == [
        ("return", "TEA", "-1", "-5", "-1", "-6"),
        ("discount", "TEA", "0", "0.5", "0.1", "0.6"),
    ]
    assert {line["original_receipt_id"] for line in found} == {"SQ-1"}


RETURNED = SQUARE_RETURN["returns"][0]


def returned(back: int, tax: int, **changes: Any) -> dict[str, Any]:
    """A return of so many pence and tax in them."""
    amounts = {"total_money": pounds(back), "tax_money": pounds(tax)}
    net = {"total_money": pounds(-back), "tax_money": pounds(-tax)}
    one = RETURNED | {"return_amounts": amounts} | changes
    return SQUARE_RETURN | {"returns": [one], "net_amounts": net}


def taken_back(**changes: Any) -> list[dict[str, Any]]:
    return [RETURNED["return_line_items"][0] | changes]


def own_tax(kind: str, applied: int) -> list[dict[str, Any]]:
    return [{"uid": "rt", "source_tax_uid": "vat", "percentage": "20", "type": kind,
             "applied_money": pounds(applied)}]  # fmt: skip


def test_a_return_may_come_without_any_total_of_the_order() -> None:
    whole = returned(540, 90)
    alone = {name: one for name, one in whole.items() if name not in ("net_amounts", "total_money")}
    alone |= {"return_amounts": whole["returns"][0]["return_amounts"]}
    assert table(lines(Square(), alone)) == table(lines(Square(), SQUARE_RETURN))


def test_a_return_names_taxes_of_its_own_and_its_service_charge_comes_back() -> None:
    """5.40 of goods, 0.90 of tax in them; 1.20 of service with 0.20 of tax on top."""
    goods = taken_back(applied_taxes=[{"tax_uid": "rt"}])
    charge = {"uid": "s", "applied_money": pounds(100), "total_money": pounds(120),
              "total_tax_money": pounds(20), "applied_taxes": [{"tax_uid": "rt"}]}  # fmt: skip
    found = lines(Square(), returned(660, 110, return_line_items=goods,
                                     return_service_charges=[charge],
                                     return_taxes=own_tax("INCLUSIVE", 110)))  # fmt: skip
    assert table(found) == [
        ("return", "TEA", "-1", "-5", "-1", "-6"),
        ("discount", "TEA", "0", "0.5", "0.1", "0.6"),
        ("fee", None, "0", "-1", "-0.2", "-1.2"),
    ]
    assert {one["tax_rate"] for one in found} == {Decimal("0.2")}
    assert {one["original_receipt_id"] for one in found} == {"SQ-1"}


BARE = taken_back(total_discount_money=None, total_tax_money=None, total_money=pounds(600))


@pytest.mark.parametrize(
    ("order", "rest"),
    [
        # 6.00 less 0.60
        (returned(540, 0, return_line_items=BARE,
                  return_discounts=[{"uid": "d", "applied_money": pounds(60)}]),
         [("discount", None, "0", "0.6", "0", "0.6")]),
        # 6.00, 1.00 of tax in it
        (returned(600, 100, return_line_items=BARE, return_taxes=own_tax("INCLUSIVE", 100)),
         [("return", None, "0", "1", "-1", "0")]),
        # 6.00 less 0.60, and 1.08 of tax on top
        (returned(648, 108, return_line_items=BARE, return_taxes=own_tax("ADDITIVE", 108),
                  return_discounts=[{"uid": "d", "applied_money": pounds(60)}]),
         [("discount", None, "0", "0.6", "0", "0.6"),
          ("return", None, "0", "0", "-1.08", "-1.08")]),
        # the total of the line is after the discount already
        (returned(600, 0, return_line_items=BARE,
                  return_discounts=[{"uid": "d", "applied_money": pounds(60)}]), []),
    ],
)  # fmt: skip
def test_taxes_and_discounts_of_a_return_as_a_whole(
    order: dict[str, Any], rest: list[tuple[Any, ...]]
) -> None:
    found = lines(Square(), order)
    assert table(found) == [("return", "TEA", "-1", "-6", "0", "-6"), *rest]
    assert total(found, "gross_amount") * 100 == order["net_amounts"]["total_money"]["amount"]
    assert "adjustment" not in {one["kind"] for one in found}


def test_an_apportioned_service_charge_is_taken_out_of_the_goods() -> None:
    """It is stated with the order too, and counts once."""
    order = item(total_service_charge_money=pounds(100), total_money=pounds(1180)) | {
        "service_charges": [{"uid": "s", "treatment_type": "APPORTIONED_TREATMENT",
                             "total_money": pounds(100)}],
        "total_tip_money": None, "net_amounts": {"total_money": pounds(1180),
                                                 "tax_money": pounds(180)}}  # fmt: skip
    assert [row[0] for row in table(lines(Square(), order))] == ["sale", "discount", "fee"]
    assert total(lines(Square(), order), "gross_amount", *TURNOVER) == Decimal("10.80")


def test_yen_have_no_smaller_unit() -> None:
    yen = {"amount": 1000, "currency": "JPY"}
    order = {
        "id": "J", "created_at": "2026-11-01T10:00:00Z", "total_money": yen,
        "line_items": [{"uid": "1", "quantity": "1", "total_money": yen, "base_price_money": yen}],
    }  # fmt: skip
    (row,) = (
        Square().normalize(orjson.dumps(order), sender("square", [], "JPY")).events["sale_line"]
    ).to_pylist()
    assert (row["gross_amount"], row["unit_price"]) == (1000, 1000)


def test_a_cancelled_order_is_void_and_a_draft_is_ignored() -> None:
    cancelled = lines(Square(), SQUARE_SALE | {"state": "CANCELED"})
    assert {line["kind"] for line in cancelled} == {"void"}
    draft = Square().normalize(
        orjson.dumps(SQUARE_SALE | {"state": "DRAFT"}), sender("x", [], "GBP")
    )
    assert (draft.received, draft.ignored) == (0, 1)


@pytest.mark.parametrize(
    ("stated", "tax", "more", "category", "told"),
    [
        (1585, 180, "0.05", "difference", []),  # five lines may be a penny off each
        (1586, 180, "0.06", "unexplained", [("1", "total_mismatch", "total_money")]),
        (1000, 180, "-5.8", "unexplained", [("1", "total_mismatch", "total_money")]),
        (1580, 190, "0", "unexplained", [("1", "total_mismatch", "total_money")]),  # the tax
    ],
)
def test_what_the_lines_do_not_explain_is_shown_and_told_unless_it_is_rounding(
    stated: int, tax: int, more: str, category: str, told: list[tuple[str, str, str]]
) -> None:
    order = SQUARE_SALE | {"net_amounts": {"total_money": pounds(stated),
                                           "tax_money": pounds(tax)}}  # fmt: skip
    result = Square().normalize(orjson.dumps(order), context())
    found = result.events["sale_line"].to_pylist()
    assert (found[-1]["kind"], found[-1]["category"]) == ("adjustment", category)
    assert found[-1]["gross_amount"] == Decimal(more)
    assert total(found, "gross_amount") * 100 == stated
    assert rejections(Square(), order) == told
    assert result.received == result.accepted + len(told)


def test_a_total_is_no_rejection_of_its_own_where_the_whole_order_is_rejected() -> None:
    order = SQUARE_SALE | {"state": "LOST", "net_amounts": {"total_money": pounds(1)}}
    assert {reason for _, reason, _ in rejections(Square(), order)} == {"bad_value"}


@pytest.mark.parametrize(
    ("document", "ignored"),
    [
        (SQUARE_EVENT, 1),
        ({"order_entries": [{"order_id": "a"}, {"order_id": "b"}], "cursor": "x"}, 2),
        ({"payment": {"id": "p"}}, 1),
        ({"refunds": [{"id": "r"}]}, 1),
    ],
)
def test_what_only_names_an_order_is_ignored_and_counted(document: object, ignored: int) -> None:
    result = Square().normalize(orjson.dumps(document), sender("square", [], "GBP"))
    assert (result.received, result.ignored) == (0, ignored)


def test_an_event_that_carries_the_order_is_read() -> None:
    event = SQUARE_EVENT | {"data": {"object": {"order": SQUARE_SALE}}}
    assert table(lines(Square(), event)) == table(SALE)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (item(quantity="two"), ("1.1", "bad_number", "quantity")),
        (item(quantity=None), ("1.1", "missing_field", "quantity")),
        (item(total_money=None), ("1.1", "missing_field", "total_money")),
        (item(total_money={"amount": 1080, "currency": "USD"}),
         ("1.1", "currency_mismatch", "total_money")),
        (item(total_tax_money={"amount": 1.5, "currency": "GBP"}),
         ("1.1", "bad_number", "total_tax_money")),
        (SQUARE_SALE | {"state": "LOST"}, ("1.1", "bad_value", "state")),
        (SQUARE_SALE | {"id": None}, ("1.1", "missing_field", "id")),
        (SQUARE_SALE | {"closed_at": "soon"}, ("1.1", "bad_time", "created_at")),
        (SQUARE_SALE | {"location_id": "L-NO"}, ("1.1", "unknown_store", "location_id")),
        (SQUARE_SALE | {"line_items": "none"}, ("1.1", "bad_value", "line_items")),
        ({"orders": {}}, ("1", "bad_value", "orders")),
        ({"id": "x", "total_money": pounds(0)}, ("1", "missing_field", "line_items")),
        ({}, ("1", "missing_field", "line_items")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_rejected_by_name(document: object, expected: tuple[str, ...]) -> None:
    assert rejections(Square(), document)[0] == expected


def test_every_example_of_square_adds_up_to_its_own_totals() -> None:
    """An order without a time, of 2016, is rejected for that; given one it adds up, too."""
    orders = []
    for path in real_files("pos/square", "*Order*.json"):
        body = orjson.loads(path.read_bytes())
        orders += body.get("orders", [body["order"]] if "order" in body else [])
    assert len(orders) == 5
    codes = [order["location_id"] for order in orders]
    for order in orders:
        timed = {"created_at": "2016-01-20T10:00:00Z"} | order
        result = Square().normalize(orjson.dumps(timed), sender("square", codes, "USD"))
        found = result.events["sale_line"].to_pylist()
        assert result.rejected == []
        stated = order["total_money"]["amount"], order.get("total_tax_money", {}).get("amount", 0)
        assert total(found, "gross_amount") * 100 == stated[0]
        assert total(found, "tax_amount") * 100 == stated[1]
        assert "adjustment" not in {line["kind"] for line in found}
        items = order["line_items"]
        gross = sum(
            Decimal(one["quantity"]) * one["base_price_money"]["amount"]
            + sum(m["total_price_money"]["amount"] for m in one.get("modifiers", []))
            for one in items
        )
        assert total(found, "net_amount", "sale") * 100 == gross
        off = order.get("total_discount_money", {}).get("amount", 0)
        assert total(found, "net_amount", "discount") * 100 == -off
