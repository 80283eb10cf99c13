"""/v1/clusters, /v1/targets and /v1/forecasts: whose, in which words, and with which numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.routes.models import utc_now
from tests.api.conftest import bearer
from tests.api.model_seed import AHEAD, LEFT_OUT
from tests.api.seed import LAST, STORES

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
    assert few["text"]["en"].endswith("for groups: 4")
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
        "is_cold": False, "run_id": chain["runs"][0]["run_id"],
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


@pytest.fixture
def afternoon(client: TestClient) -> Iterator[None]:
    """Half past four in Japan on the last seeded day, and no hour of it after that."""
    moment = datetime.combine(LAST, time(7, 30), UTC)
    overrides = client.app.dependency_overrides  # type: ignore[attr-defined]
    overrides[utc_now] = lambda: moment
    yield
    del overrides[utc_now]


@pytest.mark.usefixtures("afternoon")
def test_a_nowcast_is_told_by_its_basis(client: TestClient) -> None:
    found = ask(client, "/v1/nowcast?store=ginza")["stores"]
    assert [(each["measure"], each["basis"]) for each in found] == [
        ("footfall", "hours so far"), ("sales", "hours so far"),
    ]  # fmt: skip
    for each in found:
        assert (each["business_date"], each["until_hour"]) == (str(LAST), 16)
        ends = [Decimal(each[name]) for name in ("so_far", "low", "value", "high")]
        assert ends == sorted(ends)
    whole = ask_kpis(client, "ginza")
    assert Decimal(found[0]["value"]) == pytest.approx(Decimal(whole["footfall"]), rel=0.2)


@pytest.mark.usefixtures("afternoon")
def test_a_nowcast_belongs_to_who_may_see_the_store(client: TestClient) -> None:
    assert {each["store_id"] for each in ask(client, "/v1/nowcast", ONE)["stores"]} == {"ginza"}
    assert client.get("/v1/nowcast?store=umeda", headers=ONE).status_code == 404
    assert ask(client, "/v1/nowcast", bearer("fresh"))["stores"] == []


def ask_kpis(client: TestClient, store_id: str) -> dict[str, Any]:
    path = f"/v1/kpis?from={LAST}&to={LAST}&grain=total&store={store_id}"
    (row,) = ask(client, path)["rows"]
    values: dict[str, Any] = row["values"]
    return values
