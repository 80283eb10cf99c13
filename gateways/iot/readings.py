"""Running totals as an adapter finds them, one dictionary each, made into columns.

The gateway keeps no state: what was counted between two totals is told in the warehouse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from gateways.formats.json_text import text_columns
from gateways.iot.intervals import mark_unset, yes_or_no
from gateways.normalize import columns
from gateways.normalize.columns import Column, missing
from gateways.normalize.faults import Faults, Reason
from gateways.normalize.instants import iso_times
from gateways.normalize.records import Records

_NAMES = ("device_id", "line_id", "line_key", "document", "occurred_at", "is_dst")
_TOTALS = ("in_total", "out_total")


def reading_records(
    rows: Sequence[Mapping[str, Any]],
    faults: Faults,
    fields: Mapping[str, str],
    required: Sequence[str] = _TOTALS,
) -> Records:
    """Rows as readings.

    Args:
        rows: `device_id`, `line_id`, `occurred_at` (ISO 8601), `in_total`, `out_total`, as text;
            `document` is what the sender may send again (default: the device), its moment is
            added to it.
        faults: of these rows; what is wrong is marked.
        fields: the vendor's names, for messages.
        required: totals that must be there.
    """
    text = text_columns(rows, (*_NAMES, *_TOTALS))
    at, local = reading_times(text["occurred_at"], faults, fields.get("occurred_at", "occurred_at"))
    values: dict[str, Column] = {
        "device_id": text["device_id"],
        "line_id": text["line_id"],
        "line_key": pc.coalesce(text["line_key"], text["line_id"]),
        "document": pc.coalesce(text["document"], text["device_id"]),
        "at": at,
        "local": local,
        "is_dst": yes_or_no(text["is_dst"]),
    }
    for name in _TOTALS:
        values[name], bad = columns.integers(text[name])
        faults.mark(bad, Reason.BAD_NUMBER, fields.get(name, name))
    for name in required:
        faults.mark(missing(values[name]), Reason.MISSING_FIELD, fields.get(name, name))
    return Records("count_reading", values, faults, fields, pushed=True)


def reading_times(text: Column, faults: Faults, name: str) -> tuple[Column, Column]:
    """ISO 8601 text as moments, or as wall-clock times; a clock that was never set is a fault."""
    mark_unset(text, faults, name)
    at, local, _, bad = iso_times(text)
    faults.mark(bad, Reason.BAD_TIME, name)
    return at, local
