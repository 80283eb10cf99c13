"""Receipts of large deliveries: accepted first, worked on later, and what became of each.

The lake holds both sides, so that neither needs PostgreSQL:

    job/<tenant>/<receipt>.<round>.json              accepted, not settled yet
    receipt/<tenant>/<date>/<receipt>.<round>.json   settled: done, or failed for good

Settling writes the second, then deletes the first; whoever finds both believes the second.
Trying a failed one again is one more round. Who works on a job at the moment, and how often
it was tried, is in its lease (`tenpo.datamart.lease`): lost, it costs a second try, no data.

Not for small payloads: their senders got the answer at once. Not for the work itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tenpo.errors import InputError, IntegrityError, LakeError, UnknownReference
from tenpo.identifiers import is_name, micros
from tenpo.lake import Lake

State = Literal["queued", "running", "done", "failed"]
_RECEIPT = re.compile(r"0000\d{16}-[0-9a-f]{8}")
_T = TypeVar("_T", bound=BaseModel)
_NO_SUCH = "Take the receipt from the 202 answer, or list them with: tenpo receipts --tenant NAME"


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Accepted(_Document):
    """A delivery that is durable and waits to be worked on.

    Args:
        receipt: its id.
        round: 1, and one more each time a failed one is tried again.
        raw_object: where its bytes lie, sealed.
        masters: the objects of the masters that it is read with, so that reading it
            twice gives the same.
        allowed_store: the only store its sender may speak for.
        fetch: ids of what has to be fetched from the vendor first; the bytes lie where
            `raw_object` says once that is done.
    """

    receipt: str
    round: int = 1
    tenant_id: str
    kind: str
    source: str
    spec_object: str | None = None
    store_hint: str | None = None
    allowed_store: str | None = None
    received_at: datetime
    size_bytes: int
    raw_object: str
    masters: tuple[str, ...] = ()
    fetch: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Names this round in messages and leases."""
        return f"{self.tenant_id}/{self.receipt}.{self.round}"

    @property
    def lease_name(self) -> str:
        """The lease of whoever works on it."""
        return lease_name(_job_name(self))

    def concerns(self, store_id: str | None) -> bool:
        """Whether someone who speaks for one store may see it; for None it is all."""
        return store_id is None or store_id in (self.allowed_store, self.store_hint)


class Trouble(_Document):
    """Why a delivery was refused or failed."""

    error: str
    where: str = ""
    remedy: str = ""


class Rejection(_Document):
    """A rejected record, as its sender is told."""

    position: str
    reason_code: str
    field: str = ""
    message: str


class Settled(_Document):
    """What became of a delivery: records of a done one add up, of a failed one there are none."""

    accepted_as: Accepted
    state: Literal["done", "failed"]
    attempts: int
    started_at: datetime
    finished_at: datetime
    received: int = 0
    accepted: int = 0
    rejected: int = 0
    ignored: int = 0
    rejections: tuple[Rejection, ...] = ()
    error: Trouble | None = None


class Receipt(BaseModel):
    """A receipt as people and programs are shown it."""

    receipt: str = Field(examples=["00001793527200000000-1f0a9c3e"])
    state: State
    attempts: int | None = Field(description="Tries so far; null while nobody can tell.")
    kind: str = Field(examples=["pos"])
    source: str = Field(description="Vendor or spec.", examples=["posa"])
    store_id: str | None = Field(description="Store named with the delivery, if any.")
    size_bytes: int
    received_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    received: Annotated[int, Field(description="Records in it.")] = 0
    accepted: int = 0
    rejected: int = 0
    ignored: int = 0
    rejections: list[Rejection] = Field(default=[], description="The first of them.")
    error: Trouble | None = Field(default=None, description="Why it was refused whole, or failed.")


def receipt_id(received_at: datetime, worker: str) -> str:
    """The id of a delivery received at a moment by a process; sorts by time."""
    return f"{micros(received_at):020d}-{worker}"


