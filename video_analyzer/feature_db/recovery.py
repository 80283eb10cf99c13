"""From the files of a tenant back to its state: the manifest's parts, then the log's tail."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.indexes import Tuning
from video_analyzer.feature_db.log import replay, segment_numbers
from video_analyzer.feature_db.manifest import MANIFEST_FILE, Manifest, read_manifest
from video_analyzer.feature_db.part import Part, Written
from video_analyzer.feature_db.records import EVENT, Events
from video_analyzer.feature_db.sealed import FeatureDamage, SealedReader, SealedWriter
from video_analyzer.feature_db.space import View
from video_analyzer.feature_db.state import State

#: Events of a frame of an identity file.
_CHUNK = 2**15
_TRIES = 5


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
    """

    state: State
    manifest: Manifest
    identity: list[tuple[Events, Written]]
    segment: int
    lsn: int
    replayed: int


def recover(folder: Path, key: bytes, tuning: Tuning) -> Recovered:
    """Read everything.

    Raises:
        FeatureDamage: something is missing or not as it was written.
    """
    manifest = read_manifest(folder, key)
    state = State(key)
    state.name_stores(manifest.stores)
    state.next_feature = manifest.next_feature
    bitmaps = iter(manifest.alive)
    for (model, dimension), files in zip(manifest.spaces, manifest.parts, strict=True):
        space = state.make_space(model, dimension)
        parts = tuple(Part.read(folder, file, key, tuning, next(bitmaps)) for file in files)
        space.view = View(parts, space.view.deltas)
    identity = [(read_events(folder, file, key), file) for file in manifest.identity]
    for events, _ in identity:
        state.identity.load(events)
    lsn = manifest.lsn
    for batch in replay(folder, key, manifest.segment, manifest.lsn):
        state.apply(batch.records)
        lsn = batch.lsn + 1
    segment = max([manifest.segment, *(n + 1 for n in segment_numbers(folder))])
    return Recovered(state, manifest, identity, segment, lsn, lsn - manifest.lsn)


def recover_beside(folder: Path, key: bytes, tuning: Tuning) -> Recovered:
    """Read everything while another process may write.

    Raises:
        FeatureDamage: something is missing or not as it was written, and not because a
            checkpoint came between.
    """
    for _ in range(_TRIES):
        before = _stamp(folder)
        try:
            return recover(folder, key, tuning)
        except FeatureDamage:
            if _stamp(folder) == before:
                raise
    return recover(folder, key, tuning)


def _stamp(folder: Path) -> tuple[int, int]:
    try:
        found = (folder / MANIFEST_FILE).stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_ino, found.st_mtime_ns)


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


def read_events(folder: Path, written: Written, key: bytes) -> Events:
    """The events of an identity file.

    Raises:
        FeatureDamage: it is not the file that was written.
    """
    reader = SealedReader(folder / written.file, key, written.file, whole=True)
    try:
        data = b"".join(frame.plain for frame in reader)
        events = np.frombuffer(data, EVENT)
    except FileNotFoundError:
        raise FeatureDamage("the identity file is missing", file=written.file) from None
    except ValueError as error:
        raise FeatureDamage("the events are unreadable", file=written.file) from error
    if (reader.salt.hex(), reader.frames) != (written.salt, written.frames):
        raise FeatureDamage("this is another file than was written", file=written.file)
    return events
