"""Small chains and small models: what is tested are properties, not accuracy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tenpo.lake import Lake
from tenpo.settings import get_settings
from tenpo.warehouse import Warehouse
from tests.kedro_project import mart_world
from tests.kedro_project.platform import Platform
from tests.kedro_project.small import small


@pytest.fixture
def quick() -> dict[str, Any]:
    """Parameters whose models train in a blink."""
    return small(horizon=14)


@pytest.fixture(scope="module")
def platform(
    warehouse: Warehouse, datamart: Engine, datamart_dsn: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Platform]:  # fmt: skip
    """Warehouse, datamart and lake with the chains of `mart_world`."""
    home: Path = tmp_path_factory.mktemp("models")
    known = warehouse.settings
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TENPO_HOME", str(home))
        patch.setenv("TENPO_SETTINGS_FILE", str(home / "none.toml"))
        patch.setenv("TENPO_DATAMART_DSN", datamart_dsn)
        patch.setenv("TENPO_DATASET_PREFIX", known.dataset_prefix)
        patch.setenv("TENPO_BIGQUERY_ENDPOINT", str(known.bigquery_endpoint))
        patch.setenv("TENPO_BIGQUERY_GRPC_ENDPOINT", str(known.bigquery_grpc_endpoint))
        get_settings.cache_clear()
        settings = get_settings()
        mart_world.write(warehouse, Lake(settings.lake_url))
        yield Platform(settings, datamart, warehouse)
    get_settings.cache_clear()
