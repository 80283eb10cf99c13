"""Runs of jobs. What a run wrote is valid from the moment it is `published`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from tenpo.datamart.tables import run

State = Literal["published", "failed", "nothing_to_do"]


@dataclass(frozen=True, slots=True)
class PublishedRun:
    """A run and the moment from which its rows count."""

    run_id: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run and what became of it."""

    run_id: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    published_at: datetime | None
    rows: int
    note: str


def past(connection: Connection, tenant_id: str, job: str, limit: int = 100) -> list[PastRun]:
    """Runs of a job, newest first."""
    columns = (run.c.run_id, run.c.state, run.c.started_at, run.c.finished_at,
               run.c.published_at, run.c.rows, run.c.note)  # fmt: skip
    found = connection.execute(
        select(*columns)
        .where(run.c.tenant_id == tenant_id, run.c.job == job)
        .order_by(run.c.started_at.desc(), run.c.run_id)
        .limit(limit)
    )
    return [PastRun(*row) for row in found]


def start(
    connection: Connection, run_id: str, *, tenant_id: str, job: str, is_alone: bool = True
) -> None:
    """Note that a run begins, or begins again after it failed.

    Args:
        connection: in a transaction.
        run_id: the run.
        tenant_id: whose.
        job: of which kind.
        is_alone: its lease is held, so an earlier one still running is dead.
    """
    if is_alone:
        connection.execute(
            update(run)
            .where(run.c.tenant_id == tenant_id, run.c.job == job, run.c.state == "running")
            .values(state="abandoned", finished_at=func.clock_timestamp())
        )
    statement = insert(run).values(run_id=run_id, tenant_id=tenant_id, job=job, state="running")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[run.c.run_id], set_={"state": "running", "finished_at": None}
        )
    )


def finish(
    connection: Connection, run_id: str, *, state: State, rows: int = 0, note: str = ""
) -> None:
    """Note how a run ended; `published` in the transaction that makes its rows visible.

    No other state is noted of a published run: what readers see stays published.
    """
    now = func.clock_timestamp()
    statement = update(run).where(run.c.run_id == run_id)
    if state == "published":  # a run that is shown again is told to mart again
        statement = statement.values(published_at=now, announced_at=None)
    else:
        statement = statement.where(run.c.published_at.is_(None))
    connection.execute(statement.values(state=state, finished_at=now, rows=rows, note=note))


def is_published(connection: Connection, run_id: str) -> bool:
    """Whether the run counts as published."""
    found = connection.execute(select(run.c.published_at).where(run.c.run_id == run_id))
    return found.scalar() is not None


def unannounced(connection: Connection, tenant_id: str) -> list[PublishedRun]:
    """Published runs that mart has not been told of, oldest first."""
    found = connection.execute(
        select(run.c.run_id, run.c.published_at)
        .where(
            run.c.tenant_id == tenant_id,
            run.c.published_at.is_not(None),
            run.c.announced_at.is_(None),
        )
        .order_by(run.c.published_at)
    )
    return [PublishedRun(*row) for row in found]


def announced(connection: Connection, run_ids: Sequence[str]) -> None:
    """Mart knows of these runs now."""
    connection.execute(
        update(run)
        .where(run.c.run_id.in_(list(run_ids)))
        .values(announced_at=func.clock_timestamp())
    )
