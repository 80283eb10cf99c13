"""The gateway over HTTP: paths, sizes, errors. What happens to a payload is `intake`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from math import ceil
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from gateways.declarative.load import MAX_SPEC_BYTES
from gateways.drop.watch import Drop
from gateways.intake.access import credentials
from gateways.intake.answer import shown
from gateways.intake.parcels import Intake, Parcel
from gateways.mqtt import MqttIntake
from gateways.normalize.adapter import Adapter, Kind
from gateways.pos.posa_stores import take_store_file
from gateways.registry import adapter_for, vendors
from gateways.web.body import read_body
from gateways.web.express import Express
from gateways.web.metrics_route import add_metrics_route
from gateways.web.patience import Patience, Waits
from gateways.web.receipt_routes import add_receipt_routes
from gateways.web.taking import take_in
from gateways.web.webhook_routes import add_webhook_routes
from tenpo.errors import AuthError, RateLimited, SenderStalled, ServiceError, TenpoError
from tenpo.settings import Settings
from tenpo.telemetry import get_logger

log = get_logger(__name__)

RETRY_AFTER_S = "2"
#: Finds a tenant's adapter, and the spec object it comes from.
Chooser = Callable[[str], Awaitable[tuple[str | None, Adapter]]]


def create_app(settings: Settings, intake: Intake, *, with_mqtt: bool = True) -> ASGIApp:
    """The application around one intake."""
    routes = _routes(settings, intake, with_mqtt=with_mqtt)
    return Express(routes, intake, _explain_any, settings.max_body_bytes, _waits(settings))


def _waits(settings: Settings) -> Waits:
    return Waits(settings.body_idle_s, settings.body_total_s)


def _routes(settings: Settings, intake: Intake, *, with_mqtt: bool) -> FastAPI:

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(intake.run())]
        app.state.committing = tasks[0]
        if settings.drop_url:
            tasks.append(asyncio.create_task(Drop(settings, intake).run()))
        mqtt = MqttIntake(settings, intake, asyncio.get_running_loop()) if with_mqtt else None
        app.state.mqtt = mqtt
        if mqtt is not None:
            mqtt.start()
        try:
            yield
        finally:
            if mqtt is not None:
                mqtt.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    app = FastAPI(title="Tenpo gateway", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(Patience, waits=_waits(settings))
    app.add_exception_handler(TenpoError, _explain)
    app.add_exception_handler(HTTPException, _explain_route)
    app.add_exception_handler(Exception, _explain_defect)
    _add_service_routes(app, settings)
    _add_intake_routes(app, settings, intake)
    _add_master_routes(app, settings, intake)
    add_webhook_routes(app, settings, intake)
    add_receipt_routes(app, intake)
    add_metrics_route(app, settings, intake)
    return app


async def _explain(request: Request, error: Exception) -> Response:
    """Any of our errors as what, where and remedy."""
    if not isinstance(error, TenpoError):
        raise error
    status = error.status if isinstance(error, AuthError) else error.http_status
    headers = {"Retry-After": RETRY_AFTER_S} if error.retryable else {}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(ceil(error.retry_after_s))
    if isinstance(error, SenderStalled):
        headers["Connection"] = "close"  # what may still come of the body is no request
    log.info("refused", path=request.url.path, status=status, error=type(error).__name__)
    content = {"error": error.what, "where": error.where, "remedy": error.remedy}
    return JSONResponse(content, status_code=status, headers=headers)


async def _explain_any(request: Request, error: Exception) -> Response:
    ours = isinstance(error, TenpoError)
    return await (_explain if ours else _explain_defect)(request, error)


async def _explain_route(request: Request, error: Exception) -> Response:
    """An address or method that is not there."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    content = {
        "error": f"there is nothing at {request.method} {request.url.path}",
        "where": request.url.path,
        "remedy": "GET /v1/vendors lists the addresses.",
    }
    return JSONResponse(content, status_code=status)


async def _explain_defect(request: Request, error: Exception) -> Response:
    """Anything else is ours: say so, without what was sent. Nothing was acknowledged."""
    log.error("defect", path=request.url.path, error=type(error).__name__)
    content = {
        "error": "the gateway has a defect; nothing of this payload was taken",
        "where": request.url.path,
        "remedy": "Keep the payload and report it; the gateway's log has the place.",
    }
    return JSONResponse(content, status_code=500)


