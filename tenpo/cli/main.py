"""The `tenpo` command. It finds every room's commands by entry point and imports none unasked.

Registering a command (in pyproject.toml; then reinstall with `make setup`):

    [project.entry-points."tenpo.commands"]
    ingest = "beam_jobs.ingest.command:ingest"

The object is a plain function whose parameters are annotated for typer, or a
`typer.Typer` where the command has verbs of its own (`tenpo tenant add`):

    def ingest(
        tenant: Annotated[str | None, typer.Option(help="Only this tenant.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        '''Load what the gateways have written into the warehouse.

        Example: tenpo ingest --tenant uci
        '''

What holds for every command:

* The first line of the docstring is its help in `tenpo --help`. It is read from the
  source without importing it, so the module may be heavy; still, `tenpo NAME --help`
  imports it, so put imports of Beam and the like inside the function.
* The docstring has an example. `--json` prints exactly one JSON document on stdout.
  Everything else (progress, logs, remarks) goes to stderr.
* Raise a `TenpoError`; it is shown as what, where, remedy, and its `exit_code` is the
  command's. Anything else is a defect: exit 1, with the traceback under `--debug`.
* Ctrl-C arrives as KeyboardInterrupt: leave a clean state; the exit code is 130.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from contextlib import suppress
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tenpo import __version__, collector
from tenpo.cli.failure import report_failure
from tenpo.errors import ConfigError
from tenpo.settings import get_settings
from tenpo.telemetry import configure_logging

GROUP = "tenpo.commands"
ORDER = ("demo", "up", "status", "down", "doctor", "simulate", "send", "normalize", "ingest")


class LazyCommands(TyperGroup):
    """A group whose commands are entry points, loaded when named."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order a newcomer meets them, then alphabetically."""
        del ctx
        names = sorted(found_commands())
        return sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What the listing shows: name and one line of help, nothing imported."""
        del ctx
        entry = found_commands().get(cmd_name)
        return None if entry is None else _described(entry)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """What runs: only now is the named command's module imported."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and command is not None:
            command = _as_click(found_commands()[name])
        return name, command, rest


def found_commands() -> dict[str, EntryPoint]:
    """The installed commands by name."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _as_click(entry: EntryPoint) -> Any:
    target = entry.load()
    if isinstance(target, typer.Typer):
        command = typer.main.get_command(target)
    else:
        single = typer.Typer(add_completion=False, rich_markup_mode="rich")
        single.command(name=entry.name, no_args_is_help=False)(target)
        command = typer.main.get_command(single)
    command.name = entry.name
    return command


def _described(entry: EntryPoint) -> Any:
    """A stand-in that carries the one-line help only."""

    def stand_in() -> None: ...

    stand_in.__doc__ = one_line_help(entry)
    single = typer.Typer(add_completion=False)
    single.command(name=entry.name)(stand_in)
    return typer.main.get_command(single)


def one_line_help(entry: EntryPoint) -> str:
    """First docstring line of the entry point's object, read from source without importing it."""
    module_name, _, attribute = entry.value.partition(":")
    source = _source_of(module_name)
    if source is None:
        return f"(not installed: {module_name})"
    tree = ast.parse(source.read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == attribute:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return (ast.get_docstring(tree) or "").partition("\n")[0]


def _source_of(module_name: str) -> Path | None:
    """The module's file. Only the top package is looked up: finding more imports its parents."""
    top, *inner = module_name.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent.joinpath(*inner)
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.exists()), None)


app = typer.Typer(cls=LazyCommands, add_completion=False, no_args_is_help=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tenpo {__version__}")
        raise typer.Exit


@app.callback()
def root(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and debug logs.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Web analytics for physical shops: counters, cameras and registers in, store KPIs out.

    First steps: `tenpo demo`, or `tenpo up` and then `tenpo send --help`.
    """
    del debug, version  # main() has acted on the one, its own callback on the other


def _start_logging(*, debug: bool) -> None:
    """Unusable settings must not keep `--help` and `doctor` from running: the command will say."""
    with suppress(ConfigError):
        configure_logging(get_settings(), debug=debug)


def main(arguments: list[str] | None = None) -> None:
    """Run one command and turn whatever happens into an exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given
    given = [word for word in given if word != "--debug"]
    collector.rest()
    try:
        _start_logging(debug=debug)
        command = typer.main.get_command(app)
        options = ["--debug"] if debug else []
        code = command.main([*options, *given], prog_name="tenpo", standalone_mode=False)
    except BaseException as error:  # the last frame: every end becomes a message and a code
        code = report_failure(error, debug=debug)
    sys.exit(code if isinstance(code, int) else 0)
