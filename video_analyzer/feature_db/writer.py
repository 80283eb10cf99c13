"""The one writer of a tenant's files: its lock, its log, its commits, its checkpoints."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

from tenpo.errors import ServiceError
from tenpo.telemetry import get_logger
from video_analyzer.feature_db.checkpoint import Checkpoints
from video_analyzer.feature_db.commit import Committer, Plan, T
from video_analyzer.feature_db.delta import INDEX_ROWS
from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.indexes import Tuning
from video_analyzer.feature_db.log import Log
from video_analyzer.feature_db.recovery import Recovered

log = get_logger(__name__)

LOCK_FILE = "lock"
_NICENESS = 10
_RETRY_S = 5.0


class Writer:
    """Commits and checkpoints.

    Args:
        folder: the tenant's, locked by `take_lock`.
        key: its data key.
        disk: where to.
        tuning: of the indexes.
        recovered: what the files gave.
        merge_rows: length of a delta from which on a checkpoint is made in the background.
        lock: from `take_lock`.
    """

    def __init__(
        self,
        folder: Path,
        key: bytes,
        disk: Disk,
        tuning: Tuning,
        recovered: Recovered,
        merge_rows: int,
        lock: int,
    ) -> None:
        self.disk, self._state = disk, recovered.state
        self._merge_rows, self._tuning, self._lock = merge_rows, tuning, lock
        self._log = Log(disk, folder, key, recovered.segment, recovered.lsn)
        self._due, self._closing = threading.Event(), threading.Event()
        self._committer = Committer(self._state, self._log, self._look)
        self._checkpoints = Checkpoints(
            folder, key, disk, tuning, recovered, self._committer, self._log
        )
        self._thread = threading.Thread(target=self._run, name="feature-merge", daemon=True)
        self._thread.start()

    def commit(self, plan: Plan[T], *, alone: bool, size: int) -> T:
        """Run one atomic step (see `Committer.commit`)."""
        return self._committer.commit(plan, alone=alone, size=size)

    def checkpoint(self, *, purge: bool = False, whole: bool = False) -> None:
        """Make a checkpoint now (see `Checkpoints.run`)."""
        try:
            self._checkpoints.run(purge=purge, whole=whole)
        except OSError as error:
            raise ServiceError(
                f"the features' checkpoint was not written: {error.strerror}",
                remedy="Free disk space or mend the disk; nothing is lost, the log goes on.",
            ) from error

    @property
    def files_kept(self) -> threading.Lock:
        """While it is held no file of the tenant goes away."""
        return self._checkpoints.files_kept

    def clear(self) -> None:
        """Delete what a crash left behind."""
        self._checkpoints.clear()

    def close(self) -> None:
        """Finish what is under way and give the files free."""
        self._closing.set()
        self._due.set()
        self._thread.join()
        self._committer.close()
        self._log.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _look(self) -> None:
        for space in self._state.spaces:
            growing = space.view.deltas[-1]
            if space.deaths is not None and growing.unindexed >= INDEX_ROWS:
                growing.index(self._tuning)  # a checkpoint takes long
        if any(len(space.view.deltas[-1]) >= self._merge_rows for space in self._state.spaces):
            self._due.set()

    def _run(self) -> None:
        # Of this thread alone, on Linux: merging must not slow searches down.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        while True:
            self._due.wait()
            self._due.clear()
            if self._closing.is_set():
                return
            try:
                self._checkpoints.run()
            except Exception as error:  # tried again; until then the log keeps everything
                log.error("features_checkpoint_failed", error=type(error).__name__)
                self._closing.wait(_RETRY_S)
                self._look()


def take_lock(folder: Path) -> int:
    """Be the one writer of a folder.

    Raises:
        ServiceError: another process is.
    """
    handle = os.open(folder / LOCK_FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ServiceError(
            "another process writes these features",
            where=str(folder),
            remedy="Ask the service that runs, or stop it first.",
        ) from None
    return handle
