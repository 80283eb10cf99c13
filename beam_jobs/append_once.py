"""Appending from a bundle, which its runner may try again, or try twice at once.

    fill a stream ─▶ claim the key in PostgreSQL ─▶ commit the stream that was claimed first

An attempt that dies before the claim leaves a stream that BigQuery forgets. One that dies
after it is finished by the next: committing a stream twice changes nothing.
"""

from __future__ import annotations

import pyarrow as pa
from sqlalchemy import Engine

from tenpo.contracts import Contract
from tenpo.datamart import claim, transaction
from tenpo.errors import LeaseLost, WarehouseError
from tenpo.warehouse import Warehouse, commit, seal


def append_once(
    warehouse: Warehouse, engine: Engine, contract: Contract, rows: pa.Table, key: str
) -> int:
    """Append rows to the contract's table, all or none, once however often it is tried.

    Args:
        warehouse: where.
        engine: the datamart, which keeps the claims.
        contract: the table.
        rows: its columns, in any order.
        key: the same for each attempt, and for nothing else.

    Returns:
        The number of rows.

    Raises:
        LeaseLost: the append was given up by who began it; nothing was appended.
        IntegrityError: the rows break the contract.
        WarehouseError, DatamartError: a service does not answer or lost the stream; try again.
    """
    if not rows.num_rows:
        return 0
    where = f"{contract.dataset}.{contract.name} {key}"
    with transaction(engine) as connection:
        stream = claim.claimed(connection, key)
    if stream is None:
        own = seal(warehouse, contract, rows)
        with transaction(engine) as connection:
            stream = claim.claim(connection, key, own)
    if stream == claim.REFUSED:
        raise LeaseLost(
            "a successor has given this append up",
            where=where,
            remedy="Nothing was appended; the successor does it.",
        )
    if not commit(warehouse, contract, stream):
        raise WarehouseError(
            "the stream of an earlier attempt is gone",
            where=where,
            remedy="Run the job again: it finds out whether the rows arrived.",
        )
    return int(rows.num_rows)
