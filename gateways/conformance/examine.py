"""The whole examination of one adapter."""

from __future__ import annotations

from gateways.conformance.card import Finding, ScoreCard
from gateways.conformance.checks import CHECKS
from gateways.conformance.corpus import Subject
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
    return ScoreCard(adapter.name, adapter.version, len(subject.payloads), findings)
