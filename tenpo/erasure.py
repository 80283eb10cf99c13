"""People whose visits must not be linked any more: who asked, and what came of it.

    erasure/<tenant>/key                           random, made once: of the digests
    erasure/<tenant>/list/<request>.json           digests of the erased ids, for ever
    erasure/<tenant>/asked/<request>.sealed        the ids themselves, until it is done
    erasure/<tenant>/found/<request>/<stamp>.json  what each try found before it changed anything
    erasure/<tenant>/done/<request>.json           the proof, with counts

The list is what keeps an erased id away when its events are sent or replayed again. Workers need
it, who have no secret, and it outlives the root secret; so its key lies beside it, among canonical
events that tell far more. Whose digests they are can be told by who has the id already.

Not for features (`video_analyzer.feature_db`), and not for doing it (`beam_jobs.ingest.unlink`).
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, Self

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from tenpo.contracts.events import ERASED_FACE
from tenpo.identifiers import micros
from tenpo.keys import TenantKeys
from tenpo.lake import Lake
from tenpo.settings import Settings

#: A person's id that nobody has: stands in payloads for all who were erased.
NOBODY = "p_0000000000000000"
_KEY_BYTES = 32
_DIGEST_DIGITS = 32
_NAME_DIGITS = 24


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody is to be unlinked.

    Args:
        request_id: names it; the same ids make the same.
        raw_ids: the ids, in no state or log but the sealed object.
        asked_at: when.
    """

    request_id: str
    raw_ids: tuple[str, ...]
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What a try found.

    Args:
        raw_rows: rows of `raw` that carried one of the ids.
        events: current events of `dwh` that did.
        raw_objects: the sealed objects that these came from.
        store_days: store and business date of each day that is computed again.
        recordings: sealed recordings that show the person.
    """

    raw_rows: int = 0
    events: int = 0
    raw_objects: tuple[str, ...] = ()
    store_days: tuple[tuple[str, date], ...] = ()
    recordings: tuple[str, ...] = ()

    def joined(self, other: Found) -> Found:
        """Both together: a try that was cut short found what the next one does not."""
        return Found(
            max(self.raw_rows, other.raw_rows),
            max(self.events, other.events),
            tuple(sorted({*self.raw_objects, *other.raw_objects})),
            tuple(sorted({*self.store_days, *other.store_days})),
            tuple(sorted({*self.recordings, *other.recordings})),
        )


class Erasures:
    """The erased people of one tenant.

    Args:
        lake: where it is kept.
        root: the platform's root secret.
        tenant_id: the tenant.
    """

    def __init__(self, lake: Lake, root: bytes, tenant_id: str) -> None:
        self._lake, self._keys = lake, TenantKeys(root, tenant_id)
        self._tenant_id, self._folder = tenant_id, f"erasure/{tenant_id}"

    @classmethod
    def of(cls, settings: Settings, tenant_id: str) -> Self:
        """Those of the process's settings."""
        return cls(Lake(settings.lake_url), settings.root_secret(), tenant_id)

    def ask(self, raw_ids: Sequence[str]) -> str:
        """Ask for ids to be unlinked; durable when it returns, and harmless to repeat.

        One at a time a tenant: the feature database's lock sees to it.

        Returns:
            The request's id.
        """
        key_name = _key_name(self._tenant_id)
        if not self._lake.exists(key_name):
            self._lake.put(key_name, os.urandom(_KEY_BYTES))
        key = self._lake.get(key_name)
        digests = sorted(_digest(key, raw_id) for raw_id in raw_ids)
        request_id = sha256(" ".join(digests).encode()).hexdigest()[:_NAME_DIGITS]
        asked = {"asked_at": datetime.now(UTC), "raw_ids": sorted(raw_ids)}
        name = f"{self._folder}/asked/{request_id}.sealed"
        listed = {"asked_at": asked["asked_at"], "digests": digests}
        self._lake.put_in_order([
            (f"{self._folder}/list/{request_id}.json", orjson.dumps(listed)),
            (name, self._keys.seal(orjson.dumps(asked), name)),
        ])  # fmt: skip
        return request_id

    def pending(self) -> list[Request]:
        """The requests that are not done.

        Raises:
            IntegrityError: one does not open with this root secret.
        """
        found = []
        for name in self._lake.names(f"{self._folder}/asked"):
            asked = orjson.loads(self._keys.open(self._lake.get(name), name))
            moment = datetime.fromisoformat(asked["asked_at"])
            found.append(Request(_stem(name), tuple(asked["raw_ids"]), moment))
        return found

    def note(self, request: Request, found: Found) -> None:
        """Keep what a try found, before it changes anything."""
        name = f"{self._found(request.request_id)}/{micros(datetime.now(UTC)):020d}.json"
        self._lake.put(name, orjson.dumps(asdict(found)))

    def found(self, request: Request) -> Found:
        """What all tries found together."""
        whole = Found()
        for data in self._lake.get_many(self._lake.names(self._found(request.request_id))):
            whole = whole.joined(_read(orjson.loads(data)))
        return whole

    def done(self, request: Request, payloads_left: Sequence[str] = ()) -> None:
        """Write the proof, then forget the ids.

        Args:
            request: what was asked.
            payloads_left: sealed objects that may name the person still.
        """
        whole = {**asdict(self.found(request)), "payloads_left": payloads_left}
        proof = {"asked_at": request.asked_at, "done_at": datetime.now(UTC), **whole}
        name = f"{self._folder}/done/{request.request_id}.json"
        self._lake.put(name, orjson.dumps(proof))
        self._lake.delete(f"{self._folder}/asked/{request.request_id}.sealed")

    def state(self, request_id: str) -> dict[str, Any]:
        """How a request stands: `pending`, or `done` with the proof; `unknown` without one.

        Of payloads and recordings that hold the person still, those are told that are there.
        """
        if self._lake.exists(f"{self._folder}/asked/{request_id}.sealed"):
            return {"state": "pending"}
        done = f"{self._folder}/done/{request_id}.json"
        if not self._lake.exists(done):
            return {"state": "unknown"}
        proof: dict[str, Any] = orjson.loads(self._lake.get(done))
        still = {
            name: [each for each in proof.get(name, []) if self._lake.exists(each)]
            for name in ("payloads_left", "recordings")
        }
        return {"state": "done", **proof, **still}

    def _found(self, request_id: str) -> str:
        return f"{self._folder}/found/{request_id}"


