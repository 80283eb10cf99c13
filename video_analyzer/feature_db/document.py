"""One small sealed file, written whole or not at all. Not for what grows (`log`, `part`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenpo.errors import ServiceError
from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.sealed import SealedReader, SealedWriter


def draft_of(name: str) -> str:
    """The name under which a file lies until it is whole."""
    return f".{name}"


def write_document(disk: Disk, path: Path, key: bytes, data: bytes) -> None:
    """Put this in the place of what was there; sealed, and durable when it returns.

    Raises:
        ServiceError: the disk refused; what was there stays.
    """
    draft = path.with_name(draft_of(path.name))
    with told(path.name):
        draft.unlink(missing_ok=True)
        writer = SealedWriter(disk, draft, key, path.name)
        try:
            writer.append(data)
            writer.append(b"", final=True)
            writer.sync()
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        finally:
            writer.close()
        disk.replace(draft, path)


def read_document(path: Path, key: bytes) -> bytes:
    """What was written.

    Raises:
        FileNotFoundError: there is none.
        FeatureDamage: it is not as it was written.
    """
    return b"".join(frame.plain for frame in SealedReader(path, key, path.name, whole=True))


@contextmanager
def told(what: str) -> Iterator[None]:
    """Tell what a disk refuses as an error of ours.

    Raises:
        ServiceError: it did.
    """
    try:
        yield
    except OSError as error:
        raise ServiceError(
            f"the features' {what} was not written: {error.strerror}",
            where=what,
            remedy="Free disk space or mend the disk, then try again.",
        ) from error
