"""POSLog: sales, returns, voids, taxes and tenders of both versions; XML that must be refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateways.normalize.faults import Rejected
from gateways.pos.poslog import PosLog
from tenpo.errors import PayloadError
from tests.gateways.conftest import Gateway
from tests.gateways.order_checks import table, total
from tests.gateways.payloads import RECEIVED_AT, context
from tests.gateways.poslog_payloads import (
    CONTROL,
    LINK,
    SALE_V2,
    V2,
    V6,
    item,
    pieces,
    retail,
    transaction,
    v2,
)


def lines(body: bytes, received_at: datetime = RECEIVED_AT) -> list[dict[str, Any]]:
    result = PosLog().normalize(body, context(received_at))
    assert result.rejected == []
    found: list[dict[str, Any]] = result.events["sale_line"].to_pylist()
    return found


def accepted(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        PosLog().normalize(body, context()).events["sale_line"].to_pylist()
    )
    return found


def rejected(body: bytes) -> list[tuple[str, str, str]]:
    found: list[Rejected] = PosLog().normalize(body, context()).rejected
    return [(one.position, one.reason.value, one.field) for one in found]


def test_a_sale_with_the_tax_on_top() -> None:
    """Weighed goods, a discount, a voided line with the line that voids it, a tender."""
    assert table(lines(V2)) == [
        ("sale", "APPLE", "0.42", "1.26", "0", "1.26"),
        ("sale", "TEA", "2", "6", "1.2", "7.2"),
        ("discount", "TEA", "0", "-0.5", "-0.1", "-0.6"),
        ("void", "JAM", "1", "2", "0", "2"),
        ("void", "JAM", "-1", "-2", "0", "-2"),
        ("tender", None, "0", "7.86", "0", "7.86"),
    ]
    assert total(lines(V2), "gross_amount", "sale", "discount") == Decimal("7.86")


def test_what_is_no_sale_is_ignored_and_counted() -> None:
    result = PosLog().normalize(V2, context())
    assert (result.received, result.ignored) == (6, 2)  # the sign-on, the loyalty line


def test_a_sale_and_a_return_with_the_tax_within_the_prices() -> None:
    assert table(lines(V6)) == [
        ("sale", "MUG", "1", "10", "2", "12"),
        ("discount", "MUG", "0", "-1", "-0.2", "-1.2"),
        ("return", "TEA", "-1", "-5", "-1", "-6"),
    ]
    assert [line["original_receipt_id"] for line in lines(V6)] == [None, None, "3569"]
    assert lines(V6)[0]["receipt_id"] == "R-3570"
    assert lines(V6)[0]["tax_rate"] == Decimal("0.2")


def test_times_are_the_stores_own_or_carry_their_offset() -> None:
    assert lines(V2)[0]["occurred_at"] == datetime(2026, 11, 1, 2, 2, 54, tzinfo=UTC)
    moment = datetime(2026, 11, 1, 12, 27, 2, 649000, tzinfo=UTC)
    assert lines(V6)[0]["occurred_at"] == moment


def test_a_transaction_is_one_document_whatever_else_comes_with_it() -> None:
    keys = {line["document_key"] for line in lines(V2)}
    assert keys == {"9|2026-10-31|34|161"}
    assert [x["event_id"] for x in lines(v2(SALE_V2))] == [x["event_id"] for x in lines(V2)]


def test_a_sale_of_a_negative_quantity_is_a_return() -> None:
    body = v2(transaction(retail(item(1, "A", "1.29", pieces("-1"), "1.29"), "-1.29")))
    assert table(lines(body)) == [("return", "A", "-1", "-1.29", "0", "-1.29")]


@pytest.mark.parametrize(("grand", "net"), [("12.00", "10"), ("14.00", "12")])
def test_the_grand_total_tells_whether_a_tax_of_the_whole_is_within(grand: str, net: str) -> None:
    goods = item(1, "A", "6.00", pieces("1"), "6.00") + item(2, "B", "6.00", pieces("1"), "6.00")
    tax = "<LineItem><SequenceNumber>3</SequenceNumber><Tax><Amount>2.00</Amount></Tax></LineItem>"
    found = lines(v2(transaction(retail(goods + tax, grand))))
    assert total(found, "net_amount") == Decimal(net)
    assert [line["tax_amount"] for line in found] == [1, 1]


@pytest.mark.parametrize("extended", ["12.00", "10.80"])
def test_an_extended_amount_before_or_after_its_discount(extended: str) -> None:
    less = "<ExtendedDiscountAmount>1.20</ExtendedDiscountAmount>"
    body = v2(transaction(retail(item(1, "A", "6.00", pieces("2"), extended, less), "10.80")))
    assert table(lines(body)) == [
        ("sale", "A", "2", "12", "0", "12"),
        ("discount", "A", "0", "-1.2", "0", "-1.2"),
    ]


def test_a_line_that_was_voided_itself_and_a_void_of_a_part() -> None:
    goods = item(1, "A", "2.00", pieces("3"), "6.00")
    itself = item(2, "B", "5.00", pieces("1"), "5.00", attributes='VoidFlag="true"')
    part = item(3, "A", "2.00", pieces("-1"), "-2.00", attributes='VoidFlag="true"')
    found = lines(v2(transaction(retail(goods + itself + part, "4.00"))))
    assert table(found) == [
        ("sale", "A", "3", "6", "0", "6"),
        ("void", "B", "1", "5", "0", "5"),
        ("return", "A", "-1", "-2", "0", "-2"),
    ]


def test_discount_and_rounding_of_the_whole_and_rewards() -> None:
    goods = item(1, "A", "10.00", pieces("1"), "10.00")
    whole = (
        "<LineItem><SequenceNumber>2</SequenceNumber><Discount><Amount>1.00</Amount></Discount>"
        "</LineItem><LineItem><SequenceNumber>3</SequenceNumber><Rounding>-0.02</Rounding></LineItem>"
    )
    found = lines(v2(transaction(retail(goods + whole, "8.98"))))
    assert [row[0] for row in table(found)] == ["sale", "discount", "adjustment"]
    reward = "<LineItem><SequenceNumber>4</SequenceNumber><LoyaltyReward/></LineItem>"
    found = lines(v2(transaction(retail(goods + reward, "9.50"))))
    assert table(found)[1] == ("discount", None, "0", "-0.5", "0", "-0.5")


@pytest.mark.parametrize(
    ("price", "units", "code", "text", "amount", "expected"),
    [
        ("3.00", "1", "BX", "2", "6.00", "2"),
        ("2.00", "1", "KGM", "0.755", "1.51", "0.755"),
        ("2.99", "0.42", "KGM", "1", "1.26", "0.42"),
        ("2.00", "0.5", "KGM", "3", "3.00", "1.5"),
        ("0.25", "12", "BX", "2", "6.00", "24"),  # the price of a piece
        ("3.00", "12", "BX", "2", "6.00", "2"),  # the price of a box
        ("2.00", "0.755", "KGM", "0.755", "1.51", "0.755"),  # the weight twice
        ("9.99", "0.5", "KGM", "3", "1.00", "1.5"),  # the price decides nothing
        ("2.99", "0.42", "KGM", "", "1.26", "0.42"),
    ],
)
def test_a_quantity_of_units_and_text(
    price: str, units: str, code: str, text: str, amount: str, expected: str
) -> None:
    quantity = f'<Quantity Units="{units}" UnitOfMeasureCode="{code}">{text}</Quantity>'
    (line,) = lines(v2(transaction(retail(item(1, "A", price, quantity, amount), amount))))
    assert (line["quantity"], line["net_amount"]) == (Decimal(expected), Decimal(amount))


def test_weighed_goods_that_come_back() -> None:
    quantity = '<Quantity Units="0.42" UnitOfMeasureCode="KGM">-1</Quantity>'
    body = v2(transaction(retail(item(1, "A", "2.99", quantity, "-1.26"), "-1.26")))
    assert table(lines(body)) == [("return", "A", "-0.42", "-1.26", "0", "-1.26")]


def taxed(price: str, tax: str, kind: str = "Sale", number: int = 1) -> str:
    stated = f"<Tax><Amount>{tax}</Amount></Tax>"
    return item(number, "A", price, pieces("1"), price, stated, kind=kind)


def less(amount: str, number: int = 8) -> str:
    inner = f"<Discount><Amount>{amount}</Amount></Discount>"
    return f"<LineItem><SequenceNumber>{number}</SequenceNumber>{inner}</LineItem>"


@pytest.mark.parametrize(
    ("goods", "grand", "tax", "expected"),
    [
        # 19 % within: 2.38 are 2.00 and 0.38
        (taxed("23.80", "3.80") + less("2.38"), "21.42", "3.42",
         [("20", "3.8", "23.8"), ("-2", "-0.38", "-2.38")]),
        # 10 % on top: 80.00 and 8.00
        (taxed("100", "10") + less("20"), "88", "8", [("100", "10", "110"), ("-20", "-2", "-22")]),
        # on top, and nearer to the goods without tax than to those with all of it
        (taxed("100", "10") + less("60"), "44", "4", [("100", "10", "110"), ("-60", "-6", "-66")]),
        # two discounts share the tax after their amounts
        (taxed("100", "10") + less("20") + less("10", 9), "77", "7",
         [("100", "10", "110"), ("-20", "-2", "-22"), ("-10", "-1", "-11")]),
        # the line's tax is that after the discount already
        (taxed("110", "8") + less("22"), "88", "8", [("102", "8", "110"), ("-22", "0", "-22")]),
    ],
)  # fmt: skip
def test_a_discount_of_the_whole_has_its_tax(
    goods: str, grand: str, tax: str, expected: list[tuple[str, str, str]]
) -> None:
    found = table(lines(v2(transaction(retail(goods, grand, tax)))))
    assert [row[3:] for row in found] == expected


def test_a_discount_of_the_whole_gets_no_tax_where_the_totals_stay_inexact() -> None:
    body = v2(transaction(retail(taxed("23.80", "3.80") + less("2.38"), "21.00", "3.42")))
    assert rejected(body) == [("1", "total_mismatch", "TransactionGrandAmount")]
    assert [row[3:] for row in table(accepted(body))][1:] == [
        ("-2.38", "0", "-2.38"),
        ("-0.04", "-0.38", "-0.42"),
    ]


BACK_LESS = taxed("100", "10", "Return") + less("20")


@pytest.mark.parametrize(
    ("goods", "grand", "tax", "discount"),
    [
        # 100.00 less 20.00 was paid and is paid back, 10 % on top: 80.00 and 8.00
        (BACK_LESS, "-88", "-8", ("20", "2", "22")),
        (BACK_LESS, "88", "8", ("20", "2", "22")),  # without its sign
        (BACK_LESS, "-110", "-10", None),  # the discount is not in the total: told
        # 19 % within: 21.42 of 23.80 paid back
        (taxed("23.80", "3.80", "Return") + less("2.38"), "-21.42", "-3.42",
         ("2", "0.38", "2.38")),
        # an exchange, its discount on what was given back: 40.00 less 100.00 less 5.00
        (taxed("40", "0") + taxed("100", "0", "Return", 2) + less("5"), "-55", "0",
         ("5", "0", "5")),
        # and on what was sold
        (taxed("40", "0") + taxed("100", "0", "Return", 2) + less("5"), "-65", "0",
         ("-5", "0", "-5")),
        (taxed("40", "0") + taxed("30", "0", "Return", 2) + less("5"), "5", "0",
         ("-5", "0", "-5")),
    ],
)  # fmt: skip
def test_a_discount_of_the_whole_is_taken_off_what_is_given_back(
    goods: str, grand: str, tax: str, discount: tuple[str, str, str] | None
) -> None:
    body = v2(transaction(retail(goods, grand, tax)))
    if discount is None:
        assert rejected(body) == [("1", "total_mismatch", "TransactionGrandAmount")]
        return
    found = lines(body)
    assert [row[3:] for row in table(found) if row[0] == "discount"] == [discount]
    assert total(found, "gross_amount") == -abs(Decimal(grand)) if "-" in grand else True
    assert "adjustment" not in {one["kind"] for one in found}


FLAG = "<NegativeTotalFlag>{}</NegativeTotalFlag>"
BACK = taxed("100", "10", "Return")


@pytest.mark.parametrize(
    ("goods", "grand", "tax", "net", "gross"),
    [
        (BACK + FLAG.format("true"), "110", "10", "-100", "-110"),
        (BACK, "110", "10", "-100", "-110"),
        (BACK, "-110", "-10", "-100", "-110"),
        (BACK, "100", "10", "-90", "-100"),  # the tax lies within
        (BACK + taxed("40", "4", number=2), "66", "6", "-60", "-66"),  # an exchange
        (taxed("40", "4") + taxed("30", "3", "Return", 2), "11", "1", "10", "11"),
    ],
)
def test_a_grand_total_without_its_sign(
    goods: str, grand: str, tax: str, net: str, gross: str
) -> None:
    found = lines(v2(transaction(retail(goods, grand, tax))))
    assert {line["kind"] for line in found} <= {"sale", "return"}
    assert (total(found, "net_amount"), total(found, "gross_amount")) == (
        Decimal(net),
        Decimal(gross),
    )


def test_a_grand_total_without_its_sign_may_be_rounded_for_cash() -> None:
    found = lines(v2(transaction(retail(taxed("9.98", "0", "Return"), "10.00"))))
    assert [row[5] for row in table(found)] == ["-9.98", "-0.02"]


def test_a_tax_of_the_whole_without_its_sign() -> None:
    goods = item(1, "A", "100", pieces("1"), "100", kind="Return")
    found = lines(v2(transaction(retail(goods, "110", "10"))))
    assert table(found) == [("return", "A", "-1", "-100", "-10", "-110")]


@pytest.mark.parametrize("goods", [BACK, BACK + FLAG.format("false")])
def test_a_grand_total_that_fits_neither_way_keeps_its_sign(goods: str) -> None:
    """More was sold than the log tells, or it says itself that the total is no negative one."""
    grand = "110" if "false" in goods else "390"
    body = v2(transaction(retail(goods, grand)))
    found = accepted(body)
    assert found[-1]["category"] == "unexplained"
    assert rejected(body) == [("1", "total_mismatch", "TransactionGrandAmount")]
    assert total(found, "gross_amount", "return", "adjustment") == Decimal(grand)


def test_cancelled_is_void_and_training_or_suspended_is_ignored() -> None:
    sale = retail(item(1, "A", "1.00", pieces("1"), "1.00"), "1.00")
    assert {x["kind"] for x in lines(v2(transaction(sale, attributes='CancelFlag="true"')))} == {
        "void"
    }
    goods = item(1, "A", "1.00", pieces("1"), "1.00")
    statuses = ("Suspended", "SuspendedRetrieved", "InProcess", "Failed", "Totaled", "x:Suspended")
    none = [
        transaction(sale, attributes='TrainingModeFlag="true"'),
        transaction(sale, head="<TrainingModeFlag>true</TrainingModeFlag>"),
        transaction(retail(goods, "1.00", attributes='TrainingModeFlag="1"')),
        transaction(sale, attributes='TransactionStatus="Suspended"'),
        transaction(retail(goods + "<TransactionStatus>Failed</TransactionStatus>", "1.00")),
        *(transaction(retail(goods, "1.00", attributes=f'TransactionStatus="{status}"'))
          for status in statuses),
    ]  # fmt: skip
    kept = [
        transaction(sale, 1, attributes='TrainingModeFlag="false"'),
        transaction(retail(goods, "1.00", attributes='TransactionStatus="Finished"'), 2),
        transaction(retail(goods, "1.00", attributes='TransactionStatus="Tendered"'), 3),
    ]
    result = PosLog().normalize(v2(*none, *kept), context())
    assert (result.received, result.accepted, result.ignored) == (3, 3, len(none))


@pytest.mark.parametrize(
    "void",
    [
        transaction(f"<PostVoidTransaction>{LINK}</PostVoidTransaction>", 170),
        transaction(retail(LINK, attributes='TransactionStatus="PostVoided"'), 170),
        transaction(retail("", attributes='TransactionStatus="PostVoided"'), 161),
    ],
)
def test_a_post_void_outranks_its_sale_in_whatever_order_they_come(void: str) -> None:
    sale = lines(v2(SALE_V2), RECEIVED_AT + timedelta(days=300))
    (voided,) = lines(v2(void))
    assert (voided["kind"], voided["gross_amount"]) == ("void", 0)
    assert voided["document_key"] == sale[0]["document_key"]
    assert voided["document_version"] > sale[0]["document_version"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (v2(transaction("")), ("1", "missing_field", "RetailTransaction")),
        (v2(transaction(retail(""))), ("1", "missing_field", "LineItem")),
        (v2(CONTROL, transaction(retail(item(1, "A", "1", pieces("x"), "1")))),
         ("2.1", "bad_number", "Quantity")),
        (v2(transaction(retail(item(1, "A", "1", pieces("1"), "1e5")))),
         ("1.1", "bad_number", "ExtendedAmount")),
        (V2.replace(b"<RetailStoreID>9<", b"<RetailStoreID>8<"),
         ("2.1", "unknown_store", "RetailStoreID")),
        (V2.replace(b"2026-11-01T02:02:54", b"yesterday"), ("2.1", "bad_time", "EndDateTime")),
        (V2.replace(b">161<", b"><"), ("2.1", "missing_field", "SequenceNumber")),
        (v2(transaction("<PostVoidTransaction/>").replace(">161<", "><")),
         ("1.1", "missing_field", "TransactionLink.SequenceNumber")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_rejected_by_name(body: bytes, expected: tuple[str, str, str]) -> None:
    assert rejected(body)[0] == expected


def named(sku: str, encoding: str = "Shift_JIS") -> str:
    """A sale of an article whose code is text of East Asia."""
    sale = v2(transaction(retail(item(1, sku, "1.00", pieces("1"), "1.00"), "1.00"))).decode()
    return sale.replace("UTF-8", encoding)


@pytest.mark.parametrize(
    ("declared", "codec"),
    [("Shift_JIS", "cp932"), ("Windows-31J", "cp932"), ("EUC-JP", "euc_jp"),
     ("ISO-2022-JP", "iso2022_jp"), ("gbk", "gbk"), ("UTF-16", "utf-16"), ("UTF-8", "utf-8-sig")],
)  # fmt: skip
def test_encodings_that_registers_of_east_asia_declare(declared: str, codec: str) -> None:
    (line,) = lines(named("抹茶①" if codec == "cp932" else "抹茶", declared).encode(codec))
    assert line["sku"] == ("抹茶①" if codec == "cp932" else "抹茶")


def test_text_of_half_width_letters_and_of_none_is_no_lie() -> None:
    for sku in ("ﾏｯﾁｬ", "TEA"):  # the one has bytes that UTF-8 has, too
        (line,) = lines(named(sku).encode("cp932"))
        assert line["sku"] == sku


BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<POSLog><Transaction>&b;</Transaction></POSLog>"
)
OUTSIDE = (
    b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    b"<POSLog><Transaction>&f;</Transaction></POSLog>"
)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (BOMB, "document type"),
        (OUTSIDE, "document type"),
        (b'<!DOCTYPE x SYSTEM "http://example.invalid/x.dtd"><POSLog/>', "document type"),
        (b"<a>" * 100 + b"</a>" * 100, "deeply"),
        (V2[:400], "well-formed"),
        (b"<POSLog/>", "no transaction"),
        (b'{"order": 1}', "well-formed"),
        (V2.replace(b"UTF-8", b"x-none"), "encoding|well-formed"),
        # the declaration lies: it is UTF-8, is no Shift_JIS, is Shift_JIS
        (named("茶").encode(), "encoding that it declares"),
        (named("茶").encode("euc_jp") + b"\x80", "encoding that it declares"),
        (named("茶", "UTF-8").encode("cp932"), "well-formed"),
        (named("茶", "EUC-JP").encode("cp932"), "encoding that it declares"),
        # what another encoding hides is refused, too
        (b'<?xml version="1.0" encoding="Shift_JIS"?>' + BOMB, "document type"),
        (b'<?xml version="1.0" encoding="GB18030"?>' + OUTSIDE, "document type"),
        (b'<?xml version="1.0" encoding="ISO-2022-JP"?>\x1b(J' + BOMB, "document type"),
        (b'<?xml version="1.0" encoding="EUC-KR"?>' + b"<a>" * 100, "deeply|well-formed"),
    ],
)
def test_what_cannot_be_read_safely_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(PayloadError, match=what):
        PosLog().normalize(body, context())


def test_a_gateway_reads_it_in_a_child_and_refuses_what_is_not_safe(gateway: Gateway) -> None:
    taken = gateway.post("/v1/pos/poslog", V2)
    assert (taken.status_code, taken.json()["accepted"], taken.json()["ignored"]) == (200, 6, 2)
    for body in (BOMB, OUTSIDE):
        refused = gateway.post("/v1/pos/poslog", body)
        assert (refused.status_code, "document type" in refused.json()["error"]) == (400, True)


def test_a_file_is_read_one_transaction_at_a_time() -> None:
    many = v2(*[transaction(retail(item(1, "A", "1.00", pieces("1"), "1.00"), "1.00"), n)
                for n in range(2_000)])  # fmt: skip
    found = lines(many)
    assert len({line["document_key"] for line in found}) == 2_000
