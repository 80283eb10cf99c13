"""Stores, definitions, freshness, holidays, health, static files and the OpenAPI document."""

from __future__ import annotations

from datetime import UTC, date, datetime

from fastapi.testclient import TestClient
from sqlalchemy import delete, insert

from api.assets import PLOTLY_VERSION, static_version
from api.backend import Backend
from api.holidays import countries, holidays
from api.languages import texts
from api.queries import read_freshness, read_stores
from tenpo.datamart import connect, transaction
from tenpo.datamart.tables import TABLES
from tenpo.kpi import KPIS, MEASURES
from tenpo.settings import Settings
from tests.api.conftest import bearer


def test_stores_come_with_timezone_and_currency(client: TestClient) -> None:
    stores = client.get("/v1/stores", headers=bearer("globe")).json()["stores"]
    assert [store["name"] for store in stores] == ["London", "Osaka", "Paris", "Tokyo"]
    assert stores[0] == {
        "store_id": "london",
        "name": "London",
        "timezone": "Europe/London",
        "currency": "GBP",
    }


def test_definitions_are_the_kernels(client: TestClient) -> None:
    body = client.get("/v1/definitions", headers=bearer("globe")).json()
    assert [kpi["name"] for kpi in body["kpis"]] == list(KPIS)
    assert [measure["name"] for measure in body["measures"]] == [m.name for m in MEASURES]
    conversion = next(kpi for kpi in body["kpis"] if kpi["name"] == "conversion_ratio")
    assert conversion["label"] == {"en": "Conversion", "ja": "買上率"}
    assert conversion["formula"] == KPIS["conversion_ratio"].formula


def test_freshness_names_the_run_and_the_silent_counter(client: TestClient) -> None:
    body = client.get("/v1/freshness", headers=bearer("hinode")).json()
    assert (body["first_date"], body["last_date"]) == ("2026-10-17", "2026-11-20")
    assert body["computed_at"] == "2026-11-21T01:30:00Z"
    assert body["last_run"]["run_id"] == "run-hinode"
    assert [d["device_id"] for d in body["devices"] if d["is_silent"]] == ["umeda-door"]
    assert len(body["devices"]) == 5


def test_a_run_of_the_models_makes_figures_no_fresher(settings: Settings) -> None:
    later = datetime(2026, 11, 21, 2, tzinfo=UTC)
    row = {"run_id": "models-1", "tenant_id": "hinode", "job": "models", "state": "published",
           "started_at": later, "published_at": later}  # fmt: skip
    engine = connect(settings)
    with engine.connect() as connection:  # never committed
        connection.execute(insert(TABLES["run"]), [row])
        found = read_freshness(connection, "hinode")
    engine.dispose()
    assert found.last_run is not None
    assert found.last_run.run_id == "run-hinode"


def test_an_answer_sees_one_moment(settings: Settings) -> None:
    """A shop that opens while an answer is put together is not half in it."""
    engine, backend = connect(settings), Backend.of(settings)
    row = {"tenant_id": "passing", "store_id": "s", "name": "s", "timezone": "UTC",
           "currency": "EUR"}  # fmt: skip
    table = TABLES["store"]
    try:
        with backend.datamart() as connection:
            assert read_stores(connection, "passing") == []
            with transaction(engine) as other:
                other.execute(insert(table), [row])
            assert read_stores(connection, "passing") == []
        with backend.datamart() as connection:
            assert len(read_stores(connection, "passing")) == 1
    finally:
        with transaction(engine) as other:
            other.execute(delete(table).where(table.c.tenant_id == "passing"))
        engine.dispose()
        backend.engine.dispose()


def test_a_tenant_without_figures_has_nothing_fresh(client: TestClient) -> None:
    body = client.get("/v1/freshness", headers=bearer("fresh")).json()
    assert body == {
        "first_date": None,
        "last_date": None,
        "computed_at": None,
        "last_run": None,
        "devices": [],
    }


def test_holidays_where_the_stores_are(client: TestClient) -> None:
    asked = {"from": "2026-11-01", "to": "2026-11-30"}
    body = client.get("/v1/holidays", params=asked, headers=bearer("hinode")).json()
    assert [(h["date"], h["name"]["en"]) for h in body["holidays"]] == [
        ("2026-11-03", "Culture Day"),
        ("2026-11-23", "Labor Thanksgiving Day"),
    ]
    british = client.get("/v1/holidays", params=asked, headers=bearer("corner")).json()
    assert british["holidays"] == []


def test_an_observed_holiday_is_marked_as_one() -> None:
    assert countries(["Asia/Tokyo", "Europe/London"]) == {"JP"}
    found = {each.date: each.name for each in holidays({"JP"}, date(2026, 5, 6), date(2026, 5, 6))}
    assert found[date(2026, 5, 6)].en == "Constitution Memorial Day (observed)"


def test_every_holiday_of_a_generation_has_an_english_name() -> None:
    found = holidays({"JP"}, date(2010, 1, 1), date(2030, 12, 31))
    assert len(found) > 300
    assert {each.name.ja for each in found if each.name.en == "Holiday"} <= {
        "天皇の即位の日", "即位礼正殿の儀", "国民の休日",
    }  # fmt: skip


def test_both_languages_have_the_same_texts() -> None:
    english, japanese = texts("en"), texts("ja")
    assert set(english) == set(japanese)
    assert len(english) > 50


def test_health_and_readiness_need_no_token(client: TestClient) -> None:
    for path in ("/healthz", "/readyz"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")
        assert answer.headers["cache-control"] == "no-store"


def test_static_files_may_be_kept_for_ever(client: TestClient) -> None:
    for path in (
        f"/static/{static_version()}/main.js",
        f"/assets/plotly-{PLOTLY_VERSION}.min.js",
    ):
        answer = client.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
        assert "javascript" in answer.headers["content-type"]
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content
    assert len(plain.content) > 1_000_000


def test_pages_hold_no_inline_script_and_no_foreign_address(client: TestClient) -> None:
    page = client.get("/login?lang=ja").text
    assert '<html lang="ja">' in page
    assert "onclick" not in page
    assert "http://" not in page
    assert "https://" not in page


def test_the_language_is_remembered(client: TestClient) -> None:
    chosen = client.get("/login?lang=ja")
    assert "tenpo_lang=ja" in chosen.headers["set-cookie"]
    assert '<html lang="ja">' in client.get("/login").text
    client.cookies.clear()
    preferred = client.get("/login", headers={"Accept-Language": "fr, ja;q=0.8, en;q=0.5"})
    assert '<html lang="ja">' in preferred.text


def test_the_document_shows_examples_and_errors(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    kpis = document["paths"]["/v1/kpis"]["get"]
    parameters = {p["name"]: p for p in kpis["parameters"]}
    assert set(parameters) == {
        "from",
        "to",
        "grain",
        "by",
        "store",
        "kpi",
        "format",
        "as_of",
        "compare",
    }
    assert parameters["from"]["schema"]["examples"] == ["2026-11-01"]
    assert {"200", "401", "404", "422", "503"} <= set(kpis["responses"])
    assert document["components"]["schemas"]["Problem"]["properties"]["remedy"]["examples"]
