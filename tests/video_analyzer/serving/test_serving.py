"""The service in process: stills at once, clips as jobs, and what is refused."""

from __future__ import annotations

import asyncio
import io
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as checks
from hypothesis import strategies as st
from PIL import Image
from starlette.types import Message, Receive, Scope, Send

from tenpo.errors import PayloadError, RateLimited, ServiceError
from tenpo.masters import Store
from tenpo.settings import Settings
from tenpo.tenants import create_tenant, issue_token
from tests.video_analyzer.clips import DarkDetector, Straight, camera, picture, render
from video_analyzer.detect import Detections
from video_analyzer.detect.detection import Picture
from video_analyzer.serving import pool as pools
from video_analyzer.serving.admission import Admission
from video_analyzer.serving.app import create_app
from video_analyzer.serving.jobs import MAX_OF_TENANT, Jobs
from video_analyzer.serving.pool import Pool
from video_analyzer.serving.still import look

START = "2026-11-02T01:00:00+00:00"
WALKS = [Straight(0.4, 2.4, (40, 120), (280, 120))]
Headers = dict[str, str]


def jpeg(drawn: Picture) -> bytes:
    done, data = cv2.imencode(".jpg", drawn)
    assert done
    return bytes(data)


STILL = jpeg(
    picture([Straight(0, 2, (100, 120), (200, 120)), Straight(0, 2, (20, 60), (60, 60))], 1)
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = Settings(home=tmp_path_factory.mktemp("serving"))
    for tenant in ("acme", "other"):
        stores = [Store(store_id=name, name=name, timezone="Asia/Tokyo", currency="JPY")
                  for name in ("tokyo-1", "osaka-1")]  # fmt: skip
        create_tenant(made, tenant, tenant, stores=stores)
    return made


@pytest.fixture(scope="module")
def headers(settings: Settings) -> dict[str, Headers]:
    def of(tenant: str, store: str | None) -> Headers:
        token = issue_token(settings, tenant, "features", store)
        return {"X-Tenpo-Tenant": tenant, "Authorization": f"Bearer {token}"}

    return {"door": of("acme", "tokyo-1"), "osaka": of("acme", "osaka-1"),
            "person": of("acme", None), "other": of("other", None)}  # fmt: skip


@pytest.fixture(scope="module")
def http(settings: Settings, headers: dict[str, Headers]) -> Iterator[TestClient]:
    del headers  # tokens first: masters are remembered for a while
    app = create_app(settings, make=lambda _name: DarkDetector(), threads=1, refusal_s=0)
    with TestClient(app, base_url="http://127.0.0.1") as made:
        yield made


def announced(**changes: object) -> dict[str, Any]:
    told = camera(**changes).model_dump(mode="json", by_alias=True)
    return {"camera": told, "start": START}


def test_a_still_is_answered_with_the_people_in_it(
    http: TestClient, headers: dict[str, Headers]
) -> None:
    answer = http.post("/v1/still", content=STILL, headers=headers["door"])
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["detector"], told["width"], told["height"]) == ("dark-1", 320, 240)
    boxes = sorted(one["box"] for one in told["people"])
    expected = [
        (28 / 320, 28 / 240, 52 / 320, 92 / 240),
        (138 / 320, 88 / 240, 162 / 320, 152 / 240),
    ]
    assert np.allclose(boxes, expected, atol=0.02)


def test_a_clip_becomes_events_by_way_of_a_job(
    http: TestClient, headers: dict[str, Headers], tmp_path: Path
) -> None:
    clip = render(tmp_path / "walk.mp4", WALKS, 3).read_bytes()
    made = http.post("/v1/jobs", json=announced(), headers=headers["door"])
    assert (made.status_code, made.json()["state"]) == (202, "waiting")
    place = f"/v1/jobs/{made.json()['job']}"
    sent = http.put(f"{place}/clip", content=clip, headers=headers["door"])
    assert sent.status_code == 202
    again = http.put(f"{place}/clip", content=clip, headers=headers["door"])
    assert again.status_code == 422
    told = finished(http, place, headers["door"])
    assert told["state"] == "done"
    kinds = [(one["kind"], one["camera_id"]) for one in told["events"]]
    assert kinds == [("zone_enter", "door-1"), ("enter", "door-1"), ("zone_exit", "door-1")]
    assert all(one["occurred_at"] >= "2026-11-02T01:00:00" for one in told["events"])
    for who, status in (("osaka", 403), ("other", 404)):
        assert http.get(place, headers=headers[who]).status_code == status
    assert http.delete(place, headers=headers["person"]).status_code == 204
    assert http.get(place, headers=headers["door"]).status_code == 404


def test_a_broken_clip_fails_with_a_reason(http: TestClient, headers: dict[str, Headers]) -> None:
    made = http.post("/v1/jobs", json=announced(), headers=headers["door"])
    place = f"/v1/jobs/{made.json()['job']}"
    http.put(f"{place}/clip", content=b"no video", headers=headers["door"])
    told = finished(http, place, headers["door"])
    assert told["state"] == "failed"
    assert "cannot be opened" in told["reason"]
    http.delete(place, headers=headers["door"])


