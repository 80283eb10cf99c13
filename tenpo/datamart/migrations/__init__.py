"""Alembic migrations of the datamart, run by program: no ini file, no working folder.

Structure changes by a new file in `versions/` (`NNNN_what.py`, written by hand). Only
KPI measures need none: a measure new in the contracts becomes a nullable column.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateColumn

from tenpo.datamart.connect import CONNECT_TIMEOUT_S, datamart_url, mapped
from tenpo.datamart.tables import column_of
from tenpo.kpi import KPI_STORE_DAY, KPI_STORE_HOUR, KPI_ZONE_HOUR, MEASURES, ZONE_MEASURES

if TYPE_CHECKING:
    from alembic.config import Config

#: Any number, the same in every process: whoever holds it migrates, the others wait.
_LOCK = 7_305_114


def upgrade(dsn: str) -> None:
    """Bring the datamart to the newest structure. Safe to call from many processes at once.

    Args:
        dsn: postgresql://…

    Raises:
        ConfigError: the DSN cannot be read.
        DatamartError: PostgreSQL does not answer or refuses.
    """
    from alembic import command  # heavy, and every user of the datamart imports this module

    engine = create_engine(
        datamart_url(dsn),
        poolclass=NullPool,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "tenpo migrate"},
    )
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            command.upgrade(configuration(connection), "head")
            _add_new_measures(connection)
    except (DBAPIError, psycopg.Error) as error:
        raise mapped(error) from error
    finally:
        engine.dispose()


def configuration(connection: Connection) -> Config:
    """Alembic's configuration on an open connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _add_new_measures(connection: Connection) -> None:
    measures = {measure.name for measure in (*MEASURES, *ZONE_MEASURES)}
    contracts = (KPI_STORE_HOUR, KPI_STORE_DAY, KPI_ZONE_HOUR)
    for contract, past in product(contracts, ("", "_past")):
        table = f"{contract.name}{past}"
        held = {column["name"] for column in inspect(connection).get_columns(table)}
        for field in contract.fields:
            if field.name in measures - held:
                column = CreateColumn(column_of(field)).compile(dialect=connection.dialect)
                connection.execute(text(f"ALTER TABLE {table} ADD COLUMN {column}"))
