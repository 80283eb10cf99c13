"""Everything a spec can say about a file; the expected figures are computed by hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest

from gateways.conformance.versions import current
from gateways.declarative.adapter import DeclarativeAdapter
from gateways.declarative.load import parse_spec
from gateways.normalize.normalized import Normalized
from tenpo.errors import ConfigError
from tests.gateways.payloads import RECEIVED_AT, context

SPEC = """
name: wide
event: sale_line
store: {constant: shibuya}
time: {columns: [at], formats: ["%Y-%m-%d %H:%M"]}
document: [receipt]
columns: {receipt_id: receipt, quantity: qty, amount: total}
"""
HEAD = "receipt,at,qty,total,mark,ref"
DAY = "2026-11-01 10:05"


def read(body: str | bytes, more: str = "", spec: str = SPEC) -> Normalized:
    data = body.encode() if isinstance(body, str) else body
    return DeclarativeAdapter.of((spec + more).encode(), "wide").normalize(data, context())


def rows(body: str | bytes, more: str = "", spec: str = SPEC) -> list[dict[str, Any]]:
    result = read(body, more, spec)
    assert result.rejected == []
    found: list[dict[str, Any]] = result.events["sale_line"].to_pylist()
    assert found
    return found


def lines(*told: str) -> str:
    return "\n".join([HEAD, *told]) + "\n"


def gross(text: str, numbers: str) -> Decimal | str:
    result = read(
        lines(f'1,{DAY},1,"{text}",,'), f"numbers: {numbers}\ntax: {{mode: none}}\nkinds: "
        '[{kind: return, when: {total: {below: 0}}}]\nnegate: [{columns: [quantity], when: '
        "{total: {below: 0}}}]\n",
    )  # fmt: skip
    if result.rejected:
        return result.rejected[0].reason.value
    found: Decimal = result.events["sale_line"]["gross_amount"].to_pylist()[0]
    return found


@pytest.mark.parametrize(
    ("text", "numbers", "expected"),
    [
        ("1.234.567,50", '{thousands: ".", decimal: ","}', Decimal("1234567.50")),
        ("1234,5", '{thousands: ".", decimal: ","}', Decimal("1234.5")),
        ("1.50", '{thousands: ".", decimal: ","}', "bad_number"),
        ("1,20", '{thousands: ","}', "bad_number"),
        ("12,34,567", '{thousands: ","}', Decimal(1234567)),
        ("1 234.5", "{thousands: space}", Decimal("1234.5")),
        ("1.50", '{decimal: ","}', "bad_number"),
        ("¥1,200", '{thousands: ",", symbols: [¥]}', Decimal(1200)),
        ("￥1,200", '{thousands: ",", symbols: [¥]}', Decimal(1200)),
        ("¥1,200", '{thousands: ",", symbols: [￥]}', Decimal(1200)),
        ("\\1,200", '{thousands: ",", symbols: [¥]}', Decimal(1200)),  # of Shift_JIS
        ("5＄", "{symbols: [$]}", Decimal(5)),  # noqa: RUF001 - as registers write it
        ("JPY 5", "{symbols: [ＪＰＹ]}", Decimal(5)),  # noqa: RUF001 - as people write it
        ("\\5", "{symbols: [$]}", "bad_number"),
        ("1.200,00 €", '{thousands: ".", decimal: ",", symbols: [€]}', Decimal(1200)),
        ("$5", "{symbols: [€]}", "bad_number"),
        ("(1,200)", '{thousands: ",", negatives: [parentheses]}', Decimal(-1200)),
        ("¥(300)", "{symbols: [¥], negatives: [parentheses]}", Decimal(-300)),
        ("500-", "{negatives: [trailing_minus]}", Decimal(-500)),
        ("▲500", "{negatives: [triangle]}", Decimal(-500)),
        ("(-5)", "{negatives: [parentheses]}", "bad_number"),
        ("500-", "{negatives: [parentheses]}", "bad_number"),
        ("", '{thousands: ","}', "missing_field"),
    ],
)
def test_numbers_as_people_write_them(text: str, numbers: str, expected: object) -> None:
    if text == "":
        numbers += "\ncurrency: JPY"
        more = read(lines(f"1,{DAY},,5,,"), f"numbers: {numbers}\n").rejected
        assert [one.reason.value for one in more] == [expected]
        return
    assert gross(text, numbers) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
@pytest.mark.parametrize("symbol", ["¥", "￥"])
def test_the_sign_of_the_yen_however_it_is_written(symbol: str, encoding: str) -> None:
    written = ["￥１，２００", "￥1,200", "\\1,200"] + (["¥1,200"] if encoding == "utf-8" else [])  # noqa: RUF001
    body = lines(*(f'{n},{DAY},1,"{text}",,' for n, text in enumerate(written))).encode(encoding)
    more = (f"file: {{encoding: {encoding}}}\nnfkc: [total]\ntax: {{mode: none}}\n"
            f"numbers: {{thousands: ',', symbols: ['{symbol}']}}\n")  # fmt: skip
    assert [row["gross_amount"] for row in rows(body, more)] == [1200] * len(written)


def test_full_width_digits_where_asked() -> None:
    body = lines(f"１,{DAY},２,１２００,,")  # noqa: RUF001 - as registers write them
    (row,) = rows(body, "nfkc: [qty, total]\ntax: {mode: none}\n")
    assert (row["quantity"], row["gross_amount"], row["receipt_id"]) == (2, 1200, "１")  # noqa: RUF001
    assert read(body).rejected[0].reason.value == "bad_number"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "cp932", "euc_jp"])
def test_encodings_leading_lines_tabs_and_totals(encoding: str) -> None:
    body = (
        f'売上一覧\n"期間 ""11月"""\nreceipt\tat\tqty\ttotal\n1\t{DAY}\t1\t"1\t2"\n'
        f"2\t{DAY}\t1\t70\n小計\t\t2\t82\n合計\t82\n\n"
    ).encode(encoding)
    form = f"file: {{encoding: {encoding}, delimiter: tab, skip_lines: 2, totals: [小計, 合計]}}\n"
    result = read(body, form + "tax: {mode: none}\nnumbers: {thousands: tab}\n")
    assert [(one.position, one.reason.value) for one in result.rejected] == [("1", "bad_number")]
    assert (result.received, result.accepted, result.ignored) == (2, 1, 3)


