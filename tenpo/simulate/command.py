"""`tenpo simulate`: draw a chain, write it down, create its tenant, send its payloads."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import date

    from tenpo.settings import Settings
    from tenpo.simulate.sender import SendReport
    from tenpo.simulate.simulation import Simulation


def simulate(
    stores: Annotated[int, typer.Option(help="Number of shops.", min=1, max=500)] = 6,
    days: Annotated[int, typer.Option(help="Number of days.", min=1, max=1100)] = 35,
    seed: Annotated[int, typer.Option(help="The same seed makes the same bytes.", min=0)] = 1,
    tenant: Annotated[str, typer.Option(help="The tenant to create and send for.")] = "demo",
    end: Annotated[
        datetime | None,
        typer.Option(help="The last day; by default yesterday.", formats=["%Y-%m-%d"]),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where payloads and truth.json are written.")
    ] = None,
    send: Annotated[bool, typer.Option(help="Send through the gateways, or only write.")] = True,
    again: Annotated[
        bool, typer.Option("--again", help="Send what was already acknowledged, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Simulate a Japanese chain and send its sales and counts through the gateways.

    Half of the shops have registers of vendor A, half of vendor B; all have people
    counters, some over MQTT. The exact totals are in truth.json and truth.parquet.

    Example: tenpo simulate --stores 6 --days 35 --seed 1
    """
    import orjson

    from tenpo.cli.progress import console, step
    from tenpo.errors import IntegrityError
    from tenpo.settings import get_settings
    from tenpo.simulate.files import summary, write_simulation

    settings = get_settings()
    with step(f"Drawing {days} days of {stores} stores"):
        made = plan_simulation(settings, tenant, seed, stores, days, end.date() if end else None)
    folder = out or home_of(settings, tenant)
    with step(f"Writing {len(made.payloads):,} payloads to {folder}"):
        write_simulation(made, folder)
    report = deliver(settings, tenant, made, again=again) if send else None
    if as_json:
        document = {name: v for name, v in summary(made).items() if name != "days"}
        typer.echo(orjson.dumps(document | {"sent": report}).decode())
    else:
        _tell(made, report)
    if report is not None and report.counted.rejected:
        for line in report.counted.rejections:
            console.print(f"  {line}")
        raise IntegrityError(
            f"the gateway rejected {report.counted.rejected} records of the simulation",
            where=folder.as_posix(),
        )


def home_of(settings: Settings, tenant: str) -> Path:
    """The folder of a tenant's simulation below the platform's own.

    Raises:
        InputError: that is no name of a tenant.
    """
    from tenpo.identifiers import checked_name

    return settings.home / "simulation" / checked_name("tenant", tenant)


def plan_simulation(
    settings: Settings, tenant: str, seed: int, stores: int, days: int, end: date | None
) -> Simulation:
    """The simulation asked for; without an end, the one this tenant already has."""
    from datetime import date

    from tenpo.simulate.journal import read_plan
    from tenpo.simulate.simulation import simulate_chain

    plan = read_plan(home_of(settings, tenant))
    asked = {"seed": seed, "stores": stores, "days": days}
    if end is None and plan is not None and asked.items() <= plan.items():
        end = date.fromisoformat(str(plan["end"]))
    return simulate_chain(seed, stores, days, end)


def deliver(
    settings: Settings, tenant: str, made: Simulation, *, again: bool = False
) -> SendReport:
    """Create the chain's tenant and send what was not yet acknowledged.

    Raises:
        InputError: the tenant holds another simulation.
        ServiceError: gateway or broker stayed away too long.
    """
    from tenpo.cli.progress import progress
    from tenpo.simulate.journal import Journal
    from tenpo.simulate.sender import send
    from tenpo.tenants import create_tenant

    journal = Journal(home_of(settings, tenant), tenant, made)
    try:
        if again:
            journal.forget()
        chain = made.chain
        tokens = create_tenant(
            settings, tenant, made.name, chain.stores, chain.store_codes, chain.devices
        )
        with progress("Sending payloads", len(made.payloads), unit="payloads") as advance:
            return send(made, settings, tokens, advance, journal)
    finally:
        journal.close()


def _tell(made: Simulation, report: SendReport | None) -> None:
    totals = made.truth.totals
    typer.echo(
        f"{made.name}: {len(made.chain.shops)} stores, {made.days[0]} to {made.days[-1]}, "
        f"{made.truth.events['sale_lines_current']:,} receipt lines, "
        f"footfall {totals['footfall']:,}, transactions {totals['transactions']:,}, "
        f"net sales ¥{totals['net_sales_amount']:,}"
    )
    if report is not None:
        typer.echo(
            f"{report.payloads:,} payloads acknowledged in {report.seconds:.1f} s "
            f"({report.skipped:,} before), {report.repeated:,} repeats, "
            f"{report.counted.accepted:,} records accepted over HTTP, "
            f"{report.counted.rejected:,} rejected"
        )
