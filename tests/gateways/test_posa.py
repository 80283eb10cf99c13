"""POS vendor A: a recorded file, a frozen clock, the expected lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.conformance.versions import current
from gateways.normalize.faults import Reason
from gateways.pos.posa import FIELDS, PosA
from gateways.pos.posa_stores import read_store_file
from tenpo.errors import PayloadError
from tests.gateways.payloads import MASTERS, POSA, POSA_LINES, RECEIVED_AT, context, posa

ROWS = PosA().normalize(POSA, context()).events["sale_line"].to_pylist()


def test_all_lines_are_accepted() -> None:
    assert [row["kind"] for row in ROWS] == ["sale", "discount", "return", "void"]


def test_half_past_one_at_night_is_the_next_calendar_day() -> None:
    assert ROWS[0]["occurred_at"] == datetime(2026, 10, 31, 16, 30, tzinfo=UTC)


def test_a_store_code_means_the_store_it_meant_on_that_business_day() -> None:
    assert [row["store_id"] for row in ROWS] == ["shibuya", "shibuya", "ginza", "ginza"]


def test_tax_is_taken_out_and_rounded_down_by_its_size() -> None:
    sale, discount, returned, _ = ROWS
    assert (sale["gross_amount"], sale["net_amount"], sale["tax_amount"]) == (216, 200, 16)
    assert (discount["gross_amount"], discount["tax_amount"]) == (-16, -1)
    assert (returned["gross_amount"], returned["net_amount"]) == (-1100, -1000)
    assert sale["tax_rate"] == Decimal("0.08")


def test_quantities_of_returns_are_turned() -> None:
    assert [row["quantity"] for row in ROWS] == [2, 0, -1, 1]
    assert ROWS[2]["original_receipt_id"] == "20261031-2-0003"


def test_receipt_and_register_keep_their_zeros() -> None:
    assert (ROWS[0]["receipt_id"], ROWS[0]["register_id"], ROWS[0]["sku"]) == (
        "0007", "2", "4901001",
    )  # fmt: skip
    assert ROWS[0]["document_key"] == "0001|2026-10-31|2|0007"


def test_people_become_pseudonyms() -> None:
    assert ROWS[0]["customer_key"].startswith("c_")
    assert ROWS[0]["staff_key"] == ROWS[2]["staff_key"] != ROWS[0]["customer_key"]
    assert ROWS[2]["customer_key"] is None


def test_a_voided_receipt_stays_void_in_any_order() -> None:
    """A receipt of which one line alone is void is corrected by what comes later."""
    sold = posa(POSA_LINES[0], POSA_LINES[1])
    void = posa(*(one.replace(",0007,1,1,", ",0007,1,9,").replace(",0007,2,3,", ",0007,2,9,")
                  for one in POSA_LINES[:2]))  # fmt: skip
    part = posa(POSA_LINES[0].replace(",0007,1,1,", ",0007,1,9,"), POSA_LINES[1])
    for bodies, kinds in (
        ([sold, void], ["void", "void"]), ([void, sold], ["void", "void"]),
        ([void, sold, void, sold], ["void", "void"]), ([part, sold], ["sale", "discount"]),
    ):  # fmt: skip
        arrivals = (context(RECEIVED_AT + timedelta(minutes=n)) for n in range(len(bodies)))
        found = [PosA().normalize(*one) for one in zip(bodies, arrivals, strict=True)]
        lines = sorted(current(found).values(), key=lambda row: row["line_number"])
        assert [row["kind"] for row in lines] == kinds


@pytest.mark.parametrize(
    ("line", "reason", "field"),
    [
        (POSA_LINES[0].replace(",216,8,", ",216,,"), Reason.MISSING_FIELD, "税率(%)"),
        (POSA_LINES[0].replace("0001", "9999", 1), Reason.UNKNOWN_STORE, "店舗コード"),
        (POSA_LINES[0].replace("2026/10/31", "2026/11/31"), Reason.BAD_TIME, "営業日"),
        (POSA_LINES[0].replace("25:30:00", "25:61:00"), Reason.BAD_TIME, "時刻"),
        (POSA_LINES[0].replace("2026/10/31", "2026/12/31"), Reason.FUTURE_DATE, "時刻"),
        (POSA_LINES[0].replace(",108,", ",-108,"), Reason.NEGATIVE_PRICE, "単価"),
        (POSA_LINES[0].replace(",216,", ",二百,"), Reason.BAD_NUMBER, "金額(税込)"),
        (POSA_LINES[0].replace(",216,", ",,"), Reason.MISSING_FIELD, "金額(税込)"),
        (POSA_LINES[0].replace(",0007,", ",,"), Reason.MISSING_FIELD, "レシート番号"),
        # a return with a minus of its own, which the kind would turn into a sale
        (POSA_LINES[2].replace(",1,1100,1100,", ",-1,1100,-1100,"), Reason.POSITIVE_RETURN, "数量"),
        (POSA_LINES[2].replace(",1100,1100,", ",1100,-1100,"), Reason.POSITIVE_RETURN,
         "金額(税込)"),
        (POSA_LINES[0].replace(",0007,1,1,", ",0007,1,5,"), Reason.BAD_VALUE, "取引区分"),
        (POSA_LINES[0].replace(",0007,1,1,", ",0007,1,1,余分,"), Reason.BAD_COLUMNS, ""),
    ],
)  # fmt: skip
def test_a_bad_line_is_rejected_and_its_neighbours_land(
    line: str, reason: Reason, field: str
) -> None:
    result = PosA().normalize(posa(line, POSA_LINES[2]), context())
    assert [(r.position, r.reason, r.field) for r in result.rejected] == [("1", reason, field)]
    assert result.accepted == 1
    assert result.events["rejection"].num_rows == 1


def test_a_mended_line_does_not_change_the_ids_of_its_neighbours() -> None:
    bad = posa(POSA_LINES[0].replace(",216,", ",x,"), POSA_LINES[1])
    first = PosA().normalize(bad, context()).events["sale_line"]
    mended = PosA().normalize(POSA, context()).events["sale_line"]
    assert first["event_id"].to_pylist() == mended["event_id"].to_pylist()[1:2]


def test_utf8_is_refused_with_its_line() -> None:
    with pytest.raises(PayloadError, match="cp932") as caught:
        PosA().normalize(POSA.decode("cp932").encode("utf-8"), context())
    assert "line 1" in caught.value.where


def test_a_missing_column_is_named() -> None:
    with pytest.raises(PayloadError, match="取引区分"):
        PosA().normalize(
            POSA.decode("cp932").replace("取引区分", "区分").encode("cp932"), context()
        )


def test_a_file_cut_inside_quotes_is_refused() -> None:
    with pytest.raises(PayloadError, match="quoted"):
        PosA().normalize(POSA[: POSA.index("鮭".encode("cp932"))], context())


STORES = "店舗コード,店舗名,店舗ID,適用開始日,適用終了日\r\n"


def test_the_store_file_gives_codes_with_their_dates() -> None:
    body = STORES + "0002,渋谷,shibuya,2026/11/01,\r\n0003,大阪,osaka,2026/11/01,\r\n"
    found = read_store_file(body.encode("cp932"), MASTERS)
    assert [(code.code, code.store_id, str(code.valid_from)) for code in found.codes] == [
        ("0002", "shibuya", "2026-11-01")
    ]
    assert [r.reason for r in found.rejected] == [Reason.UNKNOWN_STORE]
    assert "'osaka'" in found.rejected[0].message


@pytest.mark.parametrize("character", ["\x01", "\x1f", "\x7f"])
def test_control_characters_reject_their_own_row_only(character: str) -> None:
    spoilt = POSA_LINES[2].replace("4901002", f"49{character}01")
    result = PosA().normalize(posa(POSA_LINES[3], spoilt, POSA_LINES[2]), context())
    assert [(r.row, r.reason.value, r.field) for r in result.rejected] == [
        (1, "bad_value", FIELDS["sku"])
    ]
    assert result.accepted == 2


def test_a_bad_number_rejects_every_row_that_has_it_and_no_other() -> None:
    spoilt = POSA_LINES[2].replace(",1100,1100,", ",1100,11e2,")
    lines = [POSA_LINES[2], spoilt, POSA_LINES[3], spoilt]
    result = PosA().normalize(posa(*lines), context())
    assert [(r.row, r.reason.value) for r in result.rejected] == [
        (1, "bad_number"),
        (3, "bad_number"),
    ]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 10**9), st.sampled_from([8, 10]), st.sampled_from([1, -1])),
        min_size=1,
        max_size=20,
    )
)
def test_net_and_tax_add_up_to_gross_and_a_return_mirrors_its_sale(
    sold: list[tuple[int, int, int]],
) -> None:
    body = posa(*(
        f"0001,2026/11/01,10:00:00,1,1,{number},{1 if sign > 0 else 2},,,,1,{amount},{amount},"
        f"{rate},,,"
        for number, (amount, rate, sign) in enumerate(sold)
    ))  # fmt: skip
    rows = PosA().normalize(body, context()).events["sale_line"].to_pylist()
    for (amount, rate, sign), row in zip(sold, rows, strict=True):
        assert row["net_amount"] + row["tax_amount"] == row["gross_amount"] == sign * amount
        assert row["tax_amount"] == sign * (amount * rate // (100 + rate))
        assert isinstance(row["net_amount"], Decimal)
