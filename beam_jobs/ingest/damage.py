"""Objects of the lake that cannot be read: set aside, so that they hold up nothing else.

The gateway writes whole objects, so one that is damaged was damaged afterwards. It waits
in the ledger, with the reason, until it is mended, replaced or removed; every full sweep
looks again.

Not for a lake that does not answer: that is a `LakeError`, and the run is repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import pyarrow as pa
from sqlalchemy import Engine

from beam_jobs.ingest.transforms import Load, read_load
from tenpo.datamart import ledger, transaction
from tenpo.datamart.lease import Lease
from tenpo.errors import IntegrityError
from tenpo.lake import Lake
from tenpo.telemetry import get_logger

log = get_logger(__name__)


def damage(lake: Lake, name: str) -> str | None:
    """Why an object cannot be loaded; None where it can.

    Raises:
        LakeError: the lake does not answer, or the object is gone.
    """
    _, tenant, event, *_ = name.split("/")
    load = Load("", tenant, event, (name,), datetime.now(UTC))
    try:
        read_load(lake, load)
    except IntegrityError as error:
        return str(error)
    except (pa.ArrowException, OSError) as error:
        # Arrow's own words may quote values; its types are enough to tell what to look for.
        return f"it is no Parquet of the event {event} ({type(error).__name__})"
    return None


def set_aside(lake: Lake, engine: Engine, held: Lease, names: Iterable[str]) -> list[str]:
    """Note those of the objects that are damaged in the ledger.

    Args:
        lake: where they lie.
        engine: the datamart.
        held: ingest's lease.
        names: objects that the ledger does not know.

    Returns:
        The damaged ones.
    """
    found = {name: why for name in names if (why := damage(lake, name)) is not None}
    if found:
        with transaction(engine) as connection:
            held.check(connection)
            ledger.set_aside(connection, found)
    for name, reason in found.items():
        log.error(
            "an object of the lake is damaged",
            object=name,
            reason=reason,
            remedy=ledger.DAMAGE_REMEDY,
        )
    return list(found)


def mended(lake: Lake, engine: Engine, held: Lease, tenants: Sequence[str]) -> list[str]:
    """Damaged objects that can be read now; those and the removed ones leave the ledger."""
    with transaction(engine) as connection:
        known = [name for name in ledger.damaged(connection) if name.split("/")[1] in tenants]
    present = [name for name in known if lake.exists(name)]
    readable = [name for name in present if damage(lake, name) is None]
    gone = sorted({*known} - {*present})
    if gone or readable:
        with transaction(engine) as connection:
            held.check(connection)
            ledger.forget(connection, [*gone, *readable])
        log.info("damaged objects are mended or removed", mended=readable, removed=gone)
    return readable
