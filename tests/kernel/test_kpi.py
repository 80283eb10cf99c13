"""KPIs: quotients of sums, never averages of quotients."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenpo.contracts import CONFORMED
from tenpo.kpi import KPIS, MEASURES, evaluate
from tenpo.kpi.causes import FOLLOWED, arrived, cause_words, events_of

NAMES = {measure.name for measure in MEASURES}
sums = st.fixed_dictionaries({name: st.integers(-(10**9), 10**9) for name in NAMES})


@pytest.mark.parametrize("name", KPIS)
def test_a_kpi_is_made_of_known_measures_and_explained_in_both_languages(name: str) -> None:
    kpi = KPIS[name]
    assert kpi.name == name
    assert {kpi.numerator, kpi.denominator} - {None} <= NAMES
    assert kpi.numerator in kpi.formula
    for english, japanese in (kpi.label, kpi.meaning):
        assert english.isascii()
        assert english != japanese
    assert (" ÷ " in kpi.formula) == (kpi.denominator is not None)


@given(sums)
def test_values_are_exact_quotients(values: dict[str, int]) -> None:
    result = evaluate(values)
    assert set(result) == set(KPIS)
    for name, kpi in KPIS.items():
        if kpi.denominator is None:
            assert result[name] == values[kpi.numerator]
        elif values[kpi.denominator] == 0:
            assert result[name] is None
        else:
            got = result[name]
            assert isinstance(got, Decimal)
            error = got * values[kpi.denominator] - values[kpi.numerator]
            assert abs(error) <= abs(values[kpi.denominator]) * Decimal("0.0000000005")


def test_every_event_is_a_cause_with_words_and_part_of_a_kpi() -> None:
    of_kpis = {event: kpi for kpi in KPIS.values() for event in events_of(kpi)}
    assert set(of_kpis) == set(CONFORMED)
    for event, kpi in of_kpis.items():
        english, japanese = cause_words(arrived(event), kpi)
        assert "came late" in english
        assert japanese != english
        assert event not in english


def test_what_cannot_have_changed_a_kpi_is_not_named() -> None:
    assert "receipts" in cause_words(arrived("sale_line"), KPIS["net_sales_amount"])[0]
    assert "receipts" not in cause_words(arrived("sale_line"), KPIS["footfall"])[0]
    assert "days before" in cause_words(FOLLOWED, KPIS["repeat_visitor_ratio"])[0]
    assert "days before" not in cause_words(FOLLOWED, KPIS["transactions"])[0]


def test_the_unknown_stays_unknown() -> None:
    assert set(evaluate({}).values()) == {None}
    assert evaluate({"net_sales_amount": None, "transactions": 3})["atv_amount"] is None


def test_conversion_above_one_is_not_clipped() -> None:
    values = {"covered_transactions": 3, "covered_footfall": 2}
    assert evaluate(values)["conversion_ratio"] == Decimal("1.5")
