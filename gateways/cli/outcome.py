"""What became of many files: counts and rejections, for people and for machines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from tenpo.errors import InputError

REJECTED_EXIT_CODE = InputError.exit_code
MAX_LISTED = 20
EMPTY = "it holds no records, perhaps a header alone. Is it complete?"
_COUNTS = ("received", "accepted", "rejected", "ignored")


@dataclass
class Outcome:
    """The sum over all files."""

    files: list[dict[str, Any]] = field(default_factory=list)

    def add(self, file: str, answer: dict[str, Any]) -> None:
        """A file that was read; some of its records may be rejected."""
        note = {} if any(answer.get(name) for name in _COUNTS) else {"note": EMPTY}
        self.files.append({"file": file, **answer, **note})

    def refuse(self, file: str, error: InputError) -> None:
        """A file that was not read at all."""
        refusal = {"error": error.what, "where": error.where, "remedy": error.remedy}
        self.files.append({"file": file, "refused": refusal})

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
        if as_json:
            document = {"totals": self.totals, "files": self.files}
            typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
        else:
            self._print()
        if self.totals["rejected"] or self._refused:
            raise typer.Exit(REJECTED_EXIT_CODE)

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

    def _print_rejections(self, console: Console) -> None:
        found = [(one["file"], r) for one in self.files for r in one.get("rejections", [])]
        if not found:
            return
        reasons = Counter(r["reason_code"] for _, r in found)
        console.print("Rejected: " + ", ".join(f"{n} {code}" for code, n in reasons.most_common()))
        table = Table("file", "record", "reason", "field", "what to do")
        for file, r in found[:MAX_LISTED]:
            table.add_row(file, r["position"], r["reason_code"], r["field"], r["message"])
        console.print(table)
        if len(found) > MAX_LISTED:
            console.print(f"… and {len(found) - MAX_LISTED:,} more; --json lists them.")
