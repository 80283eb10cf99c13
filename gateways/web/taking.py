"""From a request's body to payloads: decompressed, and taken out of their form.

One payload gets its own answer. The files of a form get theirs one by one, in order, under
207 (RFC 4918) unless all are the same; if any is to be sent again, all are.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from fastapi import Request
from starlette.datastructures import Headers

from gateways.formats.encoding import decoded
from gateways.intake.answer import Answer
from gateways.intake.parcels import Intake, Parcel
from gateways.intake.shares import Hold
from gateways.web.body import read_body
from gateways.web.form import is_form, read_form
from tenpo.errors import PayloadError

_MIXED = 207


#: So few bodies are decompressed at once: how large one gets is known only when it is.
_unpackers = ThreadPoolExecutor(2, "unpack")


async def read_payload(request: Request, limit: int, held: Hold) -> bytes:
    """The body, decompressed.

    Args:
        request: whose body is read.
        limit: the largest body in bytes, compressed or not.
        held: what is in memory is added here.

    Raises:
        PayloadTooLarge: it is above the limit.
        Overloaded: there is no room for it beside the other bodies.
        UnsupportedEncoding: it is compressed in an unknown way.
        PayloadError: it is cut off, or not what its header says.
    """
    body = await read_body(request, limit, held)
    encoding = request.headers.get("content-encoding")
    if encoding is None:
        return decoded(body, None, limit)
    loop = asyncio.get_running_loop()
    payload = await loop.run_in_executor(_unpackers, decoded, body, encoding, limit)
    held.drop()
    held.add(len(payload))
    return payload


async def take_in(intake: Intake, parcel: Parcel, headers: Headers) -> Answer:
    """Hand in what one request brought.

    Raises:
        PayloadError: the only payload cannot be read, or the form cannot.
        LakeError: something is not durable; all must be sent again.
    """
    if not is_form(headers):
        return await intake.hand_in(parcel)
    form = await read_form(headers, parcel.body)
    told = []
    for file in form.files:
        answer = await _one(intake, replace(parcel, body=file.body))
        told.append({"file": file.name, "status": answer.status, **answer.content})
    statuses = {int(str(one["status"])) for one in told}
    status = statuses.pop() if len(statuses) == 1 else _MIXED
    return Answer(status, {"files": told, "ignored_fields": form.fields})


async def _one(intake: Intake, parcel: Parcel) -> Answer:
    try:
        return await intake.hand_in(parcel)
    except PayloadError as error:
        content = {"error": error.what, "where": error.where, "remedy": error.remedy}
        return Answer(error.http_status, content)
