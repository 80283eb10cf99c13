"""/v1/clusters, /v1/targets and /v1/forecasts: whose, in which words, and with which numbers."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import bearer
from tests.api.model_seed import AHEAD, LEFT_OUT
from tests.api.seed import STORES

ONE = {"Authorization": "Bearer one-hinode"}  # sees ginza alone


def ask(client: TestClient, path: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    answer = client.get(path, headers=headers or bearer("hinode"))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_clusters_have_names_members_and_those_left_out(client: TestClient) -> None:
    body = ask(client, "/v1/clusters")
    (cluster,) = body["clusters"]
    assert cluster["name"] == {"en": "all stores", "ja": "全店舗"}
    assert {store["store_id"] for store in cluster["stores"]} == {
        store.store_id for store in STORES["hinode"]
    } - {LEFT_OUT}
    assert cluster["store_count"] == 4
    (left,) = body["left_out"]
    assert left["store_id"] == LEFT_OUT
    assert "28 are needed" in left["reason"]


def test_a_run_says_what_to_know_of_it_in_both_languages(client: TestClient) -> None:
    (run,) = ask(client, "/v1/targets")["runs"]
    assert (run["currency"], run["as_of_date"], run["seed"]) == ("JPY", "2026-11-20", 0)
    few, year = run["notes"]
    assert few["text"]["en"].startswith("4 stores")
    assert "35日" in year["text"]["ja"]


def test_targets_come_by_head_room_and_are_exact(client: TestClient) -> None:
    targets = ask(client, "/v1/targets")["targets"]
    assert len(targets) == 4 * 3
    first = targets[0]
    assert (first["store_id"], first["factor"], first["is_first"]) == ("ginza", "conversion", True)
    assert (first["level"], first["attainable"]) == ("0.18", "0.23")
    assert first["headroom_amount"] == "1200000"


def test_forecasts_of_the_chain_and_of_a_store(client: TestClient) -> None:
    chain = ask(client, "/v1/forecasts?measure=sales")
    assert (chain["by"], len(chain["days"])) == ("all", AHEAD)
    assert chain["days"][0] == {
        "store_id": None, "currency": "JPY", "business_date": "2026-11-21", "measure": "sales",
        "value": "1500001", "low": "1425000.95", "high": "1575001.05", "target": None,
        "is_cold": False,
    }  # fmt: skip
    store = ask(client, "/v1/forecasts?store=ginza")
    assert (store["by"], len(store["days"])) == ("store", 2 * AHEAD)
    assert {day["store_id"] for day in store["days"]} == {"ginza"}
    assert store["days"][0]["target"] is not None
    every = ask(client, "/v1/forecasts?by=store&measure=footfall")
    assert len(every["days"]) == 5 * AHEAD


def test_a_stores_token_sees_that_store_alone(client: TestClient) -> None:
    targets = ask(client, "/v1/targets", ONE)["targets"]
    assert {target["store_id"] for target in targets} == {"ginza"}
    (cluster,) = ask(client, "/v1/clusters", ONE)["clusters"]
    assert [store["store_id"] for store in cluster["stores"]] == ["ginza"]
    assert cluster["store_count"] == 4
    forecast = ask(client, "/v1/forecasts", ONE)
    assert forecast["by"] == "store"
    assert {day["store_id"] for day in forecast["days"]} == {"ginza"}
    for path in ("clusters", "targets", "forecasts"):
        assert client.get(f"/v1/{path}?store=umeda", headers=ONE).status_code == 404


@pytest.mark.parametrize("path", ["clusters", "targets", "forecasts"])
def test_another_tenants_store_does_not_exist(client: TestClient, path: str) -> None:
    answers = [client.get(f"/v1/{path}?store={s}", headers=bearer("globe"))
               for s in ("ginza", "nowhere")]  # fmt: skip
    assert [answer.status_code for answer in answers] == [404, 404]


@pytest.mark.parametrize("path", ["clusters", "targets", "forecasts"])
def test_before_the_first_run_there_is_nothing_and_no_error(client: TestClient, path: str) -> None:
    body = ask(client, f"/v1/{path}", bearer("fresh"))
    assert body.pop("tenant_id") == "fresh"
    assert not any(value for name, value in body.items() if name != "by")


def test_currencies_stay_apart(client: TestClient) -> None:
    days = ask(client, "/v1/forecasts?measure=sales", bearer("globe"))["days"]
    first = {day["currency"]: day["value"] for day in days if day["business_date"] == "2026-11-21"}
    assert first == {"JPY": "600001", "EUR": "300001", "GBP": "300001"}


def test_an_unknown_measure_is_refused(client: TestClient) -> None:
    answer = client.get("/v1/forecasts?measure=weather", headers=bearer("hinode"))
    assert answer.status_code == 422
