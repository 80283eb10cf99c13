"""The recorder's own folder: where chunks wait in the clear until the lake has them.

A thread takes them in, so that neither counting nor recording waits for the lake. What the lake
does not take stays and is tried again with the next chunk; beyond a bound the oldest go, and the
log says so. Not for cutting chunks (`tape`).
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tenpo.errors import InputError
from tenpo.identifiers import micros
from tenpo.telemetry import get_logger
from video_analyzer.record.names import SUFFIX, chunk_start
from video_analyzer.record.shelf import ChunkShelf
from video_analyzer.record.tape import keep_leftovers

log = get_logger(__name__)

MOST_BYTES = 20 * 1024**3
_MOST_SEALED = 2**31 - 1  # AES-GCM of the library takes no more at once
_ASIDE = ".aside"
_RETRY_S = 60.0
_END_S = 60.0


class Spool:
    """The folder of one camera.

    Args:
        folder: where; it is made.
        shelf: takes finished chunks in.
        most_bytes: that may wait.
        most_sealed: bytes of a chunk that can be sealed; larger ones are set aside.
    """

    def __init__(
        self,
        folder: Path,
        shelf: ChunkShelf,
        most_bytes: int = MOST_BYTES,
        most_sealed: int = _MOST_SEALED,
    ) -> None:
        self._folder, self._shelf = folder, shelf
        self._most_bytes, self._most_sealed = most_bytes, most_sealed
        self._wake, self._is_ended = threading.Event(), False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder alone.

        Raises:
            InputError: another recorder does.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise InputError(
                "another recorder of this camera is running",
                where=str(self._folder),
                remedy="Stop it first: one recorder a camera.",
            ) from error
        try:
            yield
        finally:
            os.close(handle)

    @contextmanager
    def emptied(self) -> Iterator[None]:
        """Take in chunks in a thread for as long as this lasts, and once more at the end."""
        self._is_ended = False
        thread = threading.Thread(target=self._work, name="spool", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._is_ended = True
            self._wake.set()
            thread.join(_END_S)  # what is not done by then is done at the next start

    def wake(self) -> None:
        """Say that a chunk has been finished."""
        self._wake.set()

    def recover(self) -> None:
        """Finish what a killed child left; only while no child writes."""
        keep_leftovers(self._folder)
        self.wake()

    def take_in(self) -> None:
        """Take in all that is finished, oldest first, until the lake refuses."""
        for path in self._waiting():
            if path.stat().st_size > self._most_sealed:
                path.rename(path.with_name(path.name + _ASIDE))
                log.error("chunk_set_aside", object=path.name, reason="too large to be sealed")
                continue
            try:
                name = self._shelf.take_in(path)
            except (
                Exception
            ) as error:  # of any store: a thread that ends would take in nothing more
                log.error("chunk_kept_back", object=path.name, reason=type(error).__name__)
                break
            log.info("chunk_recorded", object=name)
        self._bound()

    def expire(self, before: datetime) -> list[str]:
        """Delete what is older and was never taken in; names of files."""
        gone = []
        for path in sorted(self._folder.glob(f"*{SUFFIX}*")):
            name = path.name.removeprefix(".").removesuffix(_ASIDE)
            if _start_of(name) < micros(before):
                path.unlink(missing_ok=True)
                gone.append(path.name)
        return gone

    def _work(self) -> None:
        is_last = False
        while not is_last:
            self._wake.wait(_RETRY_S)
            self._wake.clear()
            is_last = self._is_ended
            try:
                self.take_in()
            except OSError as error:  # of the folder itself
                log.error("spool_unreadable", reason=type(error).__name__)

    def _waiting(self) -> list[Path]:
        return sorted(self._folder.glob(f"[!.]*{SUFFIX}"))

    def _bound(self) -> None:
        waiting = self._waiting()
        sizes = [path.stat().st_size for path in waiting]
        over = sum(sizes) - self._most_bytes
        for path, size in zip(waiting, sizes, strict=True):
            if over <= 0:
                return
            path.unlink()
            over -= size
            log.error("chunk_lost", object=path.name, reason="too much waits for the lake")


def _start_of(name: str) -> int:
    try:
        return chunk_start(name)
    except ValueError:
        return 0  # of no recorder of ours: it has no business there
