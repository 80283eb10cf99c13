"""Bodies sent compressed (`Content-Encoding`, RFC 9110 section 8.4): gzip and zstd, bounded.

Decompressing stops a little above the limit, however much more there is: a bomb costs no
more memory than an honest payload. Windows of zstd are bounded as RFC 9659 asks (8 MiB).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

import zstandard

from tenpo.errors import PayloadError, PayloadTooLarge, UnsupportedEncoding

#: Members of gzip and frames of zstd in one body: an empty one costs as much work as a full one.
MAX_PIECES = 10_000
_WINDOW_BYTES = 8 * 1024**2
_GZIP = 16 + zlib.MAX_WBITS
#: A block of zstd is at least four bytes and at most 128 KiB when decompressed (RFC 8878
#: section 3.1.1.2), and deflate makes at most 1,032 bytes of one, so that a slice of this
#: many bytes makes at most 16 MiB.
_ZSTD_SLICE_BYTES, _GZIP_SLICE_BYTES = 512, 8 * 1024
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


class _Piece(Protocol):
    """What `zlib` and `zstandard` give to decompress one piece with."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def decoded(body: bytes, encoding: str | None, limit: int) -> bytes:
    """The payload of a body.

    Args:
        body: as it came.
        encoding: what `Content-Encoding` says, if anything.
        limit: bytes of the payload at most.

    Raises:
        UnsupportedEncoding: it is compressed in another way.
        PayloadTooLarge: the payload is above the limit.
        PayloadError: it is not what the header says, or cut off.
    """
    name = (encoding or "identity").strip().lower()
    if name == "identity":
        _check_plain(body)
        return body
    decode = _DECODERS.get(name)
    if decode is None:
        raise UnsupportedEncoding(
            "the body is compressed in a way that is not read here",
            where="Content-Encoding",
            remedy="Send it as gzip or zstd, or plain.",
        )
    try:
        return decode(body, limit)
    except (EOFError, zlib.error, zstandard.ZstdError) as error:
        raise PayloadError(
            f"the body is no whole {name}",
            where="Content-Encoding",
            remedy="Compress it again, or send it plain without the header.",
        ) from error


def media_type_of(body: bytes, encoding: str | None) -> str:
    """The media type of a body that is compressed, as its header says, else as it begins."""
    name = (encoding or "").strip().lower().removeprefix("x-")
    begun = next((found for magic, found in _MAGIC.items() if body.startswith(magic)), "gzip")
    return f"application/{name if name in _MAGIC.values() else begun}"


def _check_plain(body: bytes) -> None:
    for magic, name in _MAGIC.items():
        if body.startswith(magic):
            raise PayloadError(
                f"the body is {name}, but its header does not say so",
                where="Content-Encoding",
                remedy=f"Send Content-Encoding: {name}, or the payload plain.",
            )


def _gzip(body: bytes, limit: int) -> bytes:
    return _unpacked(body, limit, lambda: zlib.decompressobj(_GZIP), _GZIP_SLICE_BYTES)


def _zstd(body: bytes, limit: int) -> bytes:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
    return _unpacked(body, limit, decompressor.decompressobj, _ZSTD_SLICE_BYTES)


def _unpacked(body: bytes, limit: int, begin: Callable[[], _Piece], slice_bytes: int) -> bytes:
    """A body piece by piece (members of gzip, frames of zstd), each of them slice by slice."""
    whole, size, pieces, rest = [], 0, 0, memoryview(body)
    while rest:
        pieces += 1
        if pieces > MAX_PIECES:
            raise _too_many()
        piece = begin()
        while rest and not piece.eof:
            whole.append(piece.decompress(bytes(rest[:slice_bytes])))
            rest = rest[slice_bytes:]
            size += len(whole[-1])
            if size > limit:
                raise too_large(limit)
        if not piece.eof:
            raise EOFError
        unused = len(piece.unused_data)
        rest = memoryview(body)[len(body) - len(rest) - unused :]
    return b"".join(whole)


def _too_many() -> PayloadError:
    return PayloadError(
        f"the body is compressed in more than {MAX_PIECES:,} pieces",
        where="Content-Encoding",
        remedy="Compress it as a whole, or in larger pieces.",
    )


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "zstd": _zstd,
}


def too_large(limit: int) -> PayloadTooLarge:
    """The error of a payload above the limit."""
    return PayloadTooLarge(
        f"the payload is above {limit:,} bytes",
        where="body",
        remedy="Send it in parts, each document whole, or raise TENPO_MAX_BODY_BYTES.",
    )
