"""Wall-clock times of the hour that comes twice when a clock is put back: which of both is meant.

What tells it, the first that does: the device's own word whether it is summer time; the end of a
short interval, where only one hour fits; the order of a delivery, in which the time once goes
back, or the same time comes again; and the arrival, which is never before and mostly soon after.
Where nothing does, counts that a device pushed are a fault, and everything else means the first.

Not for sales: registers print receipts of both hours with one time, and no figure is the worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gateways.normalize.columns import Column, codes_of, flags, joined, missing, ranks
from gateways.normalize.faults import Mask, Reason
from gateways.normalize.instants import LOCAL, repeated, to_moments
from gateways.normalize.records import Records
from tenpo.device_clock import AHEAD

#: What is sent at once arrives within this.
PROMPT = timedelta(minutes=30)
_HOUR_US = 3_600_000_000
_FEWEST = 3  # rows that show an order: of two the later may come first


@dataclass(frozen=True)
class Passes:
    """Which rows mean the second of two equal hours, by their start and by their end."""

    start: Mask
    end: Mask


def passes_of(records: Records, zones: Column, received: Column) -> Passes | None:
    """Decide for counts; what cannot be decided is marked.

    Args:
        records: with `local`, perhaps `local_end`, `length` and `is_dst`.
        zones: timezone of each row.
        received: when each row arrived.

    Returns:
        None where no row lies in such an hour, or the rows are no counts.
    """
    if records.event == "sale_line" or "local" not in records.columns:
        return None
    local = records.columns["local"]
    end = records.columns.get("local_end")
    twice = repeated(local, zones)
    if not twice.any():
        return None
    judged = _Judged(twice.copy(), np.zeros(len(records), np.bool_))
    hint = records.column("is_dst")
    judged.decide(~missing(hint), ~flags(hint))
    if end is not None:
        judged.decide(_is_short(local, end) & ~repeated(end, zones), np.bool_(True))
        judged.decide(flags(pc.less_equal(end, local)), np.bool_(False))
    _by_order(records, local, judged)
    _by_arrival(records, zones, received, judged)
    if records.pushed:
        records.faults.mark(judged.open, Reason.AMBIGUOUS_TIME, records.named("occurred_at"))
    if end is None:
        return Passes(judged.second, judged.second)
    # An interval that seems to end before it began ends in the second hour.
    return Passes(judged.second, judged.second | flags(pc.less_equal(end, local)))


@dataclass
class _Judged:
    """Rows of a repeated hour that are still open, and those that mean the second one."""

    open: Mask
    second: Mask

    def decide(self, rows: Mask, second: Mask | np.bool_) -> None:
        """Close some of the open rows."""
        told = self.open & rows
        self.second |= told & second
        self.open &= ~told


def _is_short(local: Column, end: Column) -> Mask:
    """Whether an interval has up to an hour by the clock, as nearly all have."""
    length = pc.subtract(end, local).cast(pa.int64())
    return flags(pc.and_(pc.greater(length, 0), pc.less_equal(length, _HOUR_US)))


def _by_order(records: Records, local: Column, judged: _Judged) -> None:
    """Rows of a delivery lie in their order: the time goes back once, or comes again."""
    if not judged.open.any():
        return
    parts = [pa.array(records.faults.deliveries), records.column("document"),
             records.column("line_key")]  # fmt: skip
    _by_step(codes_of(joined(parts)), local, judged)
    key = joined([*parts, local])
    rank = ranks(key)
    codes = codes_of(key)
    judged.decide(np.bincount(codes)[codes] > 1, rank > 0)


def _by_step(lines: npt.NDArray[np.int64], local: Column, judged: _Judged) -> None:
    """Rows of a line before and after the one step back of its clock."""
    stamps = np.asarray(pc.fill_null(local.cast(LOCAL).cast(pa.int64()), 0))
    order = np.argsort(lines, kind="stable")
    stepped, after = np.zeros((2, len(lines)), np.bool_)
    for rows in np.split(order, np.flatnonzero(np.diff(lines[order])) + 1):
        back = np.flatnonzero(np.diff(stamps[rows]) < 0)
        if len(rows) >= _FEWEST and len(back) == 1:
            stepped[rows] = True
            after[rows[back[0] + 1 :]] = True
    judged.decide(stepped, after)


def _by_arrival(records: Records, zones: Column, received: Column, judged: _Judged) -> None:
    if not judged.open.any():
        return
    later = np.ones(len(records), np.bool_)
    until = pc.coalesce(records.column("local_end"), records.columns["local"])
    moment = to_moments(until, zones, later)
    length = pc.coalesce(records.column("length"), pa.scalar(0, pa.duration("us")))
    late = pc.subtract(received, pc.add(moment, length))
    too_early = pa.scalar(-AHEAD, pa.duration("us"))
    prompt = pa.scalar(PROMPT, pa.duration("us"))
    judged.decide(flags(pc.less(late, too_early)), np.bool_(False))
    judged.decide(flags(pc.less_equal(late, prompt)), np.bool_(True))
