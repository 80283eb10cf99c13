"""The Beam side of replay: names of raw objects go in, what was changed of each comes out."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import apache_beam as beam
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from beam_jobs.replay.compare import STAMP_MARK, Difference, difference
from beam_jobs.replay.plan import Request, canonical_objects, stem_of
from beam_jobs.replay.readapt import Readapted, Readapter
from gateways.intake.canonical import parquet
from gateways.intake.workroom import ReadingBroke
from tenpo.contracts import CONFORMED, EVENTS
from tenpo.contracts.events import canonical_schema
from tenpo.erasure import erased_among, unlinked
from tenpo.errors import IntegrityError, TenpoError
from tenpo.lake import Lake
from tenpo.settings import Settings

#: Listings of the lake that are kept: a day's, of an event.
_FOLDERS = 64
EVENTS_SCHEMA = {event: canonical_schema(event) for event in EVENTS}


@dataclass(frozen=True)
class Replayed:
    """What became of one raw object.

    Args:
        raw_object: its name.
        deliveries: how many of it were read again.
        changed: documents by event that are new or otherwise.
        retracted: documents by event that come out no more.
        same: documents that are as they were.
        rejected: records that are rejected now.
        written: canonical objects made.
        failure: why it, or some payloads of it, could not be read; nothing of these was changed.
    """

    raw_object: str
    deliveries: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    retracted: Counter[str] = field(default_factory=Counter)
    same: int = 0
    rejected: int = 0
    written: tuple[str, ...] = ()
    failure: str = ""


class ReplayFn(beam.DoFn):
    """Read one raw object again and write what changed.

    Args:
        settings: the process's settings.
        request: what is replayed.
        stamp: of this replay; a later one sorts after an earlier one.
    """

    def __init__(self, settings: Settings, request: Request, stamp: str) -> None:
        self.settings = settings
        self.request = request
        self.stamp = stamp

    def setup(self) -> None:
        self.lake = Lake(self.settings.lake_url)
        self.names_in = lru_cache(_FOLDERS)(self.lake.names)
        self.readapter = Readapter(self.settings, self.request.sources)

    def teardown(self) -> None:
        self.readapter.close()

    def process(self, raw_object: str) -> Iterator[Replayed]:
        try:
            found = self.readapter.read(self.request.tenant_id, raw_object)
        except IntegrityError as error:
            yield Replayed(raw_object, failure=str(error))
            return
        yield self._changed(raw_object, found)

    def _changed(self, raw_object: str, found: Readapted) -> Replayed:
        differences = {event: self._difference(raw_object, event, found) for event in CONFORMED}
        rejections = self._rejections(raw_object, found)
        tables = {event: one.rows for event, one in differences.items()}
        tables["rejection"] = rejections
        told = {event: one for event, one in differences.items() if one.rows.num_rows}
        return Replayed(
            raw_object,
            found.deliveries,
            Counter({event: one.changed for event, one in told.items()}),
            Counter({event: one.retracted for event, one in told.items() if one.retracted}),
            sum(one.same for one in differences.values()),
            rejections.num_rows,
            tuple(self._write(raw_object, tables)),
            "; ".join(self._failures(raw_object, found)),
        )

    def _difference(self, raw_object: str, event: str, found: Readapted) -> Difference:
        before = self._before(raw_object, event)
        asked = pc.is_in(before["source"], value_set=pa.array(sorted(found.sources), pa.string()))
        asked = pc.and_not(asked, _of_deliveries(before, found.broken))
        stamped = f"{raw_object}{STAMP_MARK}{self.stamp}"
        return difference(before.filter(asked), self._told(event, found), stamped)

    def _failures(self, raw_object: str, found: Readapted) -> Iterator[str]:
        """Payloads that are held as they were; not those that broke their child ever since."""
        held = {
            place
            for event in (CONFORMED if found.broken else ())
            for place in _deliveries(self._before(raw_object, event)).to_pylist()
        }
        for place, error in found.broken.items():
            if str(place) in held or not isinstance(error, ReadingBroke):
                yield f"payload {place}: {error if isinstance(error, TenpoError) else 'a defect'}"

    def _told(self, event: str, found: Readapted) -> pa.Table:
        """What came out, without persons who were erased since."""
        rows = found.rows(event)
        if event != "visit_event" or not rows.num_rows:
            return rows
        gone = erased_among(self.lake, self.request.tenant_id, rows["person_id"])
        return unlinked(rows, gone) if gone else rows

    def _rejections(self, raw_object: str, found: Readapted) -> pa.Table:
        """The rejections that were not told before."""
        told = self._before(raw_object, "rejection")["rejection_id"].combine_chunks()
        rows = found.rows("rejection")
        return rows.filter(pc.invert(pc.is_in(rows["rejection_id"], value_set=told)))

    def _before(self, raw_object: str, event: str) -> pa.Table:
        names = canonical_objects(self.names_in, self.request.tenant_id, event, stem_of(raw_object))
        parts = [pq.read_table(io.BytesIO(data)) for data in self.lake.get_many(names)]
        schema = canonical_schema(event)
        nullable = pa.schema([one.with_nullable(True) for one in schema])
        whole = pa.concat_tables([nullable.empty_table(), *parts], promote_options="permissive")
        return whole.select(schema.names).cast(schema)

    def _write(self, raw_object: str, tables: dict[str, pa.Table]) -> Iterator[str]:
        for event, rows in tables.items():
            if rows.num_rows and not self.request.dry_run:
                stem = f"{stem_of(raw_object)}{STAMP_MARK}{self.stamp}"
                name = f"canonical/{self.request.tenant_id}/{event}/{stem}.parquet"
                self.lake.put(name, parquet(rows.cast(EVENTS_SCHEMA[event])))
                yield name


def _of_deliveries(rows: pa.Table, places: Iterable[int]) -> pa.Array:
    """Which rows come from some deliveries of their raw object."""
    return pc.is_in(_deliveries(rows), value_set=pa.array(map(str, places), pa.string()))


def _deliveries(rows: pa.Table) -> pa.ChunkedArray:
    """The place of each row's delivery, which its position begins with."""
    return pc.list_element(pc.split_pattern(rows["source_position"], "/", max_splits=1), 0)


class ReportFn(beam.DoFn):
    """Keep what became of each raw object where the job finds it, and people later.

    Args:
        settings: the process's settings.
        folder: in the lake.
    """

    def __init__(self, settings: Settings, folder: str) -> None:
        self.settings = settings
        self.folder = folder

    def setup(self) -> None:
        self.lake = Lake(self.settings.lake_url)

    def process(self, one: Replayed) -> Iterator[str]:
        name = f"{self.folder}/{stem_of(one.raw_object).replace('/', '_')}.json"
        self.lake.put(name, orjson.dumps(vars(one)))
        yield name


class ReplayRaw(beam.PTransform[Any, Any]):
    """Raw objects through today's adapters. Input: names. Output: names of the reports.

    Args:
        settings: the process's settings.
        request: what is replayed.
        stamp: of this replay.
        folder: where in the lake the reports go.
    """

    def __init__(self, settings: Settings, request: Request, stamp: str, folder: str) -> None:
        super().__init__()
        self._settings = settings
        self._arguments = (settings, request, stamp)
        self._folder = folder

    def expand(self, names: Any) -> Any:
        """Spread, read again and write."""
        return (
            names
            | "Spread raw objects" >> beam.Reshuffle()
            | "Read again" >> beam.ParDo(ReplayFn(*self._arguments))
            | "Report" >> beam.ParDo(ReportFn(self._settings, self._folder))
        )
