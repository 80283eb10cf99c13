"""Who is whom comes to the warehouse: current persons of raw ids, by difference.

The steps, each safe to be the last:

    change    one MERGE of what differs, as `pending`; readers follow from here on
    on_dirty  the caller marks the store-days that those raw ids visited
    settle    one MERGE: what was pending is current

After a crash the pending rows are still there, and the same call marks their store-days once
more. Marking comes after the change: a mark that was answered before would be answered with
the persons of before.

One call at a time: hold a lease. Not for judging who is whom (`video_analyzer.feature_db`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from tenpo.contracts.persons import PERSON
from tenpo.failpoint import failpoint
from tenpo.store_day import StoreDay
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.job import Job
from tenpo.warehouse.partitions import spans
from tenpo.warehouse.read import execute, query, query_large
from tenpo.warehouse.staging import staged
from tenpo.warehouse.statements import load_sql

_SQL = "tenpo.warehouse.sql"


@dataclass(frozen=True, slots=True)
class Published:
    """What one call did.

    Args:
        raw_ids: how many belong to another person now.
        changed: of how many that is new, otherwise than before, or undone.
        dirty: store-days that they visited, sorted.
    """

    raw_ids: int
    changed: int = 0
    dirty: tuple[StoreDay, ...] = ()


def publish_persons(
    warehouse: Warehouse,
    tenant_id: str,
    current: Mapping[str, str],
    *,
    job: Job,
    dates: Callable[[], Collection[date]],
    on_dirty: Callable[[Sequence[StoreDay]], None],
    guard: Callable[[], None] = lambda: None,
) -> Published:
    """Make `dwh.person` say what is given.

    Args:
        warehouse: where.
        tenant_id: whose persons.
        current: the current person of each raw id that has another one.
        job: names the work.
        dates: asked after the change: business dates between which all store-days lie that
            were computed or are to be.
        on_dirty: marks store-days durably; not called where there are none.
        guard: called right before each statement that changes dwh; it raises where a
            successor has taken over.

    Raises:
        WarehouseError: BigQuery does not answer; call again.
    """
    held, pending = _held(warehouse, tenant_id, job)
    changed = difference(held, current)
    if not changed and not pending:
        return Published(len(current))
    guard()
    _change(warehouse, tenant_id, changed, job)
    failpoint("persons.after_change")
    dirty = _seen(warehouse, tenant_id, dates(), job)
    if dirty:
        on_dirty(dirty)
    failpoint("persons.after_dirty")
    guard()
    sql = load_sql(warehouse, _SQL, "persons_settle")
    execute(warehouse, sql, {"tenant_id": tenant_id}, job=job.step("settle"))
    return Published(len(current), len(changed.keys() | pending), dirty)


def _held(warehouse: Warehouse, tenant_id: str, job: Job) -> tuple[dict[str, str], set[str]]:
    """The published persons by raw id, and the raw ids that are half published."""
    sql = load_sql(warehouse, _SQL, "persons_held")
    found = query_large(warehouse, sql, {"tenant_id": tenant_id}, job=job.step("held"))
    raw, person, state = (found[name].to_pylist() for name in ("raw_id", "person_id", "state"))
    pending = {each for each, how in zip(raw, state, strict=True) if how == "pending"}
    return dict(zip(raw, person, strict=True)), pending


def difference(held: Mapping[str, str], current: Mapping[str, str]) -> dict[str, str]:
    """Raw ids whose person differs, with the new one; themselves where a link is undone."""
    changed = {raw: person for raw, person in current.items() if held.get(raw) != person}
    undone = {raw: raw for raw, person in held.items() if raw not in current and person != raw}
    return changed | undone


def _change(warehouse: Warehouse, tenant_id: str, changed: Mapping[str, str], job: Job) -> None:
    if not changed:
        return
    stamp = {"tenant_id": tenant_id, "changed_at": datetime.now(UTC), "state": "pending"}
    rows = [{"raw_id": raw, "person_id": person, **stamp} for raw, person in changed.items()]
    stage = job.table_name("persons")
    with staged(warehouse, stage, PERSON.fields, PERSON.table(rows)):
        sql = load_sql(warehouse, _SQL, "persons_change", stage=stage)
        execute(warehouse, sql, {"tenant_id": tenant_id}, job=job.step("change"))


def _seen(
    warehouse: Warehouse, tenant_id: str, dates: Collection[date], job: Job
) -> tuple[StoreDay, ...]:
    sql = load_sql(warehouse, _SQL, "persons_seen")
    days: set[StoreDay] = set()
    for first, last in spans(dates):
        params = {"tenant_id": tenant_id, "date_from": first, "date_to": last}
        rows = query(warehouse, sql, params, job=job.step(f"seen-{first:%Y%m%d}")).to_pylist()
        days.update(StoreDay(**row) for row in rows)
    return tuple(sorted(days))
