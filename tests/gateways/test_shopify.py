"""Shopify: an order with its refund, and the vendor's examples against their totals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from gateways.pos.shopify import Shopify
from tests.gateways.order_checks import TURNOVER, lines, rejections, sender, table, total
from tests.gateways.payloads import context
from tests.gateways.real_data import real_files
from tests.gateways.register_payloads import SHOPIFY_ORDER, SHOPIFY_REFUND

BOTH = lines(Shopify(), {"order": SHOPIFY_ORDER})


def order(**changes: Any) -> dict[str, Any]:
    return SHOPIFY_ORDER | {"refunds": []} | changes


def test_tax_within_the_prices() -> None:
    assert table(BOTH) == [
        ("sale", "TEA", "2", "20", "4", "24"),
        ("discount", "TEA", "0", "-2", "-0.4", "-2.4"),
        ("gift_card", "CARD", "1", "25", "0", "25"),
        ("shipping", None, "0", "5", "1", "6"),
        ("fee", None, "0", "2", "0", "2"),
        ("return", "TEA", "-1", "-9", "-1.8", "-10.8"),
        ("shipping", None, "0", "-5", "-1", "-6"),
    ]
    assert total(BOTH[:5], "gross_amount") == Decimal("54.60")
    assert total(BOTH, "gross_amount", *TURNOVER) == Decimal("10.80")


def test_tax_on_top_of_the_prices() -> None:
    """24.00 less 2.40 and 4.32 of tax; shipping 6.00 and 1.20."""
    item = SHOPIFY_ORDER["line_items"][0] | {"tax_lines": [{"price": "4.32", "rate": 0.2}]}
    shipping = SHOPIFY_ORDER["shipping_lines"][0] | {"tax_lines": [{"price": "1.20"}]}
    found = lines(Shopify(), order(
        taxes_included=False, line_items=[item], shipping_lines=[shipping],
        total_tip_received="0.00", total_tax="5.52", total_price="33.12",
    ))  # fmt: skip
    assert table(found) == [
        ("sale", "TEA", "2", "24", "4.8", "28.8"),
        ("discount", "TEA", "0", "-2.4", "-0.48", "-2.88"),
        ("shipping", None, "0", "6", "1.2", "7.2"),
    ]


def test_a_refund_by_itself_is_the_document_it_is_within_its_order() -> None:
    alone = lines(Shopify(), SHOPIFY_REFUND)
    inside = [line for line in BOTH if line["document_key"] == "refund:501"]
    assert table(alone) == table(inside)  # the payment tells that prices hold the tax
    assert [a["event_id"] for a in alone] == [i["event_id"] for i in inside]
    assert {a["document_version"] + 1 for a in alone} == {i["document_version"] for i in inside}
    assert total(alone, "gross_amount") == total(inside, "gross_amount") == Decimal("-16.80")
    assert {line["original_receipt_id"] for line in alone + inside} == {"1001"}


def test_the_transaction_of_a_refund_tells_that_its_prices_hold_the_tax() -> None:
    paid = [SHOPIFY_REFUND["transactions"][0] | {"amount": "10.80"}]
    alone = SHOPIFY_REFUND | {"transactions": paid, "order_adjustments": []}
    assert table(lines(Shopify(), {"refund": alone})) == [
        ("return", "TEA", "-1", "-9", "-1.8", "-10.8")
    ]


IN_DOLLARS = [SHOPIFY_REFUND["transactions"][0] | {"amount": "21.00", "currency": "USD"}]
IN_SHOP_MONEY = [
    one | {"subtotal_set": {"shop_money": {"amount": "10.80", "currency_code": "GBP"},
                            "presentment_money": {"amount": "13.50", "currency_code": "USD"}}}
    for one in SHOPIFY_REFUND["refund_line_items"]
]  # fmt: skip


def test_what_was_paid_back_in_another_currency_explains_nothing() -> None:
    """16.80 GBP were given back, and 21.00 USD paid: neither is wrong, and they are not added."""
    refund = SHOPIFY_REFUND | {"transactions": IN_DOLLARS}
    assert table(lines(Shopify(), SHOPIFY_ORDER | {"refunds": [refund]})) == table(BOTH)
    alone = lines(Shopify(), {"refund": refund | {"refund_line_items": IN_SHOP_MONEY}})
    assert {one["currency"] for one in alone} == {"GBP"}
    assert {one["kind"] for one in alone} == {"return", "shipping"}


def test_a_refund_by_itself_whose_only_currency_is_another_is_rejected() -> None:
    """Versions that state no currency of the amounts: the payment's is all that is known."""
    refund = SHOPIFY_REFUND | {"transactions": IN_DOLLARS}
    found = rejections(Shopify(), {"refund": refund})
    assert {(reason, name) for _, reason, name in found} >= {("currency_mismatch", "currency")}
    mixed = [SHOPIFY_REFUND["transactions"][0], *IN_DOLLARS]
    kept = lines(Shopify(), {"refund": refund | {"transactions": mixed}})
    assert {one["kind"] for one in kept} == {"return", "shipping"}


