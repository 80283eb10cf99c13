"""The worker of large deliveries: reads what was accepted, writes what it means, settles it.

The lake says what there is to do (`tenpo.receipts`); a lease in PostgreSQL keeps two workers
from the same job, and its token counts the tries, killed ones too. Whatever dies in between
leaves a job that is found again, and doing it again writes the same objects: the names
derive from the raw object, the masters and the moment of receiving are the job's own.

A delivery that cannot be read is done, with one rejection. It has failed for good (a dead
letter) when reading it broke the platform time after time.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from gateways.fetch.apis import VendorApis
from gateways.intake.acceptance import stem_of
from gateways.intake.answer import shown
from gateways.intake.archive import Delivery, read_archive, write_archive
from gateways.intake.canonical import write_canonical
from gateways.intake.group import Part
from gateways.intake.keyring import KeyRing
from gateways.intake.side_by_side import Lane, SideBySide
from gateways.intake.spec_shelf import SpecShelf
from gateways.intake.workroom import Job, ReadingBroke, Workroom
from gateways.normalize.adapter import Adapter, Kind
from gateways.normalize.context import Context
from gateways.normalize.normalized import Normalized, Result
from gateways.normalize.refusing import Refusing
from gateways.registry import adapter_for
from tenpo.datamart import transaction
from tenpo.datamart.lease import Lease, forget, lease
from tenpo.errors import (
    ConfigError,
    IntegrityError,
    LeaseLost,
    PayloadError,
    TenpoError,
    VendorError,
)
from tenpo.failpoint import failpoint
from tenpo.keys import TenantKeys
from tenpo.lake import Lake
from tenpo.masters import MasterBook
from tenpo.receipts import Accepted, ReceiptBook, Rejection, Settled, Trouble, lease_name
from tenpo.settings import Settings
from tenpo.telemetry import get_logger

log = get_logger(__name__)

_LONGEST_REST_S, _DAY_S = 900.0, 86_400.0
_AGAIN = "Then: tenpo receipts retry RECEIPT"
_GAVE_UP = f"Mend what the log of the gateway says. {_AGAIN}"


@dataclass(frozen=True)
class Tools:
    """What reading a delivery takes; the intake has it all."""

    lake: Lake
    keys: KeyRing
    masters: MasterBook
    specs: SpecShelf
    workroom: Workroom
    announce: Callable[[Sequence[str]], None]
    settled: Callable[[Settled, Result | None], None]
    apis: VendorApis


class Worker:
    """Works on jobs on a thread of its own: one after the other; what it fetches, side by side.

    Args:
        settings: lease, tries and their rests.
        engine: the datamart; without one nothing is worked on.
        tools: what reading takes.
        fetches: works on what has to be fetched alone, or on all else alone, so that a vendor
            who does not answer holds up no file; None means on all, one after the other.
    """

    def __init__(
        self, settings: Settings, engine: Engine | None, tools: Tools, fetches: bool | None = None
    ) -> None:  # fmt: skip
        self._settings = settings
        self._tools = tools
        self._book = ReceiptBook(tools.lake)
        self._engine = engine
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="work", daemon=True)
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        self._fetches = fetches
        self._beside = SideBySide(self._attempt) if fetches else None
        self._known: dict[str, Accepted] = {}
        self._served: dict[str, float] = {}
        #: Names of the jobs found at the last look, oldest first.
        self.open: list[str] = []
        #: Names of those that are worked on here now.
        self.under_way: set[str] = set()

    def start(self) -> None:
        """Begin; what a predecessor left is found at the first look."""
        self._thread.start()

    def wake(self) -> None:
        """Say that there is a new job."""
        self._wake.set()

    def stop(self) -> None:
        """Begin no further job, and settle none that is interrupted."""
        self._ended.set()
        self._wake.set()
        if self._beside is not None:
            self._beside.stop()

    def join(self) -> None:
        """Wait for what is under way; its children must be stopped by now."""
        if self._thread.ident is not None:
            self._thread.join(timeout=self._settings.lease_s)
        if self._beside is not None:
            self._beside.join(self._settings.lease_s)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wake.clear()
            try:
                self.look()
            except TenpoError as error:
                log.warning("work_waits", reason=str(error))
            except Exception as error:  # a defect must not end the work on other jobs
                log.error("work_failed", error=type(error).__name__)
            self._wake.wait(self._settings.work_interval_s)

    def look(self) -> None:
        """Work on every open job once, as far as nobody else does; begin it, if side by side.

        Tenants take turns, and who comes meanwhile does not wait for all that came before.

        Raises:
            ServiceError: the lake or PostgreSQL does not answer.
        """
        self.open = self._book.open()
        self._known = {name: self._known[name] for name in self.open if name in self._known}
        for name in self._in_turn(self.open):
            if self._ended.is_set():
                return
            try:
                is_done = self._take(name)
            except LeaseLost:
                continue  # somebody works on it, or it rests
            except IntegrityError as error:  # of this job alone
                log.error("job_unreadable", object=name, error=error.what)
            else:
                if is_done and self._wake.is_set():
                    break
        self.open = self._book.open()

    def _in_turn(self, names: Sequence[str]) -> list[str]:
        """Each tenant's oldest job before anybody's second one; who was served last comes last."""
        before: Counter[str] = Counter()
        ranked = []
        for place, name in enumerate(names):
            tenant_id = _tenant_of(name)
            ranked.append((before[tenant_id], self._served.get(tenant_id, 0.0), place, name))
            before[tenant_id] += 1
        return [name for *_, name in sorted(ranked)]

    def _take(self, name: str) -> bool:
        """Work on a job if it is of this worker's sort; one that is settled is only closed.

        Returns whether it is done: not where others may be working on it yet.
        """
        job = self._job(name) if self._fetches is not None else None
        if job is not None and bool(job.fetch) != self._fetches:
            return False
        if job is not None and self._beside is not None:
            self._beside.offer(Lane(job.tenant_id, job.source), name)
            return False
        self._try(name)
        self._served[_tenant_of(name)] = time.monotonic()
        return True

    def _job(self, name: str) -> Accepted | None:
        """The job of a name; what it is for never changes."""
        if name not in self._known:
            job = self._book.job(name)
            if job is None:
                return None
            self._known[name] = job
        return self._known[name]

    def _attempt(self, name: str) -> None:
        """Work on a job beside others; what goes wrong is told and waits for the next look."""
        try:
            self._try(name)
        except LeaseLost:
            return  # somebody works on it, or it rests
        except IntegrityError as error:
            log.error("job_unreadable", object=name, error=error.what)
        except TenpoError as error:
            log.warning("work_waits", reason=str(error))
        except Exception as error:  # a defect must not end the work on other jobs
            log.error("work_failed", error=type(error).__name__)

    def _try(self, name: str) -> None:
        seconds, holder = self._settings.lease_s, self._holder
        with lease(self._datamart, lease_name(name), holder=holder, seconds=seconds) as held:
            failpoint("work.began")
            job = self._book.job(name)
            if job is not None:  # else settled by one that died before it could close it
                self.under_way.add(name)
                try:
                    self._settle(job, held)
                finally:
                    self.under_way.discard(name)
        with transaction(self._datamart) as connection:
            forget(connection, held)
        self._book.close(name)  # at last: while it is open, somebody will come and forget the lease

    def _settle(self, job: Accepted, held: Lease) -> None:
        started_at, result = datetime.now(UTC), None
        try:
            if held.token > self._attempts(job):
                settled = self._given_up(job, held, started_at, None)
            else:
                result = self._work(job, held)
                settled = _done(job, held, started_at, result)
            self._book.settle(settled)
        except LeaseLost:
            raise
        except Exception as error:  # whatever it was: the job must not be lost over it
            if self._ended.is_set() or held.token < self._attempts(job):
                raise self._rest(job, held, error) from error
            settled = self._given_up(job, held, started_at, error)
            self._book.settle(settled)
        failpoint("work.settled")
        self._tools.settled(settled, result)
        counts = {"accepted": settled.accepted, "rejected": settled.rejected}
        log.info("settled", object=job.raw_object, state=settled.state, **counts)

    def _work(self, job: Accepted, held: Lease) -> Result:
        tools = self._tools
        keys = tools.keys.of(job.tenant_id)
        if job.fetch and not tools.lake.exists(job.raw_object):
            write_archive(tools.lake, keys, job.raw_object, [self._fetched(job, keys)])
            failpoint("work.fetched")
        (delivery,) = read_archive(tools.lake, keys, job.raw_object)
        masters = tools.masters.at(job.tenant_id, job.masters)
        context = Context(masters, keys, job.received_at, job.store_hint, job.allowed_store)
        normalized = self._read(self._adapter(job), delivery.body, context, held)
        with transaction(self._datamart) as connection:
            held.check(connection)
        part = Part([0], normalized)
        stem = stem_of(job)
        written = write_canonical(tools.lake, job.tenant_id, job.raw_object, stem, [part])
        failpoint("work.after_canonical")
        tools.announce(written)
        return normalized.results[0]

    def _fetched(self, job: Accepted, keys: TenantKeys) -> Delivery:
        """What the vendor has now; the token is the newest, which somebody may have mended."""
        adapter = self._adapter(job)
        body = self._tools.apis.fetch(self._tools.masters.get(job.tenant_id), keys, job)
        return Delivery(
            received_at=job.received_at,
            source=adapter.name,
            adapter_version=adapter.version,
            content_type=adapter.media_type,
            body=body,
            store_hint=job.store_hint,
        )

    def _attempts(self, job: Accepted) -> int:
        return self._settings.fetch_attempts if job.fetch else self._settings.work_attempts

    def _read(self, adapter: Adapter, body: bytes, context: Context, held: Lease) -> Normalized:
        try:
            return self._tools.workroom.read_here(Job.of(adapter, body, context))
        except ReadingBroke as error:
            if self._ended.is_set() or held.token < self._settings.work_attempts:
                raise
            return adapter.refusal(body, error, context)
        except PayloadError as error:
            return adapter.refusal(body, error, context)

    def _adapter(self, job: Accepted) -> Adapter:
        kind: Kind = "pos" if job.kind == "pos" else "iot"
        if job.spec_object is None:
            return adapter_for(kind, job.source)
        try:
            return self._tools.specs.stored(job.spec_object, job.source)
        except PayloadError as error:  # a try more would not mend it
            return Refusing(job.source, kind, error)

    def _rest(self, job: Accepted, held: Lease, error: Exception) -> LeaseLost:
        """Let the job rest until its next try; returns how to leave it."""
        rest_s = min(self._settings.work_backoff_s * 3 ** (held.token - 1), _LONGEST_REST_S)
        if isinstance(error, VendorError):
            rest_s = max(rest_s, min(error.retry_after_s, _DAY_S))
        held.rest_s = 0 if self._ended.is_set() else rest_s
        log.warning("job_rests", tenant=job.tenant_id, receipt=job.receipt, attempts=held.token,
                    error=type(error).__name__, seconds=held.rest_s)  # fmt: skip
        return LeaseLost("the job rests", where=job.key)

    def _given_up(
        self, job: Accepted, held: Lease, started_at: datetime, error: Exception | None
    ) -> Settled:
        what = "each try ended with its process" if error is None else type(error).__name__
        told, remedy = what, _GAVE_UP
        if isinstance(error, TenpoError):
            told = f"{what}: {error.what}"
            remedy = f"{error.remedy.rstrip('.')}. {_AGAIN}" if error.remedy else remedy
        return Settled(
            accepted_as=job,
            state="failed",
            attempts=min(held.token, self._attempts(job)),
            started_at=started_at,
            finished_at=datetime.now(UTC),
            error=Trouble(error=told, where=job.raw_object, remedy=remedy),
        )

    @property
    def _datamart(self) -> Engine:
        if self._engine is None:
            raise ConfigError(
                "large deliveries wait: there is no datamart for their leases",
                where="TENPO_DATAMART_DSN",
                remedy="Set it to postgresql://…; they are worked on then.",
            )
        return self._engine


def _tenant_of(name: str) -> str:
    """Whose a job is, by its name (`tenpo.receipts`)."""
    return name.split("/")[1]


def _done(job: Accepted, held: Lease, started_at: datetime, result: Result) -> Settled:
    refusal = result.refusal
    trouble = None
    if refusal is not None:
        trouble = Trouble(error=refusal.what, where=refusal.where, remedy=refusal.remedy)
    return Settled(
        accepted_as=job,
        state="done",
        attempts=held.token,
        started_at=started_at,
        finished_at=datetime.now(UTC),
        received=result.received,
        accepted=result.accepted,
        rejected=len(result.rejected),
        ignored=result.ignored,
        rejections=tuple(Rejection.model_validate(one) for one in shown(result.rejected)),
        error=trouble,
    )
