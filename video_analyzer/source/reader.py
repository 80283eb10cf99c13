"""The child that reads a source: `python -m video_analyzer.source.reader SOCKET MEMORY`.

It gets an `Order`, bounds itself, and sends frames, chunks and an outcome (`wire`). It
ends with its parent. Whatever a source does to FFmpeg, it does to this process alone.
"""

from __future__ import annotations

import mmap
import resource
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import numpy.typing as npt

from video_analyzer.source.beat import Beat
from video_analyzer.source.clip import Clip, UnreadableError
from video_analyzer.source.wire import (
    CHUNK,
    END,
    PULSE,
    SLOTS,
    TOLD,
    FrameHead,
    Order,
    Outcome,
)

_CHUNK_BYTES = 8 * 1024**3
_PULSE_S = 5.0
_LONGEST_REST_S = 30.0
_HELD_S = 60.0  # a connection that has lasted so long was a good one


def bound(order: Order) -> None:
    """Limit this process: memory, CPU time, no core dumps, no writing of files but chunks."""
    longest = 0 if order.tape is None else _CHUNK_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (order.memory_bytes, order.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (longest, longest))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    if not order.is_live:  # no file takes longer to decode than it may last
        longest_s = max(1, round(order.max_duration_s))
        resource.setrlimit(resource.RLIMIT_CPU, (longest_s, longest_s))


class Shelf:
    """Slots in shared memory; the parent gives each back when it has looked at the picture.

    Args:
        channel: to the parent.
        memory: shared, of `SLOTS` slots.
    """

    def __init__(self, channel: Connection[bytes, bytes], memory: mmap.mmap) -> None:
        self._channel = channel
        self._slots = np.frombuffer(memory, np.uint8).reshape(SLOTS, -1)
        self._free = list(range(SLOTS))
        self._told_s = time.monotonic()
        self._number = 0

    def has_room(self) -> bool:
        """Whether a picture can be shown without waiting."""
        while self._channel.poll(0):
            self._free += self._channel.recv_bytes(SLOTS)
        return bool(self._free)

    def show(
        self, picture: npt.NDArray[np.uint8], at_us: int, lost: int, chunk_us: int = 0
    ) -> None:
        """Put a picture where the parent sees it; waits while all slots are taken."""
        while not self._free:
            self._free += self._channel.recv_bytes(SLOTS)
        slot = self._free.pop()
        height, width = picture.shape[:2]
        self._slots[slot, : picture.size].reshape(picture.shape)[:] = picture
        head = FrameHead(
            slot=slot, number=self._number, at_us=at_us, lost=lost, width=width, height=height,
            chunk_us=chunk_us,
        )  # fmt: skip
        self._number += 1
        self.tell(head.packed())

    def tell(self, message: bytes) -> None:
        """Send a message."""
        self._told_s = time.monotonic()
        self._channel.send_bytes(message)

    def pulse(self) -> None:
        """Let the parent know, now and then, that there is life."""
        if time.monotonic() - self._told_s > _PULSE_S:
            self.tell(PULSE)

    def tell_chunk(self, name: str) -> None:
        """Say that a chunk is whole."""
        self.tell(CHUNK + name.encode())

    def warn(self, reason: str) -> None:
        """Say that something else than pictures is lost."""
        told = Outcome(state="damaged", reason=reason)
        self.tell(TOLD + told.model_dump_json().encode())

    def rest(self, seconds: float) -> None:
        """Wait; ends with the parent."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.pulse()
            if self._channel.poll(min(left, 1.0)):
                self._free += self._channel.recv_bytes(SLOTS)


def read(order: Order, shelf: Shelf) -> Outcome:
    """Read a file to its end, or one connection until it breaks."""
    try:
        if (refused := _refused(order)) is not None:
            return refused
        return _read(order, shelf, Beat(order.period_us, order.due_us))
    except UnreadableError as error:
        return Outcome(state="unreadable", reason=str(error))
    except OSError:
        return Outcome(state="unreadable", reason="the source cannot be opened")
    except MemoryError:
        return Outcome(state="died", reason="it needs too much memory")


def follow(order: Order, shelf: Shelf) -> None:
    """Read a camera for ever; connect again when it goes, ever more slowly while it is away."""
    rest_s = order.rest_s
    while True:
        begun = time.monotonic()
        shelf.tell(TOLD + read(order, shelf).model_dump_json().encode())
        if time.monotonic() - begun > _HELD_S:
            rest_s = order.rest_s
        shelf.rest(rest_s)
        rest_s = min(2 * rest_s, _LONGEST_REST_S)


def _refused(order: Order) -> Outcome | None:
    path = Path(order.path)
    if "://" in order.path:
        return None
    if not path.is_file():  # a pipe or a device would be waited for
        return Outcome(state="unreadable", reason="there is no such file")
    if not path.stat().st_size:
        return Outcome(state="empty", reason="the file has no bytes")
    return None


def _read(order: Order, shelf: Shelf, beat: Beat) -> Outcome:
    clip = Clip(order, beat, shelf.pulse, shelf.tell_chunk, shelf.warn)
    try:
        for frame, at_us, lost in clip.pictures():
            if order.is_live and not shelf.has_room():
                clip.drop(lost)
            else:
                shelf.show(clip.shrunk(frame), at_us, lost, clip.chunk_us)
        return clip.outcome()
    except (UnreadableError, MemoryError) as error:
        so_far = clip.outcome()
        if not so_far.shown_count:
            raise
        is_limit = isinstance(error, UnreadableError)
        ended = {
            "state": "truncated" if is_limit else "died",
            "reason": f"reading ended: {error}" if is_limit else "it needs too much memory",
        }
        return so_far.model_copy(update=ended)
    finally:
        clip.close()


def main() -> None:
    """Do as ordered."""
    channel: Connection[bytes, bytes] = Connection(int(sys.argv[1]))
    memory = mmap.mmap(int(sys.argv[2]), 0)
    shelf = Shelf(channel, memory)
    try:
        order = Order.model_validate_json(channel.recv_bytes())
        bound(order)
        if order.is_live and "://" in order.path:
            follow(order, shelf)
        shelf.tell(END + read(order, shelf).model_dump_json().encode())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the parent is gone, or has seen enough


if __name__ == "__main__":
    main()
