"""The manifest: one sealed file that says which files make a tenant's database.

It is replaced in one step at a checkpoint. What it does not name does not count, except log
segments from its first on. Its frames: the description (JSON), then one bitmap a part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.part import Written
from video_analyzer.feature_db.sealed import FeatureDamage, SealedReader, SealedWriter, Source

MANIFEST_FILE = "manifest"
DRAFT_FILE = ".manifest"


@dataclass
class Manifest:
    """What a checkpoint holds.

    Args:
        segment: the first log segment that is not in it.
        lsn: the number of the first batch that is not in it.
        next_feature: the next feature's number.
        next_file: the next part's or identity file's number.
        stores: names of stores, by number.
        spaces: model and dimension of the spaces, by number.
        parts: of each space, by number.
        identity: files of the identity log, in order.
        alive: bitmaps, in the order of the parts.
    """

    segment: int = 1
    lsn: int = 1
    next_feature: int = 1
    next_file: int = 1
    stores: list[str] = field(default_factory=list)
    spaces: list[tuple[str, int]] = field(default_factory=list)
    parts: list[list[Written]] = field(default_factory=list)
    identity: list[Written] = field(default_factory=list)
    alive: list[NDArray[np.uint8]] = field(default_factory=list)

    def files(self) -> set[str]:
        """The names of the files that count."""
        return {w.file for w in self.identity} | {w.file for ws in self.parts for w in ws}

    def write(self, disk: Disk, folder: Path, key: bytes) -> None:
        """Put this manifest in the place of the one before."""
        head = asdict(self)
        del head["alive"]
        draft = folder / DRAFT_FILE
        draft.unlink(missing_ok=True)
        writer = SealedWriter(disk, draft, key, MANIFEST_FILE)
        try:
            writer.append(orjson.dumps(head, default=list))
            for bits in self.alive:
                writer.append(bits.tobytes())
            writer.append(b"", final=True)
            writer.sync()
        finally:
            writer.close()
        disk.replace(draft, folder / MANIFEST_FILE)


def read_manifest(source: Source, key: bytes) -> Manifest:
    """The manifest of a file.

    Raises:
        FeatureDamage: it is not as it was written.
    """
    try:
        frames = [frame.plain for frame in SealedReader(source, key, MANIFEST_FILE, whole=True)]
        head = orjson.loads(frames[0])
    except (ValueError, IndexError) as error:
        raise FeatureDamage("the manifest is unreadable", file=MANIFEST_FILE) from error
    return _from(head, [np.frombuffer(bits, np.uint8).copy() for bits in frames[1:-1]])


def _from(head: dict[str, object], alive: list[NDArray[np.uint8]]) -> Manifest:
    def files(found: Sequence[Sequence[object]]) -> list[Written]:
        return [Written(str(file), str(salt), int(str(n))) for file, salt, n in found]

    made = Manifest(**head, alive=alive)  # type: ignore[arg-type]
    made.spaces = [(model, dimension) for model, dimension in made.spaces]
    made.parts = [files(found) for found in made.parts]
    made.identity = files(made.identity)
    return made
