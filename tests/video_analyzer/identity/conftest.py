"""The feature service in process, with a tenant whose store has faces, and one whose has not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tenpo.masters import Store
from tenpo.settings import Settings
from tenpo.tenants import create_tenant, issue_token
from tests.video_analyzer.identity.scene import MODEL, Greys
from video_analyzer.feature_db.declared import Declared
from video_analyzer.feature_service.app import create_app
from video_analyzer.feature_service.client import FeatureClient


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = Settings(home=tmp_path_factory.mktemp("identity"))
    stores = [
        Store(store_id=name, name=name, timezone="Asia/Tokyo", currency="JPY",
              has_faces=name != "blind", retention_days=30)
        for name in ("s1", "blind")
    ]  # fmt: skip
    create_tenant(made, "a", "A", stores=stores)
    return made


@pytest.fixture(scope="module")
def features(settings: Settings) -> Iterator[FeatureClient]:
    """A camera's client; the tenant has declared two models."""
    tokens = {store: issue_token(settings, "a", "features", store) for store in (None, "s1")}
    app = create_app(settings, refusal_s=0)
    with TestClient(app, base_url="http://127.0.0.1") as http:
        person = FeatureClient("", "a", tokens[None], http=http)
        drawn = Declared(model=MODEL, dimension=3, threshold=0.95)
        other = Declared(model=Greys.label, dimension=4, threshold=0.95)
        dlib = Declared(model="dlib_resnet-1", dimension=128, threshold=0.93)
        person.declare([drawn, other, dlib])
        yield FeatureClient("", "a", tokens["s1"], http=http)
