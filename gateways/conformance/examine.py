"""The whole examination of one adapter."""

from __future__ import annotations

from dataclasses import replace

from gateways.conformance.card import Finding, ScoreCard
from gateways.conformance.checks import CHECKS
from gateways.conformance.corpus import EXPECTED, Subject
from gateways.conformance.fuzz import mutations


def examine(subject: Subject, damaged: int) -> ScoreCard:
    """Every check over every payload.

    Args:
        subject: adapter and payloads.
        damaged: how many damaged payloads to read.
    """
    first, *others = CHECKS
    findings = [first(subject)]
    if findings[0].status == "passed":
        findings += [check(subject) for check in others]
    else:
        names = [check.__name__.replace("_", " ") for check in others]
        findings += [Finding(name, "not checked", "payloads are not read") for name in names]
    findings += mutations(subject, damaged) if damaged else []
    adapter = subject.adapter
    explained = [_explained(one, subject.no_occasion.get(one.check)) for one in findings]
    return ScoreCard(adapter.name, adapter.version, len(subject.payloads), explained)


def _explained(finding: Finding, reason: str | None) -> Finding:
    """A check that was not made, with the reason that the corpus states; one that was must not."""
    if reason is None:
        return finding
    if finding.status == "not checked":
        return replace(finding, detail=reason)
    told = f"{EXPECTED} says that there is no occasion for it, but there is: {finding.detail}"
    return replace(finding, status="failed", detail=told)
