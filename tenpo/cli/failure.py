"""How a command fails: message on stderr, exit code, traceback only when asked for."""

from __future__ import annotations

import os
import sys
import traceback

import typer
from rich.console import Console
from rich.text import Text

from tenpo.errors import TenpoError

INTERRUPTED = 130


def report_failure(error: BaseException, *, debug: bool) -> int:
    """Say what went wrong and return the exit code of the process."""
    if isinstance(error, typer.Exit | SystemExit):
        return _code_of(error)
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        Console(stderr=True).print("Interrupted.")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        _silence_stdout()
        return 0
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # wrong usage
        error.show()  # type: ignore[attr-defined]  # click's UsageError, vendored by typer
        return int(error.exit_code)
    if debug:
        traceback.print_exception(error)
    if isinstance(error, TenpoError):
        _explain(error)
        return error.exit_code
    _explain_defect(error, debug=debug)
    return 1


def _code_of(error: BaseException) -> int:
    code = getattr(error, "exit_code", None)
    if code is None:
        code = getattr(error, "code", 0)
    return code if isinstance(code, int) else 0 if code is None else 1


def _silence_stdout() -> None:
    """The reader has gone (`| head`): keep the interpreter from complaining at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain(error: TenpoError) -> None:
    console = Console(stderr=True, soft_wrap=True)
    console.print(Text.assemble(("Error: ", "bold red"), error.what))
    if error.where:
        console.print(Text.assemble(("  where: ", "dim"), error.where))
    if error.remedy:
        console.print(Text.assemble(("  remedy: ", "dim"), error.remedy))


def _explain_defect(error: BaseException, *, debug: bool) -> None:
    console = Console(stderr=True, soft_wrap=True)
    console.print(Text.assemble(("Unexpected error: ", "bold red"), repr(error)))
    if not debug:
        console.print("  This is a defect of Tenpo. Run again with --debug for the traceback.")
