"""Store-days of mart to a panel: what is unknown, what is closed, what is said about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kedro_project.chain import ChainData, chain_notes, chain_panel
from kedro_project.pipelines.forecast.nodes import forecast
from tenpo.kpi import KPI_STORE_DAY
from tenpo.masters import Store

FIRST = date(2026, 4, 27)  # a Monday; Wednesday is Showa Day
PARAMETERS = {"min_coverage": 0.9}
DAYS = 10


def store(store_id: str, **more: Any) -> Store:
    return Store(store_id=store_id, name="", timezone="Asia/Tokyo", currency="JPY", **more)


def row(store_id: str, day: int, **values: Any) -> dict[str, Any]:
    return {
        "store_id": store_id, "business_date": FIRST + timedelta(days=day), "currency": "JPY",
        "net_sales_amount": Decimal(1_000), "footfall": 50, "transactions": 10,
        "open_s": 3_600, "expected_s": 3_600, "covered_s": 3_600, **values,
    }  # fmt: skip


def chain(*rows: dict[str, Any], stores: tuple[Store, ...] | None = None) -> ChainData:
    own = stores or (store("b"), store("a"))
    return ChainData("JPY", KPI_STORE_DAY.table(list(rows)), own, FIRST + timedelta(days=DAYS - 1))


def test_days_and_stores_find_their_places() -> None:
    panel = chain_panel(
        chain(row("a", 0), row("b", 3, net_sales_amount=Decimal("7.5"))), PARAMETERS
    )
    assert panel.stores == ("a", "b")
    assert (panel.dates[0].date(), panel.known) == (FIRST, DAYS)
    sales = panel.measures["sales"]
    assert (sales[0, 0], sales[3, 1]) == pytest.approx((1_000.0, 7.5))
    assert np.isfinite(sales).sum() == 2
    assert set(panel.measures) == {"sales", "footfall", "customers"}, "nobody told of units"


def test_counts_that_counters_covered_too_little_are_unknown() -> None:
    data = chain(
        row("a", 0), row("a", 1, covered_s=3_200), row("a", 2, expected_s=None, covered_s=None)
    )
    panel = chain_panel(data, PARAMETERS)
    assert np.isfinite(panel.measures["footfall"][:3, 0]).tolist() == [True, False, True]
    assert np.isfinite(panel.measures["sales"][:3, 0]).all(), "receipts are whole all the same"
    assert {"code": "uncovered_days", "count": 1} in chain_notes(data, panel, PARAMETERS)


def test_figures_below_zero_are_unknown_and_told() -> None:
    data = chain(row("a", 0, net_sales_amount=Decimal(-1)), row("a", 1))
    panel = chain_panel(data, PARAMETERS)
    assert np.isnan(panel.measures["sales"][0, 0])
    assert {"code": "negative", "count": 1} in chain_notes(data, panel, PARAMETERS)


def test_another_currency_is_left_out_and_told() -> None:
    data = chain(row("a", 0), row("a", 1, currency="EUR"))
    panel = chain_panel(data, PARAMETERS)
    assert np.isfinite(panel.measures["sales"]).sum() == 1
    assert {"code": "other_currency", "count": 1} in chain_notes(data, panel, PARAMETERS)


def test_a_weekday_without_opening_hours_is_closed_and_unknown_days_are_not() -> None:
    hours = (("10:00", "20:00"),) * 6 + (None,)
    panel = chain_panel(chain(row("a", 0), stores=(store("a", opening_hours=hours),)), PARAMETERS)
    sales = panel.measures["sales"][:DAYS, 0]
    assert np.flatnonzero(sales == 0).tolist() == [6]
    assert np.isnan(sales[1])


def test_holidays_are_known_ahead_where_the_store_is() -> None:
    paris = Store(store_id="p", name="", timezone="Europe/Paris", currency="JPY")
    data = replace(chain(row("a", 0), stores=(store("a"), paris)), as_of=FIRST)
    panel = chain_panel(data, PARAMETERS)
    assert panel.known == 1
    set_days = panel.dates[np.flatnonzero(panel.inputs["holiday"][:, 0])]
    days = {day.date() for day in set_days}
    # 3 May is a Sunday, so that Wednesday, 6 May, stands for it
    assert days == {date(2026, 4, 29), *(date(2026, 5, day) for day in (3, 4, 5, 6))}
    assert not panel.inputs["holiday"][:, 1].any()


@pytest.mark.parametrize("area", [None, 120.0])
def test_size_is_the_sales_area_where_it_is_known(area: float | None) -> None:
    panel = chain_panel(
        chain(row("a", 0), stores=(store("a", sales_area_m2=area), store("b"))), PARAMETERS
    )
    size = panel.size_of()
    assert (size is None) == (area is None)
    if size is not None:
        assert size[0] == area
        assert np.isnan(size[1])


def test_stores_that_never_traded_are_forecast_from_their_opening_or_not_at_all(
    quick: dict[str, Any],
) -> None:
    """Fourteen days are forecast: one store opens on the fifth of them, one after them."""
    last = FIRST + timedelta(days=55)
    stores = (
        store("late", opened_on=last + timedelta(days=15)),
        store("never"),
        store("past", opened_on=FIRST),
        store("soon", opened_on=last + timedelta(days=5)),
        store("trades", opened_on=last + timedelta(days=90)),  # its figures know better
    )
    rows = [row("trades", day) for day in range(56)]
    data = replace(chain(*rows, stores=stores), as_of=last)
    panel = chain_panel(data, PARAMETERS)
    assert {"code": "never_opened", "count": 2} in chain_notes(data, panel, PARAMETERS)
    clusters = pd.Series({"trades": "c1"})
    found = forecast(panel, "sales", clusters, quick["forecast"])
    assert (found.stores, found.cold) == (("soon", "trades"), ("soon",))
    soon, trades = found.value.T
    assert not soon[:4].any()
    assert soon[4:] == pytest.approx(trades[4:], rel=0.1)
    total = found.value.sum(axis=1)
    assert (found.total_low <= total).all()
    assert total[:4] == pytest.approx(trades[:4])


def test_nothing_known_of_a_store_is_a_panel_all_the_same() -> None:
    panel = chain_panel(chain(), PARAMETERS)
    assert panel.shape[1] == 2
    assert not np.isfinite(panel.measures["sales"]).any()


def weeks(count: int, without: set[int]) -> ChainData:
    """A shop that trades every day but these, counted from a Monday."""
    rows = [row("a", day) for day in range(7 * count) if day not in without]
    data = chain(*rows, stores=(store("a"),))
    return replace(data, as_of=FIRST + timedelta(days=7 * count - 1))


def test_a_weekday_on_which_nothing_ever_comes_is_closed() -> None:
    saturdays = {7 * week + 5 for week in range(8)}
    panel = chain_panel(weeks(8, saturdays), PARAMETERS)
    sales = panel.measures["sales"][:56, 0]
    assert set(np.flatnonzero(sales == 0).tolist()) == saturdays
    ahead = panel.opening("sales")[56:63, 0]
    assert ahead.tolist() == [True] * 5 + [False, True]


def test_weeks_in_which_nothing_comes_are_unknown_not_closed() -> None:
    outage = set(range(28, 49))
    panel = chain_panel(weeks(8, outage), PARAMETERS)
    sales = panel.measures["sales"][:56, 0]
    assert set(np.flatnonzero(np.isnan(sales)).tolist()) == outage
    assert panel.opening("sales")[56:63, 0].all()
