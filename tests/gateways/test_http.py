"""The gateway over HTTP, as a real process: what it takes, what it refuses, what it says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import orjson
import pytest

from gateways.intake.archive import read_archive
from tenpo.keys import TenantKeys
from tests.gateways.conftest import GINZA, READ, REVOKED, SEND, Gateway
from tests.gateways.counters import hikvision, terabee
from tests.gateways.payloads import (
    LORAWAN,
    MILESIGHT,
    PERSONAL,
    POSA,
    POSA_LINES,
    POSB,
    ROOT,
    SALES_CSV,
    SALES_SPEC,
    TENANT,
    posa,
)

pytestmark = pytest.mark.stack


def test_health_and_vendors(gateway: Gateway) -> None:
    health = httpx.get(f"{gateway.url}/healthz", trust_env=False).json()
    assert (health["status"], health["mqtt"]) == ("ok", "disconnected")
    listed = httpx.get(f"{gateway.url}/v1/vendors", trust_env=False).json()
    assert {one["vendor"] for one in listed} >= {"posa", "posb", "milesight"}


@pytest.mark.parametrize(
    ("path", "body", "records"),
    [
        ("/v1/pos/posa", POSA, 4), ("/v1/pos/posb", POSB, 4), ("/v1/iot/milesight", MILESIGHT, 2),
        ("/v1/iot/lorawan", LORAWAN, 2), ("/v1/iot/hikvision", hikvision(), 1),
    ],
)  # fmt: skip
def test_what_is_acknowledged_is_in_the_lake(
    gateway: Gateway, path: str, body: bytes, records: int
) -> None:
    answer = gateway.post(path, body).raise_for_status().json()
    assert (answer["received"], answer["accepted"], answer["rejected"]) == (records, records, 0)
    name, _, position = answer["receipt"].partition("#")
    deliveries = read_archive(gateway.lake, TenantKeys(ROOT, TENANT), name)
    assert deliveries[int(position) - 1].body == body
    event = "count_interval" if "iot" in path else "sale_line"
    rows = gateway.events(event).to_pylist()
    mine = [r for r in rows if r["source_object"] == name]
    assert [r["source_position"].partition("/")[0] for r in mine] == [position] * records


def test_many_requests_at_once_share_their_objects(gateway: Gateway) -> None:
    before = len(gateway.lake.names(f"raw/{TENANT}/pos"))
    bodies = [POSB.replace(b"B-20261101-", b"C-%08d-" % n) for n in range(40)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda body: gateway.post("/v1/pos/posb", body).json(), bodies))
    assert [answer["accepted"] for answer in answers] == [4] * 40
    assert len({answer["receipt"] for answer in answers}) == 40
    assert len(gateway.lake.names(f"raw/{TENANT}/pos")) - before < 40


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": ""}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": f"Bearer {REVOKED}"}, 401),
        ({"authorization": f"Bearer {READ}"}, 403),
        ({"x-tenpo-tenant": "other"}, 401),
        ({"x-tenpo-tenant": "nobody"}, 401),
        ({"x-tenpo-tenant": "../acme"}, 401),
        ({"x-tenpo-store": "atlantis"}, 404),
        ({"authorization": f"Bearer {GINZA}", "x-tenpo-store": "shibuya"}, 403),
    ],
)
def test_who_may_not_send(gateway: Gateway, headers: dict[str, str], status: int) -> None:
    told = {"authorization": f"Bearer {SEND}", "x-tenpo-tenant": TENANT} | headers
    response = httpx.post(f"{gateway.url}/v1/pos/posb", content=POSB, headers=told, trust_env=False)
    assert response.status_code == status
    assert set(response.json()) == {"error", "where", "remedy"}
    assert response.json()["remedy"]


def test_a_store_token_sends_its_own_store_only(gateway: Gateway) -> None:
    answer = gateway.post("/v1/pos/posa", POSA, GINZA).json()
    assert (answer["accepted"], answer["rejected"]) == (2, 2)
    assert {r["reason_code"] for r in answer["rejections"]} == {"store_not_allowed"}


@pytest.mark.parametrize(
    ("path", "body", "status", "what"),
    [
        ("/v1/pos/posa", POSA.decode("cp932").encode(), 400, "cp932"),
        ("/v1/pos/posa", POSA.replace("取引区分".encode("cp932"), b"x"), 400, "取引区分"),
        ("/v1/pos/posb", POSB[:200], 400, "no JSON"),
        ("/v1/pos/posb", b"", 400, "empty"),
        ("/v1/pos/nobody", POSB, 404, "vendor"),
        ("/v1/iot/posb", POSB, 404, "vendor"),
        ("/v1/pos/spec/nothing", SALES_CSV, 404, "spec"),
        ("/v1/pos/spec/..%2Fx", SALES_CSV, 404, ""),
    ],
)
def test_bad_payloads_are_refused_clearly(
    gateway: Gateway, path: str, body: bytes, status: int, what: str
) -> None:
    response = gateway.post(path, body)
    assert response.status_code == status
    assert what in response.text
    if status == 400:
        assert response.json()["where"]
        assert response.json()["remedy"]


def test_a_refused_payload_is_kept_with_its_reason(gateway: Gateway) -> None:
    body = b'{"number": "only-once-' + b"x" * 10
    assert gateway.post("/v1/pos/posb", body).status_code == 400
    refused = [r for r in gateway.events("rejection").to_pylist() if "no JSON" in r["message"]]
    kept = [
        delivery.body
        for name in {r["source_object"] for r in refused}
        for delivery in read_archive(gateway.lake, TenantKeys(ROOT, TENANT), name)
    ]
    assert body in kept


def test_the_good_records_of_a_bad_file_land(gateway: Gateway) -> None:
    line = POSA_LINES[2].replace(",0001,1,2,", ",0042,1,2,")
    body = posa(
        line,
        line.replace("0001", "9999", 1),
        line.replace(",1100,1100,", ",-1100,1100,"),
        line.replace("2026/11/01", "2036/11/01"),
    )
    answer = gateway.post("/v1/pos/posa", body).json()
    assert (answer["received"], answer["accepted"], answer["rejected"]) == (4, 1, 3)
    assert [r["reason_code"] for r in answer["rejections"]] == [
        "unknown_store", "negative_price", "future_date",
    ]  # fmt: skip
    assert all(r["field"] and r["message"] for r in answer["rejections"])


def test_a_body_of_200_mb_is_refused_without_being_kept(gateway: Gateway) -> None:
    import psutil

    assert gateway.process is not None
    process = psutil.Process(gateway.process.pid)
    before, kept = process.memory_info().rss, gateway.lake.names(f"raw/{TENANT}")
    chunk = b" " * 1024**2
    told = {"authorization": f"Bearer {SEND}", "x-tenpo-tenant": TENANT}
    with httpx.Client(trust_env=False, timeout=60) as client:
        response = client.post(
            f"{gateway.url}/v1/pos/posb", content=(chunk for _ in range(200)), headers=told
        )
    assert response.status_code == 413
    assert f"above {128 * 1024**2:,} bytes" in response.json()["error"]
    assert "TENPO_MAX_BODY_BYTES" in response.json()["remedy"]
    assert gateway.lake.names(f"raw/{TENANT}") == kept
    assert process.memory_info().rss - before < 100 * 1024**2


def test_a_spec_is_put_once_and_used(gateway: Gateway) -> None:
    def put(body: bytes, name: str = "till", token: str = SEND) -> httpx.Response:
        told = {"authorization": f"Bearer {token}", "x-tenpo-tenant": TENANT}
        url = f"{gateway.url}/v1/specs/{name}"
        return httpx.put(url, content=body, headers=told, trust_env=False)

    first, again = put(SALES_SPEC).json()["object"], put(SALES_SPEC).json()["object"]
    assert first == again
    assert put(SALES_SPEC + b"# changed\n").json()["object"] > first
    answer = gateway.post("/v1/pos/spec/till", SALES_CSV).json()
    assert answer["accepted"] == 3
    wrong = put(SALES_SPEC.replace(b"Pieces", b"Pieces, 3: "))
    assert (wrong.status_code, "line" in wrong.text) == (400, True)
    assert put(SALES_SPEC, "other-name").status_code == 400
    assert put(SALES_SPEC, token=GINZA).status_code == 403
    assert gateway.post("/v1/iot/spec/till", SALES_CSV).status_code == 404


def test_vendor_a_s_store_file_makes_its_codes_known(gateway: Gateway) -> None:
    line = POSA_LINES[3].replace("0001", "0777", 1)
    assert gateway.post("/v1/pos/posa", posa(line)).json()["rejected"] == 1
    header = "店舗コード,店舗名,店舗ID,適用開始日,適用終了日\r\n"
    stores = (header + "0777,銀座,ginza,2026/01/01,\r\n0778,幽霊,ghost,,\r\n").encode("cp932")
    answer = gateway.post("/v1/pos/posa/stores", stores).json()
    assert (answer["accepted"], answer["rejected"]) == (1, 1)
    assert gateway.post("/v1/pos/posa", posa(line)).json()["accepted"] == 1
    # A mistyped row does not make a known code unknown.
    spoilt = (header + "0777,銀座,ghost,2026/01/01,\r\n0779,銀座,ginza,,\r\n").encode("cp932")
    assert gateway.post("/v1/pos/posa/stores", spoilt).json()["accepted"] == 1
    assert gateway.post("/v1/pos/posa", posa(line)).json()["accepted"] == 1


def test_nothing_personal_lies_in_the_lake_or_the_log(gateway: Gateway) -> None:
    totals = orjson.dumps(terabee())
    for path, body in (
        ("/v1/pos/posa", POSA), ("/v1/pos/posb", POSB), ("/v1/iot/terabee", totals),
    ):  # fmt: skip
        gateway.post(path, body).raise_for_status()
        gateway.post(path, body[:-40])
    names = gateway.lake.names("")
    assert names
    canonical = [name for name in names if name.startswith("canonical/")]
    tables = [
        gateway.events(event).to_pylist() for event in ("sale_line", "count_reading", "rejection")
    ]
    assert canonical
    assert all(tables)
    shown = orjson.dumps(tables, default=str) + gateway.log.read_bytes()
    raw = b"".join(gateway.lake.get(name) for name in names)
    for value in PERSONAL:
        for encoding in ("utf-8", "cp932"):
            assert value.encode(encoding) not in shown + raw
