"""The best faces of one track, in memory, for as long as nobody knows whose they are."""

from __future__ import annotations

from dataclasses import dataclass, field

from video_analyzer.faces.face import Picture

MOST = 5
#: Of the quality: what is below is not looked at twice.
LEAST_QUALITY = 0.15
GOOD_QUALITY = 0.5


@dataclass(frozen=True)
class Shot:
    """One face: how good, when, and the chip; the last is never printed."""

    quality: float
    at_us: int
    chip: Picture = field(repr=False)


class Album:
    """At most `MOST` shots, the best ones; of equals the earliest."""

    def __init__(self) -> None:
        self.shots: list[Shot] = []

    def add(self, shot: Shot) -> None:
        """Take up a shot, if it is good enough."""
        if shot.quality >= LEAST_QUALITY:
            best = sorted([*self.shots, shot], key=lambda one: (-one.quality, one.at_us))
            self.shots = best[:MOST]

    @property
    def is_full(self) -> bool:
        """Whether waiting for better ones is not worth while."""
        return len(self.shots) == MOST and self.shots[-1].quality >= GOOD_QUALITY
