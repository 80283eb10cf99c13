"""The application: routes, errors, headers, compression. Serving it is `api.serve`'s."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware

from api import assets, errors
from api.backend import Backend
from api.routes import (
    benchmarks,
    busy,
    explain,
    facts,
    health,
    kpis,
    models,
    pages,
    receipts,
    zones,
)
from api.security import SecurityHeaders
from tenpo import __version__
from tenpo.settings import Settings

_DESCRIPTION = """
Store KPIs: footfall, conversion, sales. Send a token of scope `read` as `Authorization: Bearer`;
the token decides whose figures you see. Amounts and ratios are strings holding exact decimals.
"""


def create_app(settings: Settings) -> FastAPI:
    """The API and dashboard of these settings."""
    backend = Backend.of(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.openapi()  # made and kept, before anybody waits for it
        yield
        backend.engine.dispose()

    app = FastAPI(
        title="Tenpo",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.backend = backend
    errors.install(app)
    for routes in (
        kpis,
        zones,
        busy,
        benchmarks,
        explain,
        models,
        facts,
        receipts,
        health,
        pages,
        assets,
    ):
        app.include_router(routes.router)
    static = assets.VersionedFiles(directory=assets.STATIC)
    app.mount(f"/static/{assets.static_version()}", static, "static")
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)
    app.add_middleware(SecurityHeaders)
    return app
