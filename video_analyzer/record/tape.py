"""The tape: packets of a camera, as they come, cut into chunks at key frames.

Nothing is encoded anew. A chunk is a fragmented MP4 whose clock counts microseconds, so a
picture's time is the chunk's name plus the picture's own time, to the microsecond, live and from
the file alike. What a killed process leaves is readable up to its last fragment.
https://ffmpeg.org/ffmpeg-formats.html#Fragmentation
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from video_analyzer.record.names import SUFFIX, chunk_name

MICRO = 1_000_000
TICK = Fraction(1, MICRO)
CHUNK_BYTES = 256 * 1024**2
_NEVER = -(2**62)
_OPTIONS = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "video_track_timescale": str(MICRO),
    "flush_packets": "1",  # else a quiet camera's fragments wait in FFmpeg's buffer
}


@dataclass(frozen=True)
class _Anchor:
    """A moment of the wall clock and the camera's own time at that moment."""

    pts: int
    start_us: int

    def time_of(self, pts: int, time_base: Fraction) -> int:
        return self.start_us + round((pts - self.pts) * time_base * MICRO)


class Tape:
    """Writes chunks of one connection to a camera.

    Args:
        folder: where they appear, whole, under their names; drafts begin with a dot.
        template: the camera's stream.
        start_us: wall clock of the first key frame.
        chunk_s: a chunk ends at the first key frame after so long.
        tell: called with the name of each finished chunk.
        warn: called with what went wrong when a chunk cannot be written; the next key frame
            begins another.
        chunk_bytes: a chunk ends at the first key frame after so much, too.
    """

    def __init__(
        self,
        folder: Path,
        template: VideoStream,
        start_us: int,
        chunk_s: float,
        tell: Callable[[str], None],
        warn: Callable[[str], None] = lambda _reason: None,
        chunk_bytes: int = CHUNK_BYTES,
    ) -> None:
        self._warn, self._chunk_bytes = warn, chunk_bytes
        self._bytes, self._last_dts = 0, _NEVER
        self._folder, self._template, self._tell = folder, template, tell
        self._chunk_us = round(chunk_s * MICRO)
        self._start_us = start_us
        self._anchors: list[_Anchor] = []
        self._output: OutputContainer | None = None
        self._stream: VideoStream | None = None

    def take(self, packet: Packet[VideoStream]) -> bool:
        """Record a packet; false for one that no chunk can begin with, or without a time.

        A packet that cannot be written has a time all the same, and can be looked at.
        """
        pts, base = packet.pts, packet.time_base
        if pts is None or base is None or not packet.size:
            return False
        try:
            if packet.is_keyframe and self._is_due(pts, base):
                self._begin(pts, base)
            if self._output is not None and self._stream is not None:
                self._write(self._output, self._stream, packet, pts, base)
        except (av.FFmpegError, OSError) as error:
            self._give_up(error)
        return bool(self._anchors)

    def _write(
        self,
        output: OutputContainer,
        stream: VideoStream,
        packet: Packet[VideoStream],
        pts: int,
        base: Fraction,
    ) -> None:
        """Write a packet. MP4 needs rising decoding times: others are put off by a tick."""
        anchor = self._anchors[-1]
        copy = Packet(bytes(packet))
        copy.stream, copy.time_base, copy.is_keyframe = stream, TICK, packet.is_keyframe
        shown = anchor.time_of(pts, base) - anchor.start_us
        following = self._last_dts + 1
        if packet.dts is None:  # else pictures that are shown before those in front would move
            told = shown if self._last_dts == _NEVER else min(shown, following)
        else:
            told = anchor.time_of(packet.dts, base) - anchor.start_us
        self._last_dts = max(told, following)
        copy.dts, copy.pts = self._last_dts, max(shown, self._last_dts)
        copy.duration = round((packet.duration or 0) * base * MICRO)
        self._bytes += packet.size
        output.mux(copy)

    def _give_up(self, error: Exception) -> None:
        """Leave a chunk that cannot be written as it is; it is taken in like a killed one's."""
        output, self._output = self._output, None
        if output is not None:
            with suppress(av.FFmpegError, OSError):
                output.close()
        self._warn(f"the recording cannot be written: {getattr(error, 'strerror', None)}")

    def time_of(self, pts: int, base: Fraction) -> int | None:
        """Wall clock of a picture, by the chunk that it is in; None before the first."""
        anchor = self._anchor(pts)
        return None if anchor is None else anchor.time_of(pts, base)

    def chunk_of(self, pts: int) -> int:
        """When the chunk begins that a picture is in; 0 before the first."""
        anchor = self._anchor(pts)
        return 0 if anchor is None else anchor.start_us

    def _anchor(self, pts: int) -> _Anchor | None:
        return next((one for one in reversed(self._anchors) if pts >= one.pts), None)

    def close(self) -> None:
        """Finish the chunk that is being written."""
        output, self._output = self._output, None
        if output is None:
            return
        name = chunk_name(self._anchors[-1].start_us)
        try:
            output.close()
            keep(self._folder / f".{name}", self._folder / name)
        except (av.FFmpegError, OSError) as error:
            self._give_up(error)
            return
        self._tell(name)

    def _is_due(self, pts: int, base: Fraction) -> bool:
        if self._output is None or self._bytes >= self._chunk_bytes:
            return True
        first = self._anchors[-1]
        return first.time_of(pts, base) - first.start_us >= self._chunk_us

    def _begin(self, pts: int, base: Fraction) -> None:
        self.close()
        latest = self._anchors[-1] if self._anchors else None
        at_us = self._start_us if latest is None else latest.time_of(pts, base)
        # A decoder is a few pictures behind: some of the chunk before are yet to come.
        self._anchors = [*self._anchors[-1:], _Anchor(pts, at_us)]
        draft = self._folder / f".{chunk_name(at_us)}"
        self._bytes, self._last_dts = 0, _NEVER
        output = av.open(str(draft), "w", format="mp4", options=_OPTIONS)
        self._stream = output.add_stream_from_template(self._template)
        self._stream.time_base = TICK
        self._output = output


def keep(draft: Path, path: Path) -> None:
    """Make a draft durable under its name."""
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def keep_leftovers(folder: Path) -> list[str]:
    """Finish what a killed process left; an empty draft holds nothing and goes."""
    kept = []
    for draft in sorted(folder.glob(f".*{SUFFIX}")):
        name = draft.name.removeprefix(".")
        if draft.stat().st_size:
            keep(draft, folder / name)
            kept.append(name)
        else:
            draft.unlink()
    return kept
