"""`tenpo benchmark`: release benchmarks of industries, or see what would be released."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from beam_jobs.benchmark.release import Release, Told

benchmark = typer.Typer(no_args_is_help=True, help="Benchmarks of industries across tenants.")


@benchmark.callback()
def callback() -> None:
    """Benchmarks of industries across tenants.

    Example: tenpo benchmark release --dry-run
    """


@benchmark.command()
def release(
    today: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="As if it were this date; for trials."),
    ] = None,
    is_dry: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; each period by itself.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Release every week and month that is due, each once: quartiles of groups of stores.

    Example: tenpo benchmark release --dry-run --json
    """
    from beam_jobs.benchmark.job import release as run
    from tenpo.settings import get_settings
    from tenpo.telemetry import configure_logging

    settings = get_settings()
    configure_logging(settings)
    found = run(settings, today.date() if today else None, is_dry=is_dry)
    if as_json:
        typer.echo(json.dumps({"dry_run": is_dry, "releases": [_document(one) for one in found]}))
        return
    for one in found:
        hidden = Counter(told.why_hidden for told in one.told if told.why_hidden)
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(hidden.items()))
        typer.echo(
            f"{one.period.name}: {one.tenants} tenants, {len(one.told) - one.hidden} figures told"
            + (f"; hidden: {reasons}" if reasons else "")
        )
    if not found:
        typer.echo("No period is due, or fewer than three tenants take part.")


def _document(one: Release) -> dict[str, Any]:
    return {
        "period": one.period.name,
        "from": one.period.first.isoformat(),
        "to": one.period.last.isoformat(),
        "tenants": one.tenants,
        "groups": [_told(told) for told in one.told],
    }


def _told(told: Told) -> dict[str, Any]:
    group, found = told.pool.group, None if told.why_hidden else told.quartiles
    return {
        "kpi": told.kpi, "industry": group.industry, "currency": group.currency,
        "size_band": group.size_band, "hidden": told.why_hidden,
        "quartiles": found and [str(each) for each in (found.low, found.median, found.high)],
    }  # fmt: skip
