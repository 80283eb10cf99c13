"""Revisions: a row is written only where its values changed, with the cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from tenpo.contracts import Contract
from tenpo.kpi import DEFINITION_VERSION, MEASURES, ZONE_MEASURES
from tenpo.kpi.causes import FIRST

Row = dict[str, Any]
_MEASURES = frozenset(measure.name for measure in (*MEASURES, *ZONE_MEASURES))


@dataclass(frozen=True)
class RunStamp:
    """What every row of a run carries.

    Args:
        run_id: the run.
        tenant_id: its tenant.
        computed_at: when it began.
        causes: why each store-day is computed again.
    """

    run_id: str
    tenant_id: str
    computed_at: datetime
    causes: Mapping[tuple[str, date], str]


def revise(
    computed: pa.Table, current: pa.Table, contract: Contract, key: Sequence[str], stamp: RunStamp
) -> pa.Table:
    """The rows that differ from what is published.

    Args:
        computed: key, `currency`, measures (and what else the contract has), one row a key.
        current: published rows of the same store-days, with `revision`.
        contract: `KPI_STORE_HOUR`, `KPI_STORE_DAY` or `KPI_ZONE_HOUR`.
        key: the columns that name a row within a tenant.
        stamp: the run.

    Returns:
        Rows of the contract, one for each changed, new or vanished key. A vanished
        row stays, its measures null.
    """
    measures = [name for name in contract.names if name in _MEASURES]
    values = [name for name in contract.names if name in _MEASURES or name == "currency"]
    published = {tuple(row[name] for name in key): row for row in current.to_pylist()}
    rows = [
        _next(row, published.pop(tuple(row[name] for name in key), None), values, stamp)
        for row in computed.to_pylist()
    ]
    rows += [_vanish(row, measures, stamp) for row in published.values()]
    return contract.table([row for row in rows if row is not None])


def _next(row: Row, old: Row | None, values: Sequence[str], stamp: RunStamp) -> Row | None:
    if old is not None and all(row[name] == old[name] for name in values):
        return None
    cause = FIRST if old is None else stamp.causes[row["store_id"], row["business_date"]]
    return row | _stamped(stamp, 1 if old is None else old["revision"] + 1, cause)


def _vanish(old: Row, measures: Sequence[str], stamp: RunStamp) -> Row | None:
    if all(old[name] is None for name in measures):
        return None
    cause = stamp.causes[old["store_id"], old["business_date"]]
    return old | dict.fromkeys(measures) | _stamped(stamp, old["revision"] + 1, cause)


def _stamped(stamp: RunStamp, revision: int, cause: str) -> Row:
    return {
        "tenant_id": stamp.tenant_id,
        "definition_version": DEFINITION_VERSION,
        "revision": revision,
        "cause": cause,
        "computed_at": stamp.computed_at,
        "run_id": stamp.run_id,
    }
