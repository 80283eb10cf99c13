"""The services that a run of the models needs, and what tests ask them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, text

from kedro_project.platform_run import PIPELINES, Wish, run_models
from tenpo.settings import Settings
from tenpo.warehouse import Warehouse
from tests.kedro_project.small import small

ALL = tuple(PIPELINES)
HORIZON = 14


@dataclass(frozen=True)
class Platform:
    """The services of this module."""

    settings: Settings
    engine: Engine
    warehouse: Warehouse

    def run(
        self, tenant: str = "acme", margin: float = 0.0, coverage: float = 0.8, **wish: Any
    ) -> Any:
        asked = Wish(tenant, wish.pop("pipelines", ALL), **wish)
        settings = self.settings.model_copy(update={"models_margin": margin})
        given = small(horizon=HORIZON)
        given["forecast"]["coverage"] = coverage
        return run_models(settings, asked, given, lambda _: None)

    def rows(self, table: str, tenant: str = "acme") -> list[dict[str, Any]]:
        statement = text(f"SELECT * FROM {table} WHERE tenant_id = :tenant")  # noqa: S608
        with self.engine.connect() as connection:
            found = connection.execute(statement, {"tenant": tenant}).mappings()
            return sorted((dict(row) for row in found), key=str)  # in no order of the server's
