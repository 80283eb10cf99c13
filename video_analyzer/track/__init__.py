"""Trackers: which boxes of successive pictures are the same person. No memory beyond that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from video_analyzer.detect.detection import Boxes, Detections

__all__ = ["Seen", "Tracked", "Tracker"]


@dataclass(frozen=True)
class Seen:
    """A confirmed person in one picture.

    Args:
        track: number of the person's track.
        first_us: when the track began, unconfirmed pictures included.
        box: (4,), as parts of the picture's width and height.
    """

    track: int
    first_us: int
    box: Boxes


@dataclass(frozen=True)
class Tracked:
    """What a picture says about tracks: who is in it, and who has been given up."""

    seen: Sequence[Seen]
    ended: Sequence[int]


class Tracker(Protocol):
    """Follows people from picture to picture; its state can be handed to another process."""

    def update(self, at_us: int, found: Detections) -> Tracked:
        """Take up a picture; times must rise."""

    def state(self) -> dict[str, Any]:
        """All that the next pictures depend on, as JSON."""

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state.

        Raises:
            KeyError: it is no state of this tracker.
        """
