"""`multipart/form-data` (RFC 7578): each file of a form is a payload and is answered by itself.

So is a part that names a media type but no file, as cameras post their notifications; the
pictures beside them are none, and are counted like fields.

The body is bounded already and stays in memory: nothing unsealed is written to disk.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from tenpo.errors import PayloadError

MAX_FILES = 100
FORM = "multipart/form-data"


@dataclass(frozen=True)
class FormFile:
    """One file of a form."""

    name: str
    body: bytes


@dataclass(frozen=True)
class Form:
    """What a form holds: its payloads, and so many fields and pictures that are none."""

    files: list[FormFile]
    fields: int


class _InMemory(MultiPartParser):
    spool_max_size = 2**62  # the body is in memory as a whole anyway

    def on_headers_finished(self) -> None:
        """Names of files are UTF-8 (RFC 7578, section 5.1), whatever codec the sender names."""
        self._charset = "utf-8"
        part = self._current_part
        kind, _ = parse_options_header(dict(part.item_headers).get(b"content-type"))
        _, told = parse_options_header(part.content_disposition)
        if b"filename" not in told and kind not in (b"", b"text/plain"):
            # A field would be decoded as text, and its media type forgotten.
            part.content_disposition = (part.content_disposition or b"") + b'; filename="part"'
        super().on_headers_finished()


def is_form(headers: Headers) -> bool:
    """Whether a request brings a form."""
    return headers.get("content-type", "").lower().startswith(FORM)


async def read_form(headers: Headers, body: bytes) -> Form:
    """The files of a form, in their order.

    Raises:
        PayloadError: it is no form, is cut off, has no file, or more than `MAX_FILES`.
    """

    async def once() -> AsyncGenerator[bytes]:
        yield body

    try:
        parser = _InMemory(headers, once(), max_files=MAX_FILES, max_fields=MAX_FILES)
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError) as error:
        raise _no_form("the form cannot be read") from error
    try:
        every = [one for _, one in form.multi_items()]
        uploads = [one for one in every if isinstance(one, UploadFile) and not _is_picture(one)]
        found = [FormFile(one.filename or "", await one.read()) for one in uploads]
    finally:
        await form.close()
    if not _has_end(headers, body):  # the parser leaves out the part that has none
        raise _no_form("the form has no end, or something after it")
    if not found:
        raise _no_form("the form has no file")
    return Form(found, len(every) - len(found))


def _is_picture(file: UploadFile) -> bool:
    return (file.content_type or "").lower().startswith("image/")


def _has_end(headers: Headers, body: bytes) -> bool:
    _, told = parse_options_header(headers["content-type"])
    return body.rstrip(b"\r\n\t ").endswith(b"\n--" + told[b"boundary"] + b"--")


def _no_form(what: str) -> PayloadError:
    remedy = f"Send each payload as a file of the form, at most {MAX_FILES}, or alone as the body."
    return PayloadError(what, where="body", remedy=remedy)
