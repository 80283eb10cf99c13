"""The warehouse: BigQuery, or the server that stands for it in the local stack.

The only package that imports Google's BigQuery clients. What to call:

    with connect(settings) as warehouse:
        ensure_tables(warehouse)                              # datasets and tables, idempotent
        append(warehouse, contract, rows)                     # raw: all rows or none
        commit(warehouse, contract, seal(warehouse, contract, rows))    # the same in two steps
        conform(warehouse, event, load_ids, dates, job=…, on_dirty=…)   # raw → dwh
        query(warehouse, sql, params, job=…)                  # some rows, as Arrow
        query_large(warehouse, sql, params, job=…)            # any number of rows
        execute(warehouse, sql, params, job=…)                # DML and DDL
        publish_persons(warehouse, tenant_id, current, …)     # who is whom, by difference
    reconcile(warehouse, tenant_id, event, job=…)         # accepted = current + …

SQL lies in `.sql` files and is loaded with `load_sql`; values are parameters. `Job`
names what runs. `sync_stores` carries the store master over, and `redate_stores` what
follows from a changed clock; `loads_present` says after a crash which loads arrived.

Not for the datamart (`tenpo.datamart`), and not for KPI logic (`beam_jobs.aggregate`).
"""

from tenpo.store_day import StoreDay
from tenpo.warehouse.append import append, commit, seal
from tenpo.warehouse.client import Warehouse, connect
from tenpo.warehouse.conform import ConformResult, conform
from tenpo.warehouse.job import Job, Typed
from tenpo.warehouse.masters import sync_stores
from tenpo.warehouse.persons import Published, publish_persons
from tenpo.warehouse.read import execute, query, query_large, read_table
from tenpo.warehouse.reconcile import Reconciliation, loads_present, reconcile
from tenpo.warehouse.redate import redate_stores
from tenpo.warehouse.schema import ensure_tables
from tenpo.warehouse.statements import load_sql
from tenpo.warehouse.tables import DOCUMENT, STORE_MASTER, TABLES

__all__ = [
    "DOCUMENT",
    "STORE_MASTER",
    "TABLES",
    "ConformResult",
    "Job",
    "Published",
    "Reconciliation",
    "StoreDay",
    "Typed",
    "Warehouse",
    "append",
    "commit",
    "conform",
    "connect",
    "ensure_tables",
    "execute",
    "load_sql",
    "loads_present",
    "publish_persons",
    "query",
    "query_large",
    "read_table",
    "reconcile",
    "redate_stores",
    "seal",
    "sync_stores",
]
