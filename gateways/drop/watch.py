"""Takes in what is dropped into a folder or bucket, as if it had come over HTTP.

Who may write there is the folder's own matter: a tenant's senders need rights on
`drop/<tenant>/` alone. A file is put aside after it is durable; if this process dies in
between it is taken again, which ids make harmless.

Files of a tenant are taken one after the other, by name, and none before one that has to wait: what
comes later is the later version. Tenants are served side by side.
"""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath
from typing import Any

from gateways.drop.folder import DropFolder, Dropped, Waits, told_as
from gateways.formats.encoding import decoded, too_large
from gateways.intake.access import Grant
from gateways.intake.parcels import Intake, Parcel
from gateways.normalize.adapter import Kind
from tenpo.errors import InputError, TenpoError
from tenpo.failpoint import failpoint
from tenpo.settings import Settings
from tenpo.telemetry import get_logger

log = get_logger(__name__)

_ENCODINGS = {".gz": "gzip", ".zst": "zstd"}
#: One look takes so long at most; the rest is found by the next, beside what has come since.
LOOK_S = 30.0
#: After so many files of a tenant in a row that the file system fails on it is asked later.
_GIVE_UP = 10
_DEFECT = "the gateway has a defect; its log has the place"


class Drop:
    """One watched folder.

    Args:
        settings: where it is, how often to look, and how large a file may be.
        intake: takes the files.
    """

    def __init__(self, settings: Settings, intake: Intake) -> None:
        self._folder = DropFolder(
            settings.drop_url,
            Waits(settings.drop_settle_s, settings.drop_watch_s, settings.drop_markers_only),
        )
        self._interval_s = settings.drop_interval_s
        self._limit = settings.max_body_bytes
        self._intake = intake
        self._done: dict[Dropped, tuple[str, dict[str, Any]]] = {}

    async def run(self) -> None:
        """Look until cancelled; a file system that fails is asked again."""
        while True:
            try:
                await self.look()
            except OSError as error:
                log.warning("drop_unreadable", error=type(error).__name__)
            except Exception as error:  # a defect must not end the watch
                log.error("drop_failed", error=type(error).__name__)
            await asyncio.sleep(self._interval_s)

    async def look(self) -> None:
        """Take every file that is whole, and again those that grew after they were taken.

        Raises:
            OSError: the file system does not answer.
        """
        for stamp in await asyncio.to_thread(self._folder.put_back):
            log.warning("drop_changed_after_it_was_taken", put_aside_at=stamp)
        files = await asyncio.to_thread(self._folder.whole)
        self._done = {one: self._done[one] for one in files if one in self._done}
        lanes: dict[str, list[Dropped]] = {}
        for one in files:
            lanes.setdefault(one.place.parts[0], []).append(one)
        until = asyncio.get_running_loop().time() + LOOK_S
        ends = await asyncio.gather(
            *(self._take_in_turn(lane, until) for lane in lanes.values()), return_exceptions=True
        )
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    async def _take_in_turn(self, lane: list[Dropped], until: float) -> None:
        """Take a tenant's files until one has to wait, or the time is over.

        Raises:
            OSError: the file system fails on one after the other.
        """
        failed = 0
        for one in lane:
            if asyncio.get_running_loop().time() > until:
                return
            try:
                if not await self._take(one):
                    return
                failed = 0
            except OSError as error:  # of this file alone, as far as one can tell
                failed += 1
                log.warning("drop_file_failed", folder=_folder(one), error=type(error).__name__)
                if failed == _GIVE_UP:
                    raise

    async def _take(self, one: Dropped) -> bool:
        """Take a file and put it aside; False if it has to wait, and what comes after it, too.

        What was handed in and could not be put aside is not handed in again, as long as it stays
        as it was.
        """
        done = self._done.get(one)
        try:
            done = done or ("taken", await self._hand_in(one))
            failpoint("drop.committed")
        except TenpoError as error:
            if error.retryable:
                log.warning("drop_waits", folder=_folder(one), error=error.what)
                return False
            done = ("refused", {"error": error.what, "where": error.where, "remedy": error.remedy})
        except (FileNotFoundError, PermissionError) as error:  # gone, or not ours to read
            log.warning("drop_file_unreadable", folder=_folder(one), error=type(error).__name__)
            return True
        except OSError:
            raise
        except Exception as error:  # of ours; the file must neither block nor be lost
            log.error("drop_defect", folder=_folder(one), error=type(error).__name__)
            done = ("refused", {"error": _DEFECT, "where": "", "remedy": "Report it."})
        self._done[one] = done
        await self._put_aside(one, *done)
        return True

    async def _put_aside(self, one: Dropped, where: str, note: dict[str, Any]) -> None:
        if where == "refused":
            log.warning("drop_refused", folder=_folder(one), error=note["error"])
        put = self._folder.taken if where == "taken" else self._folder.refused
        await asyncio.to_thread(put, one, note)
        self._done.pop(one, None)

    async def _hand_in(self, one: Dropped) -> dict[str, Any]:
        """Make a file durable; returns what its sender is told."""
        tenant, kind, form, store = _place(one)
        if one.size_bytes > self._limit:
            raise too_large(self._limit)
        grant = Grant(await self._intake.access.masters(tenant), None)
        grant.check_store(store)
        stored, adapter = await self._intake.form(tenant, kind, form)
        with self._intake.held_bodies.hold(tenant) as held:
            held.add(one.size_bytes)
            body = await asyncio.to_thread(self._read, one)
            held.drop()
            held.add(len(body))
            answer = await self._intake.hand_in(Parcel(grant, adapter, body, store, stored))
        return answer.content

    def _read(self, one: Dropped) -> bytes:
        encoding = _ENCODINGS.get(one.place.suffix.lower())
        return decoded(self._folder.read(one), encoding, self._limit)


def _folder(one: Dropped) -> str:
    """Where a file lies, for the log; its own name may tell anything."""
    return told_as(one.place.parent)


def _place(one: Dropped) -> tuple[str, Kind, str, str | None]:
    """Tenant, kind, vendor or spec, and store of a file.

    Raises:
        InputError: it lies elsewhere, or is no plain file.
    """
    parts = PurePosixPath(one.place).parts
    if not one.is_plain:
        raise InputError(
            "it is no plain file", where="drop", remedy="Copy the file itself, not a link to it."
        )
    if len(parts) not in (4, 5) or parts[1] not in ("pos", "iot"):
        raise InputError(
            "it does not lie where files are taken from",
            where="drop",
            remedy="Put it into drop/TENANT/pos|iot/VENDOR or SPEC/[STORE/].",
        )
    kind: Kind = "pos" if parts[1] == "pos" else "iot"
    return parts[0], kind, parts[2], parts[3] if len(parts) == 5 else None
