"""What a spec says of tax: rates, rounding, signs; the expected figures are computed by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from gateways.declarative.load import parse_spec
from tenpo.cli.main import app
from tenpo.errors import ConfigError
from tests.gateways.test_spec_width import DAY, SPEC, lines, read, rows

#: The mark stands for the tax that the register states.
TAXED = SPEC.replace("amount: total", "amount: total, tax_amount: mark")


@pytest.mark.parametrize(
    ("rounding", "taxes"), [("floor", [4, -4]), ("half_up", [5, -5]), ("half_even", [4, -4])]
)
def test_tax_rounding_of_the_spec_goes_before_the_stores(rounding: str, taxes: list[int]) -> None:
    more = f'tax: {{mode: excluded, rate: "0.10", rounding: {rounding}}}\n'
    found = rows(lines(f"1,{DAY},1,45,,", f"2,{DAY},-1,-45,,"), more)
    assert [row["tax_amount"] for row in found] == taxes


def test_tax_per_receipt_sums_to_the_receipts_own() -> None:
    """3 times 33 yen at 10 %: 3 yen each is 9; the receipt's 99 yen make 9.9, rounded 10."""
    body = lines(*[f"1,{DAY},1,33,,"] * 3, f"2,{DAY},1,33,,")
    more = 'tax: {mode: excluded, rate: "0.10", rounding: half_up, per: receipt}\n'
    found = rows(body, more)
    assert [row["tax_amount"] for row in found] == [3, 4, 3, 3]
    assert all(row["net_amount"] + row["tax_amount"] == row["gross_amount"] for row in found)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-3_000, 3_000), st.booleans()), min_size=1, max_size=6),
    st.sampled_from(["floor", "half_up", "half_even"]),
)
def test_per_receipt_any_lines_sum_to_the_rounded_total(
    told: list[tuple[int, bool]], rounding: str
) -> None:
    body = lines(*(f"1,{DAY},{-1 if n < 0 else 1},{n},{'軽' if low else ''}," for n, low in told))
    more = (
        f'tax: {{mode: included, rate: "0.10", rounding: {rounding}, per: receipt, '
        'rates: [{rate: "0.08", when: {mark: {one_of: [軽]}}}]}\n'
    )
    found = rows(body, more)
    how = {"floor": "ROUND_DOWN", "half_up": "ROUND_HALF_UP", "half_even": "ROUND_HALF_EVEN"}
    for low, rate in ((True, 8), (False, 10)):
        total = Decimal(sum(n for n, is_low in told if is_low is low))
        expected = (total * rate / (100 + rate)).quantize(Decimal(1), how[rounding])
        mine = [row["tax_amount"] for row, one in zip(found, told, strict=True) if one[1] is low]
        assert sum(mine) == expected


def test_rates_by_mark() -> None:
    more = (
        'tax: {mode: included, rate: "0.10", rates: [{rate: "0.08", when: '
        '{mark: {matches: "^[*軽]"}}}]}\n'
    )
    found = rows(lines(f"1,{DAY},1,108,*,", f"1,{DAY},1,108,軽減,", f"1,{DAY},1,110,,"), more)
    assert [row["tax_amount"] for row in found] == [8, 8, 10]
    assert [row["tax_rate"] for row in found] == [Decimal("0.08"), Decimal("0.08"), Decimal("0.1")]


def test_what_was_paid_is_no_part_of_the_receipts_tax() -> None:
    """215 yen hold 19.5 of tax, rounded down 19; the payment comes before the goods."""
    more = (
        'tax: {mode: included, rate: "0.10", rounding: floor, per: receipt}\n'
        "kinds: [{kind: tender, when: {mark: {one_of: [P]}}}]\n"
    )
    found = rows(lines(f"1,{DAY},1,215,P,", f"1,{DAY},1,108,,", f"1,{DAY},1,107,,"), more)
    assert [(row["kind"], row["tax_amount"]) for row in found[1:]] == [("sale", 9), ("sale", 10)]


