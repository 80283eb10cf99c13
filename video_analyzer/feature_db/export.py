"""Taking features out and in: a sealed copy of a tenant, and what is held of one person.

A copy is the log of a database that was made in one go: names, identity log, features. It
opens with the tenant's data key alone, so `key.sealed` and the root secret belong to a
backup as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tenpo.errors import InputError
from video_analyzer.feature_db.commit import Draft
from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.document import told
from video_analyzer.feature_db.people import People
from video_analyzer.feature_db.records import (
    Added,
    Events,
    Ids,
    Named,
    Record,
    Told,
    decode,
    encode,
)
from video_analyzer.feature_db.scan import EXPORT_CONTEXT, EXPORT_FOLDER
from video_analyzer.feature_db.sealed import SealedReader, SealedWriter
from video_analyzer.feature_db.space import Space
from video_analyzer.feature_db.state import State
from video_analyzer.feature_db.store import FeatureStore

_CHUNK = 8_192


def export_store(store: FeatureStore) -> Path:
    """Write a sealed copy of all living features and the identity log.

    Returns:
        The file, in the tenant's own folder, where an erasure's scan sees it.

    Raises:
        ServiceError: the disk refused; there is no copy.
    """
    with store.copying, told("copy"):
        return _export(store, store.disk, store.folder / EXPORT_FOLDER)


def _export(store: FeatureStore, disk: Disk, folder: Path) -> Path:
    disk.make_folder(folder)
    moment = store.commit(lambda draft: _Moment.of(store.state), alone=True)
    path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.sealed"
    writer = SealedWriter(disk, path, store.key, EXPORT_CONTEXT)
    try:
        for lsn, record in enumerate(_records(moment), start=1):
            writer.append(encode(lsn, [record]))
        writer.append(b"", final=True)
        writer.sync()
    except BaseException:
        disk.remove([path])
        raise
    finally:
        writer.close()
    disk.sync_folder(folder)
    return path


@dataclass(frozen=True)
class _Moment:
    """What there is between two batches: names, identity log, and numbers of the living."""

    named: Named
    chunks: tuple[Events, ...]
    living: list[tuple[Space, Ids]]

    @classmethod
    def of(cls, state: State) -> _Moment:
        spaces = tuple((space.model, space.dimension) for space in state.spaces)
        living = [(space, np.sort(space.rows_where()["feature"])) for space in state.spaces]
        return cls(Named(tuple(state.stores), spaces), tuple(state.identity.chunks), living)


def _records(moment: _Moment) -> Iterator[Record]:
    yield moment.named
    for chunk in moment.chunks:
        for start in range(0, len(chunk), _CHUNK):
            yield Told(chunk[start : start + _CHUNK])
    for space, numbers in moment.living:
        for start in range(0, len(numbers), _CHUNK):
            rows, vectors = space.get(numbers[start : start + _CHUNK])
            yield Added(space.number, rows, vectors)


def import_store(store: FeatureStore, path: Path) -> int:
    """Take a copy into an empty tenant, batch by batch.

    Returns:
        How many features it has then.

    Raises:
        InputError: the tenant has features already.
        InputError: there is no such file.
        IntegrityError: the file is no copy of this tenant, or damaged; nothing was taken.
    """
    if store.state.spaces or store.identity.count():
        raise InputError(
            f"the tenant {store.tenant_id} has features already",
            remedy="Import into a tenant without any.",
        )
    try:
        for _ in SealedReader(path, store.key, EXPORT_CONTEXT, whole=True):
            pass  # all of it must open before any of it counts
    except FileNotFoundError:
        raise InputError("there is no such file", where=str(path)) from None
    for frame in SealedReader(path, store.key, EXPORT_CONTEXT, whole=True):
        if frame.plain:
            _, records = decode(frame.plain)
            store.commit(_putting(records), alone=True)
    return store.state.living()


def _putting(records: list[Record]) -> Any:
    def plan(draft: Draft) -> None:
        draft.records += records

    return plan


def held_of(store: FeatureStore, person: str) -> dict[str, Any]:
    """What is held of one person, to answer the person who asks.

    Raises:
        UnknownReference: there is no such person, or it was erased.
    """
    people = People(store)
    return {
        "tenant": store.tenant_id,
        "person": people.current(person),
        "raw_ids": people.members(person),
        "features": [
            {
                "feature": found.feature,
                "model": found.model,
                "store_id": found.seen.store_id,
                "observed_at": found.seen.observed_at,
                "expires_at": found.seen.expires_at,
            }
            for found in store.features_of(person)
        ],
    }
