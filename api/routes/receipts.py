"""Large deliveries: what became of each, for the tenant that sent it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.dependencies import TheBackend, TheReader, known_parameters_only
from api.errors import RESPONSES
from api.models import ReceiptAnswer
from api.responses import json_answer
from tenpo.receipt_view import newest
from tenpo.receipts import State

MAX_RECEIPTS = 100
#: Whoever seeks few among very many would read the whole lake with each request.
LOOKED_AT = 500

router = APIRouter(prefix="/v1", responses=RESPONSES, dependencies=[Depends(known_parameters_only)])


@router.get("/receipts", response_model=ReceiptAnswer, summary="What became of large deliveries")
def get_receipts(
    request: Request,
    backend: TheBackend,
    reader: TheReader,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_RECEIPTS)] = 20,
) -> Response:
    """Open ones first, then the newest. A reader of one store sees those sent for that store.

    Of the newest 500; `tenpo receipts` looks at all. Small payloads have no receipt: their
    senders got the answer at once.
    """
    found = backend.receipts.newest(reader.tenant_id)
    store_id = reader.store_id
    shown = newest(backend.engine, found, limit, state=state, store_id=store_id, most=LOOKED_AT)
    return json_answer(request, ReceiptAnswer(receipts=shown))
