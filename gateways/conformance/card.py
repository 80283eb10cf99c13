"""The score card: what was checked, what became of it, and how it looks on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

Status = Literal["passed", "failed", "not checked"]


@dataclass(frozen=True)
class Finding:
    """What became of one check.

    Args:
        check: its name.
        status: passed, failed, or not checked because the corpus gives no occasion.
        detail: what was seen; of a failure, what was wrong and where.
    """

    check: str
    status: Status
    detail: str

    @classmethod
    def of(cls, check: str, faults: Sequence[str], seen: str, checked: int = 1) -> Finding:
        """Failed where there are faults, not checked where nothing was, else passed."""
        if faults:
            return cls(check, "failed", "; ".join(faults[:3]))
        return cls(check, "passed" if checked else "not checked", seen)


@dataclass(frozen=True)
class ScoreCard:
    """All findings about one adapter."""

    adapter: str
    version: str
    payloads: int
    findings: Sequence[Finding]

    @property
    def passed(self) -> bool:
        """Whether nothing failed and something was checked."""
        states = {one.status for one in self.findings}
        return "failed" not in states and "passed" in states

    def document(self) -> dict[str, Any]:
        """For machines."""
        findings = [
            {"check": one.check, "status": one.status, "detail": one.detail}
            for one in self.findings
        ]
        return {
            "adapter": self.adapter, "version": self.version, "payloads": self.payloads,
            "passed": self.passed, "findings": findings,
        }  # fmt: skip

    def html(self) -> str:
        """One page that can be mailed: no script, nothing loaded from elsewhere."""
        rows = "\n".join(
            f'<tr class="{one.status.replace(" ", "-")}"><th scope="row">{escape(one.check)}</th>'
            f"<td>{_SIGNS[one.status]} {one.status}</td><td>{escape(one.detail)}</td></tr>"
            for one in self.findings
        )
        verdict = "conforms" if self.passed else "does not conform yet"
        return _PAGE.format(
            adapter=escape(self.adapter), version=escape(self.version), payloads=self.payloads,
            verdict=verdict, rows=rows,
        )  # fmt: skip


_SIGNS = {"passed": "✓", "failed": "✗", "not checked": "-"}
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Conformance of {adapter}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 52rem;
  margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; vertical-align: top; padding: .4rem .8rem; border-top: 1px solid #ccc }}
td:nth-child(2) {{ white-space: nowrap }}
.failed td:nth-child(2) {{ color: #a00; font-weight: bold }}
.not-checked {{ color: #666 }}
</style>
<h1>{adapter} {verdict}</h1>
<p>Adapter version {version}, examined with {payloads} recorded payloads.</p>
<table><thead><tr><th>Check<th>Result<th>Seen</thead><tbody>
{rows}
</tbody></table></html>
"""
