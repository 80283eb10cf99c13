"""The Beam side: cameras go in; what was counted in each chunk comes out, and what could not be.

Chunks of a camera depend on each other, since tracks go on from one to the next; cameras do not.
So a camera is one element. A worker loads each model once, whatever number of cameras it gets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from tenpo.errors import TenpoError
from tenpo.lake import Lake
from tenpo.settings import Settings
from video_analyzer.camera import Camera
from video_analyzer.detect import MOTION, make_detector
from video_analyzer.detect.detection import Detector
from video_analyzer.events import as_json
from video_analyzer.record.bulk import Bulk, ChunkResult
from video_analyzer.record.shelf import ChunkShelf

COUNTED, REJECTED = "counted", "rejected"
Make = Callable[[str, Settings], Detector]


@dataclass(frozen=True)
class Counted:
    """One chunk in which was looked.

    Args:
        camera: tenant, store and camera.
        chunk: its name.
        state: what became of reading it.
        events: how many were found.
        written: the object that holds them; empty where there are none.
    """

    camera: str
    chunk: str
    state: str
    events: int
    written: str


@dataclass(frozen=True)
class Rejected:
    """A chunk that could not be read, or a camera that could not be looked at any further.

    Args:
        camera: tenant, store and camera.
        chunk: its name; empty where it is the camera.
        reason: in words.
    """

    camera: str
    chunk: str
    reason: str


class CountChunksFn(beam.DoFn):
    """Count in the open chunks of a camera and write their events.

    Args:
        settings: the process's settings.
        out: URL of the folder that events are written to, for gateways to take.
        make: a detector by name; kept for the worker's life.
    """

    def __init__(self, settings: Settings, out: str, make: Make = make_detector) -> None:
        self.settings, self.out, self.make = settings, out, make

    def setup(self) -> None:
        self.lake, self.events = Lake(self.settings.lake_url), Lake(self.out)
        self.detectors: dict[str, Detector] = {}

    def process(self, camera: Camera) -> Iterator[Any]:
        place = f"{camera.tenant_id}/{camera.store_id}/{camera.camera_id}"
        if camera.faces:
            reason = "cameras with faces are counted beside their feature service: tenpo video bulk"
            yield beam.pvalue.TaggedOutput(REJECTED, Rejected(place, "", reason))
            return
        try:
            for result in self._bulk(camera, place).run():
                yield from self._told(result, place)
        except TenpoError as error:  # of this camera: the others go on, its chunk stays open
            told = Rejected(place, "", f"{error.what} ({error.where})")
            yield beam.pvalue.TaggedOutput(REJECTED, told)

    def _bulk(self, camera: Camera, place: str) -> Bulk:
        def keep(result: ChunkResult) -> None:
            if result.events:
                self.events.put(_object(place, result.chunk), as_json(result.events, camera))

        shelf = ChunkShelf(self.lake, self.settings.root_secret(), camera)
        return Bulk(shelf, camera, self._detector(camera.detector), keep)

    def _detector(self, name: str) -> Detector:
        if name == MOTION:  # it learns its background: no two cameras have one
            return self.make(name, self.settings)
        if name not in self.detectors:
            self.detectors[name] = self.make(name, self.settings)
        return self.detectors[name]

    def _told(self, result: ChunkResult, place: str) -> Iterator[Any]:
        outcome, count = result.outcome, len(result.events)
        if not outcome.shown_count:
            told = Rejected(place, result.chunk, f"{outcome.state}: {outcome.reason}")
            yield beam.pvalue.TaggedOutput(REJECTED, told)
            return
        written = _object(place, result.chunk) if count else ""
        yield Counted(place, result.chunk, outcome.state, count, written)


class CountChunks(beam.PTransform[Any, Any]):
    """Cameras to what was counted, and what was rejected.

    Args:
        settings: the process's settings.
        out: URL of the folder that events are written to.
        make: a detector by name.
    """

    def __init__(self, settings: Settings, out: str, make: Make = make_detector) -> None:
        super().__init__()
        self.settings, self.out, self.make = settings, out, make

    def expand(self, cameras: Any) -> dict[str, Any]:
        """Cameras side by side: they are spread over the workers first."""
        step = CountChunksFn(self.settings, self.out, self.make)
        found = (
            cameras
            | "Spread" >> beam.Reshuffle()
            | "Count" >> beam.ParDo(step).with_outputs(REJECTED, main=COUNTED)
        )
        return {COUNTED: found[COUNTED], REJECTED: found[REJECTED]}


def _object(place: str, chunk: str) -> str:
    return f"{place}/{chunk.removesuffix('.mp4')}.json"
