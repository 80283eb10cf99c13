"""The object lake: a folder here, a bucket in production, one interface (fsspec).

Layout, where `date` is the UTC date of receiving:

    raw/<tenant>/<kind>/<date>/<stamp>-<worker>.sealed          payloads as received, encrypted
    canonical/<tenant>/<event>/<date>/<stamp>-<worker>.parquet  canonical events
    master/<tenant>/<kind>/<origin>/<stamp>.json                masters, append-only
    spec/<tenant>/<name>/<stamp>.yaml                           declarative adapters
    artifact/<tenant>/…                                         what jobs publish
    video/<tenant>/<store>/<camera>/<date>/<begin>.mp4.sealed   what cameras sent, encrypted
    job/<tenant>/<receipt>.<round>.json                         large deliveries to be worked on
    erasure/<tenant>/…                                          who was erased (`tenpo.erasure`)
    receipt/<tenant>/<date>/<receipt>.<round>.json              what became of them

An object is written once and never changed, and it is there whole or not at all. Jobs
are deleted once they are settled, and videos when their time is over. Only an erased person
leaves objects that were written before: canonical ones, payloads, what was found in videos.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import urlsplit

import fsspec

from tenpo.durable import write_files
from tenpo.errors import LakeError
from tenpo.failpoint import failpoint


class Lake:
    """Objects by name under one root.

    Args:
        url: `file:///folder` or `gs://bucket/prefix`.

    Raises:
        LakeError: from every method, when the store does not answer.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._local = urlsplit(url).scheme in ("", "file")
        self._fs, root = fsspec.core.url_to_fs(self.url)
        self._root = str(root).rstrip("/")

    def path(self, name: str) -> str:
        """The object's full path within its file system."""
        return f"{self._root}/{name}"

    def put(self, name: str, data: bytes) -> None:
        """Write one object durably: after this returns, a power cut does not lose it."""
        self.put_in_order([(name, data)])

    def put_in_order(
        self, objects: Sequence[tuple[str, bytes]], visible: Callable[[int], None] = lambda _: None
    ) -> None:
        """Write several objects durably; none can be seen before those in front of it.

        Args:
            objects: names and contents.
            visible: told the place of each object once it can be seen.
        """
        try:
            if self._local:
                files = [(Path(self.path(name)), data) for name, data in objects]
                write_files(files, visible)
            else:
                for place, (name, data) in enumerate(objects):
                    self._fs.pipe_file(self.path(name), data)
                    visible(place)
        except OSError as error:
            raise LakeError(
                f"cannot write to the lake: {error}",
                where=objects[0][0],
                remedy="Check disk space and rights.",
            ) from error
        failpoint("lake.put")

    def delete(self, name: str) -> None:
        """Remove one object; that it is gone already is no error."""
        try:
            self._fs.rm_file(self.path(name))
        except FileNotFoundError:
            return
        except OSError as error:
            raise LakeError(f"the lake cannot delete: {error}", where=name) from error

    def get(self, name: str) -> bytes:
        """The bytes of one object."""
        try:
            data: bytes = self._fs.cat_file(self.path(name))
        except FileNotFoundError as error:
            raise LakeError("the lake has no such object", where=name) from error
        except OSError as error:
            raise LakeError(f"cannot read from the lake: {error}", where=name) from error
        return data

    def open(self, name: str) -> BinaryIO:
        """A seekable, readable file of one object, for readers that need only a part."""
        try:
            return cast("BinaryIO", self._fs.open(self.path(name), "rb"))
        except FileNotFoundError as error:
            raise LakeError("the lake has no such object", where=name) from error
        except OSError as error:
            raise LakeError(f"cannot read from the lake: {error}", where=name) from error

    def get_many(self, names: Iterable[str], workers: int = 8) -> list[bytes]:
        """The bytes of many objects, in order, read side by side."""
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(self.get, names))

    def exists(self, name: str) -> bool:
        """Whether the object is there."""
        try:
            return bool(self._fs.exists(self.path(name)))
        except OSError as error:
            raise LakeError(f"cannot read from the lake: {error}", where=name) from error

    def names(self, prefix: str) -> list[str]:
        """Names of all objects below a folder, sorted; unfinished writes are not seen."""
        try:
            self._fs.invalidate_cache()
            found = self._fs.find(self.path(prefix.rstrip("/")))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise LakeError(f"cannot list the lake: {error}", where=prefix) from error
        start = len(self._root) + 1
        return sorted(p[start:] for p in map(str, found) if not _is_draft(p))

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders directly below a folder, sorted."""
        try:
            self._fs.invalidate_cache()
            found = self._fs.ls(self.path(prefix.rstrip("/")), detail=True)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise LakeError(f"cannot list the lake: {error}", where=prefix) from error
        return sorted(
            str(item["name"]).rstrip("/").rsplit("/", 1)[-1]
            for item in found
            if item["type"] == "directory"
        )


def _is_draft(path: str) -> bool:
    return path.rsplit("/", 1)[-1].startswith(".")
