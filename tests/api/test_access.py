"""Who sees what: tokens, tenants, sessions."""

from __future__ import annotations

import time

import pytest
from fastapi.testclient import TestClient
from starlette.routing import Route

from api.app import create_app
from api.session import COOKIE, LIFETIME_S, Sessions
from tenpo.lake import Lake
from tenpo.masters import MasterBook, Token, token_digest
from tenpo.settings import Settings
from tests.api.conftest import bearer
from tests.api.seed import STORES, token_of

RANGE = "from=2026-10-25&to=2026-10-25"
#: Every address that gives figures or facts, as a tenant would ask it.
PRIVATE = {
    "/v1/kpis": [
        f"/v1/kpis?{RANGE}&grain={grain}&by={by}&format={form}"
        for grain in ("hour", "day", "week", "total")
        for by in ("all", "store")
        for form in ("json", "csv")
    ],
    "/v1/zones": [f"/v1/zones?{RANGE}&grain=total"],
    "/v1/benchmarks": [f"/v1/benchmarks?{RANGE}"],
    "/v1/busy-hours": [f"/v1/busy-hours?{RANGE}&grain=total&by=store"],
    "/v1/explain": [f"/v1/explain?{RANGE}&kpi=conversion_ratio"],
    "/v1/stores": ["/v1/stores"],
    "/v1/freshness": ["/v1/freshness"],
    "/v1/receipts": ["/v1/receipts", "/v1/receipts?state=done"],
    "/v1/clusters": ["/v1/clusters"],
    "/v1/targets": ["/v1/targets"],
    "/v1/forecasts": ["/v1/forecasts", "/v1/forecasts?by=store&measure=sales"],
    "/v1/nowcast": ["/v1/nowcast"],
    "/v1/definitions": ["/v1/definitions"],
    "/v1/holidays": [f"/v1/holidays?{RANGE}"],
}
#: Addresses of one store, whose tests are their own.
OF_ONE_STORE = {"/v1/sources"}
OPEN = {"/healthz", "/readyz", "/openapi.json", "/login", "/logout", "/"}


def test_every_address_is_known_to_this_test(client: TestClient) -> None:
    paths = set(client.get("/openapi.json").json()["paths"])
    assert set(PRIVATE) <= paths
    assert paths <= set(PRIVATE) | OF_ONE_STORE | OPEN
    app = client.app
    routed = {route.path for route in app.routes if isinstance(route, Route)}  # type: ignore[attr-defined]
    assert {path for path in routed if not path.startswith("/assets/")} <= (
        set(PRIVATE) | OF_ONE_STORE | OPEN
    )


@pytest.mark.parametrize("path", [path for paths in PRIVATE.values() for path in paths])
@pytest.mark.parametrize(
    "token", [None, "", "wrong", "send-hinode", "old-hinode", token_of("hinode")[:-1]]
)
def test_nothing_without_a_read_token(client: TestClient, path: str, token: str | None) -> None:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer = client.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["error"] == "AuthError"


@pytest.mark.parametrize("path", [path for paths in PRIVATE.values() for path in paths])
def test_no_answer_names_another_tenants_stores(client: TestClient, path: str) -> None:
    for tenant_id in STORES:
        answer = client.get(path, headers=bearer(tenant_id))
        assert answer.status_code == 200
        for other, stores in STORES.items():
            if other != tenant_id:
                assert not [s for s in stores if f'"{s.store_id}"' in answer.text]


@pytest.mark.parametrize("store_id", ["ginza", "shinjuku", "umeda"])
def test_another_tenants_store_does_not_exist(client: TestClient, store_id: str) -> None:
    def ask(store: str) -> tuple[int, str]:
        answer = client.get(f"/v1/kpis?{RANGE}&store={store}", headers=bearer("globe"))
        return answer.status_code, answer.json()["what"].replace(store, "STORE")

    assert ask(store_id) == ask("nowhere") == (404, "there is no store 'STORE'")