def by_itself(paid: str | None, *adjusted: tuple[str, str], **item: Any) -> dict[str, Any]:
    """A refund of goods at 10.80, 1.80 of tax, with adjustments of amount and tax."""
    outcome = {"status": "failure"} if paid is None else {"amount": paid}
    payments = [SHOPIFY_REFUND["transactions"][0] | outcome]
    adjustments = [{"id": place, "kind": "refund_discrepancy", "amount": amount, "tax_amount": tax}
                   for place, (amount, tax) in enumerate(adjusted)]  # fmt: skip
    goods = SHOPIFY_REFUND["refund_line_items"][0]
    rated = goods | {"line_item": goods["line_item"] | item}
    return SHOPIFY_REFUND | {"refund_line_items": [rated], "transactions": payments,
                             "order_adjustments": adjustments}  # fmt: skip


WITHIN = ("return", "TEA", "-1", "-9", "-1.8", "-10.8")
ON_TOP = ("return", "TEA", "-1", "-10.8", "-1.8", "-12.6")


@pytest.mark.parametrize(
    ("refund", "expected"),
    [
        # the shop kept 2.00 of 10.80
        (by_itself("8.80", ("2.00", "0.00")),
         [WITHIN, ("adjustment", None, "0", "2", "0", "2")]),
        # and of 12.60
        (by_itself("10.60", ("2.00", "0.00")),
         [ON_TOP, ("adjustment", None, "0", "2", "0", "2")]),
        # it gave 1.00 and 0.20 of tax more than the goods cost
        (by_itself("12.00", ("-1.00", "-0.20")),
         [WITHIN, ("adjustment", None, "0", "-1", "-0.2", "-1.2")]),
        # no payment tells: 1.80 is a fifth of 9.00, or a sixth of 10.80
        (by_itself(None, tax_lines=[{"rate": 0.2, "price": "3.60"}]), [WITHIN]),
        (by_itself(None, tax_lines=[{"rate": 0.1667, "price": "3.60"}]), [ON_TOP]),
        (by_itself(None, tax_lines=[{"rate": 0.15}, {"rate": 0.05}]), [WITHIN]),
        (by_itself(None, tax_lines=[{"rate": 0.5, "price": "3.60"}]), [ON_TOP]),  # neither
        (by_itself(None), [ON_TOP]),
    ],
)  # fmt: skip
def test_a_refund_by_itself_tells_whether_its_prices_hold_the_tax(
    refund: dict[str, Any], expected: list[tuple[Any, ...]]
) -> None:
    found = lines(Shopify(), {"refund": refund})
    assert table(found) == expected
    assert [one["category"] for one in found[1:]] == ["refund_discrepancy"] * (len(expected) - 1)


def test_a_payment_that_is_pending_is_no_total_yet() -> None:
    done = by_itself("5.00", tax_lines=[{"rate": 0.2}])
    waiting = done["transactions"][0] | {"status": "pending", "amount": "5.80"}
    pending = done | {"transactions": [*done["transactions"], waiting]}
    assert table(lines(Shopify(), {"refund": pending})) == [WITHIN]