def _add_service_routes(app: FastAPI, settings: Settings) -> None:
    @app.get("/health")
    @app.get("/healthz", include_in_schema=False)
    async def healthz(request: Request) -> dict[str, Any]:
        """Whether the gateway takes payloads, and whether it has its broker.

        Raises:
            ServiceError: nothing would be committed any more; start it again.
        """
        if request.app.state.committing.done():
            raise ServiceError("the intake has stopped", remedy="Start the gateway again.")
        mqtt: MqttIntake | None = request.app.state.mqtt
        return {
            "status": "ok",
            "max_body_bytes": settings.max_body_bytes,
            "mqtt": "off" if mqtt is None else "connected" if mqtt.connected else "disconnected",
        }

    @app.get("/v1/vendors")
    async def list_vendors() -> list[dict[str, str]]:
        """The vendors and what they send."""
        return [
            {
                "vendor": adapter.name,
                "kind": adapter.kind,
                "version": adapter.version,
                "media_type": adapter.media_type,
                "path": f"/v1/{adapter.kind}/{adapter.name}",
            }
            for adapter in vendors().values()
        ]


def _add_intake_routes(app: FastAPI, settings: Settings, intake: Intake) -> None:
    async def take(request: Request, choose: Chooser) -> Response:
        grant = await intake.access.grant(*credentials(request))
        store = request.headers.get("x-tenpo-store")
        grant.check_store(store)
        stored, adapter = await choose(grant.masters.tenant_id)
        with intake.held_bodies.hold(grant.masters.tenant_id) as held:
            limit = settings.max_body_bytes
            # No name here keeps the body as it came beside what is unpacked from it.
            answer = await take_in(
                intake,
                Parcel(grant, adapter, await read_body(request, limit, held), store, stored),
                request.headers,
                limit,
                held,
            )
        content = orjson.dumps(answer.content)
        return Response(content, answer.status, answer.headers, "application/json")

    def vendor_of(kind: Kind, vendor: str) -> Chooser:
        async def choose(_: str) -> tuple[str | None, Adapter]:
            return None, adapter_for(kind, vendor)

        return choose

    def spec_of(kind: Kind, name: str) -> Chooser:
        async def choose(tenant: str) -> tuple[str | None, Adapter]:
            return await asyncio.to_thread(intake.specs.of_kind, tenant, name, kind)

        return choose

    @app.post("/v1/pos/{vendor}")
    async def sales(request: Request, vendor: str) -> Response:
        """Sales of a register, in its vendor's own form."""
        return await take(request, vendor_of("pos", vendor))

    @app.post("/v1/iot/{vendor}")
    async def counts(request: Request, vendor: str) -> Response:
        """Counts of a device, in its vendor's own form."""
        return await take(request, vendor_of("iot", vendor))

    @app.post("/v1/pos/spec/{name}")
    async def sales_by_spec(request: Request, name: str) -> Response:
        """Sales as CSV of the form that a spec describes."""
        return await take(request, spec_of("pos", name))

    @app.post("/v1/iot/spec/{name}")
    async def counts_by_spec(request: Request, name: str) -> Response:
        """Counts as CSV of the form that a spec describes."""
        return await take(request, spec_of("iot", name))


def _add_master_routes(app: FastAPI, settings: Settings, intake: Intake) -> None:
    @app.put("/v1/specs/{name}")
    async def put_spec(request: Request, name: str) -> dict[str, str]:
        """Keep a spec under its name; earlier ones stay for replay."""
        grant = await intake.access.grant(*credentials(request))
        grant.check_whole_tenant()
        tenant = grant.masters.tenant_id
        with intake.held_bodies.hold(tenant) as held:
            body = await read_body(request, MAX_SPEC_BYTES, held)
        return {"object": await asyncio.to_thread(intake.specs.put, tenant, name, body)}

    @app.post("/v1/pos/posa/stores")
    async def posa_stores(request: Request) -> dict[str, Any]:
        """Vendor A's store master: replaces the one before, good rows only."""
        grant = await intake.access.grant(*credentials(request))
        grant.check_whole_tenant()
        with intake.held_bodies.hold(grant.masters.tenant_id) as held:
            body = await read_body(request, settings.max_body_bytes, held)
            found = await asyncio.to_thread(take_store_file, intake.book, grant.masters, body)
        return {
            "received": found.received,
            "accepted": len(found.codes),
            "rejected": len(found.rejected),
            "rejections": shown(found.rejected),
        }
