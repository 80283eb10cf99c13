"""What counting asks of whoever knows people again, if anybody does; it knows no face itself.

Not for how it is done: `identity` does it, for stores with faces. All others have none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from video_analyzer.detect.detection import Boxes, Picture
from video_analyzer.events import VisitEvent


class Recogniser(Protocol):
    """Puts persons into events of one camera; holds events back for a while to do so.

    Attributes:
        label: what made the features, name and version.
    """

    label: str

    def begin(self) -> None:
        """Forget all tracks: another analysis begins."""

    def update(
        self,
        at_us: int,
        picture: Picture,
        seen: Mapping[str, Boxes],
        alive: Collection[str],
        events: Sequence[VisitEvent],
    ) -> list[VisitEvent]:
        """Take up a picture; gives what need not wait any longer.

        Args:
            at_us: when it was taken; rises.
            picture: (height, width, 3), blue, green, red; not kept.
            seen: who is in it, by name of the track: the box as parts of width and height.
            alive: names of all tracks that go on.
            events: what happened.
        """

    def settle(self) -> None:
        """Settle all who have a face, by what has been seen of it."""

    def finish(self, events: Sequence[VisitEvent]) -> list[VisitEvent]:
        """Everything that was held back, and these: all tracks have ended."""

    def state(self) -> dict[str, Any]:
        """All that the next pictures depend on, as JSON: no picture, no feature."""

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state.

        Raises:
            KeyError: it is no state of a recogniser.
        """


def held_events(state: Mapping[str, Any]) -> list[VisitEvent]:
    """The events that a recogniser's state holds back."""
    return [VisitEvent(**event) for event in state["held"]]
