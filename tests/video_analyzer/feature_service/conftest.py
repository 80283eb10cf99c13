"""One service with two tenants, in process, and who may ask it what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tenpo.masters import Store
from tenpo.settings import Settings
from tenpo.tenants import create_tenant, issue_token
from video_analyzer.feature_db.declared import Declared
from video_analyzer.feature_db.records import Floats
from video_analyzer.feature_service.app import create_app
from video_analyzer.feature_service.client import FeatureClient

MODEL = "sface-1"
DECLARED = [Declared(model=MODEL, dimension=64, threshold=0.9)]
SEEN_AT = datetime.now(UTC) - timedelta(minutes=1)

#: A client of (tenant, store): no store is a person's.
Ask = Callable[..., FeatureClient]
Tokens = dict[tuple[str, str | None], str]


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Tenants `a` and `b`, each with two stores that see faces and one that does not."""
    made = Settings(home=tmp_path_factory.mktemp("feature-service"))
    for tenant in ("a", "b"):
        stores = [
            Store(store_id=name, name=name, timezone="Asia/Tokyo", currency="JPY",
                  has_faces=name != "blind", retention_days=30)
            for name in ("s1", "s2", "blind")
        ]  # fmt: skip
        create_tenant(made, tenant, tenant.upper(), stores=stores)
    return made


@pytest.fixture(scope="session")
def http(settings: Settings, tokens: Tokens) -> Iterator[TestClient]:
    """The service in process; both tenants let their devices use one model."""
    app = create_app(settings, refusal_s=0)
    app.state.doors.max_age_s = 0.0  # tests make tenants and use them at once
    with TestClient(app, base_url="http://127.0.0.1") as made:
        for tenant in ("a", "b"):
            FeatureClient("", tenant, tokens[tenant, None], http=made).declare(DECLARED)
        yield made


@pytest.fixture(scope="session")
def tokens(settings: Settings) -> Tokens:
    """Tokens of both tenants, of people and of the devices of their stores."""
    return {
        (tenant, store): issue_token(settings, tenant, "features", store)
        for tenant in ("a", "b")
        for store in (None, "s1", "s2")
    }


@pytest.fixture
def ask(http: TestClient, tokens: Tokens) -> Ask:
    """Makes clients."""

    def of(tenant: str, store: str | None = None) -> FeatureClient:
        return FeatureClient("", tenant, tokens[tenant, store], http=http)

    return of


_numbers = count()


@pytest.fixture
def face() -> Floats:
    """A face that no other test has seen."""
    rng = np.random.default_rng((11, next(_numbers)))
    found: Floats = rng.normal(size=64).astype(np.float32)
    return found


@pytest.fixture
def known(ask: Ask, face: Floats) -> str:
    """That face is known to tenant `a`: its raw id."""
    return ask("a", "s1").identify(MODEL, face.tolist(), "s1", SEEN_AT, 0.9).raw_id


@pytest.fixture
def folder(settings: Settings) -> Path:
    """Where tenant `a` lies."""
    return settings.home / "features" / "a"
