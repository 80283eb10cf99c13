"""Where untrusted files are opened: child processes with limits on memory and time.

A file that breaks, blows up or never ends costs its own child only; the sender is
told, and the next file finds a fresh child. Small JSON does not come here.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from pebble import ProcessExpired, ProcessPool

from gateways.normalize.adapter import Adapter
from gateways.normalize.context import Context
from gateways.normalize.normalized import Normalized
from tenpo.errors import PayloadError
from tenpo.keys import TenantKeys
from tenpo.masters import TenantMasters
from tenpo.telemetry import get_logger

log = get_logger(__name__)

_SPLIT = "Send it in smaller parts, each document whole; if it stays, report the file."


@dataclass(frozen=True)
class Limits:
    """Bounds of one child."""

    workers: int = 2
    memory_bytes: int = 4 * 1024**3
    cpu_s: int = 60
    wall_s: float = 120.0


@dataclass(frozen=True)
class Job:
    """One payload and what is needed to read it; the keys stay out of it."""

    adapter: Adapter
    body: bytes
    masters: TenantMasters
    received_at: datetime
    store_hint: str | None
    allowed_store: str | None

    @classmethod
    def of(cls, adapter: Adapter, body: bytes, context: Context) -> Job:
        """The job of a payload."""
        one = context
        return cls(adapter, body, one.masters, one.received_at, one.store_hint, one.allowed_store)

    def context(self, keys: TenantKeys) -> Context:
        """The context, with the keys that the reading process has."""
        return Context(self.masters, keys, self.received_at, self.store_hint, self.allowed_store)


@dataclass(frozen=True)
class _Refused:
    """A `PayloadError` on its way out of a child."""

    what: str
    where: str
    remedy: str
    defect: str | None = None


class ReadingBroke(PayloadError):
    """Reading a payload broke its child; may be the machine's fault, so once more is fair."""


class Workroom:
    """Reads payloads in children.

    Args:
        root: the root secret, for pseudonyms.
        limits: bounds of a child.
    """

    def __init__(self, root: bytes, limits: Limits = Limits()) -> None:
        self._limits = limits
        self._pool = ProcessPool(
            max_workers=limits.workers,
            context=_children(),
            initializer=_prepare,
            initargs=(root, limits),
        )

    def warm(self) -> None:
        """Start the children, so that the first file does not wait for them."""
        for _ in range(self._limits.workers):
            self._pool.schedule(_nothing)

    def close(self) -> None:
        """Stop the children."""
        self._pool.stop()  # type: ignore[no-untyped-call]  # pebble leaves it untyped
        self._pool.join()

    async def read(self, job: Job) -> Normalized:
        """Canonical events and rejections of one payload.

        Raises:
            ReadingBroke: reading it broke the limits.
            PayloadError: it cannot be read.
        """
        with _explained():
            outcome = await asyncio.wrap_future(self._scheduled(job))
        return _told(outcome)

    def read_here(self, job: Job) -> Normalized:
        """As `read`, for a thread that may wait."""
        with _explained():
            outcome = self._scheduled(job).result()
        return _told(outcome)

    @property
    def children(self) -> int:
        """Children that live at the moment; a gateway's process has no others."""
        return len(multiprocessing.active_children())

    def _scheduled(self, job: Job) -> Future[Normalized | _Refused]:
        future: Future[Normalized | _Refused] = self._pool.schedule(
            _read, args=[job], timeout=self._limits.wall_s
        )
        return future


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (FutureTimeoutError, TimeoutError) as error:
        raise ReadingBroke("reading the payload took too long", remedy=_SPLIT) from error
    except ProcessExpired as error:
        raise ReadingBroke("reading the payload broke its process", remedy=_SPLIT) from error
    except MemoryError as error:
        raise ReadingBroke("the payload needs too much memory", remedy=_SPLIT) from error


def _told(outcome: Normalized | _Refused) -> Normalized:
    if isinstance(outcome, _Refused):
        if outcome.defect is not None:
            log.error("normalize_failed", source=outcome.where, error=outcome.defect)
        raise PayloadError(outcome.what, where=outcome.where, remedy=outcome.remedy)
    return outcome


_state: dict[str, object] = {}


def _children() -> multiprocessing.context.BaseContext:
    """Children come from a server that has imported this module once, so they start at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _prepare(root: bytes, limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _state.update(root=root, limits=limits)
    threading.Thread(target=_die_with, args=(os.getppid(),), daemon=True).start()


def _die_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _nothing() -> None:
    """Work that only starts a child."""


def _read(job: Job) -> Normalized | _Refused:
    limits, root = _state["limits"], _state["root"]
    if not isinstance(limits, Limits) or not isinstance(root, bytes):
        raise TypeError("the child was not prepared")
    spent = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(spent.ru_utime + spent.ru_stime) + limits.cpu_s
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))
    keys = TenantKeys(root, job.masters.tenant_id)
    try:
        return job.adapter.normalize(job.body, job.context(keys))
    except PayloadError as error:
        return _Refused(error.what, error.where, error.remedy)
    except MemoryError:
        raise
    except Exception as error:
        if not job.adapter.described:
            raise
        told = job.adapter.broke()
        return _Refused(told.what, told.where, told.remedy, type(error).__name__)
