"""Following a lake when every notification is lost: between processes, and to Airflow."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from beam_jobs.aggregate.job import Request, aggregate
from beam_jobs.ingest import follow as module
from beam_jobs.ingest.due import Announcements
from beam_jobs.ingest.job import Ingest
from tenpo.datamart import dirty, transaction
from tenpo.datamart.published import published_rows
from tenpo.errors import ServiceError
from tenpo.kpi import KPI_STORE_DAY
from tenpo.settings import Settings
from tenpo.store_day import StoreDay
from tenpo.warehouse import Warehouse
from tests.beam_jobs.test_ingest import parquet
from tests.kernel.warehouse.sales import Receipt, store

pytestmark = pytest.mark.stack

AT = datetime(2026, 3, 29, 3, tzinfo=UTC)
STEPS = 40


class Deaf:
    """A listener that no hint ever reaches."""

    def wait(self, timeout_s: float) -> bool:
        del timeout_s
        return False

    def close(self) -> None:
        pass


class Airflow:
    """Refuses the first asset event, loses the second, and starts an aggregation on the third.

    An object comes only after the following has begun.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ingest = Ingest(settings)
        self.tenant = f"f{secrets.token_hex(4)}"
        self.ingest.masters.put(self.tenant, "store", [store("s1")])
        self.told = 0
        self.steps = 0

    def take(self, tenant: str) -> None:
        if tenant != self.tenant:
            return
        self.told += 1
        if self.told == 1:
            raise ServiceError("away", where="Airflow", remedy="Wait.")
        if self.told == 3:
            aggregate(self.settings, Request(tenant))

    def is_done(self) -> bool:
        self.steps += 1
        if self.steps == 3:
            rows = [row | {"tenant_id": self.tenant} for row in Receipt("r1", at=AT).rows("")]
            today = datetime.now(UTC).date()
            name = f"canonical/{self.tenant}/sale_line/{today}/000.parquet"
            self.ingest.lake.put(name, parquet("sale_line", rows))
        return (self.told > 0 and not self.is_marked()) or self.steps > STEPS

    def is_marked(self) -> bool:
        with transaction(self.ingest.engine) as connection:
            return self.tenant in dirty.oldest(connection)


def test_all_is_ingested_and_computed_with_every_notification_lost(
    warehouse: Warehouse, datamart_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"lake_url": f"file://{tmp_path}", "datamart_dsn": datamart_dsn, "home": tmp_path}
    monkeypatch.setattr(module, "listen", lambda _: Deaf())
    at_once = Announcements(overdue=timedelta(0))
    monkeypatch.setattr(module, "Announcements", lambda: at_once)
    airflow = Airflow(warehouse.settings.model_copy(update=own))
    try:
        module.follow(airflow.settings, airflow.take, airflow.is_done)
        assert airflow.told == 3
        assert not airflow.is_marked()
        with transaction(airflow.ingest.engine) as connection:
            days = [StoreDay(airflow.tenant, "s1", AT.date())]
            rows = published_rows(connection, KPI_STORE_DAY, airflow.tenant, days).to_pylist()
        assert [row["transactions"] for row in rows] == [1]
    finally:
        airflow.ingest.close()