def test_a_skip_rule_leaves_rows_out_and_counts_them() -> None:
    body = lines(f"1,{DAY},1,5,,", f"TOTAL,{DAY},1,5,T,", f"2,{DAY},x,5,,")
    result = read(body, "skip: [{when: {mark: {one_of: [T]}}}]\n")
    assert (result.received, result.accepted, result.ignored) == (2, 1, 1)
    assert result.rejected[0].position == "3"


def test_without_header() -> None:
    form = "file: {header: false, names: [receipt, at, qty, total], totals: [SUM]}\n"
    result = read(f"1,{DAY},1,5\nSUM,1\n", form)
    assert (result.accepted, result.ignored) == (1, 1)


def test_a_header_alone_is_no_record() -> None:
    result = read(HEAD + "\n")
    assert (result.received, result.rejected) == (0, [])


NDJSON = SPEC.replace("receipt_id: receipt", "receipt_id: receipt, customer: who.id") + (
    "file: {format: ndjson}\ntax: {mode: none}\n"
)


def test_ndjson_keeps_numbers_exact_and_sets_bad_lines_aside() -> None:
    good = b'{"receipt": 1, "at": "%s", "qty": 1, "total": 0.1, "who": {"id": "Ann"}}' % (
        DAY.encode()
    )
    bad = [b"{", b"[1]", b'{"receipt": NaN}', b'{"receipt": "\\ud800"}', b"[" * 9_000]
    result = read(b"\n".join([good, *bad, b"", good]) + b"\n", spec=NDJSON)
    assert [(one.position, one.reason.value) for one in result.rejected] == [
        (str(place), "bad_json") for place in range(2, 7)
    ]
    assert (result.received, result.accepted, result.ignored) == (7, 2, 1)
    found = result.events["sale_line"].to_pylist()
    assert {row["gross_amount"] for row in found} == {Decimal("0.1")}
    assert b"Ann" not in orjson.dumps(found, default=str)
    assert found[0]["customer_key"]


