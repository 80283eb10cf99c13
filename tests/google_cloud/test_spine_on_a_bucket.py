"""The way of the data with its lake on Cloud Storage: the same totals at every hop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tenpo.demo.hops import Hop, Span, hops, known, prove
from tenpo.lake import Lake
from tenpo.simulate.simulation import simulate_chain
from tenpo.tenants import create_tenant
from tests.google_cloud.fakes import BUCKET, GoogleCloud
from tests.machine import Machine, free_ports

SMALL = ("simulate", "--stores", "1", "--days", "1", "--seed", "7", "--end", "2026-10-31")


@pytest.fixture
def machine(google_cloud: GoogleCloud, tmp_path: Path) -> Iterator[Machine]:
    env = free_ports() | google_cloud.environment | {"TENPO_LAKE_URL": f"gs://{BUCKET}/spine"}
    made = Machine(tmp_path / "home", env)
    made.run("up", "--only", "postgres,bigquery,mqtt,gateway,api")
    try:
        yield made
    finally:
        made.run("down")


def test_the_simulators_totals_hold_at_every_hop(
    machine: Machine, google_cloud: GoogleCloud
) -> None:
    assert google_cloud.storage
    machine.here(*SMALL, "--tenant", "bucket")
    machine.here("ingest")
    machine.here("aggregate", "--dirty", "--tenant", "bucket")
    small = simulate_chain(seed=7, stores=1, days=1, end=date(2026, 10, 31))
    settings = machine.settings()
    assert Lake(settings.lake_url).names("canonical/bucket/sale_line")
    assert not list((machine.home / "lake").rglob("*.parquet"))
    span = Span("bucket", small.days[0], small.days[-1])
    tokens = create_tenant(settings, "bucket", small.name)
    prove([Hop("simulator", known(small.truth.totals)), *hops(settings, span, tokens.read)])