def test_a_payment_that_nothing_explains_is_told_and_shown() -> None:
    result = Shopify().normalize(orjson.dumps({"refund": by_itself("7.00")}), context())
    assert [(one.reason.value, one.field) for one in result.rejected] == [
        ("total_mismatch", "transactions.amount")
    ]
    found = result.events["sale_line"].to_pylist()
    assert found[-1]["category"] == "unexplained"
    assert total(found, "gross_amount") == Decimal("-7.00")


def shipped_back(price: str, tax: str, paid: str | None, **changes: Any) -> dict[str, Any]:
    """A refund of shipping alone."""
    line = {"id": 3, "subtotal_amount_set": {"shop_money": {"amount": price}},
            "tax_amount_set": {"shop_money": {"amount": tax}}}  # fmt: skip
    payments = [] if paid is None else [SHOPIFY_REFUND["transactions"][0] | {"amount": paid}]
    given = {"refund_line_items": [], "order_adjustments": [], "refund_shipping_lines": [line]}
    return SHOPIFY_REFUND | given | {"transactions": payments} | changes


TAXED = ("shipping", None, "0", "-5", "-1", "-6")


@pytest.mark.parametrize(
    ("refund", "expected"),
    [
        (shipped_back("5.00", "1.00", "6.00"), [TAXED]),
        (shipped_back("6.00", "1.00", "6.00"), [TAXED]),  # the price holds the tax
        (shipped_back("5.00", "0.00", "5.00"), [("shipping", None, "0", "-5", "0", "-5")]),
        (shipped_back("5.00", "1.00", "6.00", total_duties_set={"shop_money": {"amount": "3.00"}},
                      transactions=[{"kind": "refund", "amount": "9.00", "currency": "GBP",
                                     "location_id": 77}]),
         [("fee", None, "0", "-3", "0", "-3"), TAXED]),
        # told twice, by a line and by an adjustment
        (shipped_back("5.00", "1.00", "6.00",
                      order_adjustments=SHOPIFY_REFUND["order_adjustments"]), [TAXED]),
        # a difference that the shop kept is no shipping
        (shipped_back("5.00", "1.00", "4.00", order_adjustments=[
            {"id": 4, "kind": "refund_discrepancy", "amount": "2.00", "tax_amount": "0.00"}]),
         [("adjustment", None, "0", "2", "0", "2"), TAXED]),
    ],
)  # fmt: skip
def test_shipping_given_back_is_booked_once_and_with_its_tax(
    refund: dict[str, Any], expected: list[tuple[Any, ...]]
) -> None:
    assert table(lines(Shopify(), {"refund": refund})) == expected


@pytest.mark.parametrize(("price", "paid"), [("6.00", "6.00"), ("5.00", "6.00"), ("6.00", None)])
def test_shipping_given_back_within_an_order_whose_prices_hold_the_tax(
    price: str, paid: str | None
) -> None:
    found = lines(Shopify(), SHOPIFY_ORDER | {"refunds": [shipped_back(price, "1.00", paid)]})
    assert table([one for one in found if one["document_key"] == "refund:501"]) == [TAXED]


def test_duties_and_tips_are_fees_and_a_tip_that_is_a_line_counts_once() -> None:
    tip = {"id": 19, "price": "2.00", "quantity": 1, "tip": {"x": 1}, "tax_lines": []}
    found = lines(Shopify(), order(
        line_items=[*SHOPIFY_ORDER["line_items"], tip], total_price="57.60",
        original_total_duties_set={"shop_money": {"amount": "3.00"}},
    ))  # fmt: skip
    fees = [(one["category"], one["gross_amount"]) for one in found if one["kind"] == "fee"]
    assert fees == [("tip", 2), ("duty", 3)]
    assert total(found, "gross_amount") == Decimal("57.60")