def finished(http: TestClient, place: str, headers: Headers) -> dict[str, Any]:
    for _ in range(400):
        told: dict[str, Any] = http.get(place, headers=headers).json()
        if told["state"] in ("done", "failed"):
            return told
        time.sleep(0.05)
    raise AssertionError("the job does not end")


@pytest.mark.parametrize(
    ("who", "changes", "status"),
    [("door", {"store_id": "osaka-1"}, 403), ("other", {}, 403), ("door", {"faces": True}, 422)],
)
def test_cameras_of_others_and_faces_are_refused(
    http: TestClient, headers: dict[str, Headers], who: str, changes: dict[str, object], status: int
) -> None:
    answer = http.post("/v1/jobs", json=announced(**changes), headers=headers[who])
    assert answer.status_code == status, answer.text


def test_nobody_is_let_in_without_a_token(http: TestClient) -> None:
    for headers in ({}, {"X-Tenpo-Tenant": "acme", "Authorization": "Bearer none"}):
        assert http.post("/v1/still", content=STILL, headers=headers).status_code == 401


def test_bodies_are_bounded_before_they_are_read(
    http: TestClient, headers: dict[str, Headers]
) -> None:
    long = http.post("/v1/still", content=b"x" * (2 * 1024**2 + 1), headers=headers["door"])
    assert long.status_code == 413
    pieces = http.post("/v1/still", content=iter([STILL]), headers=headers["door"])
    assert (pieces.status_code, pieces.json()["where"]) == (422, "Content-Length")


def test_a_tenant_has_so_many_jobs_and_no_more(
    http: TestClient, headers: dict[str, Headers]
) -> None:
    body = announced(tenant_id="other")
    told = [http.post("/v1/jobs", json=body, headers=headers["other"])
            for _ in range(MAX_OF_TENANT + 1)]  # fmt: skip
    assert [one.status_code for one in told] == [202] * MAX_OF_TENANT + [429]
    for one in told[:-1]:
        http.delete(f"/v1/jobs/{one.json()['job']}", headers=headers["other"])


async def test_bodies_together_are_bounded_and_nobodys_take_no_room() -> None:
    """Room is taken by who is read from, and is there again afterwards."""
    inside = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del send
        if scope["path"] != "/v1/refused":
            await receive()
            await inside.wait()

    async def received() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def sent(message: Message) -> None:
        del message

    def request(path: str = "/v1/still") -> Coroutine[Any, Any, None]:
        length = [(b"content-length", b"600")]
        scope = {"type": "http", "method": "POST", "path": path, "headers": length}
        return bounded(scope, received, sent)

    bounded = Admission(app, together=1_000)
    first = asyncio.create_task(request())
    await asyncio.sleep(0)
    await request("/v1/refused")
    with pytest.raises(RateLimited):
        await request()
    inside.set()
    await first
    await request()


def test_clips_that_wait_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("video_analyzer.serving.jobs.MAX_QUEUED_BYTES", 10)
    hold = threading.Event()

    def make(_name: str) -> DarkDetector:
        hold.wait(10)
        return DarkDetector()

    jobs = Jobs(make)
    one, other = (jobs.add(camera(), 0) for _ in range(2))
    jobs.put(one, b"12345678")
    with pytest.raises(RateLimited):
        jobs.put(other, b"123")
    assert other.state == "waiting"
    hold.set()
    jobs.close()
    assert (one.clip, one.state) == (b"", "failed")


def bomb() -> bytes:
    """A small file that says it is a very large picture."""
    sink = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(sink, "PNG")
    return sink.getvalue()


@pytest.mark.parametrize("make", [bytes, lambda: b"GIF89a", lambda: STILL[:300], bomb])
def test_pictures_that_cannot_be_used_are_told(make: Callable[[], bytes]) -> None:
    with pytest.raises(PayloadError, match="the picture cannot be used"):
        look(make(), DarkDetector())


@checks(max_examples=60)
@given(st.integers(0, len(STILL) - 1), st.binary(min_size=1, max_size=40))
def test_damage_gives_an_answer_or_an_error_of_ours(place: int, junk: bytes) -> None:
    data = STILL[:place] + junk + STILL[place + len(junk) :]
    try:
        answer = look(data, DarkDetector())
    except PayloadError:
        return
    assert answer.width * answer.height <= 3840 * 2160


class Slow:
    """A detector that takes its time."""

    label, width, height, spent_s = "slow-1", 320, 320, 0.0

    def detect(self, picture: Picture) -> Detections:
        del picture
        time.sleep(0.02)
        return Detections(np.zeros((0, 4)), np.zeros(0))


async def test_a_burst_is_answered_and_what_is_too_much_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pools, "MAX_WAITING", 6)
    pool = Pool(Slow, 2)
    told = await asyncio.gather(*(pool.look(STILL) for _ in range(8)), return_exceptions=True)
    assert [type(one).__name__ for one in told].count("StillAnswer") == 6
    assert [type(one) for one in told[6:]] == [RateLimited, RateLimited]
    assert (await pool.look(STILL)).detector == "slow-1"  # there is room again
    pool.close()


async def test_an_answer_that_takes_too_long_is_told() -> None:
    pool = Pool(Slow, 1, limit_s=0.001)
    with pytest.raises(ServiceError, match="took longer"):
        await pool.look(STILL)
    pool.close()
