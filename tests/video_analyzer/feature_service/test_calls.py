"""Each call through the client, and what it refuses."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tenpo.erasure import Erasures
from tenpo.errors import InputError, RateLimited, ServiceError, UnknownReference
from tenpo.masters import Store
from tenpo.settings import Settings
from tenpo.tenants import create_tenant, issue_token
from tests.video_analyzer.feature_service.conftest import MODEL, SEEN_AT, Ask, Tokens
from video_analyzer.feature_db.records import Floats
from video_analyzer.feature_service.app import create_app
from video_analyzer.feature_service.bounds import MAX_BODY_BYTES
from video_analyzer.feature_service.client import FeatureClient
from video_analyzer.feature_service.newcomers import Newcomers, TooManyNew

FACES = Store(store_id="s1", name="S", timezone="UTC", currency="JPY", has_faces=True)


def test_a_face_is_recognised_found_and_told_of(ask: Ask, face: Floats, known: str) -> None:
    person, again = ask("a"), face + 0.01
    seen = ask("a", "s2").identify(MODEL, again.tolist(), "s2", SEEN_AT, 0.9)
    assert (seen.raw_id, seen.person, seen.is_new) == (known, known, False)
    [match] = person.search(MODEL, face.tolist(), k=1, threshold=0.99)
    assert (match.raw_id, match.store_id, match.observed_at) == (known, "s1", SEEN_AT)
    assert match.score == pytest.approx(1, abs=1e-5)
    assert match.expires_at == SEEN_AT + timedelta(days=30)  # the store's own retention
    [got] = person.get([match.feature, 10**9])
    assert got.model_dump() == {k: v for k, v in match.model_dump().items() if k != "score"}
    held = person.held(known)
    assert (held.tenant, held.raw_ids) == ("a", [known])
    assert [each["feature"] for each in held.features] == [match.feature]
    assert person.delete([match.feature, match.feature]) == 1
    assert person.search(MODEL, face.tolist(), threshold=0.99) == []


def test_faces_at_once_become_one_person(ask: Ask, face: Floats) -> None:
    device = ask("a", "s1")
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda _: device.identify(MODEL, face.tolist(), "s1", SEEN_AT, 0.9), range(16))
        )
    assert sum(one.is_new for one in found) == 1
    assert len({one.raw_id for one in found}) == 1


def test_proposals_are_made_decided_and_undone(ask: Ask, face: Floats, known: str) -> None:
    like = face.copy()
    like[:8] *= -1  # the same person for us, not for the threshold
    score = float(face @ like / (face @ face))
    other = ask("a").identify(MODEL, like.tolist(), "s1", SEEN_AT, 0.999).raw_id
    assert other != known
    person = ask("a")
    assert person.propose(MODEL, score - 0.01) >= 1
    [found] = [one for one in person.proposals().proposals if known in (one.a, one.b)]
    assert (found.a, found.b, found.pairs) == (known, other, 1)
    assert found.score == pytest.approx(score, abs=1e-5)
    link = person.merge(known, other)
    assert person.held(other).raw_ids == sorted([known, other])
    [told] = person.links(other)
    assert (told.link, {told.a, told.b}) == (link, {known, other})
    person.split(link)
    person.part(known, other)
    with pytest.raises(InputError, match="different people"):
        person.merge(known, other)
    person.propose(MODEL, score - 0.01)
    assert known not in {one.a for one in person.proposals().proposals}
    person.rejoin(known, other)
    person.split(person.merge(known, other))


def test_who_is_whom_is_told_page_by_page_of_one_moment(
    settings: Settings, http: TestClient
) -> None:
    create_tenant(settings, "moving", "M", stores=[FACES])
    person = FeatureClient("", "moving", issue_token(settings, "moving", "features"), http=http)
    assert person.moved() is None  # nobody was ever there: a folder that is not mounted, perhaps
    looks = np.eye(6, 64).tolist()
    ids = [person.identify(MODEL, look, "s1", SEEN_AT, 0.9).raw_id for look in looks]
    assert person.moved() == {}
    for other in ids[1:5]:
        person.merge(ids[0], other)
    expected = dict.fromkeys(ids[1:5], ids[0])
    assert [person.moved(limit) for limit in (1, 3, 4, 100)] == [expected] * 4
    answers = iter([{"version": n, "moved": {f"p_{n:016x}": ids[0]}} for n in range(2, 99)])
    changing = httpx.MockTransport(lambda _: httpx.Response(200, json=next(answers)))
    with httpx.Client(transport=changing, base_url="http://x") as elsewhere:
        restless = FeatureClient("", "moving", "t", http=elsewhere)
        with pytest.raises(ServiceError, match="changed while"):
            restless.moved(limit=1)


def test_a_broken_camera_makes_no_million_persons(settings: Settings, tmp_path: Path) -> None:
    create_tenant(settings, "broken", "B", stores=[FACES])
    token = issue_token(settings, "broken", "features")
    bounded = settings.model_copy(update={"home": tmp_path, "features_new_per_hour": 3})
    looks = np.eye(9, 64).tolist()
    with TestClient(create_app(bounded), base_url="http://127.0.0.1") as http:
        person = FeatureClient("", "broken", token, http=http)
        ids = [person.identify(MODEL, look, "s1", SEEN_AT, 0.9).raw_id for look in looks[:3]]
        for look in looks[3:5]:
            with pytest.raises(InputError, match="3 new persons within an hour") as caught:
                person.identify(MODEL, look, "s1", SEEN_AT, 0.9)
            assert not isinstance(caught.value, ServiceError)  # no reason to leave it alone
        assert person.identify(MODEL, looks[1], "s1", SEEN_AT, 0.9).raw_id == ids[1]
        told = person.stats()
        assert told.persons == 3
        found = told.newcomers["s1"]
        assert (found.made, found.refused, int(found.room)) == (3, 2, 0)
        shown = {"Authorization": f"Bearer {bounded.metrics_secret()}"}
        text = http.get("/metrics", headers=shown).text
    assert 'new_persons_total{outcome="refused",store="s1",tenant="broken"} 2.0' in text
    assert 'new_persons_total{outcome="made",store="s1",tenant="broken"} 3.0' in text


def test_a_stores_room_for_new_persons_comes_back_and_is_its_own() -> None:
    now = [0.0]
    newcomers = Newcomers(6, lambda: now[0])
    for _ in range(6):
        newcomers.admit("a", "s1")
    with pytest.raises(TooManyNew):
        newcomers.admit("a", "s1")
    newcomers.admit("a", "s2")
    newcomers.admit("b", "s1")
    now[0] = 601.0  # one a tenth of an hour
    newcomers.admit("a", "s1")
    with pytest.raises(TooManyNew):
        newcomers.admit("a", "s1")
    now[0] = 10**6
    for _ in range(6):
        newcomers.admit("a", "s1")
    with pytest.raises(TooManyNew):
        newcomers.admit("a", "s1")
    assert {name: (one.made, one.refused) for name, one in newcomers.of("a").items()} == {
        "s1": (13, 3), "s2": (1, 0)
    }  # fmt: skip


def test_erasing_a_person_leaves_a_proof_and_nothing_else(
    ask: Ask, face: Floats, known: str, folder: Path, settings: Settings
) -> None:
    person = ask("a")
    erased = person.erase(known)
    [request] = [
        one for one in Erasures.of(settings, "a").pending() if one.request_id == erased.request
    ]
    assert request.raw_ids == (known,), "the warehouse is asked to unlink the visits"
    assert (erased.is_complete, erased.features) == (True, 1)
    [digest] = erased.digests
    assert (folder / "proof" / f"{digest.removeprefix('-')}.json").is_file()
    with pytest.raises(UnknownReference, match="erased"):
        person.held(known)
    assert person.search(MODEL, face.tolist(), threshold=0.99) == []


def test_numbers_and_expiry(ask: Ask, known: str) -> None:
    person = ask("a")
    [space] = person.stats().spaces
    assert (space.model, space.dimension) == (MODEL, 64)
    assert space.living >= 1
    assert person.expire() == 0  # all are a minute old
    assert person.held(known).features


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"vector": []}, "vector"),
        ({"vector": ["Infinity"] * 64}, "vector"),
        ({"vector": [0.0] * 64}, "sface-1"),
        ({"vector": [0.123456] * 63}, "vector"),
        ({"threshold": 1.5}, "threshold"),
        ({"observed_at": "2026-01-01T00:00:00"}, "observed_at"),
        ({"observed_at": "2020-01-01T00:00:00Z"}, "observed_at"),
        ({"observed_at": "2222-01-01T00:00:00Z"}, "observed_at"),
        ({"observed_at": "9999-12-31T23:59:59Z"}, "observed_at"),
        ({"observed_at": "0001-01-01T00:00:00+14:00"}, "observed_at"),
        ({"store_id": "blind"}, "store_id"),
        ({"treshold": 0.5}, "treshold"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    http: TestClient, tokens: Tokens, known: str, change: dict[str, object], field: str
) -> None:
    assert known
    body = {
        "model": MODEL, "vector": [0.123456] * 64, "store_id": "s1",
        "observed_at": SEEN_AT.isoformat(), "threshold": 0.9,
    } | change  # fmt: skip
    headers = {"X-Tenpo-Tenant": "a", "Authorization": f"Bearer {tokens['a', None]}"}
    answer = http.post("/v1/identify", json=body, headers=headers)
    assert answer.status_code == 422
    assert field in answer.json()["where"]
    assert "0.123456" not in answer.text


@pytest.mark.parametrize("number", [2**70, 2**63, -1])
def test_numbers_that_nothing_can_have_are_refused(
    http: TestClient, tokens: Tokens, number: int
) -> None:
    headers = {"X-Tenpo-Tenant": "a", "Authorization": f"Bearer {tokens['a', None]}"}
    for call, body in (
        ("features/get", {"features": [number]}),
        ("features/delete", {"features": [number]}),
        ("persons/split", {"link": number}),
    ):
        answer = http.post(f"/v1/{call}", json=body, headers=headers)
        assert answer.status_code == 422, call
        assert str(number) not in answer.text


@pytest.mark.parametrize("body", ["[1]", "null", '"x"', "<html>", '{"what": null}'])
@pytest.mark.parametrize("wait", ["Wed, 21 Oct 2026 07:28:00 GMT", "inf", "-1", "\xb2", "3"])
def test_what_a_proxy_says_is_an_error_of_ours(body: str, wait: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        del request
        return httpx.Response(429, text=body, headers=[(b"Retry-After", wait.encode("latin-1"))])

    with (
        httpx.Client(transport=httpx.MockTransport(answer), base_url="http://x") as http,
        pytest.raises(RateLimited, match="answers 429") as caught,
    ):
        FeatureClient("", "a", "t", http=http).stats()
    assert caught.value.retry_after_s == (3 if wait == "3" else 1)


@pytest.mark.parametrize("body", ["[1]", "null", "<html>", '{"tenant_id": "a"}'])
def test_what_is_no_answer_of_the_service_is_an_error_of_ours(body: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=body))
    with (
        httpx.Client(transport=transport, base_url="http://x") as http,
        pytest.raises(ServiceError, match="not the feature service's"),
    ):
        FeatureClient("", "a", "t", http=http).stats()


def test_unknown_people_and_models_are_not_found(ask: Ask, face: Floats, known: str) -> None:
    assert known
    person = ask("a")
    for call in (person.held, person.erase):
        with pytest.raises(UnknownReference):
            call("p_00000000000000aa")
    with pytest.raises(UnknownReference, match="no features of the model"):
        person.search("another", face.tolist())
    with pytest.raises(InputError):
        person.held("nobody")


def test_a_large_body_is_refused(http: TestClient, tokens: Tokens) -> None:
    headers = {"X-Tenpo-Tenant": "a", "Authorization": f"Bearer {tokens['a', None]}"}
    answer = http.post("/v1/search", content=b" " * (MAX_BODY_BYTES + 1), headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (413, "PayloadTooLarge")


def test_a_call_that_takes_too_long_says_so(
    settings: Settings, tokens: Tokens, tmp_path: Path
) -> None:
    elsewhere = settings.model_copy(update={"home": tmp_path})
    app = create_app(elsewhere, timeout_s=1e-9)
    with (
        TestClient(app, base_url="http://127.0.0.1") as slow,
        pytest.raises(ServiceError, match="longer than"),
    ):
        FeatureClient("", "a", tokens["a", None], http=slow).stats()


def test_too_many_calls_at_once_are_told_to_come_again(
    ask: Ask, http: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = http.app
    assert isinstance(app, FastAPI)
    monkeypatch.setattr(app.state.backend._short, "most", 0)
    with pytest.raises(ServiceError, match="under way"):
        ask("a").stats()
    monkeypatch.undo()
    assert ask("a").stats().tenant_id == "a"


def test_metrics_are_the_operators_and_name_no_person(
    http: TestClient, settings: Settings, known: str
) -> None:
    assert http.get("/metrics").status_code == 401
    shown = {"Authorization": f"Bearer {settings.metrics_secret()}"}
    text = http.get("/metrics", headers=shown).text
    found = re.search(r'calls_total{call="identify",status="200",tenant="a"} (\d+)', text)
    assert found is not None
    assert int(found[1]) >= 1
    assert known not in text
    assert http.get("/healthz").json() == {"status": "ok"}


def test_a_service_that_does_not_answer_is_worth_a_second_try() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with (
        httpx.Client(transport=httpx.MockTransport(refuse), base_url="http://x") as http,
        pytest.raises(ServiceError, match="does not answer: ConnectError"),
    ):
        FeatureClient("", "a", "t", http=http).stats()


def test_vectors_never_leave(http: TestClient) -> None:
    schemas = http.get("/openapi.json").json()["components"]["schemas"]
    answers = {name: set(each["properties"]) for name, each in schemas.items() if "Answer" in name}
    assert len(answers) > 8
    assert not any("vector" in fields for fields in answers.values())
