"""What becomes of deliveries once versions are resolved, told without the warehouse.

`dwh` holds all lines of the highest version of a document and none of the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from gateways.normalize.normalized import Normalized

Lines = dict[str, dict[str, Any]]

#: Columns that tell of a delivery, not of what it says.
_OF_DELIVERY = ("source_position", "source_object", "received_at", "document_version")


def tables(result: Normalized) -> list[pa.Table]:
    """The events, rejections left out."""
    return [table for name, table in result.events.items() if name != "rejection"]


def rows(result: Normalized) -> list[dict[str, Any]]:
    """Every accepted line."""
    return [row for table in tables(result) for row in table.to_pylist()]


def current(results: Iterable[Normalized]) -> Lines:
    """The lines that count, by id, without what differs between deliveries."""
    found = [row for result in results for row in rows(result)]
    newest: dict[str, int] = {}
    for row in found:
        key = row["document_key"]
        newest[key] = max(row["document_version"], newest.get(key, row["document_version"]))
    return {
        row["event_id"]: {key: value for key, value in row.items() if key not in _OF_DELIVERY}
        for row in found
        if row["document_version"] == newest[row["document_key"]]
    }