class ReceiptBook:
    """The receipts in a lake.

    Args:
        lake: where they lie.

    Raises:
        LakeError: from every method, when the lake does not answer.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def accept(self, job: Accepted) -> None:
        """Make a delivery a job; durable when this returns."""
        self._lake.put(_job_name(job), job.model_dump_json().encode())

    def open(self, tenant_id: str | None = None) -> list[str]:
        """Names of jobs that may be unsettled, oldest first."""
        names = self._lake.names("job" if tenant_id is None else f"job/{tenant_id}")
        return sorted(names, key=lambda name: name.rpartition("/")[2])

    def job(self, name: str) -> Accepted | None:
        """The job of a name; None where it is settled."""
        try:
            job = _parsed(Accepted, name, self._lake.get(name))
        except LakeError:
            if self._lake.exists(name):
                raise
            return None
        return None if self._lake.exists(_settled_name(job)) else job

    def settle(self, settled: Settled) -> None:
        """Keep what became of a job; it is worked on no more."""
        self._lake.put(_settled_name(settled.accepted_as), settled.model_dump_json().encode())

    def close(self, name: str) -> None:
        """Forget a job that is settled, by its name; once more does no harm."""
        self._lake.delete(name)

    def find(self, tenant_id: str, receipt: str) -> Accepted | Settled:
        """A receipt of one tenant, by its id.

        Raises:
            UnknownReference: the tenant has none of that id.
        """
        if is_name(tenant_id) and _RECEIPT.fullmatch(receipt):
            for _ in range(2):  # it may be settled between two looks
                settled = self._settled(tenant_id, f"{_date(receipt)}/{receipt}.")
                waiting = self._waiting(tenant_id, receipt)
                if waiting and (not settled or waiting.round > settled.accepted_as.round):
                    return waiting
                if settled:
                    return settled
        raise no_such_receipt()

    def newest(self, tenant_id: str) -> Iterator[Accepted | Settled]:
        """All receipts of a tenant, one a receipt: open ones first, then the newest settled."""
        seen: set[str] = set()
        for name in reversed(self.open(tenant_id)):
            job = self.job(name)
            if job is not None:
                seen.add(job.receipt)
                yield job
        for date in reversed(self._lake.folders(f"receipt/{tenant_id}")):
            for name in sorted(self._lake.names(f"receipt/{tenant_id}/{date}"), reverse=True):
                receipt = name.rpartition("/")[2].partition(".")[0]
                if receipt not in seen:
                    seen.add(receipt)
                    yield _parsed(Settled, name, self._lake.get(name))

    def retry(self, tenant_id: str, receipt: str) -> Accepted:
        """Make a failed delivery a job again.

        Raises:
            UnknownReference: the tenant has none of that id.
            InputError: it has not failed.
        """
        found = self.find(tenant_id, receipt)
        if isinstance(found, Accepted) or found.state != "failed":
            raise InputError(
                "the receipt has not failed", where=receipt, remedy="Only failed ones are retried."
            )
        job = found.accepted_as
        again = job.model_copy(update={"round": job.round + 1})
        self.accept(again)
        return again

    def _settled(self, tenant_id: str, start: str) -> Settled | None:
        folder = f"receipt/{tenant_id}/{start.partition('/')[0]}"
        prefix = f"receipt/{tenant_id}/{start}"
        names = [name for name in self._lake.names(folder) if name.startswith(prefix)]
        newest = max(names, key=_round, default=None)
        return None if newest is None else _parsed(Settled, newest, self._lake.get(newest))

    def _waiting(self, tenant_id: str, receipt: str) -> Accepted | None:
        prefix = f"job/{tenant_id}/{receipt}."
        names = [name for name in self.open(tenant_id) if name.startswith(prefix)]
        return self.job(max(names, key=_round)) if names else None


def shown(found: Accepted | Settled, *, attempts: int | None, running: bool) -> Receipt:
    """A receipt for people and programs.

    Args:
        found: from the book.
        attempts: tries of an open one so far, where known.
        running: whether somebody works on an open one.
    """
    if isinstance(found, Settled):
        job = found.accepted_as
        outcome = found.model_dump(exclude={"accepted_as"})
    else:
        job = found
        outcome = {"state": "running" if running else "queued", "attempts": attempts}
    return Receipt(
        receipt=job.receipt,
        kind=job.kind,
        source=job.source,
        store_id=job.store_hint or job.allowed_store,
        size_bytes=job.size_bytes,
        received_at=job.received_at,
        **outcome,
    )


def lease_name(job: str) -> str:
    """The lease of whoever works on a job, by the name that `ReceiptBook.open` gives it."""
    return f"receipt:{job.removeprefix('job/').removesuffix('.json')}"


def no_such_receipt() -> UnknownReference:
    """The one answer to an id that is not there and to one that is somebody else's."""
    return UnknownReference("there is no such receipt", where="receipt", remedy=_NO_SUCH)


def _job_name(job: Accepted) -> str:
    return f"job/{job.tenant_id}/{job.receipt}.{job.round}.json"


def _settled_name(job: Accepted) -> str:
    return f"receipt/{job.tenant_id}/{_date(job.receipt)}/{job.receipt}.{job.round}.json"


def _date(receipt: str) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(receipt[:20]))
    return f"{moment:%Y-%m-%d}"


def _round(name: str) -> int:
    return int(name.rsplit(".", 2)[1])


def _parsed(model: type[_T], name: str, data: bytes) -> _T:
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise IntegrityError("the receipt cannot be read", where=name) from error