def erased_among(lake: Lake, tenant_id: str, ids: pa.ChunkedArray) -> list[str]:
    """Those of a tenant's persons that are erased, each once.

    Raises:
        LakeError: the lake does not answer, or the key is gone while there is a list.
    """
    listed = lake.names(f"erasure/{tenant_id}/list")
    if not listed:
        return []
    key = lake.get(_key_name(tenant_id))
    digests = {
        digest for found in lake.get_many(listed) for digest in orjson.loads(found)["digests"]
    }
    return [
        one for one in pc.unique(ids).to_pylist()
        if one and (one == NOBODY or _digest(key, one) in digests)
    ]  # fmt: skip


def unlinked(rows: pa.Table, raw_ids: Sequence[str]) -> pa.Table:
    """Visit events without these persons; the rows themselves stay, as visits of nobody known."""
    gone = pc.is_in(rows["person_id"], value_set=pa.array(raw_ids, pa.string()))
    for name, value in (("person_id", None), ("match_score", None), ("face_state", ERASED_FACE)):
        if name not in rows.column_names:  # an object from before the contract had it
            continue
        place = rows.schema.get_field_index(name)
        kind = rows.schema.field(place)
        column = pc.if_else(gone, pa.scalar(value, kind.type), rows[name])
        rows = rows.set_column(place, kind, column)
    return rows


def _key_name(tenant_id: str) -> str:
    return f"erasure/{tenant_id}/key"


def _digest(key: bytes, raw_id: str) -> str:
    return hmac.digest(key, raw_id.encode(), "sha256").hex()[:_DIGEST_DIGITS]


def _stem(name: str) -> str:
    return name.rsplit("/", 1)[-1].split(".", 1)[0]


def _read(found: dict[str, Any]) -> Found:
    days = tuple((store, date.fromisoformat(day)) for store, day in found["store_days"])
    recordings = tuple(found.get("recordings", ()))  # notes from before do not have it
    return Found(found["raw_rows"], found["events"], tuple(found["raw_objects"]), days, recordings)
