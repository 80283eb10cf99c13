"""Payloads of registers that send whole orders, made after their vendors' documentation.

The amounts were worked out by hand; names, mails and card digits are planted to be looked
for. No test of its own.
"""

from __future__ import annotations

from typing import Any

import orjson

#: Personal values of the payloads here.
PLANTED = ("CUST-SQ-4711", "4111111111111111", "hanako@example.com", "CUST-SM-0099",
           "佐藤花子", "207119551", "Bob Norman", "STAFF-888")  # fmt: skip


def pounds(pence: int) -> dict[str, Any]:
    return {"amount": pence, "currency": "GBP"}


SQUARE_SALE: dict[str, Any] = {
    "id": "SQ-1", "location_id": "L-SOHO", "state": "COMPLETED", "version": 4,
    "created_at": "2026-11-01T09:58:00.000Z", "closed_at": "2026-11-01T10:00:00.000Z",
    "updated_at": "2026-11-01T10:00:01.000Z", "customer_id": "CUST-SQ-4711",
    "taxes": [{"uid": "vat", "percentage": "20", "type": "INCLUSIVE", "scope": "LINE_ITEM"}],
    "line_items": [
        {"uid": "a", "catalog_object_id": "TEA", "quantity": "2", "item_type": "ITEM",
         "base_price_money": pounds(600), "gross_sales_money": pounds(1200),
         "applied_taxes": [{"uid": "t", "tax_uid": "vat", "applied_money": pounds(180)}],
         "total_discount_money": pounds(120), "total_tax_money": pounds(180),
         "total_money": pounds(1080)},
        {"uid": "b", "catalog_object_id": "CHEESE", "quantity": "0.350",
         "base_price_money": pounds(1000), "gross_sales_money": pounds(350),
         "total_discount_money": pounds(0), "total_tax_money": pounds(0),
         "total_money": pounds(350)},
    ],
    "service_charges": [{"uid": "s", "calculation_phase": "TOTAL_PHASE",
                         "total_money": pounds(100), "total_tax_money": pounds(0)}],
    "tenders": [{"id": "x", "note": "hanako@example.com", "amount_money": pounds(1580),
                 "card_details": {"card": {"pan": "4111111111111111"}}}],
    "total_tip_money": pounds(50), "total_tax_money": pounds(180),
    "total_money": pounds(1580),
    "net_amounts": {"total_money": pounds(1580), "tax_money": pounds(180)},
}  # fmt: skip
SQUARE_RETURN: dict[str, Any] = {
    "id": "SQ-2", "location_id": "L-SOHO", "state": "COMPLETED", "version": 1,
    "created_at": "2026-11-01T15:00:00Z", "updated_at": "2026-11-01T15:00:00Z",
    "returns": [{"uid": "r", "source_order_id": "SQ-1", "return_line_items": [
        {"uid": "ra", "source_line_item_uid": "a", "catalog_object_id": "TEA", "quantity": "1",
         "base_price_money": pounds(600), "gross_return_money": pounds(600),
         "total_discount_money": pounds(60), "total_tax_money": pounds(90),
         "total_money": pounds(540)}]}],
    "total_money": pounds(0),
    "net_amounts": {"total_money": pounds(-540), "tax_money": pounds(-90)},
}  # fmt: skip
SQUARE_EVENT = {
    "merchant_id": "M", "type": "order.updated", "event_id": "e-1",
    "created_at": "2026-11-01T10:00:02Z",
    "data": {"type": "order_updated", "id": "SQ-1", "object": {"order_updated": {
        "order_id": "SQ-1", "location_id": "L-SOHO", "state": "COMPLETED", "version": 4}}},
}  # fmt: skip
SQUARE = orjson.dumps({"orders": [SQUARE_SALE, SQUARE_RETURN]})

