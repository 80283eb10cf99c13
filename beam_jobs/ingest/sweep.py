"""Sweep: the canonical objects that the ledger does not know yet.

The lake is the truth; notifications only say that looking is worth while. Days
are listed newest first, and a full sweep now and then finds what came late.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from tenpo.contracts import EVENTS
from tenpo.datamart import ledger, transaction
from tenpo.lake import Lake

#: How often the whole lake is looked through, against hints lost and clocks that were wrong.
FULL_SWEEP = timedelta(minutes=10)

#: The newest folders, which are looked through each time.
RECENT_DAYS = 2

#: Names asked of the ledger in one statement.
BATCH = 10_000


def new_objects(
    lake: Lake, engine: Engine, tenants: Iterable[str], *, recent_days: int | None = None
) -> list[str]:
    """Names of canonical objects not in the ledger, oldest first.

    Args:
        lake: the lake.
        engine: the datamart.
        tenants: tenants to look at.
        recent_days: look only at the newest folders; none means all.
    """
    names = sorted(_names(lake, tenants, recent_days), key=lambda name: name.split("/")[3:])
    unknown: list[str] = []
    with transaction(engine) as connection:
        for start in range(0, len(names), BATCH):
            unknown += ledger.unknown(connection, names[start : start + BATCH])
    return unknown


def _names(lake: Lake, tenants: Iterable[str], recent_days: int | None) -> Iterator[str]:
    for tenant in tenants:
        for event in EVENTS:
            for folder in _folders(lake, f"canonical/{tenant}/{event}", recent_days):
                yield from lake.names(folder)


def _folders(lake: Lake, prefix: str, recent_days: int | None) -> Sequence[str]:
    if recent_days is None:
        return [prefix]
    today = datetime.now(UTC).date()
    return [f"{prefix}/{today - timedelta(days=n)}" for n in range(recent_days)]
