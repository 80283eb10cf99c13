"""`multipart/form-data` (RFC 7578): each file of a form is a payload and is answered by itself.

The body is bounded already and stays in memory: nothing unsealed is written to disk.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from tenpo.errors import PayloadError

MAX_FILES = 100


@dataclass(frozen=True)
class FormFile:
    """One file of a form."""

    name: str
    body: bytes


class _InMemory(MultiPartParser):
    spool_max_size = 2**62  # the body is in memory as a whole anyway


def is_form(headers: Headers) -> bool:
    """Whether a request brings a form."""
    return headers.get("content-type", "").lower().startswith("multipart/form-data")


async def files_of(headers: Headers, body: bytes) -> list[FormFile]:
    """The files of a form, in their order.

    Raises:
        PayloadError: it is no form, has no file, or more than `MAX_FILES`.
    """

    async def once() -> AsyncGenerator[bytes]:
        yield body

    try:
        parser = _InMemory(headers, once(), max_files=MAX_FILES, max_fields=MAX_FILES)
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError) as error:
        raise _no_form("the form cannot be read") from error
    try:
        uploads = [one for _, one in form.multi_items() if isinstance(one, UploadFile)]
        found = [FormFile(one.filename or "", await one.read()) for one in uploads]
    finally:
        await form.close()
    if not found:
        raise _no_form("the form has no file")
    return found


def _no_form(what: str) -> PayloadError:
    remedy = f"Send each payload as a file of the form, at most {MAX_FILES}, or alone as the body."
    return PayloadError(what, where="body", remedy=remedy)