def test_a_cancelled_order_is_void_unless_refunds_take_it_back() -> None:
    moment = "2026-11-01T19:00:00+00:00"
    assert {x["kind"] for x in lines(Shopify(), order(cancelled_at=moment))} == {"void"}
    kept = lines(Shopify(), SHOPIFY_ORDER | {"cancelled_at": moment})
    assert table(kept) == table(BOTH)
    assert {x["kind"] for x in lines(Shopify(), order(financial_status="voided"))} == {"void"}


def test_a_discount_of_old_versions_that_belongs_to_no_line() -> None:
    item = {"id": 1, "price": "10.00", "quantity": 1, "sku": "A"}
    found = lines(Shopify(), order(
        line_items=[item], shipping_lines=[], total_discounts="1.00", total_tip_received=None,
        taxes_included=False, tax_lines=[{"price": "0.54"}], total_tax="0.54", total_price="9.54",
    ))  # fmt: skip
    assert table(found) == [
        ("sale", "A", "1", "10", "0.54", "10.54"),
        ("discount", None, "0", "-1", "0", "-1"),
    ]


def test_test_orders_and_what_is_no_order_are_ignored_and_counted() -> None:
    for document, ignored in (
        (order(test=True), 1),
        ({"tender_transactions": [{}, {}]}, 2),
        ([{"kind": "sale", "gateway": "bogus"}], 1),
        ({"locations": [{}]}, 1),
        ({"order_edit": {"id": 1, "order_id": 2, "line_items": {"additions": [{"id": 3}]}}}, 1),
    ):
        result = Shopify().normalize(orjson.dumps(document), sender("shopify", [], "GBP"))
        assert (result.received, result.ignored) == (0, ignored)


LINES = {
    "line_items": [{"id": 1, "sku": "TEA", "price": "199.00", "quantity": 1}],
    "created_at": "2026-11-01T12:00:00+00:00", "updated_at": "2026-11-01T12:00:00+00:00",
}  # fmt: skip
PRICED = LINES | {"currency": "GBP", "taxes_included": False, "total_price": "199.00"}
DRAFT_ORDER = PRICED | {"id": 622762746, "name": "#D1", "status": "open", "order_id": None,
                        "invoice_sent_at": None, "completed_at": None}  # fmt: skip
FULFILMENT = LINES | {"id": 123456, "order_id": 1001, "status": "pending", "location_id": 77,
                      "tracking_company": "UPS", "shipment_status": None}  # fmt: skip
CHECKOUT = PRICED | {"id": 981820079255243537, "token": "123123123", "cart_token": "eeafa",
                     "location_id": None, "user_id": None, "gateway": None}  # fmt: skip
CART = LINES | {"id": "eeafa272cebfd4b2", "token": "eeafa272cebfd4b2", "note": None}


@pytest.mark.parametrize(
    ("document", "ignored"),
    [
        (DRAFT_ORDER, 1),
        ({key: DRAFT_ORDER[key] for key in DRAFT_ORDER if key != "invoice_sent_at"}, 1),
        (PRICED | {"id": 1, "invoice_url": "https://shop.example/invoices/1"}, 1),
        (FULFILMENT, 1),
        (CHECKOUT, 1),
        (PRICED | {"id": 1, "abandoned_checkout_url": "https://shop.example/recover"}, 1),
        (CART, 1),
        ([DRAFT_ORDER, FULFILMENT, CHECKOUT, CART], 4),
        ({"draft_orders": [DRAFT_ORDER, DRAFT_ORDER]}, 2),
        ({"draft_order": DRAFT_ORDER}, 1),
        ({"fulfillments": [FULFILMENT, FULFILMENT, FULFILMENT]}, 3),
        ({"fulfillment": FULFILMENT}, 1),
        ({"checkouts": [CHECKOUT]}, 1),
    ],
)
def test_what_has_lines_but_is_no_order_is_ignored_and_counted(
    document: object, ignored: int
) -> None:
    result = Shopify().normalize(orjson.dumps(document), sender("shopify", [], "GBP"))
    assert (result.received, result.ignored, result.rejected) == (0, ignored, [])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"token": "b1946ac92492d234", "cart_token": "68778783ad298f1c", "order_number": 1},
        {"cart_token": None, "checkout_token": "bd5a8aa1ecd0", "financial_status": "paid"},
        {"name": "#D1001", "order_number": 1},  # a shop that puts a letter before its numbers
        {"fulfillments": [FULFILMENT], "customer": {"id": 1}},
    ],
)
def test_an_order_by_itself_is_one_whatever_it_was_before(changes: dict[str, Any]) -> None:
    """The corpus states 54.60 for it."""
    assert total(lines(Shopify(), order(**changes)), "gross_amount") == Decimal("54.60")


