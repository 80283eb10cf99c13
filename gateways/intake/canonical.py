"""Canonical objects: the rows of one raw object as Parquet, each pointing back at its delivery.

Layout in the lake: `tenpo.lake`. Not for what the rows are: that is `assembly`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gateways.intake.group import Part
from gateways.normalize.faults import Places
from gateways.normalize.normalized import Events
from tenpo.lake import Lake

#: Columns without repeats, and those that anything is ever looked up by.
_UNIQUE = ("event_id", "rejection_id")
_SOUGHT = ["tenant_id", "store_id", "occurred_at", "received_at"]
#: Opening a zstd stream a column costs more than a small object could save.
_SMALL_ROWS = 1_024


def write_canonical(
    lake: Lake, tenant_id: str, name: str, stem: str, parts: Sequence[Part]
) -> list[str]:
    """Write the canonical objects that belong to one raw object; returns their names.

    Args:
        lake: where to.
        tenant_id: the tenant.
        name: the raw object.
        stem: of the raw object's name; doing it again writes the same objects.
        parts: what was normalised, in the order of the raw object's deliveries.
    """
    objects = list(canonical_objects(tenant_id, name, stem, parts))
    if objects:
        lake.put_in_order(objects)
    return [target for target, _ in objects]


def canonical_objects(
    tenant_id: str, name: str, stem: str, parts: Sequence[Part]
) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the canonical objects of one raw object; see `write_canonical`."""
    for event, table in _located(name, parts).items():
        yield f"canonical/{tenant_id}/{event}/{stem}.parquet", parquet(table)


def parquet(table: pa.Table) -> bytes:
    """A table as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    repeating = [name for name in table.column_names if name not in _UNIQUE]
    codec = "snappy" if table.num_rows < _SMALL_ROWS else "zstd"
    pq.write_table(
        table, buffer, compression=codec, use_dictionary=repeating, write_statistics=_SOUGHT
    )
    return buffer.getvalue()


def _located(name: str, parts: Sequence[Part]) -> dict[str, pa.Table]:
    """One table an event, each row pointing at its delivery in the raw object."""
    tables: dict[str, list[pa.Table]] = {}
    before = 1
    for part in parts:
        for event, found in part.normalized.located.items():
            if found.table.num_rows:
                places = np.arange(before, before + len(part.members))
                tables.setdefault(event, []).append(pointed(found, name, places))
        before += len(part.members)
    return {event: pa.concat_tables(same) for event, same in tables.items()}


def pointed(found: Events, name: str, places: Places) -> pa.Table:
    """Rows that point at the deliveries they came with.

    Args:
        found: rows of some deliveries.
        name: the raw object that holds these.
        places: where each of them is in it, from 1.
    """
    table, schema = found.table, found.table.schema
    positions = pa.array(places[found.deliveries]).cast(pa.string())
    values = {
        "source_object": pa.repeat(name, table.num_rows),
        "source_position": pc.binary_join_element_wise(
            positions, table.column("source_position"), "/"
        ),
    }
    for column, value in values.items():
        place = schema.get_field_index(column)
        table = table.set_column(place, schema.field(place), value)
    return table
