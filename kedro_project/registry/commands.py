"""`tenpo models runs|history|score|compare|canary|promote|rollback`: what became of runs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tenpo.settings import Settings

Tenant = Annotated[str, typer.Option(help="Whose.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add_to(models: typer.Typer) -> None:
    """Make these commands part of `tenpo models`."""
    for command in (runs, history, score, compare, canary, promote, rollback):
        models.command()(command)


def runs(tenant: Tenant, as_json: AsJson = False) -> None:
    """Runs so far, their states, and which of them readers see.

    Example: tenpo models runs --tenant demo
    """
    from dataclasses import asdict

    from kedro_project.results.history import became, runs_of
    from tenpo.settings import get_settings

    settings = get_settings()
    shown, past = runs_of(settings, tenant)
    if as_json:
        _print([asdict(one) | {"is_shown": one.run_id == shown} for one in past])
        return
    last = became(settings, tenant)
    for one in past:
        mark = "*" if one.run_id == shown else " "
        state = last.get(one.run_id, one.state)
        state = "retired" if state == "champion" and one.run_id != shown else state
        typer.echo(f"{mark} {one.run_id}  {state:10} {one.started_at:%Y-%m-%d %H:%M}  {one.note}")


def history(
    tenant: Tenant,
    run: Annotated[str | None, typer.Option(help="Only this run.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every change of state of runs, oldest first.

    Example: tenpo models history --tenant demo
    """
    from dataclasses import asdict

    from kedro_project.results.history import events_of
    from tenpo.settings import get_settings

    events = events_of(get_settings(), tenant, run)
    if as_json:
        _print([asdict(one) for one in events])
        return
    for one in events:
        typer.echo(f"{one.happened_at:%Y-%m-%d %H:%M:%S}  {one.run_id}  {one.state:10} {one.note}")


def compare(
    first: Annotated[str, typer.Argument(help="A run's id.")],
    second: Annotated[str, typer.Argument(help="Another's.")],
    tenant: Tenant,
    as_json: AsJson = False,
) -> None:
    """What two runs were made from, and how each did on the days that both tried.

    Example: tenpo models compare RUN OTHER --tenant demo
    """
    from kedro_project.registry.compare import compare as compare_runs
    from tenpo.settings import get_settings

    found = compare_runs(get_settings(), tenant, first, second)
    if as_json:
        _print(found)
        return
    typer.echo(f"differs: {', '.join(found['differs']) or 'nothing'}")
    for currency, scores in found["scores"].items():
        if not scores["folds"]:
            typer.echo(f"{currency}: no days that both tried")
        for run_id, measures in scores["of"].items():
            for measure, score in measures.items():
                typer.echo(
                    f"{currency}  {run_id}  {measure:9} WAPE {score['wape']:.4f}  coverage "
                    f"{score['coverage']:.3f}  {score['store_days']:,} store-days"
                )


def score(
    tenant: Tenant,
    weeks: Annotated[int, typer.Option(help="So many weeks back.", min=1, max=104)] = 6,
    by: Annotated[str | None, typer.Option(help="store, week (ahead) or run; else all.")] = None,
    as_json: AsJson = False,
) -> None:
    """How far off the published forecasts of the past weeks were, now that the truth has come.

    Example: tenpo models score --tenant demo --by week
    """
    from dataclasses import asdict

    from kedro_project.execution import parameters
    from kedro_project.registry.score import past_forecasts, scores, sentence

    grain = _grain(by)
    coverage = float(parameters()["chain"]["min_coverage"])
    rows = past_forecasts(_settings(), tenant, _last(weeks), coverage)
    found = scores(rows, grain)
    if as_json:
        _print([asdict(one) for one in found])
        return
    if not found:
        typer.echo(f"{tenant}: no day of the last {weeks} weeks was foretold and has come")
    for one in found:
        typer.echo(f"{one.of:24} {sentence(one, weeks)}" if grain else sentence(one, weeks))


