"""Decoding a file of video with PyAV: which pictures it holds, when each was taken.

Runs in a child process (`reader`). FFmpeg opens the one file it is given and nothing that the
file points to: playlists and other protocols are switched off. https://pyav.org/docs/stable/
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from video_analyzer.source.wire import Facts, Order, Outcome, State

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,avi,nut"
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
_MICRO = 1_000_000
_ENDS_EARLY_US = 2 * _MICRO
_LATE = 0.1  # a picture this part of a period early is on time: clocks of cameras tremble


class UnreadableError(Exception):
    """The source cannot be read at all."""


class Beat:
    """Takes at most one picture a period, by the pictures' own times.

    The same pictures are taken however the video is cut into files, if `due_us` is handed on.

    Args:
        period_us: the least time between two pictures.
        due_us: when the next one is due.
    """

    def __init__(self, period_us: int, due_us: int | None) -> None:
        self._period, self.due_us = period_us, due_us

    def takes(self, at_us: int) -> bool:
        """Whether to look at a picture of this moment."""
        due = at_us if self.due_us is None else self.due_us
        if at_us < due - self._period * _LATE:
            return False
        behind = at_us - due > self._period
        self.due_us = (at_us if behind else due) + self._period
        return True


class Clip:
    """A file of video, opened.

    Args:
        order: what to read, and its limits.

    Raises:
        UnreadableError: it cannot be opened, has no video, or breaks the limits.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        try:
            self._container = _opened(order.path)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise UnreadableError("it is no video, or its beginning is damaged") from error
        self._stream = _video_of(self._container)
        self._check_size(self._stream.codec_context.width, self._stream.codec_context.height)
        self._stream.thread_type = "NONE"
        self._stream.codec_context.thread_count = 1
        self.start_us = _start_of(self._container, order.start_us)
        self.beat = Beat(order.period_us, order.due_us)
        self._packets = self._frames = self._shown = self._lost = 0
        self._lost_before = 0
        self._last_us: int | None = None
        self._ended_badly = ""
        self._decode_s = self._convert_s = 0.0

    def facts(self, first: VideoFrame | None) -> Facts:
        """What is known of the file; how it is turned is known from its first picture."""
        context = self._stream.codec_context
        width, height = context.width, context.height
        if first is not None and first.rotation % 180:
            width, height = height, width
        return Facts(start_us=self.start_us, width=width, height=height, codec=context.name)

    def pictures(self) -> Iterator[tuple[VideoFrame, int, int]]:
        """Pictures to look at: each with its time and how many were lost just before it."""
        for frame in self._decoded():
            at_us = self._dated(frame)
            if at_us is None:
                self._lose()
                continue
            if at_us - self.start_us > self._order.max_duration_s * _MICRO:
                raise UnreadableError("it is longer than the limit")
            self._frames, self._last_us = self._frames + 1, at_us
            if self.beat.takes(at_us):
                self._shown += 1
                lost, self._lost_before = self._lost_before, 0
                yield frame, at_us, lost

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
            end_us=self._last_us,
            due_us=self.beat.due_us,
            decode_s=self._decode_s,
            convert_s=self._convert_s,
        )

    def close(self) -> None:
        """Close the file."""
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
            except av.FFmpegError:
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
        self._packets += packet.size > 0
        return packet.decode()

    def _lose(self) -> None:
        self._lost += 1
        self._lost_before += 1

    def _dated(self, frame: Any) -> int | None:
        """When a picture was taken; None if that is unknown, or it is out of order or damaged."""
        if frame.pts is None or frame.time_base is None or frame.is_corrupt:
            return None
        ticks = frame.pts - (self._stream.start_time or 0)
        at_us = self.start_us + round(Fraction(ticks) * frame.time_base * _MICRO)
        return at_us if self._last_us is None or at_us > self._last_us else None

    def _check_size(self, width: int, height: int) -> None:
        if width * height > self._order.max_pixels or min(width, height) < 1:
            raise UnreadableError("its pictures are larger than the limit, or have no size")

    def _state(self) -> tuple[State, str]:
        if not self._frames:
            return "unreadable", "no picture of it could be decoded"
        # An MP4's index lists its pictures; AVI's header counts slots, the empty ones too.
        promised = self._stream.frames if "mp4" in self._container.format.name else 0
        duration = self._container.duration
        if self._packets < promised:
            return "truncated", f"{self._packets} of {promised} pictures are there"
        ends_us = (self._last_us or 0) - self.start_us
        if duration is not None and ends_us + _ENDS_EARLY_US < duration:
            return "truncated", f"it ends after {ends_us / 1e6:.1f} of {duration / 1e6:.1f} s"
        if self._ended_badly:
            return "truncated", self._ended_badly
        if self._lost:
            return "damaged", f"{self._lost} pictures could not be decoded or dated"
        return "complete", ""


def _opened(path: str) -> InputContainer:
    container = av.open(path, mode="r", options=_OPTIONS, metadata_errors="replace")
    if not isinstance(container, InputContainer):
        raise TypeError("an input was asked for")
    return container


def _video_of(container: InputContainer) -> VideoStream:
    if not container.streams.video:
        raise UnreadableError("it holds no video")
    return container.streams.video[0]


def _start_of(container: InputContainer, start_us: int | None) -> int:
    """Wall clock of the file's beginning: as ordered, else as its maker wrote into it."""
    if start_us is not None:
        return start_us
    written = container.metadata.get("creation_time", "")
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        moment = None
    if moment is None or moment.year < 2000:  # cameras without a clock write 1904 or 1970
        raise UnreadableError("it does not say when it was taken: give --start")
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * _MICRO)