def test_an_order_without_its_lines_is_told_whatever_else_it_holds() -> None:
    document = {"id": 1001, "customer": {"id": 1}, "fulfillments": [], "total_price": "54.60"}
    assert rejections(Shopify(), document) == [("1", "missing_field", "line_items")]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (order(line_items=None), ("1", "missing_field", "line_items")),
        (order(taxes_included=None), ("1.1", "missing_field", "taxes_included")),
        (order(location_id=None), ("1.1", "missing_field", "location_id")),
        (order(location_id=78), ("1.1", "unknown_store", "location_id")),
        (order(total_tip_received="much"), ("1.1", "bad_number", "total_tip_received")),
        (order(id=None), ("1.1", "missing_field", "id")),
        ({"orders": 3}, ("1", "bad_value", "orders")),
        ({"refund": {"id": 1}}, ("1", "missing_field", "refund_line_items")),
        ({}, ("1", "missing_field", "line_items")),
    ],
)
def test_what_is_wrong_is_rejected_by_name(document: object, expected: tuple[str, ...]) -> None:
    assert rejections(Shopify(), document)[0] == expected


def test_an_order_of_shipping_alone_is_an_order() -> None:
    found = lines(Shopify(), order(line_items=[], total_tip_received=None, total_discounts="0",
                                   total_tax="1.00", total_price="6.00"))  # fmt: skip
    assert table(found) == [("shipping", None, "0", "5", "1", "6")]


def example(name: str) -> dict[str, Any]:
    (path,) = real_files("pos/shopify", name)
    document: dict[str, Any] = orjson.loads(path.read_bytes())
    return document


def examined(document: object) -> list[dict[str, Any]]:
    result = Shopify().normalize(orjson.dumps(document), sender("shopify", [], "USD"))
    assert [one.reason.value for one in result.rejected] == ["total_mismatch"]
    found: list[dict[str, Any]] = result.events["sale_line"].to_pylist()
    return found


def test_the_example_order_adds_up_to_its_own_totals() -> None:
    """It has three lines of 199.00 and says 398.00; the difference is told and shown."""
    stated = example("order.json")
    found = examined(stated)
    assert total(found, "gross_amount") == Decimal(stated["order"]["total_price"])
    assert total(found, "tax_amount") == Decimal(stated["order"]["total_tax"])
    assert total(found, "net_amount") == Decimal(stated["order"]["subtotal_price"])
    assert total(found, "net_amount", "sale") == 3 * 199
    assert [x["net_amount"] for x in found if x["category"] == "unexplained"] == [-199]


def test_the_example_refund_adds_up_to_what_was_paid_back() -> None:
    stated = example("refund.json")
    found = examined(stated)
    (paid,) = stated["refund"]["transactions"]
    assert total(found, "gross_amount") == -Decimal(paid["amount"])
    assert total(found, "net_amount", "return") == -2 * 199
    assert total(found, "tax_amount", "return") == 2 * Decimal("-3.98")


def test_an_example_that_lacks_its_lines_is_rejected_and_not_guessed() -> None:
    result = Shopify().normalize(orjson.dumps(example("orders.json")), sender("shopify", [], "USD"))
    assert [(one.reason.value, one.field) for one in result.rejected] == [
        ("missing_field", "line_items")
    ]
