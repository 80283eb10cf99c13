"""The commands `tenpo ingest` and `tenpo aggregate`."""

from __future__ import annotations

import difflib
import json
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from tenpo.errors import InputError, IntegrityError, TenpoError, UnknownReference

if TYPE_CHECKING:  # imported where used: the command line is to answer at once
    from beam_jobs.aggregate.job import Outcome as Aggregated
    from beam_jobs.aggregate.job import Request
    from beam_jobs.ingest.job import Outcome
    from tenpo.masters import MasterBook
    from tenpo.settings import Settings

RunnerArgs = Annotated[
    list[str] | None,
    typer.Option("--beam", help="A further Beam option, e.g. --beam=--runner=DataflowRunner."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]


def ingest(
    follow: Annotated[
        bool, typer.Option("--follow", help="Keep taking in what arrives, until stopped.")
    ] = False,
    streaming: Annotated[
        bool,
        typer.Option("--streaming", help="The same as a pipeline without an end; see --beam."),
    ] = False,
    tenant: Annotated[
        list[str] | None, typer.Option(help="Only this tenant; may be given again.")
    ] = None,
    beam: RunnerArgs = None,
    as_json: AsJson = False,
) -> None:
    """Take what is new in the lake into raw and dwh.

    Example: tenpo ingest --tenant demo
    """
    from tenpo.settings import get_settings
    from tenpo.telemetry import configure_logging

    _refuse_ignored("--follow", follow, {"--tenant": tenant, "--beam": beam, "--json": as_json})
    _refuse_ignored(
        "--streaming", streaming, {"--follow": follow, "--tenant": tenant, "--json": as_json}
    )
    settings = get_settings()
    configure_logging(settings)
    if follow:
        _follow()
    elif streaming:
        _stream(settings, beam or ())
    else:
        _ingest_new(settings, tenant, beam or (), as_json=as_json)


def _refuse_ignored(mode: str, is_asked: bool, others: Mapping[str, object]) -> None:
    if is_asked and any(others.values()):
        raise InputError(
            f"{mode} takes in what comes of all tenants, and goes on",
            where=mode,
            remedy=f"Leave {', '.join(others)} out, or {mode}.",
        )


def _ingest_new(
    settings: Settings, tenants: list[str] | None, beam: Sequence[str], *, as_json: bool
) -> None:
    from beam_jobs.ingest.job import Ingest
    from tenpo.cli.progress import progress

    job = Ingest(settings, tenants, beam)
    try:
        with (
            job.lease(wait_s=settings.lease_s * 2) as held,
            progress("Taking in", unit="objects") as advance,
        ):
            outcome = job.run(held, advance=advance)
    finally:
        job.close()
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "objects": outcome.objects,
                    "rows": outcome.rows,
                    "conformed": outcome.conformed,
                    "dirty_store_days": outcome.dirty,
                    "failed": outcome.failed,
                    "damaged": outcome.damaged,
                }
            )
        )
    else:
        dirty = sum(outcome.dirty.values())
        typer.echo(
            f"{outcome.objects} objects, {outcome.rows} rows in; {dirty} store-days to compute"
        )
    _raise_problems(outcome)


def _raise_problems(outcome: Outcome) -> None:
    """What stays behind, after what came through has been told.

    Raises:
        IntegrityError: something does.
    """
    from tenpo.datamart.ledger import DAMAGE_REMEDY

    problems = outcome.failed | outcome.damaged
    if problems:
        raise IntegrityError(
            "; ".join(f"{name}: {why}" for name, why in problems.items()),
            where=f"{len(outcome.damaged)} damaged objects of the lake" if outcome.damaged else "",
            remedy=DAMAGE_REMEDY if outcome.damaged else "",
        )


def _stream(settings: Settings, beam: Sequence[str]) -> None:
    from beam_jobs.ingest.stream.job import stream

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt  # which cancels the pipeline on its way out

    signal.signal(signal.SIGTERM, stop)
    stream(settings, beam)


def _follow() -> None:
    from beam_jobs.ingest.follow import follow
    from tenpo.settings import get_settings
    from tenpo.stack.airflow_api import AirflowClient

    settings = get_settings()
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with AirflowClient(settings) as airflow:

        def announce(tenant: str) -> None:
            airflow.create_asset_event(f"tenpo://{tenant}/dwh")

        follow(settings, announce, lambda: stopping)


