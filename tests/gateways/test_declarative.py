"""Declarative specs: what they can say, how they complain, what they make of rows."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gateways.declarative.adapter import DeclarativeAdapter
from gateways.declarative.load import parse_spec
from tenpo.errors import ConfigError, PayloadError
from tests.gateways.payloads import (
    COUNTS_CSV,
    COUNTS_SPEC,
    SALES_CSV,
    SALES_SPEC,
    context,
)

SALES = DeclarativeAdapter.of(SALES_SPEC, "till")
COUNTS = DeclarativeAdapter.of(COUNTS_SPEC, "door")


def sales(body: bytes, spec: bytes = SALES_SPEC) -> list[dict[str, object]]:
    adapter = DeclarativeAdapter.of(spec, "till")
    rows: list[dict[str, object]] = (
        adapter.normalize(body, context()).events["sale_line"].to_pylist()
    )
    return rows


def test_rows_become_lines_numbered_within_their_receipt() -> None:
    rows = sales(SALES_CSV)
    assert [(r["receipt_id"], r["line_number"]) for r in rows] == [("1", 1), ("1", 2), ("2", 1)]
    assert rows[0]["sku"] == "Käse"
    assert rows[0]["currency"] == "GBP"
    assert rows[0]["occurred_at"] == datetime(2026, 11, 1, 9, 30, tzinfo=UTC)


def test_equal_lines_of_a_receipt_stay_two() -> None:
    rows = sales(SALES_CSV)
    assert rows[0]["event_id"] != rows[1]["event_id"]


def test_signs_kinds_and_included_tax() -> None:
    rows = sales(SALES_CSV)
    assert [r["kind"] for r in rows] == ["sale", "sale", "return"]
    assert [r["quantity"] for r in rows] == [2, 2, -1]
    assert [r["gross_amount"] for r in rows] == [Decimal("2401.00"), Decimal("2401.00"), -12]
    assert [r["tax_amount"] for r in rows] == [Decimal("400.16"), Decimal("400.16"), -2]


@pytest.mark.parametrize(
    ("mode", "gross", "net", "tax"),
    [
        ("{mode: none}", 12, 12, 0),
        ("{mode: unknown}", None, None, None),
        ("{mode: excluded}", None, 12, None),
        ('{mode: excluded, rate: "0.1"}', Decimal("13.2"), 12, Decimal("1.2")),
    ],
)
def test_tax_modes(mode: str, gross: object, net: object, tax: object) -> None:
    spec = SALES_SPEC.replace(b'{mode: included, rate: "0.20"}', mode.encode())
    body = SALES_CSV.replace(b"2;R;", b"2;S;")
    row = sales(body, spec)[2]
    assert (row["gross_amount"], row["net_amount"], row["tax_amount"]) == (gross, net, tax)


def test_a_line_key_of_content_counts_repeats() -> None:
    spec = SALES_SPEC + b"line: [Article]\n"
    forth = sales(SALES_CSV, spec)
    assert len({row["event_id"] for row in forth}) == 3


@pytest.mark.parametrize(
    ("old", "new", "reason", "field"),
    [
        ("2;1,200.50;Mr", "two;1,200.50;Mr", "bad_number", "Pieces"),
        (";2;1,200.50;Mr", ";;1,200.50;Mr", "missing_field", "Pieces"),
        ("01/11/2026;09:30", "32/11/2026;09:30", "bad_time", "Day Clock"),
        ("01/11/2026;09:30", "01/11/2026;", "bad_time", "Day Clock"),
        ("01/11/2026;09:30", ";", "missing_field", "Day Clock"),
        ("01/11/2026;09:30", "09/11/2026;09:30", "future_date", "Day Clock"),
        ("London Soho;", "Atlantis;", "unknown_store", "Shop"),
        (";1,200.50;Mr", ";-1;Mr", "negative_price", "Price"),
        (";Mr Smith", "", "bad_columns", ""),
    ],
)
def test_a_bad_row_is_rejected_alone(old: str, new: str, reason: str, field: str) -> None:
    body = SALES_CSV.decode("cp1252").replace(old, new, 1).encode("cp1252")
    result = SALES.normalize(body, context())
    assert [(r.position, r.reason.value, r.field) for r in result.rejected] == [
        ("1", reason, field)
    ]
    assert result.accepted == 2


def test_directions_in_rows_of_their_own_both_survive() -> None:
    result = COUNTS.normalize(COUNTS_CSV, context())
    rows = result.events["count_interval"].to_pylist()
    assert [(r["in_count"], r["out_count"]) for r in rows] == [(None, 3), (4, None)]
    assert len({r["document_key"] for r in rows}) == 2
    assert result.ignored == 1  # the blank line


def test_the_hour_that_comes_twice_keeps_both_its_counts() -> None:
    body = b"".join(b"9,10/25/26,01:%02d:00,%d\n" % (m, n) for n in (1, 2) for m in (0, 30))
    rows = COUNTS.normalize(body, context()).events["count_interval"].to_pylist()
    hours = [(r["occurred_at"].hour, r["occurred_at"].minute, r["in_count"]) for r in rows]
    assert hours == [(0, 0, 1), (0, 30, 1), (1, 0, 2), (1, 30, 2)]
    lengths = {(r["interval_end_at"] - r["occurred_at"]).total_seconds() for r in rows}
    assert lengths == {1800}
    assert len({r["document_key"] for r in rows}) == 4


def test_a_time_the_clock_skips_is_read_as_if_it_had_not_been_changed() -> None:
    row = COUNTS.normalize(b"9,03/29/26,01:30:00,1\n", context()).events["count_interval"]
    assert row["occurred_at"].to_pylist() == [datetime(2026, 3, 29, 1, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("encoding: cp1252", "encoding: klingon", "line 4, key file.encoding", "klingon"),
        (
            "quantity: Pieces",
            "quantitty: Pieces",
            "line 9, key columns.quantitty",
            "did you mean quantity",
        ),
        ("kind: void", "kind: voided", "line 12, key kinds.0.kind", "void"),
        ("rate: ", "rte: ", "line 10, key tax.rte", "did you mean rate"),
        ("{one_of: [V]}", '{matches: "("}', "line 12, key kinds.0.when.Type.matches", "regular"),
        ("%d/%m/%Y %H:%M", "%H:%M", "line 7, key time.formats", "day"),
        ("document: [Shop, Ticket]", "", "till.yaml, line 2", "document"),
        ("name: till", "name: Till 1", "key name", "spec name"),
        ("name: till", "name: till\nname: till", "line 3", "twice"),
        ("name: till", "name: [till", "line 3", "no YAML"),
    ],
)
def test_a_wrong_spec_is_refused_with_line_and_key(
    old: str, new: str, where: str, what: str
) -> None:
    text = SALES_SPEC.decode().replace(old, new)
    with pytest.raises(ConfigError, match=what) as caught:
        parse_spec(text.encode(), "till.yaml")
    assert where in f"{caught.value.where} {caught.value.what}"


def test_a_column_that_no_name_has_is_refused_when_loaded() -> None:
    with pytest.raises(ConfigError, match="clock"):
        parse_spec(COUNTS_SPEC.replace(b"date, clock, n]}", b"date, n]}"), "door.yaml")


def test_another_delimiter_lacks_all_columns() -> None:
    with pytest.raises(PayloadError, match="lacks the columns"):
        SALES.normalize(SALES_CSV.replace(b";", b"\t"), context())


def test_the_version_follows_the_bytes_of_the_spec() -> None:
    other = DeclarativeAdapter.of(SALES_SPEC + b"# a remark\n", "till")
    assert other.version != SALES.version == DeclarativeAdapter.of(SALES_SPEC, "till").version


AMOUNT_SPEC = b"""
name: till
event: sale_line
store: {constant: soho}
time: {columns: [at], formats: ["%Y-%m-%d %H:%M"]}
document: [receipt]
columns: {receipt_id: receipt, quantity: qty, amount: total, tax_rate: vat}
tax: {mode: included, rate_is_percent: true}
"""


@pytest.mark.parametrize(
    ("line", "reason", "field"),
    [
        ("2,2026-11-01 10:05,1,5.00,-100", "bad_value", "vat"),
        ("2,2026-11-01 10:05,1,5.00,1000", "bad_value", "vat"),
        ("2,2026-11-01 10:05,1,-5.00,20", "negative_price", "total"),
    ],
)
def test_a_bad_line_leaves_its_good_neighbour(line: str, reason: str, field: str) -> None:
    body = f"receipt,at,qty,total,vat\n1,2026-11-01 10:05,1,12.00,20\n{line}\n".encode()
    spec = AMOUNT_SPEC.replace(b"soho", next(iter(context().masters.stores)).encode())
    result = DeclarativeAdapter.of(spec, "till").normalize(body, context())
    assert [(r.reason.value, r.field) for r in result.rejected] == [(reason, field)]
    assert result.events["sale_line"]["receipt_id"].to_pylist() == ["1"]


@pytest.mark.parametrize("unit", ["[", "{a: ", "- ", "? ", "[\n"])
def test_what_nests_too_deeply_is_refused_before_it_is_built(unit: str) -> None:
    """Three thousand brackets took a parser of Python alone 14 s, and its stack."""
    with pytest.raises(ConfigError, match="nests too deeply"):
        parse_spec((unit * 3_000).encode(), "deep")


def test_aliases_are_refused_before_they_grow() -> None:
    bomb = b"a: &a [x, x]\nb: &b [*a, *a]\nname: [*b, *b]\n"
    with pytest.raises(ConfigError, match="aliases"):
        parse_spec(bomb, "bomb")


TOTALS = """name: totals
event: count_reading
time: {columns: [at], formats: ["%Y-%m-%d %H:%M"]}
constants: {device_id: d, line_id: door}
counts: {in: {column: in}, out: {column: out}}
"""


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("in: {column: in}, ", "", "key counts", "count_reading has in"),
        ("out: {", "pass: {", "key counts", "count_reading has in"),
        ("{column: in}", '{column: in, when: {at: {filled: true}}}', "counts.in", "no when"),
        ("event", "interval_s: 60\nevent", "key interval_s", "no length"),
        ("device_id: d, ", "", "totals.yaml", "count_reading needs device_id"),
    ],
)  # fmt: skip
def test_running_totals_stand_whole_in_one_row(old: str, new: str, where: str, what: str) -> None:
    parse_spec(TOTALS.encode(), "totals.yaml")
    with pytest.raises(ConfigError) as told:
        parse_spec(TOTALS.replace(old, new, 1).encode(), "totals.yaml")
    assert where in str(told.value)
    assert what in str(told.value)
