"""From the files of a tenant back to its state: the manifest's parts, then the log's tail."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.indexes import Tuning
from video_analyzer.feature_db.log import replay, segment_name
from video_analyzer.feature_db.manifest import MANIFEST_FILE, Manifest
from video_analyzer.feature_db.part import Part, Written
from video_analyzer.feature_db.records import EVENT, Events
from video_analyzer.feature_db.sealed import FeatureDamage, SealedReader, SealedWriter, Source
from video_analyzer.feature_db.snapshot import Snapshot, open_snapshot
from video_analyzer.feature_db.space import View
from video_analyzer.feature_db.state import State

#: Events of a frame of an identity file.
_CHUNK = 2**15


@dataclass(frozen=True)
class Recovered:
    """What the files gave.

    Args:
        state: as acknowledged.
        manifest: that it began from.
        identity: the identity files with their events.
        segment: the number of the next log segment.
        lsn: the number of the next batch.
        replayed: batches from the log's tail.
        torn: segments that end in a write that never finished, and its first byte.
    """

    state: State
    manifest: Manifest
    identity: list[tuple[Events, Written]]
    segment: int
    lsn: int
    replayed: int
    torn: tuple[tuple[str, int], ...] = ()


def recover(folder: Path, key: bytes, tuning: Tuning) -> Recovered:
    """Read everything, also while another process writes.

    Raises:
        FeatureDamage: something is missing or not as it was written.
        ServiceError: checkpoints follow each other too quickly.
    """
    with open_snapshot(folder, key) as snapshot:
        return _recovered(snapshot, key, tuning)


def _recovered(snapshot: Snapshot, key: bytes, tuning: Tuning) -> Recovered:
    manifest, opened = snapshot.manifest, snapshot.files
    state = State(key)
    state.name_stores(manifest.stores)
    state.next_feature = manifest.next_feature
    bitmaps = iter(manifest.alive)
    for (model, dimension), files in zip(manifest.spaces, manifest.parts, strict=True):
        space = state.make_space(model, dimension)
        parts = tuple(
            Part.read(opened[file.file], file, key, tuning, next(bitmaps)) for file in files
        )
        space.view = View(parts, space.view.deltas)
    identity = [(read_events(opened[file.file], file, key), file) for file in manifest.identity]
    for events, _ in identity:
        state.identity.load(events)
    lsn, torn = manifest.lsn, []
    for number, file in snapshot.segments.items():
        name = segment_name(number)
        reader = SealedReader(file, key, name, whole=False)
        for records in replay(reader, name, lsn):
            state.apply(records)
            lsn += 1
        if reader.torn_at is not None:
            torn.append((name, reader.torn_at))
    segment = max([manifest.segment, *(n + 1 for n in snapshot.segments)])
    return Recovered(state, manifest, identity, segment, lsn, lsn - manifest.lsn, tuple(torn))


def begin(disk: Disk, folder: Path, key: bytes) -> None:
    """Give a new tenant its first, empty manifest.

    Raises:
        FeatureDamage: there are files already, so the manifest was lost.
    """
    if (folder / MANIFEST_FILE).exists():
        return
    if any(any(folder.glob(f"{kind}-*")) for kind in ("log", "part", "identity")):
        raise FeatureDamage("the manifest is missing", file=MANIFEST_FILE)
    Manifest().write(disk, folder, key)


def write_events(disk: Disk, path: Path, key: bytes, events: Events) -> Written:
    """Write events of the identity log durably into a file of their own."""
    writer = SealedWriter(disk, path, key, path.name)
    try:
        for start in range(0, len(events), _CHUNK):
            writer.append(events[start : start + _CHUNK].tobytes())
        writer.append(b"", final=True)
        writer.sync()
    finally:
        writer.close()
    return Written(path.name, writer.salt.hex(), writer.frames)


def read_events(source: Source, written: Written, key: bytes) -> Events:
    """The events of an identity file.

    Raises:
        FeatureDamage: it is not the file that was written.
    """
    reader = SealedReader(source, key, written.file, whole=True)
    try:
        data = b"".join(frame.plain for frame in reader)
        events = np.frombuffer(data, EVENT)
    except ValueError as error:
        raise FeatureDamage("the events are unreadable", file=written.file) from error
    if (reader.salt.hex(), reader.frames) != (written.salt, written.frames):
        raise FeatureDamage("this is another file than was written", file=written.file)
    return events
