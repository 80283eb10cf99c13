"""Answers with an ETag: a client that polls gets 304 until a figure changes."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import orjson
from fastapi import Request, Response
from pydantic import BaseModel

#: Figures change whenever a run is published: keep them, but ask before using them again.
REVALIDATE = "private, no-cache"


def json_answer(request: Request, body: BaseModel | dict[str, Any]) -> Response:
    """The body as JSON, or 304 where the client has it already."""
    plain = body.model_dump(mode="json", by_alias=True) if isinstance(body, BaseModel) else body
    return _tagged(request, orjson.dumps(plain), "application/json", {})


def csv_answer(request: Request, text: str, filename: str) -> Response:
    """A CSV file to download."""
    disposition = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return _tagged(request, text.encode(), "text/csv; charset=utf-8", disposition)


def _tagged(request: Request, content: bytes, kind: str, headers: dict[str, str]) -> Response:
    # Weak, because compression changes the bytes but not the meaning.
    tag = f'W/"{blake2b(content, digest_size=12).hexdigest()}"'
    kept = {"ETag": tag, "Cache-Control": REVALIDATE, "Vary": "Authorization, Cookie"}
    known = [part.strip() for part in request.headers.get("if-none-match", "").split(",")]
    if tag in known:
        return Response(status_code=304, headers=kept)
    return Response(content, media_type=kind, headers=kept | headers)