@pytest.mark.parametrize("mode", ["included", "excluded"])
def test_a_line_whose_rate_nobody_tells_is_rejected(mode: str) -> None:
    """Its net would be missing from a sum that holds its gross, or the other way round."""
    spec = SPEC.replace("amount: total", "amount: total, tax_rate: ref")
    kinds = "kinds: [{kind: tender, when: {mark: {one_of: [P]}}}]\n"
    body = lines(f"1,{DAY},1,110,,0.1", f"1,{DAY},1,110,,", f"1,{DAY},1,110,P,")
    result = read(body, f"tax: {{mode: {mode}}}\n" + kinds, spec)
    assert [(one.position, one.reason.value, one.field) for one in result.rejected] == [
        ("2", "missing_field", "ref")
    ]
    assert result.accepted == 2


@pytest.mark.parametrize(
    ("line", "reason", "field"),
    [
        ("-1,-100,10,R", "positive_return", "mark"),
        ("1,100,-10,", "wrong_sign", "mark"),
        ("-1,-100,10,", "wrong_sign", "mark"),
        ("-1,100,10,", "wrong_sign", "total"),
        ("1,100,,", "missing_field", "mark"),
    ],
)
@pytest.mark.parametrize("mode", ["included", "excluded"])
def test_a_line_without_tax_or_of_two_signs_is_rejected(
    line: str, reason: str, field: str, mode: str
) -> None:
    more = f"tax: {{mode: {mode}}}\nkinds: [{{kind: return, when: {{ref: {{one_of: [R]}}}}}}]\n"
    result = read(lines(f"1,{DAY},{line}"), more, TAXED)
    assert [(one.reason.value, one.field) for one in result.rejected] == [(reason, field)]


def test_lines_of_one_sign_are_taken() -> None:
    told = ("1,100,10,", "-1,-100,-10,R", "0,-100,-10,D", "1,0,0,", "-1,0,0,R")
    more = (
        "tax: {mode: excluded}\nkinds: [{kind: return, when: {ref: {one_of: [R]}}}, "
        "{kind: discount, when: {ref: {one_of: [D]}}}]\n"
    )
    found = rows(lines(*(f"1,{DAY},{one}" for one in told)), more, TAXED)
    assert [row["gross_amount"] for row in found] == [110, -110, -110, 0, 0]


@pytest.mark.parametrize(
    ("mode", "column", "more", "key"),
    [
        ("none", "tax_amount", "", "columns.tax_amount"),
        ("none", "tax_rate", "", "columns.tax_rate"),
        ("unknown", "tax_amount", "", "columns.tax_amount"),
        ("none", "", ', rate: "0.1"', "tax.rate"),
    ],
)
def test_a_tax_that_would_be_left_out_is_refused_when_loaded(
    mode: str, column: str, more: str, key: str
) -> None:
    mapped = f"amount: total, {column}: mark" if column else "amount: total"
    spec = SPEC.replace("amount: total", mapped) + f"tax: {{mode: {mode}{more}}}\n"
    with pytest.raises(ConfigError, match="leaves it out") as caught:
        parse_spec(spec.encode(), "wide.yaml")
    assert f"key {key}" in caught.value.where


@pytest.mark.parametrize(
    ("mode", "warning"),
    [
        ("unknown", "net and gross amounts will not be known"),
        ("included", "net amounts will not be known"),
        ("excluded", "gross amounts will not be known"),
        ('included, rate: "0.1"', ""),
        ("none", ""),
    ],
)
def test_amounts_that_nobody_will_know_are_warned_of(
    tmp_path: Path, mode: str, warning: str
) -> None:
    path = tmp_path / "wide.yaml"
    path.write_text(f"{SPEC}tax: {{mode: {mode}}}\n", "utf-8")
    told = CliRunner().invoke(app, ["spec", "check", str(path)])
    assert told.exit_code == 0
    assert ("will not be known" in told.output) is bool(warning)
    assert warning in told.output
