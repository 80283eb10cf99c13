"""A copy of a tenant's files as they are, also while they are written: for backups.

The files stay sealed. `key.sealed` is not copied: a backup that is kept apart from its key
can be made unreadable without being found. What an `export` is for others, see there.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from tenpo.errors import InputError, IntegrityError, ServiceError
from video_analyzer.feature_db.declared import DECLARED_FILE
from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.log import segment_name
from video_analyzer.feature_db.manifest import MANIFEST_FILE
from video_analyzer.feature_db.snapshot import open_snapshot
from video_analyzer.feature_db.verify import VerifyReport, verify

_PIECE_BYTES = 1024**2


def back_up(folder: Path, key: bytes, target: Path) -> VerifyReport:
    """Copy what makes a tenant's database into a new folder, and check the copy.

    Args:
        folder: the tenant's.
        key: its data key, to read the manifest and to check the copy.
        target: does not exist yet.

    Returns:
        What the check of the copy says; it found no problem.

    Raises:
        InputError: there is something at the target.
        ServiceError: the disk refuses.
        IntegrityError: files are missing or damaged.
    """
    disk = Disk()
    try:
        target.mkdir(parents=True, mode=0o700)
        with open_snapshot(folder, key) as found:
            names = {segment_name(number): file for number, file in found.segments.items()}
            for name, file in (found.files | names | {MANIFEST_FILE: found.manifest_file}).items():
                _copy(disk, file, target / name)
        if (folder / DECLARED_FILE).exists():
            with (folder / DECLARED_FILE).open("rb") as file:
                _copy(disk, file, target / DECLARED_FILE)
        disk.sync_folder(target)
    except FileExistsError:
        raise InputError(
            "there is something already", where=str(target), remedy="Name a new folder."
        ) from None
    except OSError as error:
        raise ServiceError(
            f"the copy cannot be written: {error.strerror}", where=str(target),
            remedy="Free disk space, delete what is there, then try again.",
        ) from error  # fmt: skip
    report = verify(target, key)
    if report.problems:
        raise IntegrityError("; ".join(report.problems), where=str(target))
    return report


def _copy(disk: Disk, source: BinaryIO, target: Path) -> None:
    source.seek(0)
    handle = disk.create(target)
    try:
        while piece := source.read(_PIECE_BYTES):
            disk.write(handle, piece)
        disk.sync(handle)
    finally:
        disk.close(handle)
