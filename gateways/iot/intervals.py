"""Counts of intervals as an adapter finds them, one dictionary each, made into columns.

The keys of a row are canonical names; times are ISO 8601 text, everything else is text as
it was sent. An adapter only says where its vendor keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gateways.formats.json_text import text_columns
from gateways.normalize import columns
from gateways.normalize.columns import Column, flags, missing
from gateways.normalize.faults import Faults, Reason
from gateways.normalize.instants import iso_times
from gateways.normalize.records import Records

COUNTS = ("in_count", "out_count", "pass_count", "staff_in_count", "staff_out_count",
          "child_in_count", "group_in_count")  # fmt: skip
#: A crossing that a camera reports by itself is an interval of this length with one person.
CROSSING_S = "1"
_NAMES = ("device_id", "line_id", "line_key", "document", "occurred_at", "interval_end_at",
          "length_s", "is_dst", *COUNTS)  # fmt: skip
#: What clocks show that were never set, mostly 1970 or 1980.
_UNSET = r"^19[0-8]\d-"
_YES = pa.array(["true", "1"])
_NO = pa.array(["false", "0"])


def interval_records(
    rows: Sequence[Mapping[str, Any]],
    faults: Faults,
    fields: Mapping[str, str],
    required: Sequence[str] = ("in_count", "out_count"),
) -> Records:
    """Rows as count intervals.

    Args:
        rows: `device_id`, `line_id`, counts, and two of `occurred_at`, `interval_end_at`,
            `length_s`. `document` is what the sender may send again (default: the device), its
            interval is added to it; `line_key` tells its lines apart (default: the line).
            `is_dst` is what the device says of summer time.
        faults: of these rows; what is wrong is marked.
        fields: the vendor's names, for messages.
        required: counts that must be there.
    """
    text = text_columns(rows, _NAMES)
    values: dict[str, Column] = {"device_id": text["device_id"], "line_id": text["line_id"]}
    values["line_key"] = pc.coalesce(text["line_key"], text["line_id"])
    values["document"] = pc.coalesce(text["document"], text["device_id"])
    values |= _times(text, faults, fields)
    values["is_dst"] = yes_or_no(text["is_dst"])
    for name in COUNTS:
        values[name], bad = columns.integers(text[name])
        faults.mark(bad, Reason.BAD_NUMBER, fields.get(name, name))
    for name in required:
        faults.mark(missing(values[name]), Reason.MISSING_FIELD, fields.get(name, name))
    return Records("count_interval", values, faults, fields, pushed=True)


def yes_or_no(text: Column) -> Column:
    """What a device says with true and false, or 1 and 0; null where it says neither."""
    yes, no = (pc.is_in(text, value_set=words) for words in (_YES, _NO))
    return pc.if_else(pc.or_(yes, no), yes, pa.scalar(None, pa.bool_()))


def _times(
    text: Mapping[str, Column], faults: Faults, fields: Mapping[str, str]
) -> dict[str, Column]:
    mark_unset(text["occurred_at"], faults, fields.get("occurred_at", "occurred_at"))
    start, start_local, _, bad_start = iso_times(text["occurred_at"])
    end, end_local, _, bad_end = iso_times(text["interval_end_at"])
    faults.mark(bad_start, Reason.BAD_TIME, fields.get("occurred_at", "occurred_at"))
    faults.mark(bad_end, Reason.BAD_TIME, fields.get("interval_end_at", "interval_end_at"))
    seconds, bad = columns.integers(text["length_s"])
    faults.mark(bad, Reason.BAD_NUMBER, fields.get("length_s", "length_s"))
    length = pc.multiply(pc.coalesce(seconds, 0), 1_000_000).cast(pa.duration("us"))
    length = pc.if_else(pc.is_valid(seconds), length, pa.scalar(None, pa.duration("us")))
    return {
        "at": pc.coalesce(start, pc.subtract(end, length)),
        "at_end": end,
        "local": start_local,
        "local_end": end_local,
        "length": length,
    }


def mark_unset(text: Column, faults: Faults, name: str) -> None:
    """A time of a clock that was never set is a fault of its own."""
    unset = flags(pc.match_substring_regex(text, _UNSET))
    faults.mark(unset, Reason.CLOCK_BEHIND, name)


def unix_time(value: Any, per_second: int = 1) -> Any:
    """Unix time as ISO 8601 text; anything else comes back as it is, for its fault to be told.

    Args:
        value: digits, as text.
        per_second: 1 for seconds, 1000 for milliseconds.
    """
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 15:
        return value
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(value) / per_second)
    except OverflowError:
        return value
    return moment.isoformat()
