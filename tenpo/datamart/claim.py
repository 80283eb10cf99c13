"""Claims: of several attempts at one append, whose counts.

A runner may try a bundle again, or try it twice at once. Each attempt fills a stream of
its own, which nobody sees; the first to claim the key decides which one is committed,
by whomever. A key that was refused is committed by nobody any more.

Not for who may run a job: that is a lease.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from tenpo.datamart.tables import append_claim

#: The stream of a key that nobody may append any more.
REFUSED = ""


def claimed(connection: Connection, key: str) -> str | None:
    """The stream that counts for a key, `REFUSED`, or None while nobody has claimed it."""
    c = append_claim.c
    found: str | None = connection.execute(select(c.stream).where(c.key == key)).scalar()
    return found


def claim(connection: Connection, key: str, stream: str) -> str:
    """Claim a key for a stream that holds all rows, unless another has it.

    Args:
        connection: in a transaction; commit it before the stream.
        key: what is appended once.
        stream: sealed, not committed; `REFUSED` to keep everybody from appending.

    Returns:
        The stream that counts: this one or another's.
    """
    row = {"key": key, "stream": stream}
    connection.execute(insert(append_claim).values(row).on_conflict_do_nothing())
    return claimed(connection, key) or REFUSED


def forget(connection: Connection, before: datetime) -> None:
    """Drop claims so old that no attempt can be left."""
    connection.execute(delete(append_claim).where(append_claim.c.claimed_at < before))
