"""Decoding video with PyAV: which pictures it holds, when each was taken.

Runs in a child process (`reader`). FFmpeg opens the one source it is given and nothing that the
source points to: playlists and other protocols are switched off. https://pyav.org/docs/stable/
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from video_analyzer.record.tape import MICRO, Tape
from video_analyzer.source.beat import Beat
from video_analyzer.source.wire import Order, Outcome, State

_PROBE_US = 500_000  # how much FFmpeg may read ahead to know a stream
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,avi,nut"
_FILE = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
_CAMERA = {
    "protocol_whitelist": "rtsp,rtsps,rtp,srtp,http,https,httpproxy,tcp,tls,udp",
    "format_whitelist": f"rtsp,{FORMATS}",
    "rtsp_transport": "tcp",  # UDP loses packets without a word
    "analyzeduration": str(_PROBE_US),
    "probesize": "1000000",
}
_SILENCE_S = 15.0
_JUMP_US = 10 * MICRO
_ENDS_EARLY_US = 2 * MICRO


class UnreadableError(Exception):
    """The source cannot be read at all."""


def _ignore(_name: str = "") -> None:
    """Tell nobody."""


class Clip:
    """A file of video, or one connection to a camera.

    Args:
        order: what to read, and its limits.
        beat: which pictures are looked at.
        pulse: called with each packet.
        tell: called with the name of each chunk that has been recorded.
        warn: called with the reason when a chunk cannot be recorded.

    Raises:
        UnreadableError: it cannot be opened, has no video, or breaks the limits.
    """

    def __init__(
        self,
        order: Order,
        beat: Beat,
        pulse: Callable[[], None] = _ignore,
        tell: Callable[[str], None] = _ignore,
        warn: Callable[[str], None] = _ignore,
    ) -> None:
        self._order, self._beat, self._pulse = order, beat, pulse
        asked_us = time.time_ns() // 1000
        try:
            self._container = _opened(order)
        except (av.FFmpegError, OSError, ValueError) as error:
            # never the error's own words as a whole: they hold the address, password and all
            why = getattr(error, "strerror", None) or type(error).__name__
            raise UnreadableError(f"it cannot be opened, or is no video ({why})") from error
        self._stream = _video_of(self._container)
        self._check_size(self._stream.codec_context.width, self._stream.codec_context.height)
        self._stream.thread_type = "NONE"
        self._stream.codec_context.thread_count = 1
        self.start_us = _start_of(self._container, order, asked_us)
        self._tape: Tape | None = None
        self.chunk_us = 0  # when the chunk begins that the latest picture is in
        if order.tape is not None:
            folder, chunk_s = Path(order.tape.folder), order.tape.chunk_s
            self._tape = Tape(folder, self._stream, self.start_us, chunk_s, tell, warn)
        self._packets = self._frames = self._shown = self._lost = 0
        self._lost_before = 0
        self._last_us: int | None = None
        self._packet_us: float | None = None
        self._ended_badly = ""
        self._decode_s = self._convert_s = 0.0

    def pictures(self) -> Iterator[tuple[VideoFrame, int, int]]:
        """Pictures to look at: each with its time and how many were lost just before it."""
        for frame in self._decoded():
            at_us = self._dated(frame)
            if at_us is None:
                self._lose()
                continue
            if not self._order.is_live and at_us - self.start_us > self._longest_us:
                raise UnreadableError("it is longer than the limit")
            self._frames, self._last_us = self._frames + 1, at_us
            if self._beat.takes(at_us):
                self._shown += 1
                lost, self._lost_before = self._lost_before, 0
                yield frame, at_us, lost

    def drop(self, lost: int) -> None:
        """Say of the picture just given that nobody had room for it.

        Args:
            lost: what was said to be lost before it.
        """
        self._shown -= 1
        self._lost += 1
        self._lost_before += lost + 1

    def shrunk(self, frame: VideoFrame) -> npt.NDArray[np.uint8]:
        """The picture upright, blue-green-red, fitted into the order's size; never enlarged."""
        begun = time.thread_time()
        turns = round(frame.rotation / 90) % 4
        fit = (self._order.fit_width, self._order.fit_height)
        if turns % 2:
            fit = fit[::-1]
        scale = min(1.0, fit[0] / frame.width, fit[1] / frame.height)
        small = frame.reformat(
            width=max(1, round(frame.width * scale)),
            height=max(1, round(frame.height * scale)),
            format="bgr24",
            interpolation=Interpolation.BILINEAR,
        ).to_ndarray()
        upright: npt.NDArray[np.uint8] = np.rot90(small, turns)
        self._convert_s += time.thread_time() - begun
        return upright

    def outcome(self) -> Outcome:
        """How reading ended; call it at the end."""
        state, reason = self._state()
        return Outcome(
            state=state,
            reason=reason,
            frame_count=self._frames,
            shown_count=self._shown,
            lost_count=self._lost,
            due_us=self._beat.due_us,
            decode_s=self._decode_s,
            convert_s=self._convert_s,
        )

    def close(self) -> None:
        """Finish the chunk and close the source."""
        if self._tape is not None:
            self._tape.close()
        self._container.close()

    def _decoded(self) -> Iterator[VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            begun = time.thread_time()
            try:
                frames = self._frames_of_next(packets)
            except av.InvalidDataError:  # of one picture: the next may be whole
                self._lose()
                if self._lost > self._packets:  # it is not pictures that are broken
                    self._ended_badly = "reading broke off"
                    return
                continue
            except (av.FFmpegError, IndexError):  # PyAV, of a stream that comes up on the way
                self._ended_badly = "reading broke off"
                return
            finally:
                self._decode_s += time.thread_time() - begun
            if frames is None:
                return
            for frame in frames:
                self._check_size(frame.width, frame.height)
                yield frame

    def _frames_of_next(self, packets: Iterator[Packet[VideoStream]]) -> list[VideoFrame] | None:
        packet = next(packets, None)
        if packet is None:
            return None
        self._pulse()
        self._packets += packet.size > 0
        if self._order.is_live and self._has_jumped(packet):
            self._ended_badly = "the camera's clock has jumped"
            return None
        if self._tape is not None and packet.size and not self._tape.take(packet):
            self._lose()
            return []
        return packet.decode()

    def _has_jumped(self, packet: Packet[VideoStream]) -> bool:
        """Whether the camera's clock leaves the wall clock; a new connection finds it again."""
        if packet.dts is None or packet.time_base is None:
            return False
        before, self._packet_us = self._packet_us, float(packet.dts * packet.time_base * MICRO)
        return before is not None and abs(self._packet_us - before) > _JUMP_US

    def _lose(self) -> None:
        self._lost += 1
        self._lost_before += 1

    def _dated(self, frame: Any) -> int | None:
        """When a picture was taken; None if that is unknown, or it is out of order or damaged."""
        if frame.pts is None or frame.time_base is None or frame.is_corrupt:
            return None
        at_us = self._time_of(frame.pts, frame.time_base)
        in_order = at_us is not None and (self._last_us is None or at_us > self._last_us)
        return at_us if in_order else None

    def _time_of(self, pts: int, base: Fraction) -> int | None:
        if self._tape is not None:
            self.chunk_us = self._tape.chunk_of(pts)
            return self._tape.time_of(pts, base)
        return self.start_us + round((pts - (self._stream.start_time or 0)) * base * MICRO)

    @property
    def _longest_us(self) -> float:
        return self._order.max_duration_s * MICRO

    def _check_size(self, width: int, height: int) -> None:
        if width * height > self._order.max_pixels or min(width, height) < 1:
            raise UnreadableError("its pictures are larger than the limit, or have no size")

    def _state(self) -> tuple[State, str]:
        if not self._frames:
            return "unreadable", "no picture of it could be decoded"
        # An MP4's index lists its pictures; AVI's header counts slots, the empty ones too.
        promised = self._stream.frames if "mp4" in self._container.format.name else 0
        duration = self._container.duration or 0
        if self._packets < promised:
            return "truncated", f"{self._packets} of {promised} pictures are there"
        ends_us = (self._last_us or 0) - self.start_us
        if ends_us + _ENDS_EARLY_US < duration and not self._order.is_live:
            return "truncated", f"it ends after {ends_us / 1e6:.1f} of {duration / 1e6:.1f} s"
        if self._ended_badly:
            return "truncated", self._ended_badly
        if self._lost:
            return "damaged", f"{self._lost} pictures could not be decoded, dated or waited for"
        return "complete", ""


def _opened(order: Order) -> InputContainer:
    options = _CAMERA if "://" in order.path else _FILE
    container = av.open(
        order.path, mode="r", options=options, metadata_errors="replace",
        timeout=_SILENCE_S if order.is_live else None,
    )  # fmt: skip
    if not isinstance(container, InputContainer):
        raise TypeError("an input was asked for")
    return container


def _video_of(container: InputContainer) -> VideoStream:
    stream = next(iter(container.streams.video), None)
    # PyAV's types do not say so, but a stream of an unknown codec has no context.
    if stream is None or getattr(stream, "codec_context", None) is None:
        raise UnreadableError("it holds no video")
    return stream


def _start_of(container: InputContainer, order: Order, asked_us: int) -> int:
    """Wall clock of the beginning: as ordered, else as the file's maker wrote into it.

    A camera's first picture came after it was asked, and no longer ago than FFmpeg probes.
    """
    if order.start_us is not None:
        return order.start_us
    if order.is_live:
        return max(asked_us, time.time_ns() // 1000 - _PROBE_US)
    written = container.metadata.get("creation_time", "")
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        moment = None
    if moment is None or moment.year < 2000:  # cameras without a clock write 1904 or 1970
        raise UnreadableError("it does not say when it was taken: give --start")
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * MICRO)
