"""One raw object through today's adapters: what its deliveries come out as now.

What differs from the first time is the adapter or spec (the newest of its name) and the
masters; the moment of receiving, and so the version of documents, stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from gateways.intake.archive import UNOPENED, Delivery, read_archive
from gateways.intake.canonical import pointed
from gateways.intake.group import Entry, goes_with_others, normalize_group
from gateways.intake.keyring import KeyRing
from gateways.intake.spec_shelf import SpecShelf
from gateways.intake.workroom import Job, Limits, ReadingBroke, Workroom
from gateways.normalize.adapter import Adapter
from gateways.normalize.context import Context
from gateways.normalize.normalized import Normalized
from gateways.normalize.refusing import Refusing
from gateways.registry import vendors
from tenpo.contracts.events import canonical_schema
from tenpo.errors import InputError, PayloadError, UnknownReference
from tenpo.lake import Lake
from tenpo.masters import MasterBook
from tenpo.settings import Settings

_UNOPENED = PayloadError("the body could not be opened", remedy="Send the payload again.")


@dataclass
class Readapted:
    """What a raw object comes out as.

    Args:
        deliveries: how many of it were read again.
        left: how many were not asked for.
        sources: the adapters and specs of those read again.
        tables: canonical rows by event, the rejections among them.
        broken: why a delivery could not be read again, by its position. That says nothing of
            the payload, so what is held of it stays.
    """

    deliveries: int = 0
    left: int = 0
    sources: set[str] = field(default_factory=set)
    tables: dict[str, list[pa.Table]] = field(default_factory=dict)
    broken: dict[int, Exception] = field(default_factory=dict)

    def rows(self, event: str) -> pa.Table:
        """All rows of one event, pointing at their deliveries."""
        empty = canonical_schema(event).empty_table()
        return pa.concat_tables([empty, *self.tables.get(event, ())])


class Readapter:
    """Reads raw objects again.

    Args:
        settings: where the lake is, and the root of the keys.
        sources: only deliveries of these adapters and specs; none means all.
    """

    def __init__(self, settings: Settings, sources: Sequence[str] = ()) -> None:
        lake = Lake(settings.lake_url)
        root = settings.root_secret()
        self._lake = lake
        self._keys = KeyRing(root)
        self._book = MasterBook(lake)
        self._specs = SpecShelf(lake)
        self._sources = frozenset(sources)
        self._workroom = Workroom(root, Limits(workers=1))

    def close(self) -> None:
        """Stop the child that opens files."""
        self._workroom.close()

    def read(self, tenant_id: str, raw_object: str) -> Readapted:
        """What the object's deliveries come out as now.

        Raises:
            IntegrityError: the object is damaged, or sealed with another key.
        """
        found, entries = Readapted(), dict[int, Entry]()
        deliveries = read_archive(self._lake, self._keys.of(tenant_id), raw_object)
        for position, delivery in enumerate(deliveries, start=1):
            if self._sources and delivery.source not in self._sources:
                found.left += 1
                continue
            found.deliveries += 1
            found.sources.add(delivery.source)
            try:
                entries[position] = self._entry(tenant_id, delivery)
            except InputError as error:
                found.broken[position] = error
        group = normalize_group([*entries.values()])
        positions = np.fromiter(entries, np.int64)
        found.broken |= {int(positions[n]): defect for n, defect in group.defects.items()}
        for part in group.parts:
            for event, rows in part.normalized.located.items():
                table = pointed(rows, raw_object, positions[np.array(part.members)])
                found.tables.setdefault(event, []).append(table)
        return found

    def _entry(self, tenant_id: str, delivery: Delivery) -> Entry:
        """A delivery, read already unless it is read with others, as when it came.

        Raises:
            ReadingBroke: reading it broke its child, the second time, too.
            InputError: as from `_adapter`.
        """
        adapter = self._adapter(tenant_id, delivery)
        context = Context(
            self._book.get(tenant_id),
            self._keys.of(tenant_id),
            delivery.received_at,
            delivery.store_hint,
            delivery.allowed_store,
        )
        entry = Entry(adapter, context, delivery.body, delivery.spec_object)
        if goes_with_others(adapter, delivery.body):
            return entry
        return replace(entry, normalized=self._normalized(entry))

    def _normalized(self, entry: Entry) -> Normalized:
        """What becomes of a delivery by itself, a refusal as its one rejection."""
        job = Job.of(entry.adapter, entry.body, entry.context)
        try:
            try:
                return self._workroom.read_here(job)
            except ReadingBroke:  # may be the machine's fault
                return self._workroom.read_here(job)
        except ReadingBroke:
            raise
        except PayloadError as error:
            return entry.adapter.refusal(entry.body, error, entry.context)

    def _adapter(self, tenant_id: str, delivery: Delivery) -> Adapter:
        """The adapter of a delivery as it is now.

        Raises:
            UnknownReference: the adapter or spec is not there any more.
            PayloadError: the spec is one that is refused by now.
        """
        if delivery.content_type in UNOPENED:
            return Refusing(delivery.source, "pos", _UNOPENED, delivery.adapter_version)
        if delivery.spec_object is not None:
            return self._specs.get(tenant_id, delivery.source)[1]
        known: Mapping[str, Adapter] = vendors()
        if delivery.source not in known:
            raise UnknownReference(
                f"there is no adapter {delivery.source!r} any more",
                where=delivery.source,
                remedy="Bring it back, or leave it out with --source.",
            )
        return known[delivery.source]
