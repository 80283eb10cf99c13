"""A folder or bucket that files are dropped into: what lies there, and which of it is whole.

    <root>/drop/<tenant>/<kind>/<vendor or spec>/[<store>/]<file>
    <root>/taken/…/<time>_<file>      with <time>_<file>.receipt.json
    <root>/refused/…/<time>_<file>    with <time>_<file>.reason.json

A file is whole once a marker `<file>.done` lies beside it, or once its size and time are
the same in two looks. Names that uploads in progress have (`.part`, `.tmp`, `.filepart`, a dot
in front) are waited for: their sender renames them.

Not for what is in the files: that is `drop`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import fsspec
import orjson

DONE = ".done"
_UNFINISHED = (".part", ".tmp", ".filepart")
_TIMES = ("mtime", "updated", "LastModified", "last_modified", "etag")


@dataclass(frozen=True)
class Dropped:
    """A file below `drop/`.

    Args:
        place: its path below `drop/`.
        size_bytes: its size when it was looked at.
        changed: when it was written, as its file system says it.
        is_plain: it is a file and reached without a link.
        is_marked: its marker lies beside it.
    """

    place: PurePosixPath
    size_bytes: int
    changed: str
    is_plain: bool
    is_marked: bool


class DropFolder:
    """The files of one root.

    Args:
        url: any that fsspec knows, e.g. `file:///srv/drop` or `gs://bucket/prefix`.

    Raises:
        OSError: from every method, when the file system does not answer.
    """

    def __init__(self, url: str) -> None:
        self._fs, root = fsspec.core.url_to_fs(url.rstrip("/"))
        self._root = str(root).rstrip("/")
        self._local = urlsplit(url).scheme in ("", "file")
        self._before: dict[PurePosixPath, Dropped] = {}

    def whole(self) -> list[Dropped]:
        """Files to be taken now, by name; call it again and again."""
        found = {one.place: one for one in self._look()}
        before, self._before = self._before, found
        return [
            one
            for place, one in sorted(found.items())
            if not _is_unfinished(place) and (one.is_marked or before.get(place) == one)
        ]

    def read(self, one: Dropped) -> bytes:
        """The bytes of a file."""
        data: bytes = self._fs.cat_file(self._path("drop", one.place))
        return data

    def taken(self, one: Dropped, receipt: dict[str, Any]) -> None:
        """Put a file that is durable elsewhere aside, with what became of it."""
        self._put_aside(one, "taken", "receipt", receipt)

    def refused(self, one: Dropped, reason: dict[str, Any]) -> None:
        """Put a file aside that cannot be taken, with the reason."""
        self._put_aside(one, "refused", "reason", reason)

    def _look(self) -> Iterable[Dropped]:
        self._fs.invalidate_cache()
        start = f"{self._root}/drop"
        try:
            listed: dict[str, dict[str, Any]] = self._fs.find(start, detail=True)
        except FileNotFoundError:
            return
        for path, info in listed.items():
            if path.endswith(DONE):
                continue
            changed = next((str(info[key]) for key in _TIMES if info.get(key)), "")
            place = PurePosixPath(path[len(start) + 1 :])
            plain = info.get("type") == "file" and self._is_direct(path)
            size = int(info.get("size") or 0)
            yield Dropped(place, size, changed, plain, path + DONE in listed)

    def _is_direct(self, path: str) -> bool:
        """Whether no link is on the way: a sender must not reach other files by one."""
        if not self._local:
            return True
        root = Path(self._root)
        return Path(path).resolve() == root.resolve() / Path(path).relative_to(root)

    def _put_aside(self, one: Dropped, where: str, what: str, note: dict[str, Any]) -> None:
        stamped = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}_{one.place.name}"
        target = self._path(where, one.place.with_name(stamped))
        self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
        self._fs.pipe_file(f"{target}.{what}.json", orjson.dumps(note))
        source = self._path("drop", one.place)
        self._fs.mv(source, target)
        if one.is_marked:
            self._fs.rm_file(source + DONE)

    def _path(self, where: str, place: PurePosixPath) -> str:
        return f"{self._root}/{where}/{place}"


def _is_unfinished(place: PurePosixPath) -> bool:
    return place.name.startswith(".") or place.suffix.lower() in _UNFINISHED
