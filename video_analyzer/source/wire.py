"""What a reading child and its parent say to each other.

Pictures lie in shared memory, in slots; a message says which. The child reads untrusted bytes,
so nothing it sends is unpickled: frames are a struct, the rest is JSON.
"""

from __future__ import annotations

import struct
from typing import Literal

from pydantic import BaseModel, ConfigDict

SLOTS = 8  # half a second of pictures, before any is dropped
FRAME, END, CHUNK, PULSE, TOLD = b"F", b"E", b"C", b"P", b"T"
_FRAME = struct.Struct("<BqqIHHq")
MAX_MESSAGE = 1 << 20

State = Literal["complete", "truncated", "damaged", "empty", "unreadable", "stalled", "died"]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TapeOrder(_Message):
    """That the child shall also record.

    Args:
        folder: where chunks appear.
        chunk_s: how long they are at least.
    """

    folder: str
    chunk_s: float


class Order(_Message):
    """What the child shall read.

    Args:
        path: the file, or the address of a camera.
        is_live: the source does not wait: pictures that nobody has room for are dropped, the
            clock is this machine's, and the connection is made again when it breaks.
        tape: where to record.
        start_us: wall clock of its beginning, microseconds since 1970; None: as the file says.
        fit_width: pictures are shrunk to fit into fit_width by fit_height.
        fit_height: see fit_width.
        period_us: the least time between two pictures.
        due_us: when the next picture is due, where an earlier chunk has set the beat.
        max_pixels: of one picture of the source.
        max_duration_s: of the source.
        rest_s: before a camera that went is called again; twice as long each time.
        memory_bytes: address space of the child.
    """

    path: str
    start_us: int | None = None
    is_live: bool = False
    tape: TapeOrder | None = None
    fit_width: int
    fit_height: int
    period_us: int
    due_us: int | None = None
    max_pixels: int = 36_000_000
    max_duration_s: float = 12 * 3600.0
    rest_s: float = 1.0
    memory_bytes: int = 4 * 1024**3


class Outcome(_Message):
    """How reading ended.

    Args:
        state: `complete`; `truncated`: less came than the file promised; `damaged`: some
            pictures were lost on the way; `empty`, `unreadable`: nothing came;
            `stalled`, `died`: the child had to be given up.
        reason: more of it, in words; without anything of the file in it.
        frame_count: pictures decoded.
        shown_count: of these, pictures looked at.
        lost_count: pictures that the source had and that could not be decoded, dated or waited
            for.
        due_us: when the next picture would be due.
        decode_s: CPU seconds of decoding.
        convert_s: CPU seconds of shrinking and turning into colours.
    """

    state: State
    reason: str = ""
    frame_count: int = 0
    shown_count: int = 0
    lost_count: int = 0
    due_us: int | None = None
    decode_s: float = 0.0
    convert_s: float = 0.0


class FrameHead(_Message):
    """One picture in shared memory.

    Args:
        slot: where it lies.
        number: of the picture in its source, from 0, lost ones not counted.
        at_us: when it was taken, microseconds since 1970.
        lost: pictures lost between this and the one shown before.
        width: of the picture in the slot.
        height: of the picture in the slot.
        chunk_us: when the chunk begins that it is recorded in; 0 where nothing is.
    """

    slot: int
    number: int
    at_us: int
    lost: int
    width: int
    height: int
    chunk_us: int = 0

    def packed(self) -> bytes:
        """As a message."""
        return FRAME + _FRAME.pack(
            self.slot, self.number, self.at_us, self.lost, self.width, self.height, self.chunk_us
        )

    @classmethod
    def unpacked(cls, message: bytes) -> FrameHead:
        """From a message.

        Raises:
            ValueError: it has not the length of one.
        """
        try:
            fields = _FRAME.unpack(message[1:])
        except struct.error as error:
            raise ValueError("no frame") from error
        names = ("slot", "number", "at_us", "lost", "width", "height", "chunk_us")
        return cls(**dict(zip(names, fields, strict=True)))
