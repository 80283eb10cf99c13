"""The application: calls, errors, who may ask and how much. Serving it is `serve`'s."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from tenpo import __version__
from tenpo.lake import Lake
from tenpo.masters import MasterBook
from tenpo.settings import Settings
from video_analyzer.detect import make_detector
from video_analyzer.detect.detection import Detector
from video_analyzer.detect.registry import model_named
from video_analyzer.feature_service import errors
from video_analyzer.feature_service.bounds import Bounds
from video_analyzer.feature_service.doors import REFUSAL_S, Doors
from video_analyzer.serving import routes
from video_analyzer.serving.admission import Admission
from video_analyzer.serving.jobs import MAX_CLIP_BYTES, Jobs
from video_analyzer.serving.pool import Pool

STILL_DETECTOR = "yolox_nano"
_DESCRIPTION = """
People in a still, at once, or in a clip, as a job. Send `X-Tenpo-Tenant` and a token of scope
`features` as `Authorization: Bearer`. Nothing of a picture is kept.
"""


def create_app(
    settings: Settings,
    *,
    make: Callable[[str], Detector] | None = None,
    threads: int | None = None,
    refusal_s: float = REFUSAL_S,
) -> FastAPI:
    """The service of these settings.

    Args:
        settings: where lake and weights are.
        make: the detector of a name; None: as cameras have it.
        threads: that look at stills; None: one a core.
        refusal_s: how long a refused caller waits at least.
    """
    wanted = None if make else (lambda: model_named(STILL_DETECTOR, settings.models_file).label)
    make = make or (lambda name: make_detector(name, settings))
    cores = threads or os.cpu_count() or 1
    pool = Pool(lambda: make(STILL_DETECTOR), cores, wanted=wanted)
    jobs = Jobs(make)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        pool.close()
        jobs.close()

    app = FastAPI(
        title="Tenpo video", version=__version__, description=_DESCRIPTION, lifespan=lifespan,
        docs_url=None, redoc_url=None,
    )  # fmt: skip
    app.state.pool, app.state.jobs = pool, jobs
    errors.install(app)
    app.include_router(routes.router)
    app.get("/healthz", include_in_schema=False)(_healthz)
    doors = Doors(MasterBook(Lake(settings.lake_url)), refusal_s=refusal_s)
    app.add_middleware(Bounds, doors=doors, idle_s=settings.body_idle_s, max_bytes=MAX_CLIP_BYTES)
    app.add_middleware(Admission)
    return app


async def _healthz() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok"}
