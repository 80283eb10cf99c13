"""POS vendor B: recorded receipts, a frozen clock, the expected lines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from gateways.normalize.faults import Reason
from gateways.pos.posb import PosB
from tenpo.errors import PayloadError
from tenpo.identifiers import micros
from tests.gateways.payloads import POSB, RECEIVED_AT, context

ROWS = PosB().normalize(POSB, context()).events["sale_line"].to_pylist()


def one(**changes: Any) -> dict[str, Any]:
    receipt: dict[str, Any] = orjson.loads(POSB)["receipts"][0]
    return receipt | changes


def rejections(document: object) -> list[tuple[str, str, str]]:
    result = PosB().normalize(orjson.dumps(document), context())
    return [(r.position, r.reason.value, r.field) for r in result.rejected]


def test_kinds() -> None:
    assert [row["kind"] for row in ROWS] == ["sale", "discount", "return", "void"]


def test_gross_is_net_plus_the_stated_tax() -> None:
    assert [(r["net_amount"], r["gross_amount"]) for r in ROWS] == [
        (960, 1056), (-60, -66), (-300, -324), (100, 110),
    ]  # fmt: skip


def test_the_moment_carries_its_offset_and_the_version_is_the_vendors() -> None:
    assert ROWS[0]["occurred_at"] == datetime(2026, 11, 1, 3, 12, 40, tzinfo=UTC)
    assert ROWS[0]["document_version"] == micros(datetime(2026, 11, 1, 3, 12, 45, tzinfo=UTC))
    assert ROWS[2]["document_version"] == micros(RECEIVED_AT)


def test_a_store_id_needs_no_code_and_gives_its_currency() -> None:
    assert (ROWS[2]["store_id"], ROWS[2]["currency"]) == ("shibuya", "JPY")


def test_one_receipt_without_its_wrapper_and_json_lines_are_read_alike() -> None:
    whole = PosB().normalize(POSB, context()).events["sale_line"]["event_id"].to_pylist()
    lines = b"\n".join(orjson.dumps(r) for r in orjson.loads(POSB)["receipts"])
    assert PosB().normalize(lines, context()).events["sale_line"]["event_id"].to_pylist() == whole
    single = PosB().normalize(orjson.dumps(one()), context()).events["sale_line"]
    assert single["event_id"].to_pylist() == whole[:2]


def test_a_number_never_passes_through_float() -> None:
    line = one()["lines"][0] | {"qty": "X", "amount": "0.1"}
    body = orjson.dumps(one(lines=[line])).replace(b'"X"', b"0.300000001")
    row = PosB().normalize(body, context()).events["sale_line"].to_pylist()[0]
    assert str(row["quantity"]) == "0.300000001"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"shop": "B999"}, ("unknown_store", "shop")),
        ({"shop": None}, ("missing_field", "shop")),
        ({"issued_at": "yesterday"}, ("bad_time", "issued_at")),
        ({"issued_at": "2026-12-24T12:00:00+09:00"}, ("future_date", "issued_at")),
        ({"number": ["x"]}, ("bad_value", "number")),
        ({"number": "x" * 300}, ("too_long", "number")),
        ({"number": "a\u0000b"}, ("bad_value", "number")),
        ({"status": "open"}, ("bad_value", "status")),
    ],
)
def test_a_bad_head_rejects_its_own_lines_only(
    changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    found = rejections({"receipts": [one(**changes), one(number="other")]})
    assert found == [("1.1", *expected), ("1.2", *expected)]


def test_a_negative_price_is_rejected_but_not_on_discounts() -> None:
    line = one()["lines"][0] | {"unit_price": "-1"}
    assert rejections(one(lines=[line, one()["lines"][1]])) == [
        ("1.1", "negative_price", "unit_price")
    ]


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"qty": "1", "amount": "300", "tax": "24"}, "positive_return", "qty"),
        ({"amount": "300", "tax": "24"}, "positive_return", "amount"),
        ({"tax": "24"}, "positive_return", "tax"),
    ],
)
def test_a_refund_above_zero_is_no_sale(changes: dict[str, Any], reason: str, field: str) -> None:
    refund: dict[str, Any] = orjson.loads(POSB)["receipts"][1]
    line = refund["lines"][0]
    assert rejections(refund) == []
    assert rejections(refund | {"lines": [line | changes]}) == [("1.1", reason, field)]
    voided = refund | {"lines": [line | changes], "status": "voided"}
    assert "positive_return" not in {reason for _, reason, _ in rejections(voided)}


@pytest.mark.parametrize(("place", "tax"), [(0, "-96"), (1, "6")])
def test_a_tax_has_the_sign_of_its_amount(place: int, tax: str) -> None:
    line = one()["lines"][place] | {"tax": tax}
    assert rejections(one(lines=[line])) == [("1.1", "wrong_sign", "tax")]
    voided = rejections(one(lines=[line], status="voided"))
    assert "wrong_sign" not in {reason for _, reason, _ in voided}


def test_a_line_without_tax_counts_only_where_it_is_void() -> None:
    line = one()["lines"][0] | {"tax": None, "tax_rate": None}
    assert rejections(one(lines=[line])) == [("1.1", "missing_field", "tax_rate")]
    assert rejections(one(lines=[line], status="voided")) == []


def test_receipts_that_are_no_list_are_rejected_and_none_are_ignored() -> None:
    assert rejections({"receipts": 5}) == [("1", "bad_value", "receipts")]
    result = PosB().normalize(b'{"receipts": []}', context())
    assert (result.received, result.ignored) == (0, 1)


def test_a_receipt_without_lines_is_rejected() -> None:
    assert rejections(one(lines=[])) == [("1", Reason.MISSING_FIELD.value, "lines")]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (POSB[:100], "no JSON"),
        (b"[]", "no receipt"),
        (b"3", "no receipt"),
        (b'{"number": NaN}', "NaN"),
        ('{"number": "é"}'.encode("latin-1"), "UTF-8"),
        (b'{"number": "\\ud800"}', "surrogate"),
        (b"[" * 100_000, "deeply"),
        (b"  ", "empty"),
    ],
)
def test_what_is_no_receipt_at_all_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(PayloadError, match=what):
        PosB().normalize(body, context())


def test_another_currency_than_the_stores_is_refused() -> None:
    refused = rejections(one(currency="USD"))
    assert refused
    assert {(reason, field) for _, reason, field in refused} == {
        (Reason.CURRENCY_MISMATCH.value, "currency")
    }
