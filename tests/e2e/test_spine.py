"""Gateway to API over real services: exact totals, repeats, corrections, neighbours, crashes."""

from __future__ import annotations

import signal
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import orjson
import psycopg
import pytest

from tenpo.datamart.connect import libpq_dsn
from tenpo.demo.hops import Hop, Span, hops, known, prove
from tenpo.lake import Lake
from tenpo.masters import MasterBook
from tenpo.simulate.command import plan_simulation
from tenpo.simulate.simulation import Simulation, simulate_chain
from tenpo.tenants import create_tenant
from tests.machine import Machine

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

SIMULATE = ("simulate", "--stores", "2", "--days", "4", "--seed", "7", "--end", "2026-10-31")
SMALL = ("simulate", "--stores", "1", "--days", "1", "--seed", "7", "--end", "2026-10-31")
KILL_INGEST = (
    "ingest.after_begin",
    "ingest.after_append",
    "ingest.after_loaded",
    "ingest.after_conform",
)
KILL_AGGREGATE = ("lake.put", "aggregate.after_mart", "aggregate.after_datamart")


@pytest.fixture(scope="module")
def simulation(machine: Machine) -> Simulation:
    """A small chain, sent through the gateways and carried to the datamart."""
    machine.here(*SIMULATE)
    machine.here("ingest")
    machine.here("aggregate", "--dirty")
    settings = machine.settings()
    return plan_simulation(settings, "demo", 7, 2, 4, None)


def stages(machine: Machine, simulation: Simulation, tenant: str = "demo") -> list[Hop]:
    settings = machine.settings()
    tokens = create_tenant(settings, tenant, simulation.name)
    span = Span(tenant, simulation.days[0], simulation.days[-1])
    return hops(settings, span, tokens.read)


def measures(machine: Machine, where: str) -> list[dict[str, Any]]:
    rows = machine.json(
        "sql",
        "SELECT * FROM mart.kpi_store_hour "  # noqa: S608
        f"WHERE business_date BETWEEN '2026-01-01' AND '2026-12-31' AND {where} "
        "ORDER BY tenant_id, store_id, hour_start_at, revision, run_id",
    )
    return list(rows["rows"]) if isinstance(rows, dict) else list(rows)


def test_the_simulators_totals_hold_at_every_hop(machine: Machine, simulation: Simulation) -> None:
    truth = Hop("simulator", known(simulation.truth.totals))
    assert len(truth.totals) == 8
    prove([truth, *stages(machine, simulation)])


def test_every_store_hour_is_the_simulators(machine: Machine, simulation: Simulation) -> None:
    days = simulation.days
    answer = machine.json(
        "kpi", "--tenant", "demo", "--from", str(days[0]), "--to", str(days[-1]),
        "--grain", "hour", "--store", simulation.chain.stores[0].store_id,
    )  # fmt: skip
    got = {
        (row["business_date"], row["local_hour"]): row["values"]["net_sales_amount"]
        for row in answer["rows"]
    }
    want = {
        (str(row["business_date"]), row["local_hour"]): row["net_sales_amount"]
        for row in simulation.truth.hours.to_pylist()
        if row["store_id"] == simulation.chain.stores[0].store_id and row["sale_lines"]
    }
    assert want
    for key, amount in want.items():
        assert got[key] == str(amount), key


def test_visits_are_the_simulators_and_explain_themselves(
    machine: Machine, simulation: Simulation
) -> None:
    days, events = simulation.days, simulation.truth.events
    store = simulation.chain.camera.store_id
    (row,) = machine.json(
        "kpi", "--tenant", "demo", "--from", str(days[0]), "--to", str(days[-1]),
        "--grain", "total", "--store", store,
    )["rows"]  # fmt: skip
    assert row["values"]["visits"] == events["visits"]
    dwell_s = Decimal(events["dwell_s"]) / events["visits_whole"]
    assert abs(Decimal(row["values"]["dwell_s"]) - dwell_s) < Decimal("1e-6")
    told = machine.json(
        "explain", "visits", "--tenant", "demo", "--store", store, "--date", str(days[0])
    )
    assert told["sources"]["objects"]
    assert {one["event"] for one in told["sources"]["objects"]} == {"visit_event"}


def test_sending_everything_again_changes_nothing(machine: Machine, simulation: Simulation) -> None:
    before = stages(machine, simulation)
    machine.here(*SIMULATE, "--again")
    machine.here("ingest")
    outcome = machine.json("aggregate", "--dirty", "--tenant", "demo")
    assert sum(outcome["rows"].values()) == 0, "a resend made a revision"
    assert [hop.totals for hop in stages(machine, simulation)] == [hop.totals for hop in before]


