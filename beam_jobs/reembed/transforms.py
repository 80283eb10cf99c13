"""The Beam side: cameras go in; what came of each of their chunks comes out.

First each camera's chunks are named that may show somebody who waits, then they are looked into,
side by side. Faces, features and persons stay within one step and the feature service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import apache_beam as beam

from beam_jobs.reembed.pictures import chunks_of, pictures_at
from tenpo.errors import TenpoError
from tenpo.identifiers import micros
from tenpo.lake import Lake
from tenpo.settings import Settings
from video_analyzer.camera import Camera
from video_analyzer.events import moment
from video_analyzer.faces.chip import cut
from video_analyzer.faces.face import FaceDetector, FaceExtractor
from video_analyzer.feature_service.client import FeatureClient
from video_analyzer.record.shelf import ChunkShelf
from video_analyzer.source.frames import Frame

LOOKED, REJECTED = "looked", "rejected"
_PAGE = 1_000
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Makers:
    """What a worker makes for itself, once.

    Args:
        client: asks the feature service for a tenant, as a person.
        detector: finds faces.
        extractor: makes features, by label.
    """

    client: Callable[[Settings, str], FeatureClient]
    detector: Callable[[Settings], FaceDetector]
    extractor: Callable[[str], FaceExtractor]


@dataclass(frozen=True)
class Succession:
    """One model replaces another.

    Args:
        settings: the process's settings.
        former: label of the model that goes.
        model: of the one that comes.
        makers: see there.
    """

    settings: Settings
    former: str
    model: str
    makers: Makers


@dataclass(frozen=True)
class Errand:
    """A chunk that may show somebody who waits.

    Args:
        camera: the camera.
        chunk: its name.
        moments: microseconds since 1970, of pictures of the camera's store.
    """

    camera: Camera
    chunk: str
    moments: tuple[int, ...]


@dataclass(frozen=True)
class Looked:
    """What came of a chunk.

    Args:
        camera: tenant, store and camera.
        chunk: its name.
        moments: how many were looked for; other cameras of the store took some of them.
        pictures: how many it has.
        faces: in these.
        taken: how many of them belonged to somebody who waited.
    """

    camera: str
    chunk: str
    moments: int
    pictures: int
    faces: int
    taken: int


@dataclass(frozen=True)
class Rejected:
    """A chunk that could not be looked into, or a camera without an answer; what, in words."""

    camera: str
    chunk: str
    reason: str


class ErrandsFn(beam.DoFn):
    """The chunks of a camera that may show somebody who waits."""

    def __init__(self, succession: Succession) -> None:
        self.succession = succession

    def process(self, camera: Camera) -> Iterator[Any]:
        try:
            yield from self._errands(camera)
        except TenpoError as error:  # of this camera: the others go on
            yield beam.pvalue.TaggedOutput(REJECTED, _rejected(camera, "", error))

    def _errands(self, camera: Camera) -> Iterator[Errand]:
        moments = [micros(at) for at in self._moments(camera)]
        chunks = _shelf(self.succession.settings, camera).chunks()
        for chunk, wanted in chunks_of(chunks, moments).items():
            yield Errand(camera, chunk, tuple(wanted))

    def _moments(self, camera: Camera) -> Iterator[datetime]:
        asked, after = self.succession, _EVER
        with asked.makers.client(asked.settings, camera.tenant_id) as client:
            while True:
                page = client.sightings(asked.former, asked.model, camera.store_id, after, _PAGE)
                yield from page
                if len(page) < _PAGE:
                    return
                after = page[-1]


class LookFn(beam.DoFn):
    """Look into a chunk and offer what both models see to the feature service."""

    def __init__(self, succession: Succession) -> None:
        self.succession = succession

    def setup(self) -> None:
        asked = self.succession
        self.clients: dict[str, FeatureClient] = {}
        self.detector = asked.makers.detector(asked.settings)
        self.former = asked.makers.extractor(asked.former)
        self.model = asked.makers.extractor(asked.model)

    def teardown(self) -> None:
        for client in self.clients.values():
            client.close()

    def process(self, errand: Errand) -> Iterator[Any]:
        try:
            yield self._looked(errand)
        except TenpoError as error:  # of this chunk: the others go on
            told = _rejected(errand.camera, errand.chunk, error)
            yield beam.pvalue.TaggedOutput(REJECTED, told)

    def _looked(self, errand: Errand) -> Looked:
        camera, counts = errand.camera, [0, 0, 0]
        shelf = _shelf(self.succession.settings, camera)
        for frame in pictures_at(shelf, camera, errand.chunk, errand.moments):
            faces, taken = self._offered(camera, frame)
            counts = [counts[0] + 1, counts[1] + faces, counts[2] + taken]
        return Looked(_place(camera), errand.chunk, len(errand.moments), *counts)

    def _offered(self, camera: Camera, frame: Frame) -> tuple[int, int]:
        """How many faces a picture has, and whose were taken over."""
        points = self.detector.find(frame.picture).points
        if not len(points):
            return 0, 0
        chips = [cut(frame.picture, one) for one in points]
        client, at = self._client(camera.tenant_id), moment(frame.at_us)
        pairs = zip(self.former.extract(chips), self.model.extract(chips), strict=True)
        taken = [
            client.take_over(
                (self.former.label, before.tolist()), self.model.label, now.tolist(),
                camera.store_id, at,
            )
            for before, now in pairs
        ]  # fmt: skip
        return len(chips), sum(taken)

    def _client(self, tenant_id: str) -> FeatureClient:
        if tenant_id not in self.clients:
            made = self.succession.makers.client(self.succession.settings, tenant_id)
            self.clients[tenant_id] = made
        return self.clients[tenant_id]


class Reembed(beam.PTransform[Any, Any]):
    """Cameras to what came of their chunks, and what was rejected."""

    def __init__(self, succession: Succession) -> None:
        super().__init__()
        self.succession = succession

    def expand(self, cameras: Any) -> dict[str, Any]:
        """Chunks side by side: what is taken over is durable at once, in any order."""
        errands = cameras | "Find chunks" >> beam.ParDo(ErrandsFn(self.succession)).with_outputs(
            REJECTED, main="errands"
        )
        looked = (
            errands["errands"]
            | "Spread" >> beam.Reshuffle()
            | "Look" >> beam.ParDo(LookFn(self.succession)).with_outputs(REJECTED, main=LOOKED)
        )
        rejected = (errands[REJECTED], looked[REJECTED]) | "All rejected" >> beam.Flatten()
        return {LOOKED: looked[LOOKED], REJECTED: rejected}


def _shelf(settings: Settings, camera: Camera) -> ChunkShelf:
    return ChunkShelf(Lake(settings.lake_url), settings.root_secret(), camera)


def _rejected(camera: Camera, chunk: str, error: TenpoError) -> Rejected:
    return Rejected(_place(camera), chunk, f"{error.what} ({error.where})")


def _place(camera: Camera) -> str:
    return f"{camera.tenant_id}/{camera.store_id}/{camera.camera_id}"
