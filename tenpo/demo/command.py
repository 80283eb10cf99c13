"""`tenpo demo`: from an empty folder to a dashboard with proven totals."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tenpo.demo.hops import Hop, Span
    from tenpo.demo.models import Found
    from tenpo.demo.report import Proof
    from tenpo.settings import Settings
    from tenpo.simulate.simulation import Simulation
    from tenpo.tenants import TenantTokens

TENANT = "demo"


def demo(
    data: Annotated[
        Path | None, typer.Option(help="A folder with public data sets to load as well.")
    ] = None,
    stores: Annotated[int, typer.Option(help="Simulated shops.", min=1, max=500)] = 6,
    days: Annotated[int, typer.Option(help="Simulated days.", min=1, max=1100)] = 35,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.", min=0)] = 1,
    end: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Last simulated day.", metavar="YYYY-MM-DD"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the proof as JSON.")] = False,
) -> None:
    """Start everything, send a simulated chain through it and prove the totals at every hop.

    A second run uses what is there. Everything is in one folder (TENPO_HOME, else .tenpo).

    Example: tenpo demo --data ../shared/data
    """
    from tenpo.cli.progress import console, step
    from tenpo.demo import camera, real_data
    from tenpo.demo.hops import Span
    from tenpo.demo.report import report, report_json
    from tenpo.simulate.command import deliver, plan_simulation

    begun = time.monotonic()
    sets = real_data.present(data) if data is not None else []
    settings = _start_stack()
    with step(f"Drawing {days} days of {stores} stores"):
        last = end.date() if end else None
        made = plan_simulation(settings, TENANT, seed, stores, days, last)
    deliver(settings, TENANT, made)
    spans: list[tuple[Span, TenantTokens, Hop | None]] = [_simulated(settings, made)]
    seen, noon = camera.scenes(data), made.days[-1]
    camera_tokens = camera.create(settings, seen)
    camera.watch(settings, seen, noon)
    spans.append((Span(camera.TENANT, noon, noon), camera_tokens, camera.truth(seen)))
    for item in sets:
        tokens = real_data.create(settings, item)
        real_data.send(item, data or Path())
        spans.append((Span(item.tenant_id, item.first, item.last), tokens, None))
    proofs = [_prove(settings, *span) for span in spans]
    tenants = [proof.span.tenant_id for proof in proofs]
    learnt = _learn(settings, [one for one in tenants if one != camera.TENANT])  # of a day: nothing
    if as_json:
        typer.echo(report_json(proofs, learnt))
    else:
        report(settings, proofs, learnt)
    console.print(f"Done in {time.monotonic() - begun:.0f} s.")


def _learn(settings: Settings, tenants: list[str]) -> list[Found]:
    """Clusters, targets and forecasts from what has come through."""
    from tenpo.cli.progress import step
    from tenpo.demo.models import found, run_models

    with step("Learning clusters, targets and forecasts"):
        run_models(tenants)
    return [found(settings, tenant_id) for tenant_id in tenants]


def _start_stack() -> Settings:
    """`tenpo up`, and the addresses it chose."""
    from tenpo.cli.progress import console
    from tenpo.settings import get_settings
    from tenpo.stack.layout import Layout
    from tenpo.stack.startup import bring_up, default_names
    from tenpo.stack.state import remember_wanted

    settings = get_settings()
    names = default_names(follow=True)
    console.print(f"Starting the local stack in {settings.home}")
    started = bring_up(settings, names, lambda text: console.print(f"  {text}"))
    remember_wanted(Layout(settings.home), names)
    for note in started.notes:
        console.print(f"  [yellow]note:[/] {note}")
    get_settings.cache_clear()
    return get_settings()


def _simulated(settings: Settings, made: Simulation) -> tuple[Span, TenantTokens, Hop]:
    from tenpo.demo.hops import Hop, Span, known
    from tenpo.tenants import create_tenant

    tokens = create_tenant(settings, TENANT, made.name)
    truth = Hop("simulator", known(made.truth.totals))
    return Span(TENANT, made.days[0], made.days[-1]), tokens, truth


def _prove(settings: Settings, span: Span, tokens: TenantTokens, truth: Hop | None) -> Proof:
    """Wait until the tenant's data has come through, then compare the hops."""
    from tenpo.cli.progress import progress
    from tenpo.demo.hops import hops, prove, received
    from tenpo.demo.report import Proof
    from tenpo.demo.settle import Standing, settle

    with progress(f"{span.tenant_id}: ingesting and aggregating", unit="objects") as advance:
        seen = 0

        def moved(standing: Standing) -> None:
            nonlocal seen
            advance(standing.ingested - seen, detail=f"{standing.dirty} store-days to compute")
            seen = standing.ingested

        settle(settings, span.tenant_id, moved)
    stages = [*([truth] if truth else []), *hops(settings, span, tokens.read)]
    balance = received(settings, span.tenant_id)
    prove(stages, balance)
    return Proof(span, tokens, stages, balance)