def received_today() -> tuple[str, ...]:
    now = datetime.now(UTC).date()
    return ("--from", str(now - timedelta(days=1)), "--to", str(now))


def test_a_replay_by_the_same_adapters_changes_nothing(
    machine: Machine, simulation: Simulation
) -> None:
    assert simulation.payloads
    before = Lake(machine.settings().lake_url).names("canonical/demo")
    outcome = machine.json("replay", *received_today(), "--tenant", "demo")
    assert outcome["same"] > 1000
    assert (outcome["changed"], outcome["retracted"], outcome["failed"]) == ({}, {}, {})
    assert Lake(machine.settings().lake_url).names("canonical/demo") == before


TILL_STORES = """
stores: [{store_id: soho, name: Soho, timezone: Europe/London, currency: GBP}]
"""
TILL_SPEC = """
name: till
event: sale_line
store: {constant: soho}
time: {columns: [time], formats: ["%Y-%m-%d %H:%M"]}
document: [receipt]
columns: {receipt_id: receipt, sku: article, quantity: qty, amount: total}
tax: {mode: excluded, rate: "0.20"}
"""
TILL_CSV = """receipt,time,article,qty,total
1,2026-10-05 10:00,Mug,1,10.00
2,2026-10-06 10:00,Mug,1,10.00
2,2026-10-06 10:00,Bag,1,0.30
"""


def test_a_mended_spec_changes_the_days_it_concerns(machine: Machine, tmp_path: Path) -> None:
    stores, spec, sales = (tmp_path / name for name in ("s.yaml", "till.yaml", "sales.csv"))
    stores.write_text(TILL_STORES)
    spec.write_text(TILL_SPEC)
    sales.write_text(TILL_CSV)
    machine.here("tenant", "create", "mended", "--stores", str(stores))
    machine.here("send", "pos", str(sales), "--spec", str(spec), "--tenant", "mended")
    machine.here("ingest", "--tenant", "mended")
    machine.here("aggregate", "--dirty", "--tenant", "mended")
    put_spec(machine, TILL_SPEC + "kinds: [{kind: fee, when: {article: {one_of: [Bag]}}}]\n")
    outcome = machine.json("replay", *received_today(), "--tenant", "mended")
    assert (outcome["changed"], outcome["same"]) == ({"sale_line": 1}, 1)
    taken = machine.json("ingest", "--tenant", "mended")
    assert taken["dirty_store_days"] == {"mended": 1}
    machine.here("aggregate", "--dirty", "--tenant", "mended")
    answer = machine.json("kpi", "--tenant", "mended", "--from", "2026-10-05", "--to", "2026-10-06")
    nets = {row["business_date"]: row["values"]["net_sales_amount"] for row in answer["rows"]}
    assert nets == {"2026-10-05": "10", "2026-10-06": "10"}


def put_spec(machine: Machine, text: str) -> None:
    settings = machine.settings()
    tokens = create_tenant(settings, "mended", "Mended")
    headers = {"X-Tenpo-Tenant": "mended", "Authorization": f"Bearer {tokens.send}"}
    url = f"{settings.gateway_url}/v1/specs/till"
    httpx.put(url, content=text, headers=headers, timeout=30).raise_for_status()


@pytest.fixture(scope="module")
def small() -> Simulation:
    """One store on one day, for tests that send it for a tenant of their own."""
    return simulate_chain(seed=7, stores=1, days=1, end=date(2026, 10, 31))


def test_killed_jobs_finish_with_the_same_totals(machine: Machine, small: Simulation) -> None:
    tenants = [f"killed-{number}" for number in range(len(KILL_INGEST))]
    for tenant, place in zip(tenants, KILL_INGEST, strict=True):
        machine.here(*SMALL, "--tenant", tenant)
        kill_at(machine, place, "ingest")
    machine.here("ingest", TENPO_LEASE_S="5")
    for tenant, place in zip(tenants, KILL_AGGREGATE, strict=False):
        kill_at(machine, place, "aggregate", "--dirty", "--tenant", tenant)
    machine.here("aggregate", "--dirty", TENPO_LEASE_S="5")
    for tenant in tenants:
        truth = Hop("simulator", known(small.truth.totals))
        prove([truth, *stages(machine, small, tenant)])


def kill_at(machine: Machine, place: str, *job: str) -> None:
    killed = machine.run(*job, check=False, TENPO_FAILPOINT=place, TENPO_LEASE_S="2")
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]