@pytest.mark.parametrize(
    ("text", "formats", "utc"),
    [
        ("20261031 253000", '"%Y%m%d %H%M%S"', "2026-10-31T16:30"),
        ("2026/10/31 25:30", '"%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M"', "2026-10-31T16:30"),
        ("31.10.2026 09:00", '"%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M"', "2026-10-31T00:00"),
        ("2026年10月31日 9:05", '"%Y年%m月%d日 %H:%M"', "2026-10-31T00:05"),
        ("20261031253000", '"%Y%m%d%H%M%S"', "2026-10-31T16:30"),
        ("2026/10/31 25時30分", '"%Y/%m/%d %H時%M分"', "2026-10-31T16:30"),
        ("2026-10-31T25:30", '"%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"', "2026-10-31T16:30"),
        ("25:30 on 30 October 2026", '"%H:%M on %d %B %Y"', "2026-10-30T16:30"),
        ("20261031003000", '"%Y%m%d%H%M%S"', "2026-10-30T15:30"),
    ],
)
def test_several_date_formats_and_the_30_hour_clock(text: str, formats: str, utc: str) -> None:
    spec = SPEC.replace('"%Y-%m-%d %H:%M"', formats)
    (row,) = rows(lines(f"1,{text},1,5,,"), spec=spec)
    assert row["occurred_at"].isoformat().startswith(utc)


CANCEL = "cancel: {document: [ref], when: {ref: {filled: true}}}\ntax: {mode: none}\n"


def test_a_cancellation_voids_the_receipt_before_it_in_the_file() -> None:
    found = rows(lines(f"1,{DAY},1,5,,", f"1,{DAY},1,6,,", f"2,{DAY},1,7,,", f"3,{DAY},1,5,,1"),
                 CANCEL)  # fmt: skip
    assert [(row["receipt_id"], row["kind"]) for row in found] == [
        ("1", "void"), ("1", "void"), ("2", "sale"), ("1", "void"),
    ]  # fmt: skip
    assert len({row["event_id"] for row in found}) == 4


def test_a_cancellation_in_a_later_file_is_a_newer_version_of_the_receipt() -> None:
    first = rows(lines(f"1,{DAY},1,5,,"), CANCEL)
    second = rows(lines(f"3,{DAY},1,5,,1"), CANCEL)
    assert second[0]["document_key"] == first[0]["document_key"]
    assert second[0]["kind"] == "void"


def test_a_flag_voids_and_a_return_turns_signs() -> None:
    more = (
        "tax: {mode: none}\nkinds: [{kind: void, when: {mark: {one_of: [X]}}}, {kind: return, "
        "when: {mark: {one_of: [R]}}}]\nnegate: [{columns: [quantity, amount], when: {mark: "
        "{one_of: [R]}}}]\n"
    )
    found = rows(lines(f"1,{DAY},1,5,X,", f"2,{DAY},2,8,R,"), more)
    assert [(r["kind"], r["quantity"], r["gross_amount"]) for r in found] == [
        ("void", 1, 5), ("return", -2, -8),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["20261031483000", "20261032253000", "99991231253000", "9999-12-31 25:30"]
)
def test_no_time_of_the_30_hour_clock_either(text: str) -> None:
    spec = SPEC if "-" in text else SPEC.replace("%Y-%m-%d %H:%M", "%Y%m%d%H%M%S")
    assert [one.reason.value for one in read(lines(f"1,{text},1,5,,"), spec=spec).rejected] == [
        "bad_time"
    ]


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M", "%Y-%m-%d %H.%M"])
def test_a_stores_code_is_that_of_the_day_as_written(form: str) -> None:
    spec = SPEC.replace("name: wide", "name: posa").replace("constant: shibuya", "column: mark")
    late = form.replace("%Y-%m-%d", "2026-10-31").replace("%H", "25").replace("%M", "30")
    (row,) = rows(lines(f"1,{late},1,5,0001,"), spec=spec.replace("%Y-%m-%d %H:%M", form))
    assert row["store_id"] == "shibuya"  # the code is Ginza's from 1 November on
    assert row["occurred_at"].isoformat().startswith("2026-10-31T16:30")


def test_a_stores_code_counts_on_its_days() -> None:
    spec = SPEC.replace("name: wide", "name: posa").replace("constant: shibuya", "column: mark")
    body = lines("1,2026-10-31 23:00,1,5,0001,", "2,2026-11-01 00:00,1,5,0001,")
    assert [row["store_id"] for row in rows(body, spec=spec)] == ["shibuya", "ginza"]


