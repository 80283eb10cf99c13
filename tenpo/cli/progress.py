"""Progress for people: bars on a terminal, an occasional plain line anywhere else.

All of it goes to stderr, so that stdout stays the command's answer (`--json`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

PLAIN_EVERY_S = 5.0

console = Console(stderr=True, soft_wrap=True, highlight=False)


class Advance(Protocol):
    """Told by the work how far it is: `advance(3)` or `advance(detail="store 4")`."""

    def __call__(self, count: int = 1, *, detail: str = "") -> None:
        """Count `count` more units as done."""


@contextmanager
def progress(title: str, total: int | None = None, *, unit: str = "") -> Iterator[Advance]:
    """A bar (or a plain line every few seconds) around long work.

    Args:
        title: what is being done, as "Sending receipts".
        total: number of units, None when not known beforehand.
        unit: what is counted, as "lines".
    """
    report = _bar if console.is_terminal else _lines
    with report(title, total, unit) as advance:
        yield advance


@contextmanager
def step(title: str) -> Iterator[None]:
    """One named step of a longer way: says when it starts to be slow, and how long it took."""
    begun = time.monotonic()
    if console.is_terminal:
        with console.status(f"{title} …"):
            yield
    else:
        yield
    console.print(f"  [green]✓[/] {title} [dim]({time.monotonic() - begun:.1f} s)[/]")


@contextmanager
def _bar(title: str, total: int | None, unit: str) -> Iterator[Advance]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}  {task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[detail]}[/]"),
    )
    begun = time.monotonic()
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(title, total=total, unit=unit, rate="", detail="")

        def advance(count: int = 1, *, detail: str = "") -> None:
            done = bar.tasks[0].completed + count
            rate = f"{done / max(time.monotonic() - begun, 0.001):,.0f}/s"
            bar.update(task, advance=count, rate=rate, detail=detail)

        yield advance


@contextmanager
def _lines(title: str, total: int | None, unit: str) -> Iterator[Advance]:
    begun = spoken = time.monotonic()
    done = 0

    def say() -> None:
        elapsed = time.monotonic() - begun
        of = f" of {total:,}" if total is not None else ""
        rate = done / max(elapsed, 0.001)
        console.print(f"  {title}: {done:,}{of} {unit} ({rate:,.0f}/s, {elapsed:.0f} s)")

    def advance(count: int = 1, *, detail: str = "") -> None:
        nonlocal done, spoken
        del detail
        done += count
        if time.monotonic() - spoken >= PLAIN_EVERY_S:
            spoken = time.monotonic()
            say()

    yield advance
    say()
