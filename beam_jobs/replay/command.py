"""`tenpo replay`: the raw archive through today's adapters again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from tenpo.errors import IntegrityError, UnknownReference

if TYPE_CHECKING:  # imported where used: the command line is to answer at once
    from beam_jobs.replay.job import Outcome
    from beam_jobs.replay.plan import Request


def replay(
    first: Annotated[
        datetime,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First UTC date of receiving."),
    ],
    last: Annotated[
        datetime,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Last UTC date of receiving, included."),
    ],
    tenant: Annotated[
        list[str] | None, typer.Option(help="Only this tenant; may be given again.")
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(help="Only payloads of this vendor or spec; may be given again."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    beam: Annotated[
        list[str] | None,
        typer.Option("--beam", help="A further Beam option, e.g. --beam=--runner=FlinkRunner."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Run the adapters over the raw archive again, after one of them or a spec was mended.

    Specs are taken in their newest form. Only documents that come out otherwise are written
    again, and only their store-days are computed anew; exit 6 when an object cannot be read.

    Example: tenpo replay --from 2026-11-01 --to 2026-11-07 --source till --dry-run
    """
    from beam_jobs.replay.job import replay as run
    from tenpo.lake import Lake
    from tenpo.masters import MasterBook
    from tenpo.settings import get_settings
    from tenpo.telemetry import configure_logging

    settings = get_settings()
    configure_logging(settings)
    book = MasterBook(Lake(settings.lake_url))
    requests = _requests(book.tenants(), tenant, first, last, tuple(source or ()), dry_run)
    outcomes = [run(settings, request, beam or ()) for request in requests]
    for outcome in outcomes:
        _tell(outcome, as_json=as_json, dry_run=dry_run)
    failed = {name: why for outcome in outcomes for name, why in outcome.failed.items()}
    if failed:
        raise IntegrityError(
            "; ".join(f"{name}: {why}" for name, why in failed.items()),
            remedy="All other payloads were replayed. Restore the object, or bring the adapter "
            "back, and run it again.",
        )


def _requests(
    known: list[str],
    named: list[str] | None,
    first: datetime,
    last: datetime,
    sources: tuple[str, ...],
    dry_run: bool,
) -> list[Request]:
    from beam_jobs.replay.plan import Request

    strange = [name for name in named or () if name not in known]
    if strange:
        raise UnknownReference(
            f"there is no tenant {strange[0][:63]!r}",
            where="--tenant",
            remedy=f"Choose from: {', '.join(sorted(known))}.",
        )
    return [Request(name, first.date(), last.date(), sources, dry_run) for name in named or known]


def _tell(outcome: Outcome, *, as_json: bool, dry_run: bool) -> None:
    import json

    if as_json:
        typer.echo(json.dumps(vars(outcome)))
        return
    would = "would change" if dry_run else "changed"
    changed, retracted = outcome.changed.total(), outcome.retracted.total()
    typer.echo(
        f"{outcome.tenant_id}: {outcome.deliveries} payloads read again; {changed} documents "
        f"{would}, {retracted} come out no more, {outcome.same} as they were; "
        f"{outcome.rejected} records newly rejected. Details: {outcome.report}"
    )
