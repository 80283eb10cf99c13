"""Hints that objects were registered in the lake, over PostgreSQL's LISTEN and NOTIFY.

Only a hint: it says that looking is worth while, now. One that is lost (PostgreSQL
down, nobody listening, the listener between two connections) costs nothing but time,
for ingest sweeps the lake at its own interval.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import psycopg

from tenpo.datamart.connect import libpq_dsn
from tenpo.settings import get_settings
from tenpo.telemetry import get_logger

log = get_logger(__name__)

CHANNEL = "tenpo_object"
_CONNECT_TIMEOUT_S = 2
_PAUSE_S = 5.0  # after a failure, before PostgreSQL is tried again
_PAYLOAD_BYTES = 7_000  # PostgreSQL takes less than 8,000

Connection = psycopg.Connection[tuple[object, ...]]


class Announcer:
    """Tells of new objects over one kept connection.

    Args:
        dsn: the datamart.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._not_before = 0.0

    def announce(self, names: Sequence[str]) -> bool:
        """Tell of objects. Never raises; after a failure it is silent for some seconds.

        Returns:
            Whether PostgreSQL took the hint.
        """
        with self._lock:
            if time.monotonic() < self._not_before:
                return False
            try:
                self._notify(names[-1] if names else "")
            except psycopg.Error as error:
                self._not_before = time.monotonic() + _PAUSE_S
                self._drop()
                log.warning("hint not sent", reason=str(error).strip().split("\n")[0])
                return False
            return True

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._drop()

    def _notify(self, name: str) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = _connected(self._dsn)
        # A hint says "look": one name stands for all of its group commit.
        payload = name.encode()[:_PAYLOAD_BYTES].decode(errors="ignore")
        self._connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


_shared: dict[str, Announcer] = {}


def announce(names: Sequence[str]) -> None:
    """Tell of objects through this process's announcer. Never raises for PostgreSQL's sake.

    Where the bucket itself notifies there is nothing to tell.
    """
    settings = get_settings()
    dsn = settings.datamart_dsn
    if dsn and not settings.hints_url:
        _shared.setdefault(dsn, Announcer(dsn)).announce(names)


class Listener:
    """Waits for hints over a connection of its own, remade when it breaks.

    Args:
        dsn: the datamart.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: Connection | None = None

    def wait(self, timeout_s: float) -> bool:
        """Wait for a hint; PostgreSQL being down only means waiting in full.

        Returns:
            True on a hint (several count as one), False when the time is up.
        """
        until = time.monotonic() + timeout_s
        try:
            connection = self._listening()
            for _ in connection.notifies(timeout=timeout_s, stop_after=1):
                return True
        except psycopg.Error as error:
            log.warning("hints are not heard", reason=str(error).strip().split("\n")[0])
            self.close()
            time.sleep(max(until - time.monotonic(), 0))
        return False

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _listening(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = _connected(self._dsn)
            self._connection.execute(f"LISTEN {CHANNEL}")
        return self._connection


def _connected(dsn: str) -> Connection:
    return psycopg.connect(
        libpq_dsn(dsn),
        autocommit=True,
        connect_timeout=_CONNECT_TIMEOUT_S,
        application_name="tenpo hints",
    )
