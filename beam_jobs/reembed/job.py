"""Running the pipeline: cameras from their files, progress as the feature service tells it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import apache_beam as beam
import orjson

from beam_jobs.options import pipeline_options
from beam_jobs.reembed.transforms import LOOKED, REJECTED, Makers, Reembed, Succession
from tenpo.errors import ConfigError, InputError
from tenpo.lake import Lake
from tenpo.settings import Settings
from video_analyzer.camera import Camera
from video_analyzer.faces.extractors import make_extractor
from video_analyzer.feature_service.bodies import ProgressAnswer
from video_analyzer.feature_service.client import FeatureClient
from video_analyzer.identity.wiring import face_detector


@dataclass(frozen=True)
class Report:
    """What came of it.

    Args:
        before: persons who waited when it began, and
        after: who wait still.
        looked: every chunk that was looked into, and
        rejected: every one that could not be, or camera.
    """

    before: ProgressAnswer
    after: ProgressAnswer
    looked: list[dict[str, Any]]
    rejected: list[dict[str, Any]]


def client_of(settings: Settings, tenant_id: str) -> FeatureClient:
    """The feature service, as a person.

    Raises:
        ConfigError: there is no token.
    """
    token = settings.features_tokens.get(tenant_id)
    if token is None:
        raise ConfigError(
            "there is no token for the feature service",
            where="TENPO_FEATURES_TOKENS",
            remedy="Make one of the whole tenant: tenpo tenant token TENANT --scope features",
        )
    return FeatureClient(settings.features_url, tenant_id, token.get_secret_value())


MAKERS = Makers(client_of, face_detector, make_extractor)


def reembed(
    settings: Settings,
    cameras: Sequence[Camera],
    former: str,
    model: str,
    runner_args: Sequence[str] = (),
    makers: Makers = MAKERS,
) -> Report:
    """Look into the recordings of cameras for those whom the new model does not know.

    Kill it and run it again as you like: what was taken over is durable, and is not looked for
    again.

    Args:
        settings: the process's settings.
        cameras: of one tenant, each once.
        former: label of the model that goes.
        model: of the one that comes.
        runner_args: further options of Beam.
        makers: models and clients.

    Raises:
        InputError: no camera, one twice, or of two tenants.
        UnknownReference: the tenant has no features of the former model.
        AuthError: the token is none of the whole tenant's.
        ServiceError: the feature service does not answer.
    """
    tenant = _tenant(cameras)
    with makers.client(settings, tenant) as client:
        before = client.progress(former, model)
    run = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    folder = f"artifact/{tenant}/reembed/{run}"
    succession = Succession(settings, former, model, makers)
    with beam.Pipeline(options=pipeline_options(settings, "reembed", runner_args)) as pipeline:
        found = pipeline | "Cameras" >> beam.Create(cameras) | Reembed(succession)
        for part, rows in found.items():
            _ = rows | f"Note {part}" >> beam.ParDo(_NoteFn(settings.lake_url, f"{folder}/{part}"))
    with makers.client(settings, tenant) as client:
        after = client.progress(former, model)
    lake = Lake(settings.lake_url)
    return Report(before, after, *(_noted(lake, f"{folder}/{part}") for part in (LOOKED, REJECTED)))


def _tenant(cameras: Sequence[Camera]) -> str:
    names = {(one.tenant_id, one.store_id, one.camera_id) for one in cameras}
    tenants = {one.tenant_id for one in cameras}
    if len(names) < len(cameras) or len(tenants) != 1:
        raise InputError(
            f"{len(cameras)} cameras of {len(tenants)} tenants",
            where="cameras",
            remedy="Give each camera of one tenant once.",
        )
    return tenants.pop()


class _NoteFn(beam.DoFn):
    """Write what became of a chunk, under its name: noted twice it is noted once."""

    def __init__(self, lake_url: str, folder: str) -> None:
        self.lake_url, self.folder = lake_url, folder

    def setup(self) -> None:
        self.lake = Lake(self.lake_url)

    def process(self, row: Any) -> None:
        name = f"{self.folder}/{row.camera}/{row.chunk or 'camera'}.json"
        self.lake.put(name, orjson.dumps(asdict(row)))


def _noted(lake: Lake, folder: str) -> list[dict[str, Any]]:
    return [orjson.loads(lake.get(name)) for name in lake.names(folder)]
