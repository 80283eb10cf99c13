"""Takes in what is dropped into a folder or bucket, as if it had come over HTTP.

Who may write there is the folder's own matter: a tenant's senders need rights on
`drop/<tenant>/` alone. A file is put aside after it is durable; if this process dies in
between it is taken again, which ids make harmless.
"""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath
from typing import Any

from gateways.drop.folder import DropFolder, Dropped, Waits
from gateways.formats.encoding import decoded, too_large
from gateways.intake.access import Grant
from gateways.intake.parcels import Intake, Parcel
from gateways.normalize.adapter import Adapter, Kind
from gateways.registry import adapter_for, vendors
from tenpo.errors import InputError, TenpoError
from tenpo.failpoint import failpoint
from tenpo.settings import Settings
from tenpo.telemetry import get_logger

log = get_logger(__name__)

_ENCODINGS = {".gz": "gzip", ".zst": "zstd"}
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
        for one in await asyncio.to_thread(self._folder.whole):
            await self._take(one)

    async def _take(self, one: Dropped) -> None:
        try:
            receipt = await self._hand_in(one)
        except TenpoError as error:
            if error.retryable:
                log.warning("drop_waits", error=error.what)
                return
            reason = {"error": error.what, "where": error.where, "remedy": error.remedy}
            await self._refuse(one, reason)
        except (FileNotFoundError, PermissionError) as error:  # gone, or not ours to read
            log.warning("drop_file_unreadable", error=type(error).__name__)
        except OSError:
            raise
        except Exception as error:  # of ours; the file must neither block nor be lost
            log.error("drop_defect", error=type(error).__name__)
            await self._refuse(one, {"error": _DEFECT, "where": "", "remedy": "Report it."})
        else:
            failpoint("drop.committed")
            await asyncio.to_thread(self._folder.taken, one, receipt)

    async def _refuse(self, one: Dropped, reason: dict[str, Any]) -> None:
        log.warning("drop_refused", error=reason["error"])
        await asyncio.to_thread(self._folder.refused, one, reason)

    async def _hand_in(self, one: Dropped) -> dict[str, Any]:
        """Make a file durable; returns what its sender is told."""
        tenant, kind, form, store = _place(one)
        if one.size_bytes > self._limit:
            raise too_large(self._limit)
        grant = Grant(await self._intake.access.masters(tenant), None)
        grant.check_store(store)
        stored, adapter = await asyncio.to_thread(self._form, tenant, kind, form)
        body = await asyncio.to_thread(self._read, one)
        answer = await self._intake.hand_in(Parcel(grant, adapter, body, store, stored))
        return answer.content

    def _form(self, tenant: str, kind: Kind, name: str) -> tuple[str | None, Adapter]:
        if name in vendors():
            return None, adapter_for(kind, name)
        return self._intake.specs.of_kind(tenant, name, kind)

    def _read(self, one: Dropped) -> bytes:
        encoding = _ENCODINGS.get(one.place.suffix.lower())
        return decoded(self._folder.read(one), encoding, self._limit)


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
