"""Files that a power cut does not lose: write, fsync, rename, fsync the folder.

POSIX's recipe for a whole file, and the same for several that belong together, whose
waits for the disk then overlap. Not for buckets: those promise it themselves.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def write_files(
    files: Sequence[tuple[Path, bytes]], visible: Callable[[int], None] = lambda _: None
) -> None:
    """Write whole files that are durable when this returns.

    They appear one after the other, in their order, so a process that dies on the way never
    leaves a later one without the earlier ones. After a power cut that holds on file
    systems that journal renames in order, as ext4 and XFS do.

    Args:
        files: paths and contents; the paths are new.
        visible: told the place of each file once it can be seen.

    Raises:
        OSError: some are not written; drafts are taken away.
    """
    for path, _ in files:
        _make_folders(path.parent)
    drafts = [path.with_name(f".{path.name}.{secrets.token_hex(4)}") for path, _ in files]
    try:
        _side_by_side(
            _write, [(draft, data) for draft, (_, data) in zip(drafts, files, strict=True)]
        )
        for place, (draft, (path, _)) in enumerate(zip(drafts, files, strict=True)):
            draft.rename(path)
            visible(place)
    except BaseException:
        for draft in drafts:
            draft.unlink(missing_ok=True)
        raise
    _side_by_side(_sync_folder, list(dict.fromkeys(path.parent for path, _ in files)))


def _side_by_side(function: Callable[[T], None], items: Sequence[T]) -> None:
    """Call for each, waiting for the disk once and not once each."""
    if len(items) == 1:
        function(items[0])
        return
    with ThreadPoolExecutor(len(items)) as pool:
        list(pool.map(function, items))  # raises what any of them raised


def _write(file: tuple[Path, bytes]) -> None:
    path, data = file
    with path.open("xb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())


def _make_folders(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