def canary(
    tenant: Tenant,
    run: Annotated[
        str | None, typer.Argument(help="Begin with this run; else say how the trial goes.")
    ] = None,
    share: Annotated[float, typer.Option(help="Share of each chain's stores, up to 0.5.")] = 0.2,
    stop: Annotated[bool, typer.Option("--stop", help="End the trial.")] = False,
    as_json: AsJson = False,
) -> None:
    """Try a challenger with a share of the stores, whose readers see its forecasts.

    Example: tenpo models canary RUN --tenant demo --share 0.2
    """
    from dataclasses import asdict

    from kedro_project.registry import canary as trial
    from tenpo.errors import InputError

    if run and stop:
        raise InputError("RUN and --stop exclude each other", remedy="Give one of them.")
    settings = _settings()
    if run or stop:
        tried = trial.begin(settings, tenant, run, share) if run else trial.stop(settings, tenant)
        _told(settings, tenant)
        if as_json:
            _print(asdict(tried))
            return
        said = "is tried with" if run else "is no longer tried with"
        typer.echo(f"{tenant}: run {tried.run_id} {said} {', '.join(tried.stores)}")
        return
    _tell_standing(settings, tenant, as_json)


def _tell_standing(settings: Settings, tenant: str, as_json: bool) -> None:
    from dataclasses import asdict

    from kedro_project.execution import parameters
    from kedro_project.registry import canary as trial

    tried = trial.tried_run(settings, tenant)
    found = trial.standing(settings, tenant, float(parameters()["chain"]["min_coverage"]))
    if as_json:
        _print(asdict(tried) | {"scores": [asdict(one) for one in found]})
        return
    typer.echo(f"{tenant}: run {tried.run_id} is tried with {', '.join(tried.stores)}")
    for one in found:
        name = "tried   " if one.of == tried.run_id else "champion"
        off = "nothing came" if one.wape is None else f"off by {one.wape:.1%}"
        typer.echo(
            f"{name}  {one.of}  {one.measure:9} ({one.currency}) {off}; {one.coverage:.0%} of "
            f"{one.days:,} store-days within the interval"
        )
    if not found:
        typer.echo("no day that both foretold has come yet")


def promote(run: Annotated[str, typer.Argument(help="The run's id.")], tenant: Tenant) -> None:
    """Show readers a run, whatever its trial said.

    Example: tenpo models promote RUN --tenant demo
    """
    from kedro_project.registry.promotion import promote as promote_run

    settings = _settings()
    record = promote_run(settings, tenant, run)
    _told(settings, tenant)
    typer.echo(f"{tenant}: run {record.run_id}, as of {record.as_of}, is champion")


def rollback(
    tenant: Tenant,
    run: Annotated[
        str | None, typer.Option(help="Which run; else the one published before.")
    ] = None,
) -> None:
    """Show readers an earlier run again.

    Example: tenpo models rollback --tenant demo
    """
    from kedro_project.results.history import roll_back

    settings = _settings()
    record = roll_back(settings, tenant, run)
    _told(settings, tenant)
    typer.echo(f"{tenant}: run {record.run_id}, as of {record.as_of}, is shown again")


def make_again(settings: Settings, tenant: str, run: str) -> None:
    """Repeat a run and say whether the same came out.

    Raises:
        Exit: with 1 where something else came out.
    """
    from kedro_project.registry.repeat import repeat
    from tenpo.cli.progress import console

    found = repeat(settings, tenant, run, lambda text: console.print(f"  {text}"))
    _told(settings, tenant)
    code = "the same code" if found.is_same_code else "other code"
    came = "the same results" if found.is_same else "other results"
    typer.echo(f"{tenant}: run {found.record.run_id} repeats {run}: {code}, {came}")
    if not found.is_same:
        raise typer.Exit(1)


def _grain(by: str | None) -> str:
    from tenpo.errors import InputError

    grains = {None: "", "store": "store_id", "week": "week", "run": "run_id"}
    if by not in grains:
        raise InputError(
            f"there is no grain {by!r}", where="--by", remedy="Choose from: store, week, run."
        )
    return grains[by]


def _last(weeks: int) -> tuple[date, date]:
    today = datetime.now(UTC).date()
    return today - timedelta(weeks=weeks), today


def _settings() -> Settings:
    from tenpo.settings import get_settings
    from tenpo.telemetry import configure_logging

    settings = get_settings()
    configure_logging(settings)
    return settings


def _told(settings: Settings, tenant: str) -> None:
    from kedro_project.registry.notify import tell

    tell(settings, tenant)


def _print(value: Any) -> None:
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