@pytest.mark.parametrize(
    ("more", "where", "what"),
    [
        ("negatte: []\n", "line 8, key negatte", "did you mean negate"),
        ("numbers: {decimals: x}\n", "line 8, key numbers.decimals", "did you mean decimal"),
        ("numbers: {thousands: '.'}\n", "line 8, key numbers", "same mark"),
        ('kinds: [{kind: void, when: {mark: {matches: "(?=a)"}}}]\n', "matches", "RE2"),
        ("cancel: {document: [a, b], when: {ref: {filled: true}}}\n", "cancel.document", "1 col"),
        ("file: {format: ndjson, delimiter: tab}\n", "line 8, key file", "ndjson has"),
        ("thousands: ','\nnumbers: {decimal: '.', symbols: [x]}\n", "thousands", "beside"),
    ],
)
def test_what_a_wrong_spec_is_told(more: str, where: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what) as caught:
        parse_spec((SPEC + more).encode(), "wide.yaml")
    assert where in f"{caught.value.where} {caught.value.what}"


def test_no_pattern_can_stall_the_reader() -> None:
    """A backtracking engine would need 2 to the 40th steps here."""
    more = 'kinds: [{kind: void, when: {mark: {matches: "^(a|a)*$"}}}]\ntax: {mode: none}\n'
    (row,) = rows(lines(f"1,{DAY},1,5,{'a' * 200}b,"), more)
    assert row["kind"] == "sale"


@pytest.mark.parametrize(
    ("more", "where", "what"),
    [
        ('file: {delimiter: "、"}\n', "key file.delimiter", "one ASCII"),
        ('file: {quote: "’"}\n', "key file.quote", "one ASCII"),  # noqa: RUF001 - the fault
        ('file: {delimiter: "\\n"}\n', "key file.delimiter", "ends no line"),
        ("file: {delimiter: ';', quote: ';'}\n", "key file.quote", "same mark"),
        ("file: {header: false, names: [receipt, at, qty, total, at]}\n", "file.names", "at comes"),
        ("numbers: {thousands: '1'}\n", "line 8, key numbers.thousands", "digit"),
        ("numbers: {decimal: '-'}\n", "key numbers.decimal", "sign"),
        ("numbers: {symbols: [¥, '0']}\n", "key numbers.symbols.1", "another number"),
        ("numbers: {symbols: ['－']}\n", "key numbers.symbols.0", "another number"),  # noqa: RUF001
        ("numbers: {symbols: ['.']}\n", "key numbers.symbols.0", "another number"),
        ("numbers: {symbols: [千円]}\n", "key numbers.symbols.0", "another number"),
        ("thousands: '1'\n", "line 8, key thousands", "digit"),
        ("thousands: '.'\n", "line 8, key thousands", "same mark"),
        ("constants: {version: abc}\n", "line 8, key constants.version", "no number"),
        ("constants: {unit_price: '1,5'}\n", "key constants.unit_price", "no number"),
        ("currency: ZZZ\n", "line 8, key currency", "ISO 4217 has no ZZZ"),
    ],
)
def test_what_would_break_or_change_data_later_is_refused_at_once(
    more: str, where: str, what: str
) -> None:
    with pytest.raises(ConfigError, match=what) as caught:
        parse_spec((SPEC.strip() + "\n" + more).encode(), "wide.yaml")
    assert where.replace("line 8", "line 7") in f"{caught.value.where} {caught.value.what}"


def test_marks_that_leave_numbers_alone_are_taken() -> None:
    assert gross("Fr. 1'200.50", '{thousands: "\'", symbols: [Fr.]}') == Decimal("1200.50")
    assert gross("1\u00a0200,50", '{thousands: "\u00a0", decimal: ","}') == Decimal("1200.50")


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("%Y-%d %d", "read back"),
        ("%Q-%d", "read back"),
        ("%d", "tells no date"),
        ("%Y-%d", "tells no date"),
        ("%m-%d %H:%M", "tells no date"),
        ("%Y-%m-%d %I:%M", "tells no clock"),
        ("%Y-%m-%d %M", "tells no clock"),
        ("%Y-%m-%d %", "read back"),
    ],
)
def test_a_format_is_tried_before_any_file_comes(pattern: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what) as caught:
        parse_spec(SPEC.replace("%Y-%m-%d %H:%M", pattern).encode(), "wide.yaml")
    assert "line 5, key time.formats" in caught.value.where


