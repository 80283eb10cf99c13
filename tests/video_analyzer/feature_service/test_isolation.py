"""Every call with the wrong token: another tenant's, a device's, another scope's, none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from tenpo.errors import AuthError, UnknownReference
from tenpo.lake import Lake
from tenpo.masters import MasterBook
from tenpo.settings import Settings
from tenpo.tenants import create_tenant, issue_token, revoke_token
from tests.video_analyzer.feature_service.conftest import DECLARED, MODEL, SEEN_AT, Ask, Tokens
from video_analyzer.feature_db.records import Floats
from video_analyzer.feature_service import routes
from video_analyzer.feature_service.client import FeatureClient

Call = Callable[[FeatureClient, str, int, list[float]], object]

EVER = datetime(1970, 1, 1, tzinfo=UTC)
#: Each call by its address, with a person, a feature and a vector of tenant a.
CALLS: dict[str, Call] = {
    "identify": lambda c, p, f, v: c.identify(MODEL, v, "s1", SEEN_AT, 0.9),
    "models": lambda c, p, f, v: c.models(),
    "models/declare": lambda c, p, f, v: c.declare(DECLARED),
    "search": lambda c, p, f, v: c.search(MODEL, v, k=100),
    "features/get": lambda c, p, f, v: c.get(list(range(f + 1))),
    "features/delete": lambda c, p, f, v: c.delete(list(range(f + 1))),
    "persons/held": lambda c, p, f, v: c.held(p),
    "persons/erase": lambda c, p, f, v: c.erase(p),
    "persons/merge": lambda c, p, f, v: c.merge(p, p[:-1] + "0"),
    "persons/split": lambda c, p, f, v: c.split(1),
    "persons/part": lambda c, p, f, v: c.part(p, p[:-1] + "0"),
    "persons/rejoin": lambda c, p, f, v: c.rejoin(p, p[:-1] + "0"),
    "persons/links": lambda c, p, f, v: c.links(p),
    "persons/moved": lambda c, p, f, v: c.moved(),
    "stats": lambda c, p, f, v: c.stats(),
    "proposals": lambda c, p, f, v: c.proposals(),
    "propose": lambda c, p, f, v: c.propose(MODEL, -1.0),
    "expire": lambda c, p, f, v: c.expire(),
    "succession/progress": lambda c, p, f, v: c.progress(MODEL, "next-1"),
    "succession/sightings": lambda c, p, f, v: c.sightings(MODEL, "next-1", "s1", EVER),
    "succession/take": lambda c, p, f, v: c.take_over((MODEL, v), "next-1", v, "s1", SEEN_AT),
}
UNKNOWN_TO_OTHERS = {name for name in CALLS if name.startswith("persons/")} - {"persons/moved"}
every_call = pytest.mark.parametrize("name", CALLS)


@pytest.fixture
def feature(ask: Ask, face: Floats, known: str) -> int:
    """The number of the known person's feature; both tenants have proposals, and b a person."""
    assert known
    ask("b", "s1").identify(MODEL, [1.0] * 64, "s1", SEEN_AT)
    ask("a", "s1").identify(MODEL, (-face).tolist(), "s1", SEEN_AT, 0.9)
    ask("a").propose(MODEL, -1.0)
    ask("b").propose(MODEL, -1.0)
    return ask("a").search(MODEL, face.tolist(), k=1, threshold=0.99)[0].feature


def test_every_call_is_tried() -> None:
    found = {
        route.path.removeprefix("/v1/")
        for route in routes.router.routes
        if isinstance(route, APIRoute)
    }
    assert found == CALLS.keys()


@every_call
def test_no_call_reaches_another_tenant(
    ask: Ask, face: Floats, known: str, feature: int, name: str
) -> None:
    theirs = {one.raw_id for one in ask("a").search(MODEL, face.tolist(), k=100)}
    assert known in theirs
    before = ask("a").held(known), ask("a").stats().persons
    if name in UNKNOWN_TO_OTHERS:
        with pytest.raises(UnknownReference) as caught:
            CALLS[name](ask("b"), known, feature, face.tolist())
        answer: object = str(caught.value)
    else:
        answer = CALLS[name](ask("b"), known, feature, face.tolist())
    assert not [person for person in theirs if person in repr(answer)]
    assert (ask("a").held(known), ask("a").stats().persons) == before


@every_call
def test_a_token_opens_its_own_tenant_alone(
    http: TestClient, tokens: Tokens, face: Floats, known: str, feature: int, name: str
) -> None:
    messages = set()
    for tenant, token in (
        ("a", tokens["b", None]),
        ("nobody", tokens["a", None]),
        ("../a", tokens["a", None]),
        ("a", "x"),
    ):
        client = FeatureClient("", tenant, token, http=http)
        with pytest.raises(AuthError) as caught:
            CALLS[name](client, known, feature, face.tolist())
        assert caught.value.status == 401
        messages.add(str(caught.value))
    assert len(messages) == 1  # nobody learns which tenants there are


@every_call
def test_a_device_may_identify_in_its_own_store_and_nothing_else(
    ask: Ask, face: Floats, known: str, feature: int, name: str
) -> None:
    for store in ("s1", "s2"):
        if (name, store) == ("identify", "s1"):
            found = ask("a", store).identify(MODEL, face.tolist(), "s1", SEEN_AT, 0.9)
            assert found.raw_id == known
            continue
        with pytest.raises(AuthError) as caught:
            CALLS[name](ask("a", store), known, feature, face.tolist())
        assert caught.value.status == 403


def test_tokens_of_other_scopes_and_revoked_ones_open_nothing(
    http: TestClient, settings: Settings
) -> None:
    others = create_tenant(settings, "c", "C")
    for secret in (others.send, others.read):
        with pytest.raises(AuthError) as caught:
            FeatureClient("", "c", secret, http=http).stats()
        assert caught.value.status == 403
    create_tenant(settings, "d", "D")
    issued = issue_token(settings, "d", "features")
    assert FeatureClient("", "d", issued, http=http).stats().persons == 0
    create_tenant(settings, "e", "E")
    revoked = issue_token(settings, "e", "features")
    revoke_token(settings, "e", "features")
    with pytest.raises(AuthError) as caught:
        FeatureClient("", "e", revoked, http=http).stats()
    assert caught.value.status == 401
    kept = {row.name for row in MasterBook(Lake(settings.lake_url)).get("d").token}
    assert kept == {"send", "read", "features"}
