"""The pictures of a recorded chunk at given moments. Not for what is done with them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence

from tenpo.errors import IntegrityError
from video_analyzer.camera import Camera
from video_analyzer.identity.wiring import FACE_SIDE
from video_analyzer.record.names import chunk_start
from video_analyzer.record.shelf import ChunkShelf
from video_analyzer.source.frames import Frame, FrameSource
from video_analyzer.source.wire import Order


def chunks_of(chunks: Sequence[str], moments: Collection[int]) -> dict[str, list[int]]:
    """The chunk that each moment would lie in, by name, with its moments.

    Args:
        chunks: names, oldest first.
        moments: microseconds since 1970; those before the first chunk are in none.
    """
    starts = [chunk_start(one) for one in chunks]
    found: dict[str, list[int]] = {}
    for at_us in sorted(moments):
        place = bisect_right(starts, at_us) - 1
        if place >= 0:
            found.setdefault(chunks[place], []).append(at_us)
    return found


def pictures_at(
    shelf: ChunkShelf, camera: Camera, chunk: str, moments: Collection[int]
) -> Iterator[Frame]:
    """The pictures that were taken at exactly these moments; each is gone with the next.

    Raises:
        IntegrityError: the chunk is damaged, or was sealed with another key; pictures before the
            damage were given.
        LakeError: it is not there any more.
    """
    wanted = set(moments)
    order = Order(
        path="",
        start_us=chunk_start(chunk),
        fit_width=FACE_SIDE,
        fit_height=FACE_SIDE,
        period_us=1,  # every picture: which ones were looked at depends on the chunk before
    )
    with FrameSource(order, content=shelf.read(chunk)) as source:
        for frame in source:
            if frame.at_us in wanted:
                wanted.discard(frame.at_us)
                yield frame
            if not wanted:
                return
        outcome = source.outcome
    if outcome is None or outcome.state != "complete":
        state, reason = ("broken", "") if outcome is None else (outcome.state, outcome.reason)
        raise IntegrityError(f"the chunk is {state}: {reason}", where=chunk)
