"""What the database asks of a disk, in one place, so that a test can make a disk fail.

POSIX's recipe for a durable file: write, fsync, rename, fsync the folder. Not for
encryption (`sealed`) nor for what the bytes mean.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_OWNER_ONLY = 0o600


class Disk:
    """A real disk. Every method may raise `OSError`; callers say what that means for them."""

    def create(self, path: Path) -> int:
        """Open a new file for appending, readable by the owner alone."""
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        return os.open(path, flags, _OWNER_ONLY)

    def write(self, handle: int, data: bytes) -> None:
        """Write all of it, or raise."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]

    def sync(self, handle: int) -> None:
        """Return when a power cut would not lose what was written."""
        os.fsync(handle)

    def truncate(self, handle: int, size: int) -> None:
        """Cut off what lies behind `size`, durably."""
        os.ftruncate(handle, size)
        self.sync(handle)

    def close(self, handle: int) -> None:
        """Give the file back; what was not synced may be lost."""
        os.close(handle)

    def replace(self, draft: Path, path: Path) -> None:
        """Put a synced draft in the place of a file, whole or not at all, durably."""
        draft.replace(path)
        self.sync_folder(path.parent)

    def remove(self, paths: list[Path]) -> None:
        """Delete files durably; one that is gone already is no error."""
        for path in paths:
            path.unlink(missing_ok=True)
        for folder in {path.parent for path in paths}:
            self.sync_folder(folder)

    def remove_tree(self, folder: Path) -> None:
        """Delete a folder with all in it, durably."""
        shutil.rmtree(folder)
        self.sync_folder(folder.parent)

    def make_folder(self, folder: Path) -> None:
        """A folder that only the owner can look into; one that is there stays."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.sync_folder(folder.parent)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
