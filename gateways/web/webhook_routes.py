"""`POST /v1/hooks/TENANT/VENDOR`: webhooks, which carry a signature in place of a token.

Not for what makes a signature right: that is `webhooks`.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request

from gateways.intake.access import Grant
from gateways.intake.keyring import KeyRing
from gateways.intake.parcels import Intake, Parcel
from gateways.registry import adapter_for
from gateways.web.body import read_body
from gateways.web.hook_gate import HookGate
from gateways.web.hook_room import HookRoom, network_of
from gateways.web.patience import in_all
from gateways.web.webhooks import (
    SCHEMES,
    Memory,
    Scheme,
    check_age,
    check_signature,
    shown_signature,
)
from tenpo.errors import PayloadError, UnknownReference
from tenpo.masters import TenantMasters
from tenpo.settings import Settings
from tenpo.telemetry import get_logger
from tenpo.webhook_secrets import open_webhook

log = get_logger(__name__)

#: A stranger may make us read so much before its signature is known to be wrong.
MAX_BYTES = 8 * 1024**2
#: Vendors wait no longer for the answer: Square 10 s, Shopify 5 s (2026-11).
BODY_S = 20.0


def add_webhook_routes(app: FastAPI, settings: Settings, intake: Intake) -> None:
    """Add the route."""
    keys, memory, gate = KeyRing(settings.root_secret()), Memory(), HookGate(settings)
    limit = min(MAX_BYTES, settings.max_body_bytes)
    room = HookRoom(settings, intake.held_bodies, limit)

    @app.post("/v1/hooks/{tenant}/{vendor}")
    async def hook(request: Request, tenant: str, vendor: str) -> dict[str, Any]:
        """An event that a vendor signed; 200 once it is durable, whatever it holds."""
        scheme = _scheme(vendor)
        network = network_of(request.client.host if request.client else "")
        known = tenant if intake.book.knows(tenant) else None
        with gate.checking(network, known, vendor):
            given = shown_signature(scheme, request.headers)
            masters = await _masters(intake, tenant)
            row = masters.webhook_of(vendor)
            secret = open_webhook(keys.of(tenant), row) if row is not None else None
            with room.hold(network, tenant, row) as unchecked:
                async with in_all(BODY_S):
                    body = await read_body(request, limit, unchecked)
                signature = check_signature(scheme, row, secret, given, body)
        mark = scheme.mark(signature, request.headers)
        gate.pass_genuine(tenant, vendor)
        if mark is not None and memory.knows(tenant, vendor, mark):
            return {"duplicate": True}
        check_age(scheme, body)
        with intake.held_bodies.hold(tenant) as held:
            held.add(len(body))
            store = row.store_id if row is not None else None
            parcel = Parcel(Grant(masters, None), adapter_for("pos", vendor), body, store)
            answer = await _take(intake, parcel)
        if named := intake.apis.named(masters, vendor, body):
            answer["fetch"] = await intake.fetching.ask_for(masters, vendor, named)
        if mark is not None:
            memory.remember(tenant, vendor, mark, scheme.window)
        return answer


def _scheme(vendor: str) -> Scheme:
    scheme = SCHEMES.get(vendor)
    if scheme is None:
        raise UnknownReference(
            "that vendor's webhooks are not signed in a way known here",
            where="/v1/hooks",
            remedy=f"Use one of {', '.join(SCHEMES)}, or POST /v1/pos/VENDOR with a token.",
        )
    return scheme


async def _masters(intake: Intake, tenant: str) -> TenantMasters:
    """The tenant's masters; empty ones where there is no such tenant, so that nobody learns it."""
    try:
        return await intake.access.masters(tenant)
    except UnknownReference:
        return TenantMasters(tenant_id=tenant)


async def _take(intake: Intake, parcel: Parcel) -> dict[str, Any]:
    """Make it durable. What cannot be read is kept, too, and sending it again would not mend it."""
    try:
        return await intake.receive(parcel)
    except PayloadError as error:
        log.warning("webhook unreadable", tenant=parcel.grant.masters.tenant_id,
                    vendor=parcel.adapter.name)  # fmt: skip
        return {"received": 1, "accepted": 0, "rejected": 1, "error": error.what}