SHOPIFY_REFUND: dict[str, Any] = {
    "id": 501, "order_id": 1001, "created_at": "2026-11-01T18:00:00+00:00", "user_id": "STAFF-888",
    "note": "hanako@example.com",
    "refund_line_items": [
        {"id": 51, "quantity": 1, "line_item_id": 11, "subtotal": 10.80, "total_tax": 1.80,
         "line_item": {"id": 11, "sku": "TEA", "price": "12.00", "quantity": 2}}],
    "order_adjustments": [
        {"id": 52, "kind": "shipping_refund", "amount": "-5.00", "tax_amount": "-1.00"}],
    "transactions": [{"kind": "refund", "status": "success", "amount": "16.80",
                      "currency": "GBP", "location_id": 77}],
}  # fmt: skip
SHOPIFY_ORDER: dict[str, Any] = {
    "id": 1001, "name": "#1001", "location_id": 77, "currency": "GBP", "taxes_included": True,
    "created_at": "2026-11-01T12:00:00+00:00", "processed_at": "2026-11-01T12:00:00+00:00",
    "updated_at": "2026-11-01T18:00:05+00:00", "user_id": "STAFF-888", "test": False,
    "email": "hanako@example.com", "customer": {"id": "207119551", "first_name": "Bob Norman"},
    "line_items": [
        {"id": 11, "sku": "TEA", "price": "12.00", "quantity": 2, "gift_card": False,
         "total_discount": "0.00", "discount_allocations": [{"amount": "2.40"}],
         "tax_lines": [{"price": "3.60", "rate": 0.2, "title": "VAT"}]},
        {"id": 12, "sku": "CARD", "price": "25.00", "quantity": 1, "gift_card": True,
         "tax_lines": []}],
    "shipping_lines": [{"id": 13, "price": "6.00", "discount_allocations": [],
                        "tax_lines": [{"price": "1.00", "rate": 0.2}]}],
    "total_tip_received": "2.00", "total_discounts": "2.40", "total_tax": "4.60",
    "total_price": "54.60", "refunds": [SHOPIFY_REFUND],
}  # fmt: skip
SHOPIFY = orjson.dumps({"order": SHOPIFY_ORDER})

SMAREGI_SALE: dict[str, Any] = {
    "transactionHeadId": "301", "transactionHeadDivision": "1", "cancelDivision": "0",
    "disposeDivision": "0", "storeId": "7", "terminalId": "2", "customerId": "CUST-SM-0099",
    "staffId": "88", "staffName": "佐藤花子", "terminalTranDateTime": "2026-11-01T13:00:00+09:00",
    "updDateTime": "2026-11-01T13:00:09+09:00", "subtotal": "1980",
    "subtotalDiscountPrice": "100", "pointDiscount": "0", "couponDiscount": "0",
    "taxInclude": "74", "taxExclude": "88", "carriage": "500", "commission": "0",
    "total": "2468",
    "details": [
        {"transactionDetailId": "1", "transactionDetailDivision": "1", "productCode": "RICE",
         "categoryId": "food", "taxDivision": "0", "taxRate": "8", "salesPrice": "540",
         "quantity": "2", "unitNonDiscountSum": "1080", "unitDiscountedSum": "1080",
         "discountPriceProportional": "80", "taxIncludeProportional": "74",
         "taxExcludeProportional": "0"},
        {"transactionDetailId": "2", "transactionDetailDivision": "1", "productCode": "BAG",
         "categoryId": "goods", "taxDivision": "1", "taxRate": "10", "salesPrice": "1000",
         "quantity": "1", "unitNonDiscountSum": "1000", "unitDiscountedSum": "900",
         "discountPriceProportional": "20", "taxIncludeProportional": "0",
         "taxExcludeProportional": "88"}],
}  # fmt: skip
SMAREGI_RETURN: dict[str, Any] = {
    "transactionHeadId": "302", "transactionHeadDivision": "1", "cancelDivision": "0",
    "returnSales": "1", "storeId": "7", "terminalTranDateTime": "2026-11-01T14:00:00+09:00",
    "updDateTime": "2026-11-01T14:00:00+09:00", "subtotal": "-540", "total": "-540",
    "taxInclude": "-40", "taxExclude": "0",
    "details": [
        {"transactionDetailId": "1", "transactionDetailDivision": "2", "productCode": "RICE",
         "taxDivision": "0", "taxRate": "8", "salesPrice": "540", "quantity": "1",
         "unitNonDiscountSum": "540", "unitDiscountedSum": "540",
         "taxIncludeProportional": "40", "taxExcludeProportional": "0"}],
}  # fmt: skip
SMAREGI = orjson.dumps([SMAREGI_SALE, SMAREGI_RETURN])