@pytest.mark.parametrize(
    "pattern",
    ["%Y-%m-%d", "%d/%m/%y %I:%M %p", "%Y%j%H", "%G-W%V-%u %H:%M", "%d %B %Y %H:%M:%S.%f"],
)
def test_formats_that_tell_a_day_are_taken(pattern: str) -> None:
    text = SPEC.replace("%Y-%m-%d %H:%M", pattern).replace("%G-W%V-%u", "%Y-%m-%d")
    assert parse_spec(text.encode(), "wide.yaml").time.formats


def test_sales_need_a_price() -> None:
    with pytest.raises(ConfigError, match="needs unit_price or amount"):
        parse_spec(SPEC.replace(", amount: total", "").encode(), "wide.yaml")


def delivered(*bodies: str) -> set[str]:
    """The kinds that are left of deliveries, one after the other."""
    adapter = DeclarativeAdapter.of((SPEC + CANCEL).encode(), "wide")
    arrivals = (context(RECEIVED_AT + timedelta(minutes=n)) for n in range(len(bodies)))
    found = [adapter.normalize(b.encode(), c) for b, c in zip(bodies, arrivals, strict=True)]
    assert not any(one.rejected for one in found)
    return {row["kind"] for row in current(found).values()}


def test_a_cancellation_is_final_in_any_order_and_repeated() -> None:
    sale, cancelled = lines(f"1,{DAY},1,5,,"), lines(f"3,{DAY},1,,,1")
    whole = lines(f"1,{DAY},1,5,,", f"3,{DAY},1,5,,1")
    assert delivered(sale) == {"sale"}
    for bodies in ([sale, cancelled], [cancelled, sale], [sale, cancelled, sale], [whole, sale],
                   [cancelled, sale, cancelled], [sale, whole, sale, sale]):  # fmt: skip
        assert delivered(*bodies) == {"void"}


def test_a_mapped_version_does_not_outrank_a_cancellation() -> None:
    spec = SPEC.replace("amount: total", "amount: total, version: mark") + CANCEL
    found = [read(lines(one), spec=spec) for one in (f"3,{DAY},1,5,1,1", f"1,{DAY},1,5,999999999,")]
    assert {row["kind"] for row in current(found).values()} == {"void"}


RETURNS = "kinds: [{kind: return, when: {mark: {one_of: [R]}}}]\n"


@pytest.mark.parametrize(
    ("line", "more", "reason", "field"),
    [
        ("1,,", "", "missing_field", "total"),
        ("1,10,R", RETURNS, "positive_return", "qty"),
        ("-1,10,R", RETURNS, "positive_return", "total"),
        ("1,10,Z", 'tax: {mode: excluded, rates: [{rate: "0.1", when: {mark: {one_of: [A]}}}]}\n',
         "bad_value", "mark"),
        ("1,10,", "columns: {receipt_id: receipt, quantity: qty, amount: total, tax_rate: mark}\n"
         "tax: {mode: excluded}\n", "missing_field", "mark"),
    ],
)  # fmt: skip
def test_a_line_without_amount_or_with_the_wrong_sign_is_rejected(
    line: str, more: str, reason: str, field: str
) -> None:
    spec = SPEC if "columns: {" not in more else SPEC[: SPEC.index("columns: {r")]
    result = read(lines(f"1,{DAY},{line},"), "tax: {mode: none}\n" * ("tax:" not in more) + more,
                  spec)  # fmt: skip
    assert [(one.reason.value, one.field) for one in result.rejected] == [(reason, field)]


def test_lines_whose_amount_is_told_are_taken() -> None:
    more = 'tax: {mode: excluded, rates: [{rate: "0.1", when: {mark: {one_of: [A, R]}}}]}\n'
    found = rows(lines(f"1,{DAY},1,10,A,", f"2,{DAY},-1,-10,R,"), more + RETURNS)
    assert [row["gross_amount"] for row in found] == [11, -11]
    by_price = SPEC.replace("amount: total", "unit_price: total")
    assert read(lines(f"1,{DAY},1,,,"), spec=by_price).rejected[0].field == "total"
