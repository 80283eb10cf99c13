"""The gateways' adapters make the books' figures of the payloads, to the yen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateways.normalize.context import Context
from gateways.registry import vendors
from tenpo.keys import TenantKeys
from tenpo.masters import StoreCode, TenantMasters
from tenpo.simulate import Simulation, simulate_chain
from tests.beam_jobs.visits_reference import Seen, came_back, visits_of
from tests.simulate.conftest import END
from tests.simulate.reading import TURNOVER


@pytest.fixture(scope="module")
def small() -> Simulation:
    return simulate_chain(seed=7, stores=4, days=4, end=END)


def _masters(simulation: Simulation) -> TenantMasters:
    shops = simulation.chain.shops
    posa = [
        StoreCode(source="posa", code=shop.code, store_id=shop.store.store_id)
        for shop in shops
        if shop.vendor == "posa"
    ]
    return TenantMasters(
        tenant_id="demo",
        store=simulation.chain.stores,
        store_code=[*simulation.chain.store_codes, *posa],
        device=simulation.chain.devices,
    )


def _rows(simulation: Simulation) -> Iterator[tuple[str, dict[str, Any]]]:
    """Canonical rows with their event, in the order of sending."""
    adapters, masters = vendors(), _masters(simulation)
    keys = TenantKeys(bytes(32), "demo")
    begin = datetime.now(UTC)
    for number, payload in enumerate(simulation.payloads[1:]):
        context = Context(masters, keys, begin + timedelta(microseconds=number))
        result = adapters[payload.route.rpartition("/")[2]].normalize(payload.body, context)
        assert not result.rejected, (payload.name, result.rejected[:3])
        assert result.accepted == payload.records, payload.name
        for event, table in result.events.items():
            for row in table.to_pylist():
                yield event, row


def test_adapters_make_the_totals_of_the_books(small: Simulation) -> None:
    ever: dict[str, set[str]] = {"sale_line": set(), "count_interval": set(), "visit_event": set()}
    current: dict[tuple[str, str], tuple[int, dict[str, dict[str, Any]]]] = {}
    for event, row in _rows(small):
        ever[event].add(row["event_id"])
        key, version = (event, row["document_key"]), row["document_version"]
        if key not in current or version > current[key][0]:
            current[key] = (version, {})
        if version == current[key][0]:
            current[key][1][row["event_id"]] = row
    got: Counter[str] = Counter()
    for (event, _), (_, rows) in current.items():
        for row in rows.values():
            got[event] += 1
            got.update(_measures(event, row))
    events, totals = small.truth.events, small.truth.totals
    assert len(ever["sale_line"]) == events["sale_lines_ever"]
    assert got["sale_line"] == events["sale_lines_current"]
    assert got["count_interval"] == len(ever["count_interval"]) == events["count_intervals"]
    assert got["visit_event"] == len(ever["visit_event"]) == events["visit_events"]
    for name in ("net_sales_amount", "gross_sales_amount", "returned_net_amount", "units",
                 "in_count", "out_count"):  # fmt: skip
        assert got[name] == totals[name], name


def test_visits_of_the_books_come_out_of_the_events(small: Simulation) -> None:
    rows = [row for event, row in _rows(small) if event == "visit_event"]
    seen = [
        Seen(row["person_id"], day_of(small, row["occurred_at"]), row["occurred_at"], row["kind"],
             row["is_staff"])
        for row in rows
    ]  # fmt: skip
    visits = visits_of(seen)
    whole = [visit.dwell for visit in visits if visit.dwell is not None]
    events = small.truth.events
    assert len(visits) == events["visits"] > 50
    assert len(whole) == events["visits_whole"] < events["visits"]
    assert sum(int(dwell.total_seconds()) for dwell in whole) == events["dwell_s"]
    assert any(came_back(visit, visits, 30) for visit in visits)


def day_of(simulation: Simulation, at: datetime) -> date:
    return simulation.chain.shops[0].store.clock.business_date(at)


def _measures(event: str, row: dict[str, Any]) -> dict[str, Any]:
    if event == "visit_event":
        return {}
    if event == "count_interval":
        return {name: row[name] for name in ("in_count", "out_count")}
    turnover = row["kind"] in TURNOVER
    return {
        "net_sales_amount": row["net_amount"] if turnover else 0,
        "gross_sales_amount": row["gross_amount"] if turnover else 0,
        "returned_net_amount": -row["net_amount"] if row["kind"] == "return" else 0,
        "units": row["quantity"] if row["kind"] in ("sale", "return") else 0,
    }
