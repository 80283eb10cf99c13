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

from beam_jobs.append_once import append_once
from beam_jobs.ingest.unlink import EVENT, without_erased
from tenpo.contracts import EVENTS
from tenpo.datamart import connect as connect_datamart
from tenpo.errors import LeaseLost
from tenpo.lake import Lake
from tenpo.settings import Settings
from tenpo.telemetry import get_logger
from tenpo.warehouse import connect as connect_warehouse

log = get_logger(__name__)


@dataclass(frozen=True)
class Load:
    """Canonical objects of one tenant and event that go to raw together, all or none.

    Args:
        load_id: its id, in every row.
        tenant_id: the tenant.
        event: a key of `tenpo.contracts.EVENTS`.
        objects: names in the lake.
        ingested_at: the moment every row carries.
        rows: of all objects.
    """

    load_id: str
    tenant_id: str
    event: str
    objects: tuple[str, ...]
    ingested_at: datetime
    rows: int = 0


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
        rows = read_load(self.lake, load)
        if load.event == EVENT:
            rows = without_erased(self.lake, load.tenant_id, load.objects, rows)
        yield LoadRows(load, rows)


class AppendRawFn(beam.DoFn):
    """Append a load to raw, all of it and once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def setup(self) -> None:
        self.warehouse = connect_warehouse(self.settings)
        self.engine = connect_datamart(self.settings)

    def teardown(self) -> None:
        self.warehouse.close()
        self.engine.dispose()

    def process(self, item: LoadRows) -> Iterator[Load]:
        contract, key = EVENTS[item.load.event], item.load.load_id
        try:
            append_once(self.warehouse, self.engine, contract, item.rows, key)
            yield item.load
        except LeaseLost as error:  # its objects are in another load by now
            log.warning("a load is not ours any more", load_id=key, reason=str(error))


class LoadRaw(beam.PTransform[Any, Any]):
    """Loads into raw. Input: `Load`. Output: those that are there now."""

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
