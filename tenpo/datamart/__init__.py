"""The datamart: PostgreSQL, from which the API and the dashboard read.

What to call; every function takes a Connection, so the caller owns the transaction:

    upgrade(dsn)                                   # Alembic migrations, from any process
    engine = connect(settings)
    with transaction(engine) as connection:        # commits, or undoes; raises our errors
        held.check(connection)                     # lease: with lease(engine, …) as held
        upsert(connection, TABLES["kpi_store_day"], rows)          # `upsert`
        dirty.mark / take / clear / oldest         # store-days to be computed again
        ledger.unknown / begin / loaded / …        # which canonical objects are where
        claim.claim / claimed / forget             # of several attempts, whose append counts
        run.start / finish / unannounced           # what a run wrote counts once published
        store.sync, health.seen                    # for the API
        model_results.replace(connection, …)       # clusters, targets, forecasts of a run
        model_event.happened / history / untold    # how a run of the models came to be
    past.keep(connection, name, rows)              # before it: what the rows are to replace
    published_rows(connection, contract, …)        # `published`: current KPI rows, as Arrow
    read_kpis(connection, query)                   # `kpi_read`: KPIs as the API answers
    hints.announce(names), hints.Listener(dsn)     # "look into the lake now"

Not for events or history: those are in the warehouse.
"""

from tenpo.datamart import (
    claim,
    dirty,
    health,
    hints,
    ledger,
    model_event,
    model_results,
    past,
    run,
    store,
)
from tenpo.datamart.connect import connect, snapshot, transaction
from tenpo.datamart.migrations import upgrade
from tenpo.store_day import StoreDay

__all__ = [
    "StoreDay",
    "claim",
    "connect",
    "dirty",
    "health",
    "hints",
    "ledger",
    "model_event",
    "model_results",
    "past",
    "run",
    "snapshot",
    "store",
    "transaction",
    "upgrade",
]
