"""`tenpo models`: runs on the platform's data, backtests on any store-day CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kedro_project.registry.commands import add_to, make_again
from tenpo.errors import InputError

if TYPE_CHECKING:
    from kedro_project.panel import ReadPanel
    from kedro_project.results.record import RunRecord

models = typer.Typer(help="Clusters, targets and forecasts of stores.", no_args_is_help=True)
add_to(models)
_MAX_FOLDS, _MAX_HORIZON = 52, 366
_TITLES = {
    "model": "Tenpo",
    "seasonal_naive": "last week again",
    "last_year": "last year",
    "cluster_mean": "cluster mean",
    "flat_uplift": "last week + 5 %",
}


@models.callback()
def callback() -> None:
    """Clusters, targets and forecasts of stores.

    Example: tenpo models run --tenant demo
    """


@models.command()
def backtest(
    panel: Annotated[Path, typer.Option(help="CSV, one line a store and day.")],
    mapping: Annotated[Path, typer.Option(help="YAML: which column means what.")],
    horizon: Annotated[int, typer.Option(help="Days to forecast.")] = 42,
    folds: Annotated[int, typer.Option(help="How often, each a horizon earlier.")] = 1,
    report: Annotated[Path, typer.Option(help="Where the HTML report goes.")] = Path(
        "backtest.html"
    ),
    seed: Annotated[int, typer.Option(help="The same seed gives the same result.")] = 0,
    threads: Annotated[int, typer.Option(help="Of the model's training.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Forecast, cluster and set targets on a panel's last days, and compare with the truth.

    Needs nothing of the running platform: neither warehouse nor datamart.

    Example: tenpo models backtest --panel sales.csv --mapping mapping.yaml --horizon 42 --json
    """
    for option, value, most in (
        ("--folds", folds, _MAX_FOLDS),
        ("--horizon", horizon, _MAX_HORIZON),
    ):
        if not 1 <= value <= most:
            raise InputError(f"{value} is out of range", where=option, remedy=f"Give 1 to {most}.")
    from kedro_project.execution import execute, parameters, seeded
    from kedro_project.panel import read_mapping, read_panel
    from kedro_project.pipelines.backtest import create_pipeline
    from tenpo.cli.progress import step

    with step("Reading the panel"):
        read = read_panel(panel, read_mapping(mapping))
    settings = seeded(parameters(), seed=seed, horizon=horizon, folds=folds, threads=threads)
    with step(f"Training and forecasting, folds: {folds}"):
        done = execute(create_pipeline(), {"panel": read.panel}, settings)
    _write(report, done["backtest_report"])
    document = _document(read, done["backtest_metrics"], report, seed)
    if as_json:
        import orjson

        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(document)


@models.command()
def run(
    tenant: Annotated[
        list[str] | None, typer.Option(help="Only this tenant; may be given again.")
    ] = None,
    pipeline: Annotated[
        str | None,
        typer.Option(help="Only this: features, clustering, forecast, targets, judge or publish."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="Last business date to be known, YYYY-MM-DD.")
    ] = None,
    key: Annotated[
        str, typer.Option("--run", help="Name or id of the run, where pipelines run one by one.")
    ] = "newest",
    seed: Annotated[int, typer.Option(help="The same seed gives the same result.", min=0)] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Publish nothing.")] = False,
    recipe: Annotated[
        str | None, typer.Option(help="With the parameters of this run, by its id.")
    ] = None,
    again: Annotated[
        str | None, typer.Option("--repeat", help="Make this run again from its record.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the runs as JSON.")] = False,
) -> None:
    """Find clusters, targets and forecasts of tenants, and publish what beats the champion.

    A repeated run is never published; the exit code tells whether the same came out. Where one
    tenant's run fails, the others' go on; the exit code is the worst.

    Example: tenpo models run --tenant demo
    """
    from kedro_project.execution import parameters, seeded
    from kedro_project.platform_run import Wish, checked_pipelines, run_models
    from kedro_project.results.record import Shelf
    from tenpo.cli.progress import console
    from tenpo.lake import Lake
    from tenpo.masters import MasterBook
    from tenpo.settings import get_settings
    from tenpo.telemetry import configure_logging

    settings = get_settings()
    configure_logging(settings)
    wanted = [name for name in checked_pipelines(pipeline) if not (dry_run and name == "publish")]
    day = None if as_of is None else _day(as_of)
    chosen = parameters()
    chosen = seeded(chosen, seed=seed, horizon=int(chosen["forecast"]["horizon"]))
    lake = Lake(settings.lake_url)
    tenants = tenant or MasterBook(lake).tenants()
    if again is not None or recipe is not None:
        owner = _only(tenants)
        if again is not None:
            return make_again(settings, owner, again)
        chosen = Shelf(lake, owner).record(str(recipe)).parameters

    def run_one(name: str) -> None:
        wish = Wish(name, wanted, key, day, is_dry=dry_run)
        record = run_models(settings, wish, chosen, lambda text: console.print(f"  {text}"))
        _say(name, record, as_json=as_json)

    return _each(tenants, run_one)


