"""Compressed bodies and forms, token rates and metrics: the application in this process."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import orjson
import pyarrow.parquet as pq
import pytest
import zstandard
from fastapi import Request
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.types import Message

from gateways.formats.encoding import MAX_PIECES, decoded
from gateways.intake.archive import read_archive
from gateways.intake.parcels import Intake
from gateways.intake.rates import Rates
from gateways.intake.shares import Shares
from gateways.web.app import create_app
from gateways.web.body import DISCARD_FACTOR, read_body
from tenpo.errors import PayloadError, PayloadTooLarge, RateLimited, UnsupportedEncoding
from tenpo.keys import TenantKeys
from tenpo.lake import Lake
from tenpo.settings import Settings
from tests.gateways.conftest import GINZA, SEND, new_gateway
from tests.gateways.counters import hikvision
from tests.gateways.payloads import POSB, ROOT, TENANT

MIB = 1024**2
COMPRESS = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}


@pytest.fixture(scope="module")
def settings_here(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = new_gateway(tmp_path_factory.mktemp("bodies")).home
    return Settings(
        home=home, secret_key=SecretStr(ROOT.hex()), metrics_token=SecretStr("operator"),
        max_body_bytes=MIB, max_bodies_bytes=2 * MIB, store_rate_per_s=0.001, rate_burst=3,
    )  # fmt: skip


@pytest.fixture(scope="module")
def intake(settings_here: Settings) -> Intake:
    return Intake(settings_here)


@pytest.fixture(scope="module")
def client(settings_here: Settings, intake: Intake) -> Iterator[TestClient]:
    with TestClient(create_app(settings_here, intake, with_mqtt=False)) as opened:
        yield opened


def post(client: TestClient, body: bytes, token: str = SEND, **headers: str) -> httpx.Response:
    told = {"authorization": f"Bearer {token}", "x-tenpo-tenant": TENANT} | headers
    answer: httpx.Response = client.post("/v1/pos/posb", content=body, headers=told)
    return answer


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "GZIP", "identity"])
def test_a_compressed_payload_is_taken(client: TestClient, encoding: str) -> None:
    body = COMPRESS.get(encoding.lower(), bytes)(POSB)
    answer = post(client, body, **{"content-encoding": encoding})
    assert (answer.status_code, answer.json()["accepted"]) == (200, 4)


@pytest.mark.parametrize(
    ("encoding", "body", "status", "what"),
    [
        ("br", POSB, 415, "gzip or zstd"),
        ("gzip, gzip", gzip.compress(gzip.compress(POSB)), 415, "gzip or zstd"),
        ("gzip", POSB, 400, "no whole gzip"),
        ("zstd", POSB, 400, "no whole zstd"),
        ("gzip", gzip.compress(POSB)[:-9], 400, "no whole gzip"),
        ("zstd", COMPRESS["zstd"](POSB)[:-9], 400, "no whole zstd"),
        ("gzip", gzip.compress(bytes(2 * MIB)), 413, "TENPO_MAX_BODY_BYTES"),
        ("zstd", COMPRESS["zstd"](bytes(2 * MIB)), 413, "TENPO_MAX_BODY_BYTES"),
        ("identity", gzip.compress(POSB), 400, "Content-Encoding: gzip"),
        ("identity", COMPRESS["zstd"](POSB), 400, "Content-Encoding: zstd"),
    ],
)
def test_what_is_not_what_its_header_says_is_refused(
    client: TestClient, encoding: str, body: bytes, status: int, what: str
) -> None:
    answer = post(client, body, **{"content-encoding": encoding})
    assert answer.status_code == status
    assert what in answer.text


@pytest.mark.parametrize(
    ("kind", "headers", "body"),
    [
        ("application/gzip", {"content-encoding": "gzip"}, gzip.compress(POSB)[:-9]),
        ("application/zstd", {"content-encoding": "ZSTD"}, COMPRESS["zstd"](POSB)[:-9]),
        ("application/gzip", {"x-long-way": "1"}, gzip.compress(POSB)),
        ("application/zstd", {}, COMPRESS["zstd"](POSB)),
        ("multipart/form-data", {"content-type": "multipart/form-data; boundary=x"},
         b"--x\r\n" + POSB * 200),
    ],
    ids=["cut gzip", "cut zstd", "gzip not told", "zstd not told", "form without an end"],
)  # fmt: skip
def test_what_cannot_be_opened_is_kept_with_a_rejection(
    client: TestClient, settings_here: Settings, kind: str, headers: dict[str, str], body: bytes
) -> None:
    lake, keys = Lake(settings_here.lake_url), TenantKeys(ROOT, TENANT)
    folders = f"raw/{TENANT}/pos", f"canonical/{TENANT}/rejection"
    before = [set(lake.names(folder)) for folder in folders]
    assert post(client, body, **headers).status_code == 400
    (raw,), (rejection,) = (
        set(lake.names(folder)) - old for folder, old in zip(folders, before, strict=True)
    )
    (delivery,) = read_archive(lake, keys, raw)
    assert (delivery.body, delivery.content_type, delivery.source) == (body, kind, "posb")
    (row,) = pq.ParquetFile(lake.path(rejection)).read().to_pylist()
    assert (row["reason_code"], row["source_object"]) == ("unreadable_payload", raw)


def test_a_sender_far_above_the_limit_is_hung_up_on() -> None:
    pieces = 0

    async def receive() -> Message:
        nonlocal pieces
        pieces += 1
        return {"type": "http.request", "body": bytes(100), "more_body": True}

    request, stock = Request({"type": "http", "headers": []}, receive), Shares(4_000, "full")
    with stock.hold(TENANT) as held, pytest.raises(PayloadTooLarge):
        asyncio.run(read_body(request, 1_000, held))
    assert pieces == DISCARD_FACTOR * 1_000 / 100 + 1
    assert stock.total == 0


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_takes_no_more_memory_than_an_honest_payload(encoding: str) -> None:
    bomb = COMPRESS[encoding](bytes(128 * MIB))
    assert len(bomb) < MIB
    tracemalloc.start()
    with pytest.raises(PayloadTooLarge):
        decoded(bomb, encoding, MIB)
    assert tracemalloc.get_traced_memory()[1] < 40 * MIB
    tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_so_many_empty_pieces_are_refused_as_would_keep_a_core_busy(encoding: str) -> None:
    empty = COMPRESS[encoding](b"")
    most = empty * (MAX_PIECES - 1) + COMPRESS[encoding](POSB)
    assert decoded(most, encoding, MIB) == POSB
    with pytest.raises(PayloadError, match="pieces"):
        decoded(empty + most, encoding, MIB)


@settings(max_examples=30, deadline=None)
@given(parts=st.lists(st.binary(min_size=1, max_size=3_000), min_size=1, max_size=3))
def test_frames_one_after_the_other_are_one_payload(parts: list[bytes]) -> None:
    for encoding, compress in COMPRESS.items():
        body = b"".join(compress(part) for part in parts)
        assert decoded(body, encoding, 9_000) == b"".join(parts)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["gzip", "zstd"]))
def test_any_bytes_are_a_payload_or_refused(body: bytes, encoding: str) -> None:
    for candidate in (body, COMPRESS[encoding](body)[:-1] + body[:1]):
        with suppress(PayloadError, PayloadTooLarge, UnsupportedEncoding):
            assert len(decoded(candidate, encoding, 1_000)) <= 1_000


def test_each_file_of_a_form_is_answered_by_itself(client: TestClient) -> None:
    told = {"authorization": f"Bearer {SEND}", "x-tenpo-tenant": TENANT}
    both = [("a", ("one.json", POSB)), ("b", ("two.json", POSB[:50])), ("c", ("3.json", POSB))]
    answer = client.post("/v1/pos/posb", files=both, headers=told)
    assert answer.status_code == 207
    files = answer.json()["files"]
    assert [(one["file"], one["status"]) for one in files] == [
        ("one.json", 200), ("two.json", 400), ("3.json", 200),
    ]  # fmt: skip
    assert files[0]["accepted"] == files[2]["accepted"] == 4
    assert files[1]["remedy"]
    good = client.post("/v1/pos/posb", files=both[:1], headers=told)
    assert good.status_code == 200
    empty = client.post("/v1/pos/posb", data={"x": "y"}, files={}, headers=told | {
        "content-type": "multipart/form-data; boundary=x"})  # fmt: skip
    assert empty.status_code == 400


def form_of(*parts: tuple[str, bytes], end: bytes = b"--") -> bytes:
    """A form, its boundary `x`; each part's head is its disposition."""
    head = "--x\r\nContent-Disposition: form-data; {}\r\n\r\n"
    return b"".join(head.format(d).encode() + body + b"\r\n" for d, body in parts) + b"--x" + end