def test_each_tenant_sees_its_own_sums(client: TestClient) -> None:
    sums = {}
    for tenant_id in ("hinode", "globe"):
        answer = client.get(f"/v1/kpis?{RANGE}&grain=total", headers=bearer(tenant_id))
        sums[tenant_id] = {r["currency"]: r["values"]["footfall"] for r in answer.json()["rows"]}
    assert sums["globe"] == {"EUR": 50, "GBP": 100, "JPY": 480}
    assert set(sums["hinode"]) == {"JPY"}
    assert sums["hinode"]["JPY"] != 480


def test_a_stores_token_sees_that_store_alone(client: TestClient) -> None:
    one = {"Authorization": "Bearer one-globe"}
    stores = client.get("/v1/stores", headers=one).json()["stores"]
    assert [store["store_id"] for store in stores] == ["london"]
    rows = client.get(f"/v1/kpis?{RANGE}&grain=total", headers=one).json()["rows"]
    assert [(row["currency"], row["store_count"]) for row in rows] == [("GBP", 1)]
    assert client.get(f"/v1/kpis?{RANGE}&store=paris", headers=one).status_code == 404


def test_revoking_a_token_ends_its_sessions(settings: Settings) -> None:
    book = MasterBook(Lake(settings.lake_url))
    fleeting = Token(name="fleeting", sha256=token_digest("fleeting"), scope="read")
    book.put("fresh", "token", [fleeting], origin="test")
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        assert client.get("/login?token=fleeting", follow_redirects=False).status_code == 303
        assert client.get("/v1/stores").status_code == 200
        book.put("fresh", "token", [], origin="test")
        deadline = time.monotonic() + 30  # masters are served from memory for two seconds
        while client.get("/v1/stores").status_code != 401:
            assert time.monotonic() < deadline, "the revoked token still opens"
            time.sleep(0.1)


def test_signing_in_sets_a_guarded_cookie(settings: Settings) -> None:
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        answer = client.get(f"/login?token={token_of('hinode')}", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert token_of("hinode") not in cookie
        assert client.get("/v1/stores").json()["tenant_id"] == "hinode"
        assert "Hinode Stores" in client.get("/").text
        client.post("/logout")
        assert client.get("/v1/stores").status_code == 401
        assert client.get("/", follow_redirects=False).headers["location"] == "/login"


def test_a_token_beats_a_session(settings: Settings) -> None:
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        client.get(f"/login?token={token_of('hinode')}")
        seen = client.get("/v1/stores", headers=bearer("globe")).json()["tenant_id"]
        assert seen == "globe"
        assert client.get("/v1/stores", headers={"Authorization": "Bearer no"}).status_code == 401


def test_a_wrong_token_stays_on_the_sign_in_page(client: TestClient) -> None:
    answer = client.post("/login", data={"token": "wrong"})
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert "set-cookie" not in answer.headers


def test_arriving_from_another_site_signs_in_by_a_page_of_our_own(client: TestClient) -> None:
    there = {"Sec-Fetch-Site": "cross-site"}
    answer = client.get(f"/login?token={token_of('hinode')}", headers=there, follow_redirects=False)
    assert answer.status_code == 200
    assert 'http-equiv="refresh"' in answer.text
    client.cookies.clear()


def test_forged_damaged_and_expired_cookies_open_nothing(client: TestClient) -> None:
    sessions, stranger = Sessions(b"r" * 32), Sessions(b"s" * 32)
    cookie = sessions.issue("d" * 64, now=1_000)
    assert sessions.digest(cookie, now=1_001) == "d" * 64
    assert sessions.digest(cookie, now=1_001 + LIFETIME_S) is None
    assert stranger.digest(cookie, now=1_001) is None
    assert sessions.digest(cookie.replace("d", "e", 1), now=1_001) is None
    for damaged in ("", ".", "..", "ü.ü.ü", cookie[:-2], "x" * 5_000):
        assert sessions.digest(damaged, now=1_001) is None
    for forged in (cookie, "x.y.z"):
        answer = client.get("/v1/stores", headers={"Cookie": f"{COOKIE}={forged}"})
        assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/login", "/v1/stores", "/healthz", "/nowhere"])
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
