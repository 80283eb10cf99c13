"""Through the real gateway and broker, both killed on the way: the lake holds the books' totals."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tenpo.lake import Lake
from tenpo.simulate import Simulation, simulate_chain
from tenpo.simulate.sender import send
from tenpo.tenants import create_tenant
from tests.simulate.conftest import END
from tests.simulate.intake_services import Intake

pytestmark = pytest.mark.stack


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[Intake]:
    services = Intake.at(tmp_path)
    services.start("mqtt")
    services.start("gateway")
    try:
        services.wait_until_ready()
        yield services
    finally:
        services.stop()


def _current(lake: Lake, event: str) -> pa.Table:
    """The rows of each document's highest version, each event once."""
    names = lake.names(f"canonical/demo/{event}")
    assert names
    rows = pa.concat_tables([pq.read_table(io.BytesIO(body)) for body in lake.get_many(names)])
    newest = rows.group_by("document_key").aggregate([("document_version", "max")])
    rows = rows.join(newest, "document_key")
    rows = rows.filter(pc.equal(rows["document_version"], rows["document_version_max"]))
    places = rows.append_column("place", pa.array(range(rows.num_rows)))
    first = places.group_by("event_id").aggregate([("place", "min")])["place_min"]
    return rows.take(first.combine_chunks())


def _assert_books(lake: Lake, simulation: Simulation) -> None:
    sales, counts = _current(lake, "sale_line"), _current(lake, "count_interval")
    events, totals = simulation.truth.events, simulation.truth.totals
    assert sales.num_rows == events["sale_lines_current"]
    assert counts.num_rows == events["count_intervals"]
    turnover = sales.filter(pc.is_in(sales["kind"], pa.array(["sale", "return", "discount"])))
    assert pc.sum(turnover["net_amount"]).as_py() == totals["net_sales_amount"]
    assert pc.sum(turnover["gross_amount"]).as_py() == totals["gross_sales_amount"]
    assert pc.sum(counts["in_count"]).as_py() == totals["in_count"]
    assert pc.sum(counts["out_count"]).as_py() == totals["out_count"]


def test_gateway_and_broker_may_die_while_the_chain_sends(intake: Intake) -> None:
    simulation = simulate_chain(seed=11, stores=3, days=2, end=END)
    assert any(payload.device for payload in simulation.payloads)
    chain = simulation.chain
    tokens = create_tenant(
        intake.settings, "demo", simulation.name, chain.stores, chain.store_codes, chain.devices
    )
    victims = {60: "gateway", 180: "mqtt"}
    acknowledged = 0
    killers: list[threading.Thread] = []

    def kill_and_start(name: str) -> None:
        intake.kill(name)
        intake.start(name)

    def advance(count: int = 1, *, detail: str = "") -> None:
        nonlocal acknowledged
        del detail
        acknowledged += count
        victim = victims.pop(acknowledged, None) if count else None
        if victim:
            killers.append(threading.Thread(target=kill_and_start, args=(victim,)))
            killers[-1].start()

    report = send(simulation, intake.settings, tokens, advance)
    for killer in killers:
        killer.join()
    assert len(killers) == 2
    assert report.payloads == len(simulation.payloads)
    assert report.counted.rejected == 0
    _assert_books(Lake(intake.settings.lake_url), simulation)

    again = send(simulation, intake.settings, tokens)
    assert again.payloads == report.payloads
    _assert_books(Lake(intake.settings.lake_url), simulation)
