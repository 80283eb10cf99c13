"""A tenant's files at one moment, held open, so that no checkpoint takes them from a reader.

POSIX keeps a deleted file for those who have it open
(https://pubs.opengroup.org/onlinepubs/9799919799/functions/unlink.html). So whoever has opened
everything that a manifest counts, and finds that manifest still in force after that, has
a whole state, however long the reading takes. Not for what is in the files (`recovery`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tenpo.errors import ServiceError
from video_analyzer.feature_db.log import segment_numbers, segment_path
from video_analyzer.feature_db.manifest import MANIFEST_FILE, Manifest, read_manifest
from video_analyzer.feature_db.sealed import FeatureDamage

_TRIES = 200
_PAUSE_S = 0.005
#: A new tenant has a key for a moment before it has a manifest.
_TRIES_OF_MISSING = 10


@dataclass(frozen=True)
class Snapshot:
    """Open files; they close with the context of `open_snapshot`.

    Args:
        manifest: that was in force.
        manifest_file: its file.
        files: those that it names, by name.
        segments: the log's from its first on, by number, ascending.
    """

    manifest: Manifest
    manifest_file: BinaryIO
    files: dict[str, BinaryIO]
    segments: dict[int, BinaryIO]


@contextmanager
def open_snapshot(folder: Path, key: bytes) -> Iterator[Snapshot]:
    """Open a tenant's files, also while another process or thread writes them.

    Raises:
        FeatureDamage: a file is missing, or the manifest is not as it was written.
        ServiceError: checkpoints follow each other too quickly.
    """
    with ExitStack() as stack:
        yield _opened(folder, key, stack)


def _opened(folder: Path, key: bytes, stack: ExitStack) -> Snapshot:
    for left in reversed(range(_TRIES)):
        with ExitStack() as trying:
            try:
                found = _try(folder, key, trying)
            except _NoManifest:
                if _TRIES - left >= _TRIES_OF_MISSING:
                    raise
                found = None
            if found is not None:
                stack.enter_context(trying.pop_all())
                return found
        time.sleep(_PAUSE_S)
    raise ServiceError(
        "the features' files change faster than they can be opened",
        where=folder.name,
        remedy="Try again.",
    )


class _NoManifest(FeatureDamage):
    """There is no manifest, or not yet."""


def _try(folder: Path, key: bytes, stack: ExitStack) -> Snapshot | None:
    """All files of the manifest in force; None if another took its place meanwhile."""
    path = folder / MANIFEST_FILE
    try:
        manifest_file = stack.enter_context(path.open("rb"))
    except FileNotFoundError:
        raise _NoManifest("the manifest is missing", file=MANIFEST_FILE) from None
    manifest = read_manifest(manifest_file, key)
    numbers = [number for number in segment_numbers(folder) if number >= manifest.segment]
    missing: list[str] = []

    def opened(path: Path) -> Iterator[BinaryIO]:
        try:
            yield stack.enter_context(path.open("rb"))
        except FileNotFoundError:
            missing.append(path.name)

    files = {name: file for name in manifest.files() for file in opened(folder / name)}
    segments = {n: file for n in numbers for file in opened(segment_path(folder, n))}
    if not _is_in_force(path, manifest_file):
        return None
    if missing:
        raise FeatureDamage(f"{missing[0]} is missing", file=missing[0])
    return Snapshot(manifest, manifest_file, files, segments)


def _is_in_force(path: Path, file: BinaryIO) -> bool:
    """Whether this open file is still the one of that name: no other can have its number."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
