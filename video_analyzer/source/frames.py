"""Pictures of a file, read by a child process that may break, hang or be killed.

A picture is a view of shared memory: it is gone once the next one is asked for, and nothing
of it is on a disk.
"""

from __future__ import annotations

import mmap
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType

import numpy as np
import numpy.typing as npt

from video_analyzer.record.names import chunk_name, chunk_start
from video_analyzer.source.wire import (
    CHUNK,
    END,
    FRAME,
    MAX_MESSAGE,
    PULSE,
    SLOTS,
    TOLD,
    FrameHead,
    Order,
    Outcome,
)

STALL_S = 30.0
_TICK_S = 1.0


@dataclass(frozen=True)
class Frame:
    """One picture.

    Args:
        number: among the pictures looked at of this source, from 0.
        at_us: when it was taken, microseconds since 1970.
        lost: pictures lost between this and the one looked at before.
        picture: (height, width, 3), blue, green, red; valid until the next frame.
        chunk_us: when the chunk begins that it is recorded in; 0 where nothing is.
    """

    number: int
    at_us: int
    lost: int
    picture: npt.NDArray[np.uint8]
    chunk_us: int = 0


class FrameSource:
    """Reads a source in a child; a context manager that ends the child.

    Args:
        order: what to read.
        stall_s: a child that says nothing for so long is given up.
        on_chunk: told the name of each chunk that has been recorded.
        content: the bytes themselves, where they are no file; they get on no disk.
        on_told: told how each connection to a camera ended, while others follow.

    Attributes:
        outcome: how reading ended, after the last picture.
    """

    def __init__(
        self,
        order: Order,
        stall_s: float = STALL_S,
        on_chunk: Callable[[str], None] = lambda _name: None,
        content: bytes | None = None,
        on_told: Callable[[Outcome], None] = lambda _outcome: None,
    ) -> None:
        self._on_told = on_told
        self.outcome: Outcome | None = None
        self._stall_s, self._on_chunk, self._shown = stall_s, on_chunk, 0
        self._slot = order.fit_width * order.fit_height * 3
        handle = os.memfd_create("pictures")
        os.ftruncate(handle, self._slot * SLOTS)
        self._memory = mmap.mmap(handle, self._slot * SLOTS)
        ours, theirs = socket.socketpair()
        passed = [theirs.fileno(), handle]
        if content is not None:
            passed.append(_in_memory(content))
            order = order.model_copy(update={"path": f"/proc/self/fd/{passed[-1]}"})
        self._child = _started(passed)
        theirs.close()
        for one in passed[1:]:
            os.close(one)
        self._channel: Connection[bytes, bytes] = Connection(ours.detach())
        self._channel.send_bytes(order.model_dump_json().encode())

    def __enter__(self) -> FrameSource:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._channel.close()
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()

    def __iter__(self) -> Iterator[Frame]:
        return (frame for frame in self.heard() if frame is not None)

    def heard(self) -> Iterator[Frame | None]:
        """Pictures, and None about every second in which there is none."""
        since_s = time.monotonic()
        while self.outcome is None:
            message = self._received(since_s)
            if message is None:
                yield None
                continue
            kind, rest = message[:1], message[1:]
            try:
                if kind == FRAME:
                    head = FrameHead.unpacked(message)
                    yield self._frame(head)
                    with suppress(BrokenPipeError):  # it has sent its last, and is gone
                        self._channel.send_bytes(bytes([head.slot]))
                elif kind == END:
                    self.outcome = Outcome.model_validate_json(rest)
                elif kind == CHUNK:
                    self._on_chunk(checked_chunk(rest))
                elif kind == TOLD:
                    self._on_told(Outcome.model_validate_json(rest))
                elif kind != PULSE:
                    raise ValueError("unknown message")
            except ValueError:
                self.outcome = self._given_up("died", "the child that read it broke")
            since_s = time.monotonic()

    def _received(self, since_s: float) -> bytes | None:
        left_s = since_s + self._stall_s - time.monotonic()
        try:
            if self._channel.poll(max(0.0, min(_TICK_S, left_s))):
                return self._channel.recv_bytes(MAX_MESSAGE)
            if left_s > _TICK_S:
                return None
        except (EOFError, OSError):
            outcome = self._given_up("died", "the child that read it ended")
        else:
            outcome = self._given_up("stalled", f"nothing came for {self._stall_s:g} s")
        return END + outcome.model_dump_json().encode()

    def _given_up(self, state: str, reason: str) -> Outcome:
        return Outcome.model_validate(
            {"state": state, "reason": reason, "shown_count": self._shown}
        )

    def _frame(self, head: FrameHead) -> Frame:
        size = head.width * head.height * 3
        if head.slot >= SLOTS or size > self._slot:
            raise ValueError("no such slot")
        flat = np.frombuffer(self._memory, np.uint8, size, head.slot * self._slot)
        self._shown += 1
        picture = flat.reshape(head.height, head.width, 3)
        return Frame(head.number, head.at_us, head.lost, picture, head.chunk_us)


def _in_memory(content: bytes) -> int:
    handle = os.memfd_create("video")
    with os.fdopen(handle, "wb", closefd=False) as file:
        file.write(content)
    return handle


def _started(passed: Sequence[int]) -> subprocess.Popen[bytes]:
    """The child. Its environment is small: it has no business with any secret."""
    socket_and_memory = [str(one) for one in passed[:2]]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "video_analyzer.source.reader", *socket_and_memory],
        pass_fds=passed,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath, "OMP_NUM_THREADS": "1"},
    )


def checked_chunk(told: bytes) -> str:
    """A chunk's name as the child told it.

    Raises:
        ValueError: it is none, but perhaps another file's.
    """
    name = told.decode("ascii")
    if chunk_name(chunk_start(name)) != name:
        raise ValueError("no chunk")
    return name
