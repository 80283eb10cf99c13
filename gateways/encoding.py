"""Bodies sent compressed (`Content-Encoding`, RFC 9110 section 8.4): gzip and zstd, bounded.

Decompressing stops a little above the limit, however much more there is: a bomb costs no
more memory than an honest payload. Windows of zstd are bounded as RFC 9659 asks (8 MiB).
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable

import zstandard

from gateways.body import too_large
from tenpo.errors import PayloadError, UnsupportedEncoding

_WINDOW_BYTES = 8 * 1024**2
#: A block of zstd is at least four bytes and at most 128 KiB when decompressed (RFC 8878
#: section 3.1.1.2), so that a slice of this many bytes makes at most 16 MiB.
_SLICE_BYTES = 512
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


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
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise PayloadError(
            f"the body is no whole {name}",
            where="Content-Encoding",
            remedy="Compress it again, or send it plain without the header.",
        ) from error


def _check_plain(body: bytes) -> None:
    for magic, name in _MAGIC.items():
        if body.startswith(magic):
            raise PayloadError(
                f"the body is {name}, but its header does not say so",
                where="Content-Encoding",
                remedy=f"Send Content-Encoding: {name}, or the payload plain.",
            )


def _gzip(body: bytes, limit: int) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
        payload = file.read(limit + 1)
    if len(payload) > limit:
        raise too_large(limit)
    return payload


def _zstd(body: bytes, limit: int) -> bytes:
    whole, size, rest = [], 0, memoryview(body)
    while rest:  # frame by frame
        frame = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES).decompressobj()
        while rest and not frame.eof:
            whole.append(frame.decompress(bytes(rest[:_SLICE_BYTES])))
            rest = rest[_SLICE_BYTES:]
            size += len(whole[-1])
            if size > limit:
                raise too_large(limit)
        if not frame.eof:
            raise EOFError
        unused = len(frame.unused_data)
        rest = memoryview(body)[len(body) - len(rest) - unused :]
    return b"".join(whole)


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "zstd": _zstd,
}
