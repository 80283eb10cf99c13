"""Changes of state of the models' runs: append-only, and which of them were told elsewhere.

The table `run` holds what a run is now; this one holds how it came to be. Both are written in one
transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, func, insert, select, text

from tenpo.datamart.tables import model_event, model_notice

State = Literal["begun", "failed", "kept", "challenger", "canary", "champion"]
_TELL_FOR = text("interval '7 days'")  # who starts to listen is not told the whole past


@dataclass(frozen=True, slots=True)
class ModelEvent:
    """A run became something.

    Args:
        event_id: ascending in the order of writing.
        tenant_id: whose.
        run_id: which run.
        state: `begun`; `failed`; `kept` unpublished on purpose; `challenger` that the champion
            stays before; `canary`, which readers of some stores see; `champion`, which readers see.
        note: why, without a value of the data.
        happened_at: when.
    """

    event_id: int
    tenant_id: str
    run_id: str
    state: str
    note: str
    happened_at: datetime


def happened(
    connection: Connection, tenant_id: str, run_id: str, state: State, note: str = ""
) -> None:
    """Append an event, in the transaction that makes it true."""
    row = {"tenant_id": tenant_id, "run_id": run_id, "state": state, "note": note}
    connection.execute(insert(model_event).values(row))


def history(
    connection: Connection, tenant_id: str, run_id: str | None = None, limit: int = 200
) -> list[ModelEvent]:
    """The newest events, oldest first.

    Args:
        connection: the datamart.
        tenant_id: whose.
        run_id: of this run alone.
        limit: at most so many.
    """
    own = model_event.c
    statement = select(model_event).where(own.tenant_id == tenant_id)
    if run_id is not None:
        statement = statement.where(own.run_id == run_id)
    found = connection.execute(statement.order_by(own.event_id.desc()).limit(limit))
    return [ModelEvent(*row) for row in reversed(found.all())]


def runs_that_were(connection: Connection, tenant_id: str, state: State) -> set[str]:
    """The runs that have ever been in a state."""
    own = model_event.c
    asked = select(own.run_id).where(own.tenant_id == tenant_id, own.state == state)
    return set(connection.execute(asked).scalars())


def untold(connection: Connection, tenant_id: str, limit: int = 50) -> list[ModelEvent]:
    """Events of the last week that nobody was told of, oldest first; locked for this transaction.

    Another process that asks meanwhile gets others.
    """
    own = model_event.c
    told = select(model_notice.c.event_id).where(model_notice.c.event_id == own.event_id)
    statement = (
        select(model_event)
        .where(own.tenant_id == tenant_id, own.happened_at > func.now() - _TELL_FOR, ~told.exists())
        .order_by(own.event_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [ModelEvent(*row) for row in connection.execute(statement)]


def told(connection: Connection, event_ids: Sequence[int]) -> None:
    """Note that these events were told."""
    if event_ids:
        rows = [{"event_id": one} for one in event_ids]
        connection.execute(insert(model_notice), rows)
