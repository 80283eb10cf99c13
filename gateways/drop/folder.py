"""A folder or bucket that files are dropped into: what lies there, and which of it is whole.

    <root>/drop/<tenant>/<kind>/<vendor or spec>/[<store>/]<file>
    <root>/taken/…/<time>_<file>      with <time>_<file>.receipt.json
    <root>/refused/…/<time>_<file>    with <time>_<file>.reason.json

A file is whole once a marker `<file>.done` lies beside it, or, where those are not demanded,
once its size and time have stayed the same for long. Names that uploads in progress have
(`.part`, `.tmp`, `.filepart`, a dot in front, of a folder too) are waited for: their sender
renames them.

An upload can stand still for longer than that, and its sender goes on writing to the file
that was put aside. So what was put aside is looked at for a while, and put back as
`again_<time>_<file>` where it changed: it is taken once more, whole.

Not for what is in the files: that is `drop`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import fsspec
import orjson

DONE = ".done"
_UNFINISHED = (".part", ".tmp", ".filepart")
_AGAIN = re.compile(r"again_\d{8}T\d{12}_(?=.)")
#: Names have 255 bytes at most, and get a time and the ending of a note, or `again_` in front.
_MOST_NAME_BYTES, _END_BYTES = 210, 40
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


@dataclass(frozen=True)
class _Aside:
    """A file that was put aside.

    Args:
        read: as it was when it was found to be whole.
        stamp: when it was put aside, as its name tells it.
        note: path of the note beside it.
        told: what the note says.
        until: for how long it is looked at, by the folder's clock.
    """

    read: Dropped
    stamp: str
    note: str
    told: dict[str, Any]
    until: float


@dataclass(frozen=True)
class Waits:
    """How long files are waited for.

    Args:
        settle_s: for so long a file without a marker must not have changed.
        watch_s: for so long one that was put aside is looked at.
        markers_only: without a marker no file is whole.
    """

    settle_s: float
    watch_s: float
    markers_only: bool = False


class DropFolder:
    """The files of one root.

    Args:
        url: any that fsspec knows, e.g. `file:///srv/drop` or `gs://bucket/prefix`.
        waits: how long files are waited for.
        now: a monotonic clock, in seconds.

    Raises:
        OSError: from every method, when the file system does not answer.
    """

    def __init__(self, url: str, waits: Waits, now: Callable[[], float] = time.monotonic) -> None:
        self._fs, root = fsspec.core.url_to_fs(url.rstrip("/"))
        self._root = str(root).rstrip("/")
        self._local = urlsplit(url).scheme in ("", "file")
        self._waits = waits
        self._now = now
        self._seen: dict[Dropped, float] = {}
        self._aside: dict[str, _Aside] = {}

    def whole(self) -> list[Dropped]:
        """Files to be taken now, by name; call it again and again."""
        found = {one: self._seen.get(one) for one in self._look()}
        now = self._now()
        self._seen = {one: now if since is None else since for one, since in found.items()}
        return [
            one
            for one, since in sorted(found.items(), key=lambda pair: pair[0].place)
            if not _is_unfinished(one.place) and (one.is_marked or self._is_still(one, since, now))
        ]

    def put_back(self) -> list[str]:
        """Put files back that changed after they were read; returns when each was put aside.

        On a disk a sender may hold such a file open, so it is looked at again and again. An
        object changes as a whole if at all, and the copy that was put aside never.
        """
        self._fs.invalidate_cache()
        now = self._now()
        back = []
        for target, aside in list(self._aside.items()):
            try:
                if self._has_changed(target, aside.read):
                    self._put_back(target, aside)
                    back.append(aside.stamp)
                elif self._local and now < aside.until:
                    continue
            except (FileNotFoundError, PermissionError):
                pass  # cleared away, or no longer ours
            del self._aside[target]
        return back

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
        reached: dict[str, bool] = {}
        for path, info in listed.items():
            if path.endswith(DONE):
                continue
            place = PurePosixPath(path[len(start) + 1 :])
            folder = path.rpartition("/")[0]
            if folder not in reached:
                reached[folder] = self._is_direct(folder)
            plain = info.get("type") == "file" and not info.get("islink") and reached[folder]
            size = int(info.get("size") or 0)
            yield Dropped(place, size, _changed(info), plain, path + DONE in listed)

    def _is_direct(self, folder: str) -> bool:
        """Whether no link is on the way: a sender must not reach other files by one."""
        if not self._local:
            return True
        root = Path(self._root)
        return Path(folder).resolve() == root.resolve() / Path(folder).relative_to(root)

    def _is_still(self, one: Dropped, since: float | None, now: float) -> bool:
        """Whether a file without a marker was seen before, and long enough ago, as it is now."""
        if self._waits.markers_only and not _AGAIN.match(one.place.name):
            return False
        return since is not None and now - since >= self._waits.settle_s

    def _put_aside(self, one: Dropped, where: str, what: str, note: dict[str, Any]) -> None:
        stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        name = f"{stamp}_{_own_name(one.place)}"
        target = self._path(where, one.place.with_name(name))
        self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
        self._fs.pipe_file(f"{target}.{what}.json", orjson.dumps(note))
        source = self._path("drop", one.place)
        self._fs.mv(source, target)
        if one.is_plain:
            until = self._now() + self._waits.watch_s
            self._aside[target] = _Aside(one, stamp, f"{target}.{what}.json", note, until)
        if one.is_marked:
            self._fs.rm_file(source + DONE)

    def _has_changed(self, target: str, read: Dropped) -> bool:
        """Whether a file is another than was read; a copied object has a time of its own."""
        info = self._fs.info(target)
        same_time = not self._local or _changed(info) == read.changed
        return int(info.get("size") or 0) != read.size_bytes or not same_time

    def _put_back(self, target: str, aside: _Aside) -> None:
        place = aside.read.place.with_name(f"again_{aside.stamp}_{_own_name(aside.read.place)}")
        source = self._path("drop", place)
        self._fs.makedirs(source.rpartition("/")[0], exist_ok=True)
        self._fs.mv(target, source)
        self._fs.pipe_file(
            aside.note, orjson.dumps(aside.told | {"taken_again_as": told_as(place)})
        )

    def _path(self, where: str, place: PurePosixPath) -> str:
        return f"{self._root}/{where}/{place}"


def _is_unfinished(place: PurePosixPath) -> bool:
    hidden = any(part.startswith(".") for part in place.parts)
    return hidden or place.suffix.lower() in _UNFINISHED


def told_as(place: PurePosixPath) -> str:
    """A path for notes and logs; senders' file systems may know no UTF-8."""
    return os.fsencode(place).decode("utf-8", "replace")


def _own_name(place: PurePosixPath) -> str:
    """The name its sender gave it, as UTF-8; of a very long one the middle is left out."""
    name = os.fsencode(_AGAIN.sub("", place.name, count=1))
    if len(name) > _MOST_NAME_BYTES:
        name = name[: _MOST_NAME_BYTES - _END_BYTES] + b"~" + name[-_END_BYTES:]
        return name.decode("utf-8", "ignore")
    return name.decode("utf-8", "replace")


def _changed(info: Mapping[str, Any]) -> str:
    return next((str(info[key]) for key in _TIMES if info.get(key)), "")
