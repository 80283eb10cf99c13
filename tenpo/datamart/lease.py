"""Leases with fencing: one process at a time, and a dead one cannot write afterwards.

A lease is a row with a token that grows with every holder. A holder extends it from
a thread; whoever finds it expired takes it over. The holder that was believed dead
learns of it in its final transaction, where `Lease.check` compares the tokens under a
row lock. All times are PostgreSQL's own. A lease may rest after its holder, so that the next
try waits, and its token counts the tries.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, bindparam, text

from tenpo.datamart.connect import transaction
from tenpo.datamart.tables import TEXTS
from tenpo.errors import LeaseLost, ServiceError
from tenpo.telemetry import get_logger

log = get_logger(__name__)

_POLL_S = 0.2
_BEATS = 3  # extensions within a lease's life, so that one may fail

_ACQUIRE = text("""
    INSERT INTO lease (name, token, holder, expires_at)
    VALUES (:name, 1, :holder, clock_timestamp() + make_interval(secs => :seconds))
    ON CONFLICT (name) DO UPDATE SET
      token = lease.token + 1, holder = excluded.holder, expires_at = excluded.expires_at
    WHERE lease.expires_at <= clock_timestamp()
    RETURNING token""")
_EXTEND = text("""
    UPDATE lease SET expires_at = clock_timestamp() + make_interval(secs => :seconds)
    WHERE name = :name AND token = :token""")
_RELEASE = text("""
    UPDATE lease SET expires_at = clock_timestamp() + make_interval(secs => :rest_s),
      holder = CASE WHEN :rest_s > 0 THEN '' ELSE holder END
    WHERE name = :name AND token = :token""")
_FORGET = text("DELETE FROM lease WHERE name = :name AND token = :token")
_STANDINGS = text("""
    SELECT name, token, holder <> '' AND expires_at > clock_timestamp() AS is_held
    FROM lease WHERE name = ANY (:names)""").bindparams(bindparam("names", type_=TEXTS))
_CHECK = text("SELECT token, holder FROM lease WHERE name = :name FOR UPDATE")
_HOLDER = text("SELECT holder FROM lease WHERE name = :name")


@dataclass
class Lease:
    """A lease that was obtained.

    Args:
        name: what it is for.
        holder: who we are, for people.
        token: grows with every holder.
        rest_s: after the block, nobody can obtain it for so long.
        lost: set as soon as a heartbeat learns that another holds it; a holder that
            works long may look at it, but only `check` protects.
    """

    name: str
    holder: str
    token: int
    rest_s: float = 0
    lost: threading.Event = field(default_factory=threading.Event)

    def check(self, connection: Connection) -> None:
        """Call in the final transaction: nobody can take the lease until it ends.

        Raises:
            LeaseLost: another process holds the lease; roll back.
        """
        row = connection.execute(_CHECK, {"name": self.name}).one_or_none()
        if row is None or row.token != self.token:
            self.lost.set()
            raise _taken(self.name, None if row is None else row.holder)


@contextmanager
def lease(
    engine: Engine, name: str, *, holder: str, seconds: float, wait_s: float = 0
) -> Iterator[Lease]:
    """Hold a lease for the time of the block; a thread extends it.

    Args:
        engine: the datamart.
        name: what only one process may do, e.g. `aggregate:acme`.
        holder: who asks, e.g. host and process id.
        seconds: how long a holder that stopped extending is believed alive.
        wait_s: how long to wait while another holds it.

    Raises:
        LeaseLost: another process holds the lease after `wait_s`.
        DatamartError: PostgreSQL does not answer.
    """
    held = _acquire(engine, name, holder, seconds, wait_s)
    ended = threading.Event()
    beat = threading.Thread(
        target=_extend, args=(engine, held, seconds, ended), name=f"lease {name}", daemon=True
    )
    beat.start()
    try:
        yield held
    finally:
        ended.set()
        beat.join(timeout=seconds)
        with suppress(ServiceError), transaction(engine) as connection:  # it would expire anyway
            given = {"name": name, "token": held.token, "rest_s": held.rest_s}
            connection.execute(_RELEASE, given)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a lease stands.

    Args:
        token: how many holders it has had.
        is_held: whether one holds it now; false while it only rests.
    """

    token: int
    is_held: bool


def standings(connection: Connection, names: Sequence[str]) -> dict[str, Standing]:
    """How leases stand, by name; those that nobody ever held are left out."""
    rows = connection.execute(_STANDINGS, {"names": list(names)})
    return {row.name: Standing(row.token, row.is_held) for row in rows}


def forget(connection: Connection, held: Lease) -> None:
    """Delete a lease that nobody will ask for again."""
    connection.execute(_FORGET, {"name": held.name, "token": held.token})


def _acquire(engine: Engine, name: str, holder: str, seconds: float, wait_s: float) -> Lease:
    until = time.monotonic() + wait_s
    while True:
        asked = {"name": name, "holder": holder, "seconds": seconds}
        with transaction(engine) as connection:
            token = connection.execute(_ACQUIRE, asked).scalar_one_or_none()
            other = connection.execute(_HOLDER, {"name": name}).scalar_one_or_none()
        if token is not None:
            return Lease(name, holder, token)
        if time.monotonic() >= until:
            raise _taken(name, other)
        time.sleep(min(_POLL_S, max(until - time.monotonic(), 0.01)))


def _extend(engine: Engine, held: Lease, seconds: float, ended: threading.Event) -> None:
    asked = {"name": held.name, "token": held.token, "seconds": seconds}
    while not ended.wait(seconds / _BEATS):
        try:
            with transaction(engine) as connection:
                alive = connection.execute(_EXTEND, asked).rowcount == 1
        except ServiceError as error:  # tried again at the next beat
            log.warning("lease not extended", lease=held.name, reason=str(error))
            continue
        if not alive:
            held.lost.set()
            log.warning("lease lost", lease=held.name, token=held.token)
            return


def _taken(name: str, holder: str | None) -> LeaseLost:
    return LeaseLost(
        f"the lease {name!r} is held by {holder or 'another process'}",
        where=name,
        remedy="Wait for that run to end; a dead holder's lease expires by itself.",
    )
