"""Every refusal says what, where and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from tenpo.errors import ConfigError
from tenpo.lake import Lake
from tenpo.settings import Settings
from tests.api.conftest import bearer
from tests.api.seed import write_masters

WRONG = [
    ({"from": "2026-11-20", "to": "2026-11-14"}, "before it begins", "from, to"),
    ({"from": "2020-01-01", "to": "2026-11-14"}, "too many for grain day", "from, to"),
    ({"from": "2026-01-01", "to": "2026-11-14", "grain": "hour"}, "for grain hour", "from, to"),
    (
        {"from": "2026-13-01", "to": "2026-11-14"},
        "from: Input should be a valid date",
        "query.from",
    ),
    ({"to": "2026-11-14"}, "from: Field required", "query.from"),
    ({"from": "2026-11-14", "to": "2026-11-14", "grain": "year"}, "grain: Input", "query.grain"),
    ({"from": "2026-11-14", "to": "2026-11-14", "kpi": "profit"}, "no KPI 'profit'", "kpi"),
    ({"from": "2026-11-14", "to": "2026-11-14", "strore": "x"}, "strore: Extra", "query.strore"),
]


@pytest.mark.parametrize(("parameters", "what", "where"), WRONG)
def test_a_wrong_parameter_is_named(
    client: TestClient, parameters: dict[str, str], what: str, where: str
) -> None:
    answer = client.get("/v1/kpis", params=parameters, headers=bearer("hinode"))
    body = answer.json()
    assert answer.status_code == 422
    assert what in body["what"]
    assert body["where"] == where
    assert body["remedy"]
    assert body["error"] == "InputError"


def test_a_parameter_that_no_route_has_is_refused_everywhere(client: TestClient) -> None:
    paths = [path for path in client.get("/openapi.json").json()["paths"] if "/v1/" in path]
    assert len(paths) > 8
    for path in paths:
        answer = client.get(path, params={"strore": "x"}, headers=bearer("hinode"))
        assert answer.status_code == 422, path
        assert "strore" in answer.json()["where"], path


def test_an_unknown_store_is_not_found(client: TestClient) -> None:
    day = {"from": "2026-11-14", "to": "2026-11-14", "store": "atlantis"}
    answer = client.get("/v1/kpis", params=day, headers=bearer("hinode"))
    assert answer.status_code == 404
    assert answer.json()["what"] == "there is no store 'atlantis'"
    assert "/v1/stores" in answer.json()["remedy"]


def test_an_unknown_address_has_the_same_body(client: TestClient) -> None:
    answer = client.get("/v1/nothing", headers=bearer("hinode"))
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "what", "where", "remedy"}


def test_without_a_datamart_the_process_lives_but_is_not_ready(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, datamart_dsn="postgresql://x:x@127.0.0.1:1/none")
    write_masters(Lake(settings.lake_url))
    with TestClient(create_app(settings)) as client:
        assert client.get("/healthz").json()["status"] == "ok"
        for path in ("/readyz", "/v1/stores", "/v1/freshness"):
            answer = client.get(path, headers=bearer("hinode"))
            assert answer.status_code == 503, path
            assert answer.headers["retry-after"] == "5"
            assert answer.json()["what"] == "the datamart does not answer"
            assert "tenpo status" in answer.json()["remedy"]
            assert "x:x" not in answer.text


def test_without_an_address_of_the_datamart_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        create_app(Settings(home=tmp_path, datamart_dsn=""))
    assert caught.value.where == "TENPO_DATAMART_DSN"
