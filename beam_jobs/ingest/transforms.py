"""The Beam side of ingest: groups of canonical objects go in, row counts come out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from tenpo.contracts import EVENTS
from tenpo.lake import Lake
from tenpo.settings import Settings
from tenpo.warehouse import append
from tenpo.warehouse import connect as connect_warehouse


@dataclass(frozen=True)
class Load:
    """Canonical objects of one tenant and event that go to raw together, all or none.

    Args:
        load_id: its id, in every row.
        tenant_id: the tenant.
        event: a key of `tenpo.contracts.EVENTS`.
        objects: names in the lake.
        ingested_at: the moment every row carries.
    """

    load_id: str
    tenant_id: str
    event: str
    objects: tuple[str, ...]
    ingested_at: datetime


class LoadRows(NamedTuple):
    """The rows of a load as raw will hold them."""

    load: Load
    rows: pa.Table


def read_load(lake: Lake, load: Load) -> pa.Table:
    """The rows of a load, with `ingested_at` and `load_id` added.

    Raises:
        IntegrityError: an object is not of the event's schema.
        LakeError: an object cannot be read.
    """
    parts = [pq.read_table(io.BytesIO(data)) for data in lake.get_many(load.objects)]
    table = pa.concat_tables(parts)
    count = table.num_rows
    stamp = pa.scalar(load.ingested_at, pa.timestamp("us", tz="UTC"))
    table = table.append_column("ingested_at", pa.repeat(stamp, count))
    table = table.append_column("load_id", pa.repeat(load.load_id, count))
    return EVENTS[load.event].conform(table)


class ReadLoadFn(beam.DoFn):
    """Read a load's objects from the lake, side by side."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def setup(self) -> None:
        self.lake = Lake(self.settings.lake_url)

    def process(self, load: Load) -> Iterator[LoadRows]:
        yield LoadRows(load, read_load(self.lake, load))


class AppendRawFn(beam.DoFn):
    """Append a load to raw: one pending stream, committed at once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def setup(self) -> None:
        self.warehouse = connect_warehouse(self.settings)

    def teardown(self) -> None:
        self.warehouse.close()

    def process(self, item: LoadRows) -> Iterator[tuple[str, int]]:
        contract = EVENTS[item.load.event]
        yield item.load.load_id, append(self.warehouse, contract, item.rows)


class LoadRaw(beam.PTransform[Any, Any]):
    """Loads into raw. Input: `Load`. Output: (load id, rows appended)."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings

    def expand(self, loads: Any) -> Any:
        """Read, append."""
        return (
            loads
            | "Spread loads" >> beam.Reshuffle()
            | "Read canonical objects" >> beam.ParDo(ReadLoadFn(self.settings))
            | "Append to raw" >> beam.ParDo(AppendRawFn(self.settings))
        )
