"""Damaged payloads: none may break an adapter, and each is accepted or rejected with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateways.conformance.card import Finding
from gateways.conformance.corpus import Payload, Subject
from gateways.conformance.mutate import PLANTED, mutated
from gateways.normalize.faults import Reason, Rejected
from gateways.normalize.json_adapter import JsonAdapter
from gateways.normalize.normalized import Result
from tenpo.errors import PayloadError

CHECK, REASONS = "damage does no harm", "rejections say why"
_TOGETHER = 100
#: Codes that have to be registered are named; nothing else of a payload is.
_NAMED = (Reason.UNKNOWN_STORE, Reason.UNKNOWN_DEVICE)


@dataclass
class _Tally:
    accepted: int = 0
    rejected: int = 0
    refused: int = 0
    told: int = 0
    harm: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)


def mutations(subject: Subject, count: int) -> list[Finding]:
    """Read so many damaged payloads.

    Returns:
        Whether nothing broke and all sums held; whether every rejection has a reason and a
        remedy and shows no value.
    """
    tally = _Tally()
    for first in range(0, count, _TOGETHER):
        numbers = range(first, min(first + _TOGETHER, count))
        for number, result in _results(subject, numbers, tally):
            _take(tally, number, result)
    seen = (
        f"{count} damaged payloads: {tally.accepted} accepted whole, {tally.rejected} with "
        f"rejections, {tally.refused} refused whole"
    )
    told = f"{tally.told} rejections and {tally.refused} refusals of these"
    return [Finding.of(CHECK, tally.harm, seen, count),
            Finding.of(REASONS, tally.untold, told, tally.told + tally.refused)]  # fmt: skip


def _payload(subject: Subject, number: int) -> Payload:
    return subject.payloads[number % len(subject.payloads)]


def _results(
    subject: Subject, numbers: range, tally: _Tally
) -> Iterator[tuple[int, Result | PayloadError]]:
    """What became of each; payloads of JSON are read together first, as the gateway does."""
    bodies = [mutated(_payload(subject, number).body, number) for number in numbers]
    if isinstance(subject.adapter, JsonAdapter):
        deliveries = [(body, subject.context(place)) for place, body in enumerate(bodies)]
        try:
            yield from zip(numbers, subject.adapter.normalize_many(deliveries).results, strict=True)
        except Exception:  # whichever it was is found below, one by one
            tally.harm.append(f"payloads {numbers.start} to {numbers.stop - 1} break together")
        else:
            return
    for number, body in zip(numbers, bodies, strict=True):
        try:
            yield number, subject.adapter.normalize(body, subject.context()).results[0]
        except PayloadError as error:
            yield number, error
        except Exception as error:  # any other is the finding
            name = _payload(subject, number).name
            tally.harm.append(f"{name}, damage {number}: {type(error).__name__}")


def _take(tally: _Tally, number: int, result: Result | PayloadError) -> None:
    if isinstance(result, PayloadError) or result.refusal is not None:
        refusal = result if isinstance(result, PayloadError) else result.refusal
        tally.refused += 1
        if refusal is None or not refusal.what or PLANTED in str(refusal):
            tally.untold.append(f"damage {number}: refused without a reason, or with a value")
        return
    if result.received != result.accepted + len(result.rejected):
        tally.harm.append(f"damage {number}: the sums do not hold")
    if not result.rejected:
        tally.accepted += 1
        return
    tally.rejected += 1
    tally.told += len(result.rejected)
    for one in result.rejected:
        if not _told(one):
            tally.untold.append(f"damage {number}: {one.reason.value} on {one.field[:40]!r}")


def _told(one: Rejected) -> bool:
    """Whether a rejection has reason, place and remedy, and no value but a code to register."""
    shown = one.field + one.position + ("" if one.reason in _NAMED else one.message)
    return bool(one.message and one.position) and PLANTED not in shown
