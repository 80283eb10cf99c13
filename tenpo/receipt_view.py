"""Receipts as they are shown: what the lake says, and who works on an open one at the moment.

While PostgreSQL is down an open receipt is `queued` with unknown tries; the rest is the
lake's alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from sqlalchemy import Engine

from tenpo.datamart import transaction
from tenpo.datamart.lease import Standing, standings
from tenpo.errors import ServiceError
from tenpo.receipts import Accepted, Receipt, Settled, State, shown
from tenpo.telemetry import get_logger

log = get_logger(__name__)


def view(engine: Engine | None, found: Sequence[Accepted | Settled]) -> list[Receipt]:
    """Receipts for people and programs, in their order.

    Args:
        engine: the datamart; None where there is none.
        found: from a `ReceiptBook`.
    """
    jobs = [one for one in found if isinstance(one, Accepted)]
    held = _standings(engine, [job.lease_name for job in jobs]) if jobs else {}
    return [_shown(one, held) for one in found]


def newest(
    engine: Engine | None,
    found: Iterable[Accepted | Settled],
    limit: int,
    *,
    state: State | None = None,
    store_id: str | None = None,
    most: int | None = None,
) -> list[Receipt]:
    """The first of a tenant's receipts.

    Args:
        engine: as in `view`.
        found: all of them, from `ReceiptBook.newest`; read no further than needed.
        limit: how many at most.
        state: only those in this state.
        store_id: only those that someone who speaks for this store may see.
        most: of so many at most these are chosen, since each that is looked at is read; None
            means of all.
    """
    seen: list[Receipt] = []
    for one in islice(found, most):
        job = one.accepted_as if isinstance(one, Settled) else one
        if not job.concerns(store_id) or _differs(one, state):
            continue
        seen += [receipt for receipt in view(engine, [one]) if state in (None, receipt.state)]
        if len(seen) >= limit:
            break
    return seen


def _differs(found: Accepted | Settled, state: State | None) -> bool:
    """Whether it cannot be in a state; told without asking PostgreSQL."""
    if state is None:
        return False
    settled = isinstance(found, Settled)
    return (state in ("done", "failed")) != settled


def _shown(found: Accepted | Settled, held: dict[str, Standing] | None) -> Receipt:
    if isinstance(found, Settled):
        return shown(found, attempts=found.attempts, running=False)
    if held is None:
        return shown(found, attempts=None, running=False)
    standing = held.get(found.lease_name, Standing(0, is_held=False))
    return shown(found, attempts=standing.token, running=standing.is_held)


def _standings(engine: Engine | None, names: list[str]) -> dict[str, Standing] | None:
    if engine is None:
        return None
    try:
        with transaction(engine) as connection:
            return standings(connection, names)
    except ServiceError as error:
        log.warning("standings_unknown", reason=error.what)
        return None