def _only(tenants: Sequence[str]) -> str:
    """The one tenant whose run is meant.

    Raises:
        InputError: there are several, or none.
    """
    if len(tenants) != 1:
        raise InputError(
            "a run belongs to one tenant", where="--tenant", remedy="Name one: --tenant T."
        )
    return tenants[0]


def _each(tenants: Sequence[str], run_one: Callable[[str], None]) -> None:
    """Run every tenant, whatever becomes of the one before.

    Raises:
        Exception: the error itself, of a tenant alone.
        Exit: with the highest exit code of several.
    """
    if len(tenants) == 1:
        return run_one(tenants[0])
    from tenpo.cli.failure import report_failure
    from tenpo.cli.progress import console

    worst = 0
    for name in tenants:
        try:
            run_one(name)
        except Exception as error:  # whatever it is: it is this tenant's, and is told
            console.print(f"{name}: failed; again, alone: --tenant {name}", markup=False)
            worst = max(worst, report_failure(error, debug=False))
    if worst:
        raise typer.Exit(worst)
    return None


def _say(tenant_id: str, record: RunRecord | None, *, as_json: bool) -> None:
    if as_json:
        import orjson

        found = None if record is None else record.model_dump(mode="json")
        typer.echo(orjson.dumps({"tenant_id": tenant_id, "run": found}).decode())
    elif record is None:
        typer.echo(f"{tenant_id}: no figures yet, so nothing to learn from")
    else:
        chains = ", ".join(record.currencies)
        typer.echo(f"{tenant_id}: run {record.run_id} of {chains}, as of {record.as_of}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError("this is no date", where="--as-of", remedy="Write YYYY-MM-DD.") from error


def _write(path: Path, html: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(html, "utf-8")
    except OSError as error:
        raise InputError(
            "the report cannot be written", where=str(path), remedy="Give another --report."
        ) from error


def _document(read: ReadPanel, metrics: dict[str, Any], report: Path, seed: int) -> dict[str, Any]:
    panel = read.panel
    return {
        "panel": {
            "lines": read.lines,
            "stores": len(panel.stores),
            "days": len(panel.dates),
            "from": f"{panel.dates[0]:%Y-%m-%d}",
            "to": f"{panel.dates[-1]:%Y-%m-%d}",
            "findings": [finding.as_document() for finding in read.findings],
        },
        "seed": seed,
        **metrics,
        "report": str(report),
    }


def _show(document: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(soft_wrap=True, highlight=False)
    sections = {f"Forecast of {name}": rows for name, rows in document["forecast"].items()}
    for title, rows in (sections | {"Targets": document["targets"]}).items():
        table = Table(title=title, title_justify="left", box=None, header_style="bold")
        table.add_column("")
        for name in rows["model"]:
            table.add_column(name, justify="right")
        for method, values in rows.items():
            figures = (_figure(values.get(name)) for name in rows["model"])
            table.add_row(_TITLES[method], *figures)
        console.print(table)
    clusters = document["clusters"]
    console.print(
        f"{clusters['count']} clusters, silhouette {clusters['silhouette']:.2f}, "
        f"stability {clusters['stability']:.2f}: {'; '.join(clusters['names'].values())}"
    )
    for finding in document["panel"]["findings"]:
        console.print(f"{finding['count']:,} {finding['message']}", style="dim")
    if document["left_out"]:
        console.print(f"{len(document['left_out'])} stores left out of clusters and targets")
    console.print(f"Report: {document['report']}")


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