FILE = ('name="f"; filename="\\ud800"', POSB)


@pytest.mark.parametrize("codec", ["unicode_escape", "undefined", "punycode", "utf-8"])
def test_the_codec_that_a_form_names_is_not_used(client: TestClient, codec: str) -> None:
    kind = f"multipart/form-data; boundary=x; charset={codec}"
    answer = post(client, form_of(FILE), **{"content-type": kind})
    assert (answer.status_code, answer.json()["files"][0]["file"]) == (200, "\\ud800")


def test_a_form_that_is_cut_off_is_refused_whole_and_fields_are_counted(
    client: TestClient,
) -> None:
    kind = {"content-type": 'multipart/form-data; boundary="x"'}
    body = form_of(FILE, ('name="note"', b"hello"), FILE)
    answer = post(client, body, **kind).json()
    assert [one["accepted"] for one in answer["files"]] == [4, 4]
    assert answer["ignored_fields"] == 1
    for cut in (body[:-2], body[:-5], body[: -len(POSB) // 2], body + form_of(FILE, end=b"")):
        refused = post(client, cut, **kind)
        assert (refused.status_code, "no end" in refused.json()["error"]) == (400, True)


def test_a_cameras_notification_without_a_file_name_is_taken_and_archived(
    client: TestClient, settings_here: Settings
) -> None:
    """As Hikvision posts it: the notification is a part of its own type, beside its picture."""
    alert, picture = hikvision(), b"\xff\xd8\xff--x"
    typed = 'name="PeopleCounting"\r\nContent-Type: application/xml; charset="UTF-8"'
    image = 'name="picture"; filename="1.jpg"\r\nContent-Type: image/jpeg'
    kind = {"content-type": "multipart/form-data; boundary=x"}
    told = {"authorization": f"Bearer {SEND}", "x-tenpo-tenant": TENANT} | kind
    body = form_of((typed, alert), (image, picture))
    answer = client.post("/v1/iot/hikvision", content=body, headers=told)
    assert (answer.status_code, answer.json()["ignored_fields"]) == (200, 1)
    (one,) = answer.json()["files"]
    assert (one["accepted"], one["rejected"]) == (1, 0)
    lake, keys = Lake(settings_here.lake_url), TenantKeys(ROOT, TENANT)
    names = lake.names(f"raw/{TENANT}/iot")
    assert [one.body for name in names for one in read_archive(lake, keys, name)] == [alert]
    alone = client.post("/v1/iot/hikvision", content=form_of((image, picture)), headers=told)
    assert (alone.status_code, "no file" in alone.json()["error"]) == (400, True)


@pytest.mark.parametrize("kind", ["application/xml", "application/x-ndjson", "text/csv"])
def test_content_types_of_payloads_pass_through(client: TestClient, kind: str) -> None:
    assert post(client, POSB, **{"content-type": kind}).json()["accepted"] == 4


def test_a_store_s_token_that_sends_too_fast_is_told_when_to_come_again(
    client: TestClient,
) -> None:
    answers = [post(client, POSB, GINZA) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) >= 990
    assert answers[-1].json()["remedy"]
    assert post(client, POSB).status_code == 200  # the tenant's own token has its own bucket


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_bodies_have_one_room_together_and_none_of_it_is_lost(
    client: TestClient, intake: Intake, encoding: str
) -> None:
    bodies = intake.held_bodies
    large = COMPRESS.get(encoding, bytes)(POSB + b" " * (MIB // 2))
    with bodies.hold("another") as held:
        held.add(MIB)
        full = post(client, large, **{"content-encoding": encoding})
        assert (full.status_code, full.headers["retry-after"]) == (503, "2")
        assert "bodies" in full.json()["error"]
        assert post(client, POSB).status_code == 200
        assert bodies.total == MIB
    assert post(client, large, **{"content-encoding": encoding}).status_code == 200
    assert bodies.total == 0


def test_a_spec_is_no_larger_than_a_spec_can_be(client: TestClient) -> None:
    told = {"authorization": f"Bearer {SEND}", "x-tenpo-tenant": TENANT}
    answer = client.put("/v1/specs/huge", content=b"#" * (257 * 1024), headers=told)
    assert (answer.status_code, answer.json()["where"]) == (413, "body")


def test_buckets_are_bounded_and_the_oldest_is_forgotten() -> None:
    rates = Rates(1, now=lambda: 100.0, most=2)
    for key in ("a", "b", "c"):
        rates.take(key, 1.0)
    rates.take("a", 1.0)  # forgotten, so full again
    with pytest.raises(RateLimited):
        rates.check("c", 1.0)


def test_a_bucket_lets_its_burst_through_and_then_its_rate() -> None:
    now = [100.0]
    rates = Rates(5, now=lambda: now[0])
    for _ in range(5):
        rates.take("a", 2.0)
    with pytest.raises(RateLimited) as told:
        rates.take("a", 2.0)
    assert told.value.retry_after_s == pytest.approx(0.5)
    rates.take("b", 2.0)
    rates.take("a", 0)
    now[0] += 0.5
    rates.take("a", 2.0)
    with pytest.raises(RateLimited):
        rates.take("a", 2.0)
    now[0] += 1_000
    for _ in range(5):
        rates.take("a", 2.0)
    with pytest.raises(RateLimited):
        rates.take("a", 2.0)


def test_metrics_are_the_operators_and_add_up(client: TestClient, tmp_path: Path) -> None:
    def read() -> dict[tuple[str, str], float]:
        """Values by name and label, those of both kinds of payloads together."""
        text = client.get("/metrics", headers={"authorization": "Bearer operator"}).text
        found: dict[tuple[str, str], float] = defaultdict(float)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                told = sample.labels
                label = told.get("reason") or told.get("tenant") or told.get("kind", "")
                if "le" not in told:
                    found[sample.name, label] += sample.value
        return found

    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"authorization": f"Bearer {SEND}"}).status_code == 401
    before = read()
    bad = orjson.loads(POSB)
    bad["sales" if "sales" in bad else next(iter(bad))][0]["shop"] = "atlantis"
    answer = post(client, orjson.dumps(bad)).json()
    assert answer["rejected"] > 0
    after = read()

    def grown(name: str, label: str) -> float:
        return after[name, label] - before.get((name, label), 0)

    for name in ("received", "accepted", "ignored"):
        assert grown(f"tenpo_records_{name}_total", TENANT) == answer[name]
    assert grown("tenpo_records_rejected_total", "unknown_store") == answer["rejected"]
    assert grown("tenpo_commit_seconds_count", "pos") == 1
    assert grown("tenpo_commit_seconds_count", "iot") == 0
    assert after["tenpo_jobs_open", ""] == 0
    assert after["tenpo_mqtt_connected", ""] == 0


def test_a_gateway_that_commits_nothing_any_more_is_not_well(
    client: TestClient, settings_here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/health").json()["status"] == "ok"
    broken = Intake(settings_here)

    async def ends() -> None:
        raise RuntimeError("of ours")

    monkeypatch.setattr(broken, "run", ends)
    with TestClient(create_app(settings_here, broken, with_mqtt=False)) as opened:
        assert opened.get("/health").status_code == 503
