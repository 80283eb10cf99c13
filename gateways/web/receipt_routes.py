"""GET /v1/receipts/{id}: what became of a large delivery, for whoever sent it."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI, Request
from fastapi.responses import Response

from gateways.intake.access import Grant, credentials
from gateways.intake.parcels import Intake
from tenpo.receipt_view import view
from tenpo.receipts import Receipt, Settled, no_such_receipt

#: When a sender should ask again for one that is still open.
ASK_AGAIN_S = "1"


def add_receipt_routes(app: FastAPI, intake: Intake) -> None:
    """Add the address to a gateway."""

    @app.get("/v1/receipts/{receipt}", response_model=Receipt)
    async def receipt(request: Request, receipt: str) -> Response:
        """State, counts and first rejections of a delivery that was answered 202."""
        grant = await intake.access.grant(*credentials(request))
        found = await asyncio.to_thread(_found, intake, grant, receipt)
        headers = {"Cache-Control": "no-store"}
        if found.state in ("queued", "running"):
            headers["Retry-After"] = ASK_AGAIN_S
        return Response(found.model_dump_json(), headers=headers, media_type="application/json")


def _found(intake: Intake, grant: Grant, receipt: str) -> Receipt:
    """The receipt; one of another tenant or another store's sender is none."""
    found = intake.receipts.find(grant.masters.tenant_id, receipt)
    job = found.accepted_as if isinstance(found, Settled) else found
    if not job.concerns(grant.allowed_store):
        raise no_such_receipt()
    return view(intake.engine, [found])[0]
