"""Counted crossings against crossings seen by eye."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from tenpo.errors import InputError

_MAX_BYTES = 64 * 1024**2
CROSSINGS = frozenset({"enter", "exit", "pass"})


@dataclass(frozen=True)
class Crossing:
    """Somebody crossed a line.

    Args:
        zone_id: the line.
        kind: `enter`, `exit` or `pass`.
        at_s: seconds since the beginning of the video.
    """

    zone_id: str
    kind: str
    at_s: float


@dataclass(frozen=True)
class LineError:
    """How one line and kind was counted.

    Args:
        zone_id: the line.
        kind: `enter`, `exit` or `pass`.
        truth_count: crossings seen by eye.
        counted_count: crossings counted.
        matched_count: pairs of both within the tolerance, each used once.
        error_ratio: (counted - truth) ÷ truth; null without a truth.
        worst_s: the largest difference within a pair; null without pairs.
    """

    zone_id: str
    kind: str
    truth_count: int
    counted_count: int
    matched_count: int
    error_ratio: float | None
    worst_s: float | None


def line_errors(
    truth: Sequence[Crossing], counted: Sequence[Crossing], within_s: float
) -> list[LineError]:
    """Errors by line and kind, of all that either side knows."""
    keys = sorted({(one.zone_id, one.kind) for one in [*truth, *counted]})
    return [_error(key, _times(truth, key), _times(counted, key), within_s) for key in keys]


def read_truth(path: Path, column: str, zone_id: str, kind: str) -> list[Crossing]:
    """Crossings of a CSV file with a header.

    Args:
        path: the file. Columns `zone_id` and `kind` are used where they are.
        column: which column holds seconds since the beginning of the video.
        zone_id: the line of rows without one.
        kind: the kind of rows without one.

    Raises:
        InputError: the file cannot be read, lacks the column, or a row has no number there.
    """
    try:
        with _text(path) as file:
            rows = list(csv.DictReader(file))
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError("that is no CSV file in UTF-8", where=str(path)) from error
    found = []
    for number, row in enumerate(rows, start=2):
        try:
            at_s = float(row[column])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"column {column} holds no seconds",
                where=f"{path}, line {number}",
                remedy="Name another with --column.",
            ) from error
        found.append(Crossing(row.get("zone_id") or zone_id, row.get("kind") or kind, at_s))
    return found


def read_counted(path: Path, start: datetime) -> list[Crossing]:
    """Crossings among the events that `tenpo video analyze` wrote as JSON.

    Raises:
        InputError: it is no such file.
    """
    try:
        with _text(path) as file:
            listed = orjson.loads(file.read())
        return [_crossing(one, start) for one in listed if one["kind"] in CROSSINGS]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            "that is no list of visit events",
            where=str(path),
            remedy="Write it with: tenpo video analyze … --out visits.json",
        ) from error


def _crossing(event: dict[str, Any], start: datetime) -> Crossing:
    at = datetime.fromisoformat(event["occurred_at"])
    return Crossing(event["zone_id"], event["kind"], (at - start).total_seconds())


def _error(
    key: tuple[str, str], truth: list[float], counted: list[float], within_s: float
) -> LineError:
    pairs = _pairs(truth, counted, within_s)
    return LineError(
        zone_id=key[0],
        kind=key[1],
        truth_count=len(truth),
        counted_count=len(counted),
        matched_count=len(pairs),
        error_ratio=(len(counted) - len(truth)) / len(truth) if truth else None,
        worst_s=max((round(abs(a - b), 6) for a, b in pairs), default=None),
    )


def _pairs(truth: list[float], counted: list[float], within_s: float) -> list[tuple[float, float]]:
    """As many pairs as there can be: both in order, the earliest fitting ones first."""
    pairs, mine, theirs = [], 0, 0
    while mine < len(counted) and theirs < len(truth):
        late = counted[mine] - truth[theirs]
        if abs(late) <= within_s:
            pairs.append((truth[theirs], counted[mine]))
            mine, theirs = mine + 1, theirs + 1
        elif late < 0:
            mine += 1
        else:
            theirs += 1
    return pairs


def _times(crossings: Sequence[Crossing], key: tuple[str, str]) -> list[float]:
    return sorted(one.at_s for one in crossings if (one.zone_id, one.kind) == key)


def _text(path: Path) -> Any:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError("the file is too large", where=str(path), remedy="Give one video's.")
        return path.open(encoding="utf-8", newline="")
    except OSError as error:
        raise InputError(
            "the file cannot be read", where=str(path), remedy="Give its path."
        ) from error
