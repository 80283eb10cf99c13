"""The application: calls, errors, metrics, and the limit of a body. Serving it is `serve`'s."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

from tenpo import __version__
from tenpo.erasure import Erasures
from tenpo.lake import Lake
from tenpo.masters import MasterBook
from tenpo.operators_token import require_operator
from tenpo.settings import Settings
from video_analyzer.feature_db import FeatureDatabase
from video_analyzer.feature_service import errors, routes
from video_analyzer.feature_service.backend import TIMEOUT_S, Backend
from video_analyzer.feature_service.bounds import Bounds
from video_analyzer.feature_service.doors import REFUSAL_S, Doors
from video_analyzer.feature_service.expiry import Expiry
from video_analyzer.feature_service.metrics import Metrics
from video_analyzer.feature_service.newcomers import Newcomers

_DESCRIPTION = """
Features of people, sealed by tenant. Send `X-Tenpo-Tenant` and a token of scope `features` as
`Authorization: Bearer`: of one store for its device, which may identify; of the tenant for a
person.
"""


def create_app(
    settings: Settings, *, timeout_s: float = TIMEOUT_S, refusal_s: float = REFUSAL_S
) -> FastAPI:
    """The service of these settings."""
    database = FeatureDatabase(settings.home / "features", settings.root_secret())
    book = MasterBook(Lake(settings.lake_url))
    erasures = partial(Erasures.of, settings)
    newcomers = Newcomers(settings.features_new_per_hour)
    backend = Backend(database, book, Metrics(), erasures, newcomers, timeout_s)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        expiring = asyncio.create_task(Expiry(backend).run())
        yield
        expiring.cancel()
        backend.close()

    app = FastAPI(
        title="Tenpo features", version=__version__, description=_DESCRIPTION, lifespan=lifespan,
        docs_url=None, redoc_url=None,
    )  # fmt: skip
    app.state.backend = backend
    errors.install(app)
    app.include_router(routes.router)
    _add_operators_routes(app, settings, backend.metrics)
    app.state.doors = doors = Doors(book, refusal_s=refusal_s)
    app.add_middleware(Bounds, doors=doors, idle_s=settings.body_idle_s)
    return app


def _add_operators_routes(app: FastAPI, settings: Settings, metrics: Metrics) -> None:
    secret = settings.metrics_secret()

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        """Whether the process answers."""
        return {"status": "ok"}

    @app.get("/metrics", include_in_schema=False)
    async def read_metrics(request: Request) -> Response:
        """The metrics, for whoever shows the operator's token: they name every tenant."""
        require_operator(secret, request.headers.get("authorization"))
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})
