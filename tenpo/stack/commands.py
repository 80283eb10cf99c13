"""The commands of the local stack: up, down, status, doctor. Presentation only."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tenpo.cli.progress import console as progress_console
from tenpo.errors import InputError
from tenpo.settings import get_settings

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines.")]
Only = Annotated[
    str, typer.Option(help="Only these processes, comma-separated, as postgres,bigquery.")
]

_COLOURS = {"healthy": "green", "starting": "yellow", "failed": "red", "stopped": "dim"}


def up(
    only: Only = "",
    follow: Annotated[
        bool, typer.Option(help="Also run the streaming ingest (`tenpo ingest --follow`).")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Start the local stack, or whatever of it does not run.

    Returns when everything answers; the processes go on by themselves. Running it again
    is safe: it starts what is dead and restarts what was started with other settings.

    Example: tenpo up

    Example: tenpo up --only postgres,bigquery
    """
    from tenpo.stack.startup import bring_up, default_names

    begun = time.monotonic()
    settings = get_settings()
    names = _chosen(only) or default_names(follow=follow)
    progress_console.print(f"Starting the local stack in {settings.home}")
    started = bring_up(settings, names, lambda text: progress_console.print(f"  {text}"))
    for note in started.notes:
        progress_console.print(f"  [yellow]note:[/] {note}")
    if as_json:
        _print_json({"started": started.started, "services": _states()})
        return
    _print_states()
    what = "everything ran already" if not started.started else f"{len(started.started)} started"
    progress_console.print(f"Up: {what}, {time.monotonic() - begun:.1f} s. Stop with: tenpo down")


def down(as_json: AsJson = False) -> None:
    """Stop everything that the local stack runs.

    Example: tenpo down
    """
    from tenpo.stack.shutdown import bring_down

    begun = time.monotonic()
    settings = get_settings()
    stopped = bring_down(settings, lambda text: progress_console.print(f"  {text}"))
    if as_json:
        _print_json({"stopped": stopped})
        return
    what = f"{len(stopped)} processes stopped" if stopped else "nothing was running"
    progress_console.print(
        f"Down: {what}, {time.monotonic() - begun:.1f} s. The data stays in {settings.home}"
    )


def status(as_json: AsJson = False) -> None:
    """Show what runs, where it listens and where its log is.

    Example: tenpo status --json
    """
    if as_json:
        _print_json({"services": _states()})
    else:
        _print_states()


def doctor(as_json: AsJson = False) -> None:
    """Say what is wrong on this machine and how to mend it.

    Exit code 1 when something is wrong; what is merely missing and optional is no fault.

    Example: tenpo doctor
    """
    from tenpo.stack.doctor import examine

    report = examine()
    if as_json:
        _print_json(report.as_dict())
    else:
        _print_report(report.as_dict())
    if not report.is_well:
        raise typer.Exit(1)


def _chosen(only: str) -> tuple[str, ...]:
    from tenpo.stack.processes import NAMES

    asked = tuple(name.strip() for name in only.split(",") if name.strip())
    unknown = [name for name in asked if name not in NAMES]
    if unknown:
        raise InputError(
            f"the stack has no process {', '.join(unknown)}",
            where="--only",
            remedy=f"Choose from {', '.join(NAMES)}.",
        )
    return asked


def _states() -> list[dict[str, object]]:
    from tenpo.stack.state import service_states

    return [row.as_dict() for row in service_states(get_settings())]


def _print_states() -> None:
    rows = _states()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("process", "state", "pid", "up", "address", "log"):
        table.add_column(title, overflow="fold")
    for row in rows:
        state = str(row["state"])
        table.add_row(
            str(row["name"]),
            f"[{_COLOURS[state]}]{state}[/]",
            str(row["pid"] or ""),
            _duration(int(str(row["uptime_s"]))),
            str(row["address"]),
            str(row["log"]),
        )
    console = _wide_console()
    console.print(table)
    if any(row["name"] == "airflow-api-server" and row["pid"] for row in rows):
        console.print(
            f"Airflow: user admin, password {_airflow_password(shown=console.is_terminal)}"
        )


def _airflow_password(*, shown: bool) -> str:
    """The generated password for a person at a terminal; for logs and files only its place."""
    from tenpo.stack.airflow_config import admin_password, passwords_file

    settings = get_settings()
    return admin_password(settings) if shown else f"in {passwords_file(settings)}"


def _print_report(report: dict[str, object]) -> None:
    console = _wide_console()
    checks = report["checks"]
    if not isinstance(checks, list):
        raise TypeError(checks)
    marks = {"ok": "[green]ok[/]  ", "optional": "[dim]none[/]", "wrong": "[red]wrong[/]"}
    for check in checks:
        console.print(f"{marks[check['verdict']]} {check['name']}: ", end="")
        console.print(check["finding"], markup=False)
        if check["remedy"]:
            console.print(f"       {check['remedy']}", markup=False)
    wrong = sum(check["verdict"] == "wrong" for check in checks)
    console.print("All is well." if not wrong else f"{wrong} to mend.")


def _wide_console() -> Console:
    """Tables are not folded when they go into a file or a pipe."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=200, highlight=False)


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if seconds else ""


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
