"""The child that reads a source: `python -m video_analyzer.source.reader SOCKET MEMORY`.

It gets an `Order`, bounds itself, and sends facts, frames and an outcome (`wire`). It ends with
its parent. Whatever a file does to FFmpeg, it does to this process alone.
"""

from __future__ import annotations

import mmap
import resource
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import numpy.typing as npt

from video_analyzer.source.clip import Clip, UnreadableError
from video_analyzer.source.wire import END, FACTS, SLOTS, FrameHead, Order, Outcome


def bound(order: Order) -> None:
    """Limit this process: memory, no core dumps, no writing of files."""
    resource.setrlimit(resource.RLIMIT_AS, (order.memory_bytes, order.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


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

    def show(self, picture: npt.NDArray[np.uint8], number: int, at_us: int, lost: int) -> None:
        """Put a picture where the parent sees it; waits while all slots are taken."""
        while not self._free:
            self._free += self._channel.recv_bytes(SLOTS)
        slot = self._free.pop()
        height, width = picture.shape[:2]
        self._slots[slot, : picture.size].reshape(picture.shape)[:] = picture
        head = FrameHead(
            slot=slot, number=number, at_us=at_us, lost=lost, width=width, height=height
        )
        self._channel.send_bytes(head.packed())


def read(order: Order, channel: Connection[bytes, bytes], shelf: Shelf) -> Outcome:
    """Read a file to its end."""
    clip = None
    try:
        if not Path(order.path).is_file():  # a pipe or a device would be waited for
            return Outcome(state="unreadable", reason="there is no such file")
        if not Path(order.path).stat().st_size:
            return Outcome(state="empty", reason="the file has no bytes")
        clip = Clip(order)
        for number, (frame, at_us, lost) in enumerate(clip.pictures()):
            if not number:
                channel.send_bytes(FACTS + clip.facts(frame).model_dump_json().encode())
            shelf.show(clip.shrunk(frame), number, at_us, lost)
        return clip.outcome()
    except UnreadableError as error:
        return Outcome(state="unreadable", reason=str(error))
    except OSError:
        return Outcome(state="unreadable", reason="the file cannot be opened")
    except MemoryError:
        return Outcome(state="unreadable", reason="it needs too much memory")
    finally:
        if clip is not None:
            clip.close()


def main() -> None:
    """Do as ordered."""
    channel: Connection[bytes, bytes] = Connection(int(sys.argv[1]))
    memory = mmap.mmap(int(sys.argv[2]), 0)
    try:
        order = Order.model_validate_json(channel.recv_bytes())
        bound(order)
        outcome = read(order, channel, Shelf(channel, memory))
        channel.send_bytes(END + outcome.model_dump_json().encode())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the parent is gone, or has seen enough


if __name__ == "__main__":
    main()