def test_payloads_are_taken_while_postgres_is_down(machine: Machine, small: Simulation) -> None:
    machine.kill("postgres")
    machine.here(*SMALL, "--tenant", "no-postgres")
    machine.run("up", "--only", "postgres,bigquery,mqtt,gateway,api")
    machine.here("ingest")
    machine.here("aggregate", "--dirty", "--tenant", "no-postgres")
    truth = Hop("simulator", known(small.truth.totals))
    prove([truth, *stages(machine, small, "no-postgres")])


def test_a_tenant_with_a_store_the_warehouse_lacks_harms_no_other(
    machine: Machine, small: Simulation
) -> None:
    for tenant in ("broken", "sound"):
        machine.here(*SMALL, "--tenant", tenant)
    masters = MasterBook(Lake(machine.settings().lake_url))
    stores = masters.own("broken", "store")
    masters.put("broken", "store", [])
    failed = machine.run("ingest", "--tenant", "broken", "--tenant", "sound", check=False)
    assert failed.returncode == 6, failed.stderr[-2000:]
    assert "store master lacks" in failed.stderr
    truth = Hop("simulator", known(small.truth.totals))
    machine.here("aggregate", "--dirty", "--tenant", "sound")
    prove([truth, *stages(machine, small, "sound")])
    masters.put("broken", "store", stores)
    machine.here("ingest", "--tenant", "broken")
    machine.here("aggregate", "--dirty", "--tenant", "broken")
    prove([truth, *stages(machine, small, "broken")])


def rows_of(machine: Machine, where: str) -> dict[str, list[Any]]:
    """Every row of dwh, mart and datamart that a condition selects, run ids and all."""
    year = "business_date BETWEEN '2026-01-01' AND '2026-12-31'"
    found: dict[str, list[Any]] = {}
    for table in (
        "dwh.sale_line",
        "dwh.count_interval",
        "mart.kpi_store_hour",
        "mart.kpi_store_day",
    ):
        answer = machine.json(
            "sql",
            f"SELECT TO_JSON_STRING(t) AS r FROM {table} t "  # noqa: S608
            f"WHERE {year} AND ({where}) ORDER BY 1",
        )
        found[table] = answer["rows"] if isinstance(answer, dict) else answer
    with psycopg.connect(libpq_dsn(machine.settings().datamart_dsn)) as connection:
        for table in ("kpi_store_hour", "kpi_store_day"):
            select = f"SELECT t::text FROM {table} t WHERE {where} ORDER BY 1"  # noqa: S608
            found[table] = connection.execute(select).fetchall()
    return found


def as_told(receipt: dict[str, Any], lines: list[Any], updated_at: str) -> bytes:
    """A receipt of vendor B with other lines, told at another time."""
    return orjson.dumps({"receipts": [receipt | {"lines": lines, "updated_at": updated_at}]})


def test_a_corrected_store_is_computed_anew_and_nothing_else(
    machine: Machine, simulation: Simulation, tmp_path: Path
) -> None:
    truth = stages(machine, simulation)
    batch = next(one.body for one in simulation.payloads if one.route == "/v1/pos/posb")
    receipt = next(one for one in orjson.loads(batch)["receipts"] if len(one["lines"]) > 1)
    own = f"tenant_id = 'demo' AND store_id = '{simulation.chain.stores[1].store_id}'"
    mine, others = rows_of(machine, own), rows_of(machine, f"NOT ({own})")
    assert all(others.values())

    def tell(lines: list[Any], updated_at: str) -> None:
        (tmp_path / "told.json").write_bytes(as_told(receipt, lines, updated_at))
        machine.here(
            "send", "pos", str(tmp_path / "told.json"), "--vendor", "posb", "--tenant", "demo"
        )
        machine.here("ingest")
        machine.here("aggregate", "--dirty", "--tenant", "demo")

    tell(receipt["lines"][:1], "2026-11-01T00:00:00Z")
    now = rows_of(machine, own)
    assert len(now["dwh.sale_line"]) == len(mine["dwh.sale_line"]) - len(receipt["lines"]) + 1
    assert now["kpi_store_day"] != mine["kpi_store_day"]
    assert rows_of(machine, f"NOT ({own})") == others
    tell(receipt["lines"], "2026-11-01T00:00:01Z")
    assert rows_of(machine, f"NOT ({own})") == others
    assert [hop.totals for hop in stages(machine, simulation)] == [hop.totals for hop in truth]
