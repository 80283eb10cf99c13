"""Files of sealed frames: the only form in which the feature database touches a disk.

    file  = magic (8) salt (32) frame…
    frame = length u32 · final u8 · CRC-32C of the body u32 · CRC-32C of this head u32
            body (AES-256-GCM: ciphertext and tag) · end mark 0xA5

Each file has a key of its own: HKDF-SHA256 over the tenant's data key, with the file's
random salt, and its context (`log/7`, `part/12`) as info. The nonce is the frame's number
and the final flag. A file is written once, from its start, by one writer that never takes
an existing file up again, so that no nonce comes twice under a key (NIST SP 800-38D, 8.2.1:
https://doi.org/10.6028/NIST.SP.800-38D); a frame that is moved, repeated, left out,
or comes from another file or tenant does not open. Where a file must be complete its last
frame is final (the STREAM construction, https://eprint.iacr.org/2015/189).

The CRCs need no key: they tell damage from a wrong key, and its place. The end mark is
never zero, so a torn write, whose end is missing or zero, is told from a changed byte.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import google_crc32c
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tenpo.errors import IntegrityError
from video_analyzer.feature_db.disk import Disk

MAGIC = b"TENPOFD1"
SALT_BYTES = 32
HEADER_BYTES = len(MAGIC) + SALT_BYTES
#: The largest frame that is written, and the largest that is believed.
MAX_FRAME_BYTES = 64 * 1024**2

_HEAD = struct.Struct(">IBI")
_CRC = struct.Struct(">I")
_HEAD_BYTES = _HEAD.size + _CRC.size
_TAG_BYTES = 16
_END = b"\xa5"


#: Where a sealed file is read: by name, or opened already and then left open.
Source = Path | BinaryIO


class FeatureDamage(IntegrityError):
    """Bytes of the feature database that are not what was written; never returned as data.

    Args:
        what: what is wrong.
        file: its context, e.g. `log/7`.
        at: the first byte of the frame at fault.
    """

    def __init__(self, what: str, *, file: str, at: int = 0) -> None:
        super().__init__(
            what,
            where=f"{file}, byte {at}",
            remedy="Run `tenpo features verify`, then restore the tenant's folder from a backup.",
        )
        self.file = file
        self.at = at


@dataclass(frozen=True)
class Frame:
    """One opened frame.

    Args:
        at: its first byte in the file.
        plain: what was sealed.
        final: whether the file is complete with it.
    """

    at: int
    plain: bytes
    final: bool


class SealedWriter:
    """Writes a new file frame by frame.

    Args:
        disk: where to.
        path: a file that does not exist yet.
        key: the tenant's data key.
        context: what the file is; it opens under no other.

    Raises:
        OSError: from every method; nothing that was not synced may be taken as written.
    """

    def __init__(self, disk: Disk, path: Path, key: bytes, context: str) -> None:
        self.path = path
        self.salt = os.urandom(SALT_BYTES)
        self.frames = 0
        self.size = 0
        self._disk = disk
        self._cipher = _cipher(key, self.salt, context)
        self._handle = disk.create(path)
        try:
            self._put(MAGIC + self.salt)
        except OSError:
            self.close()
            raise

    def append(self, plain: bytes, *, final: bool = False) -> None:
        """Seal and write one frame; durable only after `sync`."""
        body = self._cipher.encrypt(_nonce(self.frames, final), plain, None)
        if len(body) > MAX_FRAME_BYTES:
            raise ValueError("a frame above the limit")
        head = _HEAD.pack(len(body), final, google_crc32c.value(body))
        head += _CRC.pack(google_crc32c.value(head))
        self.frames += 1  # even if writing fails: a nonce is never taken twice
        self._put(head + body + _END)

    def sync(self) -> None:
        """Make everything appended so far durable."""
        self._disk.sync(self._handle)

    def cut(self, size: int) -> None:
        """Cut off what lies behind `size` bytes; nothing may be appended after that."""
        self._disk.truncate(self._handle, size)
        self.close()

    def close(self) -> None:
        """Give the file back."""
        if self._handle >= 0:
            handle, self._handle = self._handle, -1
            self._disk.close(handle)

    def _put(self, data: bytes) -> None:
        self._disk.write(self._handle, data)
        self.size += len(data)


class SealedReader:
    """Reads the frames of one file.

    Args:
        source: the file.
        key: the tenant's data key.
        context: under which it was written.
        whole: the file must end with a final frame; else it may end anywhere between two
            frames, and a torn last frame is left out.

    Raises:
        FeatureDamage: from iteration, at the first frame that is not as written.
    """

    def __init__(self, source: Source, key: bytes, context: str, *, whole: bool) -> None:
        self.salt = b""
        self.frames = 0
        self.torn_at: int | None = None
        self._source, self._key, self._context, self._whole = source, key, context, whole

    def __iter__(self) -> Iterator[Frame]:
        with _opened(self._source) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            cipher = self._begin(file)
            if cipher is None:
                return
            final = False
            while file.tell() < size:
                if final:
                    raise self._damage("there are bytes behind the end", file.tell())
                frame = self._frame(file, size, cipher)
                if frame is None:
                    return
                final = frame.final
                yield frame
            if self._whole and not final:
                raise self._damage("the file ends too early", size)

    def _begin(self, file: BinaryIO) -> AESGCM | None:
        header = file.read(HEADER_BYTES)
        if len(header) < HEADER_BYTES and not self._whole:
            self.torn_at = 0
            return None
        if len(header) < HEADER_BYTES or header[: len(MAGIC)] != MAGIC:
            raise self._damage("this is no sealed file", 0)
        self.salt = header[len(MAGIC) :]
        return _cipher(self._key, self.salt, self._context)

    def _frame(self, file: BinaryIO, size: int, cipher: AESGCM) -> Frame | None:
        at = file.tell()
        head = file.read(_HEAD_BYTES)
        if not _is_head(head):
            self._leave_out(file, (at, size), at + _HEAD_BYTES, "the head of a frame is damaged")
            return None
        length, final, crc = _HEAD.unpack_from(head)
        end = at + _HEAD_BYTES + length + len(_END)
        if end > size:
            self._leave_out(file, (at, size), end, "a frame ends too early")
            return None
        body = file.read(length)
        if file.read(1) != _END or google_crc32c.value(body) != crc:
            self._leave_out(file, (at, size), end, "a frame is damaged")
            return None
        try:
            plain = cipher.decrypt(_nonce(self.frames, bool(final)), body, None)
        except InvalidTag:
            raise self._damage("a frame does not open with this tenant's key", at) from None
        self.frames += 1
        return Frame(at, plain, bool(final))

    def _leave_out(self, file: BinaryIO, rest: tuple[int, int], end: int, what: str) -> None:
        """Leave out a last write that never finished; anything else is damage.

        What a running writer puts behind `rest` meanwhile does not count.
        """
        if not self._whole and _written_until(file, *rest) < end:
            self.torn_at = rest[0]
            return
        raise self._damage(what, rest[0])

    def _damage(self, what: str, at: int) -> FeatureDamage:
        return FeatureDamage(what, file=self._context, at=at)


def _opened(source: Source) -> AbstractContextManager[BinaryIO]:
    return source.open("rb") if isinstance(source, Path) else nullcontext(source)


def _is_head(head: bytes) -> bool:
    if len(head) < _HEAD_BYTES:
        return False
    fields, crc = head[: _HEAD.size], _CRC.unpack_from(head, _HEAD.size)[0]
    if google_crc32c.value(fields) != crc:
        return False
    length, final, _ = _HEAD.unpack(fields)
    return _TAG_BYTES <= length <= MAX_FRAME_BYTES and final in (0, 1)


def _written_until(file: BinaryIO, start: int, size: int) -> int:
    """Where the bytes from `start` to `size` end when zeros at their end do not count."""
    file.seek(start)
    until, at = start, start
    while chunk := file.read(min(1024**2, size - at)):
        kept = chunk.rstrip(b"\0")
        if kept:
            until = at + len(kept)
        at += len(chunk)
    return until


def _nonce(number: int, final: bool) -> bytes:
    return struct.pack(">QI", number, final)


def _cipher(key: bytes, salt: bytes, context: str) -> AESGCM:
    info = f"tenpo/features/{context}".encode()
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(key))
