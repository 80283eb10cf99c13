"""From a request's body to payloads: decompressed, and taken out of their form.

One payload gets its own answer. The files of a form get theirs one by one, in order, under
207 (RFC 4918) unless all are the same; if any is to be sent again, all are.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from starlette.datastructures import Headers

from gateways.formats.encoding import decoded, media_type_of
from gateways.intake.answer import Answer
from gateways.intake.group import INLINE_BYTES
from gateways.intake.parcels import Intake, Parcel
from gateways.intake.shares import Hold
from gateways.web.form import FORM, Form, is_form, read_form
from tenpo.errors import PayloadError

_MIXED = 207


#: So few bodies are decompressed at once: how large one gets is known only when it is.
_unpackers = ThreadPoolExecutor(2, "unpack")


async def take_in(
    intake: Intake, parcel: Parcel, headers: Headers, limit: int, held: Hold
) -> Answer:  # fmt: skip
    """Hand in what one request brought. What cannot be opened is kept as it came, too.

    Args:
        intake: takes it.
        parcel: the body as it came.
        headers: of the request.
        limit: the largest payload in bytes.
        held: what is in memory is added here.

    Raises:
        PayloadTooLarge: it is above the limit.
        Overloaded: there is no room for it beside the other bodies.
        UnsupportedEncoding: it is compressed in an unknown way.
        PayloadError: the only payload cannot be read, or the form or compression cannot.
        LakeError: something is not durable; all must be sent again.
    """
    encoding = headers.get("content-encoding")
    try:
        payload = await _unpacked(parcel.body, encoding, limit, held)
    except PayloadError as error:
        await intake.refuse(parcel, error, media_type_of(parcel.body, encoding))
    parcel = replace(parcel, body=payload)
    if not is_form(headers):
        return await intake.hand_in(parcel)
    try:
        form = await _form(headers, payload)
    except PayloadError as error:
        await intake.refuse(parcel, error, FORM)
    told = []
    for file in form.files:
        answer = await _one(intake, replace(parcel, body=file.body))
        told.append({"file": file.name, "status": answer.status, **answer.content})
    statuses = {int(str(one["status"])) for one in told}
    status = statuses.pop() if len(statuses) == 1 else _MIXED
    return Answer(status, {"files": told, "ignored_fields": form.fields})


async def _unpacked(body: bytes, encoding: str | None, limit: int, held: Hold) -> bytes:
    if encoding is None:
        return decoded(body, None, limit)
    loop = asyncio.get_running_loop()
    payload = await loop.run_in_executor(_unpackers, decoded, body, encoding, limit)
    held.drop()
    held.add(len(payload))
    return payload


async def _form(headers: Headers, body: bytes) -> Form:
    """The files of a form; the parser would keep the loop from all others for a large one."""
    if len(body) <= INLINE_BYTES:
        return await read_form(headers, body)
    return await asyncio.get_running_loop().run_in_executor(
        _unpackers, lambda: asyncio.run(read_form(headers, body))
    )


async def _one(intake: Intake, parcel: Parcel) -> Answer:
    try:
        return await intake.hand_in(parcel)
    except PayloadError as error:
        content = {"error": error.what, "where": error.where, "remedy": error.remedy}
        return Answer(error.http_status, content)
