"""What became of many files: counts and rejections, for people and for machines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from tenpo.errors import InputError, TenpoError

REJECTED_EXIT_CODE = InputError.exit_code
MAX_LISTED = 20
EMPTY = "it holds no records, perhaps a header alone. Is it complete?"
_COUNTS = ("received", "accepted", "rejected", "ignored")


@dataclass
class Outcome:
    """The sum over all files.

    Args:
        files: what became of each, in order.
        stopped: why the files after these were not sent, and how many they are.
    """

    files: list[dict[str, Any]] = field(default_factory=list)
    stopped: dict[str, Any] | None = None

    def add(self, file: str, answer: dict[str, Any]) -> None:
        """A file that was read; some of its records may be rejected."""
        note = {} if any(answer.get(name) for name in _COUNTS) else {"note": EMPTY}
        self.files.append({"file": file, **answer, **note})

    def refuse(self, file: str, error: InputError) -> None:
        """A file that was not read at all."""
        self.files.append({"file": file, "refused": _told(error)})

    def stop(self, error: TenpoError, unsent: int) -> None:
        """The work ends here: this many files, the one in hand first, have no outcome."""
        self.stopped = _told(error) | {"unsent": unsent}

    @property
    def totals(self) -> dict[str, int]:
        """Records by what became of them, and files refused whole."""
        sums = {name: sum(one.get(name, 0) for one in self.files) for name in _COUNTS}
        return sums | {"files": len(self.files), "refused": self._refused}

    @property
    def _refused(self) -> int:
        return sum("refused" in one for one in self.files)

    def report(self, *, as_json: bool) -> None:
        """Print it, and leave with exit code 3 when anything was rejected."""
        self.show(as_json=as_json)
        if self.totals["rejected"] or self._refused:
            raise typer.Exit(REJECTED_EXIT_CODE)

    def show(self, *, as_json: bool) -> None:
        """Print it: a table for people, or one JSON document."""
        if not as_json:
            self._print()
            return
        document = {"totals": self.totals, "files": self.files}
        if self.stopped is not None:
            document["stopped"] = self.stopped
        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())

    def _print(self) -> None:
        console = Console(soft_wrap=True)
        totals = self.totals
        line = ", ".join(f"{totals[name]:,} {name}" for name in _COUNTS)
        console.print(f"{totals['files']:,} files: {line}; {totals['refused']:,} files refused")
        for one in self.files:
            if "refused" in one:
                refusal = one["refused"]
                text = f"{one['file']}: {refusal['error']} ({refusal['where']}). "
                console.print(f"[red]refused[/] {text}{refusal['remedy']}", highlight=False)
        for one in self.files:
            if one.get("note"):
                console.print(f"[yellow]note[/] {one['file']}: {one['note']}", highlight=False)
        self._print_rejections(console)
        if self.stopped is not None:
            console.print(f"[red]stopped[/] {self.stopped['unsent']:,} files have no outcome")

    @property
    def reasons(self) -> Counter[str]:
        """Rejections by reason: of all of a file where they were counted, else of those listed."""
        counted: Counter[str] = Counter()
        for one in self.files:
            listed = (rejection["reason_code"] for rejection in one.get("rejections", []))
            counted.update(one.get("reasons") or listed)
        return counted

    def _print_rejections(self, console: Console) -> None:
        found = [(one["file"], r) for one in self.files for r in one.get("rejections", [])]
        if not found:
            return
        reasons, rejected = self.reasons, self.totals["rejected"]
        known = "" if reasons.total() >= rejected else f", the reasons of {reasons.total():,} known"
        counts = ", ".join(f"{n:,} {code}" for code, n in reasons.most_common())
        console.print(f"Rejected: {rejected:,}{known}: {counts}")
        table = Table("file", "record", "reason", "field", "what to do")
        for file, r in found[:MAX_LISTED]:
            table.add_row(file, r["position"], r["reason_code"], r["field"], r["message"])
        console.print(table)
        if rejected > MAX_LISTED:
            shown = min(MAX_LISTED, len(found))
            console.print(f"{shown:,} of {rejected:,} are shown; --json lists {len(found):,}.")


def _told(error: TenpoError) -> dict[str, Any]:
    return {"error": error.what, "where": error.where, "remedy": error.remedy}
