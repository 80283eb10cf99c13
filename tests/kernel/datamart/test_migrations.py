"""What the migrations make is what `tables` says, however often and by whomever they run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from tenpo.datamart import connect, transaction, upgrade
from tenpo.datamart.tables import metadata
from tenpo.errors import ConfigError, DatamartError
from tenpo.kpi import MEASURES
from tenpo.settings import Settings
from tests.conftest import Postgres


def differences(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": "tenpo_migration"}
        )
        return list(compare_metadata(context, metadata))


def test_migrated_structure_is_the_declared_one(datamart: Engine) -> None:
    assert metadata.tables
    assert differences(datamart) == []


def test_upgrade_by_many_at_once_and_again(postgres: Postgres) -> None:
    dsn = postgres.new_database()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, [dsn] * 4))
    upgrade(dsn)
    engine = connect(Settings(datamart_dsn=dsn))
    assert differences(engine) == []
    engine.dispose()


def test_a_measure_new_in_the_contract_becomes_a_column(postgres: Postgres) -> None:
    dsn = postgres.new_database()
    upgrade(dsn)
    engine = connect(Settings(datamart_dsn=dsn))
    name = MEASURES[-1].name
    with transaction(engine) as connection:
        connection.execute(text(f"ALTER TABLE kpi_store_day DROP COLUMN {name}"))
    upgrade(dsn)
    assert name in {c["name"] for c in inspect(engine).get_columns("kpi_store_day")}
    engine.dispose()


def test_missing_tables_name_the_remedy(postgres: Postgres) -> None:
    engine = connect(Settings(datamart_dsn=postgres.new_database()))
    with pytest.raises(ConfigError, match="tenpo up"), transaction(engine) as connection:
        connection.execute(text("SELECT * FROM run"))
    engine.dispose()


def test_a_dead_postgresql_is_a_datamart_error() -> None:
    dsn = "postgresql://nobody@127.0.0.1:1/none"
    engine = connect(Settings(datamart_dsn=dsn))
    with pytest.raises(DatamartError, match="does not answer"), transaction(engine):
        pass
    with pytest.raises(DatamartError):
        upgrade(dsn)


@pytest.mark.parametrize("dsn", ["", "not a dsn"])
def test_an_unusable_dsn_is_a_config_error(dsn: str) -> None:
    with pytest.raises(ConfigError, match="TENPO_DATAMART_DSN"):
        connect(Settings(datamart_dsn=dsn))
