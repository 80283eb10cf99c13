"""The load ledger: what ingest knows of each canonical object, and how far it has come.

    (unknown) ─▶ loading ─▶ loaded ─▶ conformed
        └─▶ damaged ─▶ (unknown)

`loading` is written before the append to raw. A run that dies in between leaves it;
the next one asks raw whether the load is there (`tenpo.warehouse.loads_present`), then
says `loaded` or `release`. So an object is in raw once, even over crashes. An object that
cannot be read is `damaged` until it is forgotten, because it was mended or removed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, text, update

from tenpo.datamart.tables import TEXTS, ingest_object
from tenpo.datamart.upsert import driver
from tenpo.errors import IntegrityError

_UNKNOWN = text("""
    SELECT name FROM unnest(:names) WITH ORDINALITY AS asked (name, place)
    WHERE NOT EXISTS (SELECT FROM ingest_object AS known WHERE known.name = asked.name)
    ORDER BY place""").bindparams(bindparam("names", type_=TEXTS))
_RELEASE = text("""
    DELETE FROM ingest_object WHERE load_id = ANY (:load_ids) AND state = 'loading'
    """).bindparams(bindparam("load_ids", type_=TEXTS))
_SET_ASIDE = text("""
    INSERT INTO ingest_object (name, tenant_id, event, rows, load_id, state, ingested_at, error)
    SELECT name, split_part(name, '/', 2), split_part(name, '/', 3), 0, '', 'damaged',
      clock_timestamp(), error
    FROM unnest(:names, :errors) AS found (name, error)
    """).bindparams(bindparam("names", type_=TEXTS), bindparam("errors", type_=TEXTS))
_FORGET = text("""
    DELETE FROM ingest_object WHERE name = ANY (:names) AND state = 'damaged'
    """).bindparams(bindparam("names", type_=TEXTS))
_COPY = "COPY ingest_object (name, tenant_id, event, rows, load_id, state, ingested_at) FROM STDIN"


@dataclass(frozen=True, slots=True)
class LedgerObject:
    """A canonical object. Rows of the event `rejection` count as rejected."""

    name: str
    tenant_id: str
    event: str
    rows: int


@dataclass(frozen=True, slots=True)
class Load:
    """Objects that were appended to raw together."""

    load_id: str
    tenant_id: str
    event: str
    ingested_at: datetime
    rows: int


@dataclass(frozen=True, slots=True)
class EventCount:
    """What of an event came in, for reconciling.

    Args:
        event: which event.
        objects: canonical objects in the ledger.
        accepted: their rows, unless they are rejections.
        rejected: rows of rejections.
        waiting: objects not yet conformed.
    """

    event: str
    objects: int
    accepted: int
    rejected: int
    waiting: int


def unknown(connection: Connection, names: Sequence[str]) -> list[str]:
    """Those of the names that the ledger does not know, in their order."""
    return list(connection.execute(_UNKNOWN, {"names": list(names)}).scalars())


def begin(
    connection: Connection,
    load_id: str,
    objects: Sequence[LedgerObject],
    *,
    ingested_at: datetime,
) -> None:
    """Note that a load is about to be appended to raw. Commit before appending.

    Args:
        connection: in a transaction.
        load_id: as in raw's `load_id`.
        objects: what it holds; none of them known yet.
        ingested_at: as in raw's `ingested_at`.

    Raises:
        IntegrityError: (from the transaction) an object is in the ledger already.
    """
    with driver(connection).cursor().copy(_COPY) as copy:
        for item in objects:
            copy.write_row(
                (item.name, item.tenant_id, item.event, item.rows, load_id, "loading", ingested_at)
            )


def interrupted(connection: Connection) -> list[Load]:
    """Loads that a run began and did not live to finish. Ask under ingest's lease."""
    return _loads(connection, "loading", None)


def loaded(connection: Connection, load_ids: Sequence[str]) -> None:
    """These loads are in raw."""
    _advance(connection, load_ids, "loading", "loaded")


def release(connection: Connection, load_ids: Sequence[str]) -> None:
    """These loads never reached raw: their objects are unknown again."""
    connection.execute(_RELEASE, {"load_ids": list(load_ids)})


def waiting(connection: Connection, event: str | None = None) -> list[Load]:
    """Loads in raw that dwh does not hold yet, oldest first."""
    return _loads(connection, "loaded", event)


def conformed(connection: Connection, load_ids: Sequence[str]) -> None:
    """These loads are in dwh (or need not be: rejections)."""
    _advance(connection, load_ids, "loaded", "conformed")


#: How damaged objects are mended, for whoever tells of them.
DAMAGE_REMEDY = (
    "Bring the object back from a backup or the bucket's older version, or remove it and let its "
    "sender send again; ingest then goes on by itself."
)


def set_aside(connection: Connection, errors: Mapping[str, str]) -> None:
    """Note objects that cannot be read, with the reason; none of them known yet.

    Args:
        connection: in a transaction.
        errors: what is wrong, by the object's name.
    """
    connection.execute(_SET_ASIDE, {"names": list(errors), "errors": list(errors.values())})


def damaged(connection: Connection) -> dict[str, str]:
    """What is wrong with the objects that cannot be read, by name, sorted."""
    c = ingest_object.c
    statement = select(c.name, c.error).where(c.state == "damaged").order_by(c.name)
    return {row.name: row.error for row in connection.execute(statement)}


def forget(connection: Connection, names: Sequence[str]) -> None:
    """These damaged objects were mended or removed: they are unknown again."""
    connection.execute(_FORGET, {"names": list(names)})


def counts(connection: Connection, tenant_id: str) -> list[EventCount]:
    """Objects and rows of a tenant by event."""
    c = ingest_object.c
    found = connection.execute(
        select(
            c.event,
            func.count(),
            func.sum(c.rows),
            func.count().filter(c.state != "conformed"),
        )
        .where(c.tenant_id == tenant_id)
        .group_by(c.event)
        .order_by(c.event)
    )
    return [
        EventCount(
            event,
            objects,
            accepted=0 if event == "rejection" else int(rows),
            rejected=int(rows) if event == "rejection" else 0,
            waiting=open_objects,
        )
        for event, objects, rows, open_objects in found
    ]


def _loads(connection: Connection, state: str, event: str | None) -> list[Load]:
    c = ingest_object.c
    statement = (
        select(c.load_id, c.tenant_id, c.event, c.ingested_at, func.sum(c.rows))
        .where(c.state == state)
        .group_by(c.load_id, c.tenant_id, c.event, c.ingested_at)
        .order_by(c.ingested_at, c.load_id)
    )
    if event is not None:
        statement = statement.where(c.event == event)
    return [Load(*row[:4], rows=int(row[4])) for row in connection.execute(statement)]


def _advance(connection: Connection, load_ids: Sequence[str], before: str, after: str) -> None:
    c = ingest_object.c
    if not load_ids:
        return
    moved = connection.execute(
        update(ingest_object)
        .where(c.load_id.in_(list(load_ids)), c.state == before)
        .values({"state": after, f"{after}_at": func.clock_timestamp()})
        .returning(c.load_id)
    )
    absent = set(load_ids) - set(moved.scalars())
    if absent:
        raise IntegrityError(
            f"loads that are not {before} cannot become {after}: {', '.join(sorted(absent))}",
            where="ingest_object",
            remedy="Two ingest runs seem to have worked at once; run ingest again.",
        )
