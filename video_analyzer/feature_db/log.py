"""The write-ahead log: batches as sealed frames in numbered segments.

A batch is acknowledged after fsync. A segment is never taken up again: after a start, a
checkpoint or a failed write the next batch begins a new one. Batches are numbered without
gaps, so a lost or shortened segment is noticed when the next one is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tenpo.errors import ServiceError
from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.records import Record, decode, encode
from video_analyzer.feature_db.sealed import FeatureDamage, SealedReader, SealedWriter

_NAME = "log-{:08d}"


class FeatureWriteError(ServiceError):
    """A write was not made durable, and nothing of it counts. Searches go on."""


def segment_numbers(folder: Path) -> list[int]:
    """The numbers of the segments in a folder, ascending."""
    return sorted(int(path.name[4:]) for path in folder.glob("log-????????"))


def segment_name(number: int) -> str:
    """A segment's file."""
    return _NAME.format(number)


def segment_path(folder: Path, number: int) -> Path:
    """Where a segment lies."""
    return folder / segment_name(number)


class Log:
    """The end of the log, where batches are put.

    Args:
        disk: where to.
        folder: the tenant's.
        key: its data key.
        segment: the number of the next segment, of which there is no file.
        lsn: the number of the next batch.
    """

    def __init__(self, disk: Disk, folder: Path, key: bytes, segment: int, lsn: int) -> None:
        self._disk, self._folder, self._key = disk, folder, key
        self.segment, self.lsn = segment, lsn
        self._writer: SealedWriter | None = None
        self._broken = False

    def append(self, records: list[Record]) -> None:
        """Make one batch durable.

        Raises:
            FeatureWriteError: it is not, and it will not be there after a restart.
        """
        if self._broken:
            raise FeatureWriteError(
                "nothing was written: the log could not be set right after a failed write",
                remedy="Mend the disk, then restart the process: what was acknowledged is there.",
            )
        try:
            writer = self._writer or self._begin()
            good = writer.size
            try:
                writer.append(encode(self.lsn, records))
                writer.sync()
            except OSError:
                self._abandon(writer, good)
                raise
        except OSError as error:
            raise _not_written(f"the disk refuses: {error.strerror}") from error
        self.lsn += 1

    def _begin(self) -> SealedWriter:
        path = segment_path(self._folder, self.segment)
        self.segment += 1  # even if this one fails: a file is never taken up again
        writer = SealedWriter(self._disk, path, self._key, path.name)
        self._disk.sync_folder(self._folder)
        self._writer = writer
        return writer

    def _abandon(self, writer: SealedWriter, good: int) -> None:
        """Take back what was half written; if even that fails, write nothing more."""
        try:
            writer.cut(good)
        except OSError:
            self._broken = True
            return
        self._writer = None

    def rotate(self) -> int:
        """End the segment. Returns the number of the next one."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        return self.segment

    def close(self) -> None:
        """Give the file back."""
        self.rotate()


def _not_written(why: str) -> FeatureWriteError:
    return FeatureWriteError(
        f"the features were not written: {why}",
        remedy="Free disk space or mend the disk, then send them again.",
    )


def replay(reader: SealedReader, file: str, lsn: int) -> Iterator[list[Record]]:
    """The batches of a segment, in order; a torn last write is left out.

    Args:
        reader: of the segment.
        file: its name.
        lsn: the number that its first batch must have.

    Raises:
        FeatureDamage: a batch is missing or not as it was written.
    """
    for frame in reader:
        try:
            found, records = decode(frame.plain)
        except (ValueError, KeyError, TypeError) as error:
            raise FeatureDamage("a batch is unreadable", file=file, at=frame.at) from error
        if found != lsn:
            raise FeatureDamage("batches are missing before", file=file, at=frame.at)
        yield records
        lsn += 1