def aggregate(
    date_from: Annotated[
        str | None, typer.Option("--from", help="First business date, YYYY-MM-DD.")
    ] = None,
    date_to: Annotated[
        str | None, typer.Option("--to", help="Last business date, YYYY-MM-DD.")
    ] = None,
    tenant: Annotated[
        list[str] | None, typer.Option(help="Only this tenant; may be given again.")
    ] = None,
    store: Annotated[str | None, typer.Option(help="Only this store.")] = None,
    dirty: Annotated[
        bool, typer.Option("--dirty", help="Only store-days that new or corrected events marked.")
    ] = False,
    beam: RunnerArgs = None,
    as_json: AsJson = False,
) -> None:
    """Compute the KPIs of store-days and publish them.

    A tenant that cannot be computed stops no other; the exit code tells of it in the end.

    Example: tenpo aggregate --from 2026-11-01 --to 2026-11-30 --tenant demo
    """
    from beam_jobs.aggregate.job import Request
    from tenpo.lake import Lake
    from tenpo.masters import MasterBook
    from tenpo.settings import get_settings
    from tenpo.telemetry import configure_logging

    settings = get_settings()
    configure_logging(settings)
    first, last = _range(date_from, date_to, dirty=dirty)
    tenants = _tenants(MasterBook(Lake(settings.lake_url)), tenant, store)
    requests = [Request(name, first, last, store) for name in tenants]
    outcomes, failed = _aggregate_each(settings, requests, beam or ())
    if as_json:
        typer.echo(json.dumps(_aggregated(outcomes, failed)))
    else:
        for outcome in outcomes:
            rows = sum(outcome.rows.values())
            typer.echo(f"{outcome.tenant_id}: {outcome.store_days} store-days, {rows} rows changed")
    _raise_gravest(failed, of=len(requests))


def _aggregate_each(
    settings: Settings, requests: Sequence[Request], beam: Sequence[str]
) -> tuple[list[Aggregated], dict[str, Exception]]:
    """One tenant after the other; what became of those that came through, and the others' errors.

    Defects are kept, too: Beam raises what happened in its workers in types of its own.
    """
    from beam_jobs.aggregate.job import aggregate as run
    from tenpo.cli.progress import progress

    outcomes: list[Aggregated] = []
    failed: dict[str, Exception] = {}
    with progress("Aggregating", len(requests), unit="tenants") as advance:
        for request in requests:
            advance(0, detail=request.tenant_id)
            try:
                outcomes.append(run(settings, request, beam))
            except Exception as error:  # raised once the other tenants have had their turn
                failed[request.tenant_id] = error
            advance(detail=request.tenant_id)
    return outcomes, failed


def _aggregated(
    outcomes: Sequence[Aggregated], failed: Mapping[str, Exception]
) -> dict[str, object]:
    """The answer for machines: sums over all tenants, each tenant's own, and who failed why."""
    rows: Counter[str] = Counter()
    for outcome in outcomes:
        rows.update(outcome.rows)
    return {
        "store_days": sum(outcome.store_days for outcome in outcomes),
        "rows": dict(rows),
        "tenants": [vars(outcome) for outcome in outcomes],
        "failed": {tenant: _reason(error) for tenant, error in failed.items()},
    }


def _reason(error: Exception) -> str:
    """Of a defect its type alone: its message may hold values."""
    return str(error) if isinstance(error, TenpoError) else type(error).__name__


def _raise_gravest(failed: Mapping[str, Exception], of: int) -> None:
    """Name the tenants that failed, and leave with the gravest of their errors.

    Raises:
        Exception: a defect, else the error with the highest exit code.
    """
    if not failed:
        return
    if of > 1:
        for tenant, error in failed.items():
            typer.echo(f"{tenant} failed: {_reason(error)}", err=True)
    raise max(failed.values(), key=_gravity)


def _gravity(error: Exception) -> int:
    return error.exit_code if isinstance(error, TenpoError) else sys.maxsize


def _tenants(book: MasterBook, named: list[str] | None, store: str | None) -> list[str]:
    """The tenants to compute: those named, else all; with a store those that have it.

    Raises:
        UnknownReference: there is no such tenant, or none of them has such a store.
    """
    every = named or book.tenants()
    stores = {tenant: book.get(tenant).stores for tenant in every}
    if store is None:
        return every
    having = [tenant for tenant in every if store in stores[tenant]]
    if not having or (named and len(having) < len(named)):
        known = sorted({name for of_tenant in stores.values() for name in of_tenant})
        near = difflib.get_close_matches(store, known, n=1)
        raise UnknownReference(
            f"there is no store {store[:63]!r}",
            where="--store",
            remedy=f"Did you mean {near[0]}?"
            if near
            else f"Choose from the {len(known)} stores "
            "of the stores file given to `tenpo tenant create`.",
        )
    return having


def _range(
    date_from: str | None, date_to: str | None, *, dirty: bool
) -> tuple[date | None, date | None]:
    if dirty:
        if date_from is not None or date_to is not None:
            raise InputError(
                "--dirty is about all dates",
                where="--dirty",
                remedy="Leave it out, or --from and --to.",
            )
        return None, None
    if date_from is None or date_to is None:
        raise InputError(
            "no range of dates", where="--from, --to", remedy="Give both, or --dirty alone."
        )
    first, last = _date("--from", date_from), _date("--to", date_to)
    if last < first:
        raise InputError(
            "the range ends before it begins",
            where=f"--from {first} --to {last}",
            remedy="Exchange the two dates.",
        )
    return first, last


def _date(option: str, text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError as error:
        raise InputError(
            f"{text!r} is no date", where=option, remedy="Write YYYY-MM-DD."
        ) from error
