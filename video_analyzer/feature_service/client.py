"""How Python asks the service: one method a call, typed, with the errors of the platform.

Errors that are worth a second try are `ServiceError`s; what is not is raised as it was meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from tenpo.errors import AuthError, InputError, RateLimited, ServiceError, UnknownReference
from video_analyzer.feature_db.declared import Declared
from video_analyzer.feature_service import bodies

A = TypeVar("A", bound=BaseModel)
F = TypeVar("F")
#: A model that is being replaced, and a face as that one sees it.
SeenBefore = tuple[str, Sequence[float]]
#: Of a wait in seconds; nobody means a longer one.
_MAX_DIGITS = 4
#: Readings of who is whom, before it is given up.
_TRIES = 5


class FeatureClient:
    """The features of one tenant, over HTTP. May be shared by threads.

    Args:
        url: of the service.
        tenant_id: the tenant.
        token: of scope `features`.
        timeout_s: how long an answer is waited for; `propose`, `expire` and `erase` may take long.
        http: another client, in tests.

    All methods raise:
        AuthError: the token does not open this.
        InputError: the service refuses what was sent; `UnknownReference` what it does not know.
        ServiceError: it does not answer, or not now.
    """

    def __init__(
        self,
        url: str,
        tenant_id: str,
        token: str,
        *,
        timeout_s: float = 15.0,
        http: httpx.Client | None = None,
    ) -> None:
        self._http = http or httpx.Client(base_url=url, timeout=timeout_s, trust_env=False)
        self._headers = {"X-Tenpo-Tenant": tenant_id, "Authorization": f"Bearer {token}"}

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def identify(
        self,
        model: str,
        vector: Sequence[float],
        store_id: str,
        observed_at: datetime,
        threshold: float | None = None,
        *,
        former: SeenBefore | None = None,
    ) -> bodies.IdentifiedAnswer:
        """Who someone is, or a new person; by the declared threshold where none is given.

        Args:
            model: version of the model.
            vector: the face as it sees it.
            store_id: where, and
            observed_at: when the picture was taken.
            threshold: cosine; a device gives none.
            former: model and vector, while another model is being replaced.
        """
        body = {
            "model": model, "vector": list(map(float, vector)), "store_id": store_id,
            "observed_at": observed_at.isoformat(), "threshold": threshold,
            "former": _former(former),
        }  # fmt: skip
        return self._one(bodies.IdentifiedAnswer, "identify", body)

    def models(self) -> list[Declared]:
        """The models that devices may use."""
        return self._one(bodies.ModelsAnswer, "models").models

    def declare(self, models: Sequence[Declared]) -> list[Declared]:
        """Say which models devices may use, in place of those before; gives their thresholds."""
        body = {"models": [each.model_dump() for each in models]}
        return self._one(bodies.ModelsAnswer, "models/declare", body).models

    def search(
        self,
        model: str,
        vector: Sequence[float],
        *,
        k: int = 10,
        threshold: float = -1.0,
        former: SeenBefore | None = None,
    ) -> list[bodies.MatchAnswer]:
        """The features most like one, best first; then those whom only a former model knows."""
        body = {
            "model": model, "vector": list(map(float, vector)), "k": k, "threshold": threshold,
            "former": _former(former),
        }  # fmt: skip
        return self._many(bodies.MatchAnswer, "search", body)

    def progress(self, former: str, model: str) -> bodies.ProgressAnswer:
        """How far it is with one model replacing another."""
        body = {"former": former, "model": model}
        return self._one(bodies.ProgressAnswer, "succession/progress", body)

    def sightings(
        self, former: str, model: str, store_id: str, after: datetime, limit: int = 1_000
    ) -> list[datetime]:
        """Moments at which a store saw those whom the new model does not know, oldest first."""
        body = {
            "former": former, "model": model, "store_id": store_id,
            "after": after.isoformat(), "limit": limit,
        }  # fmt: skip
        return self._one(bodies.SightingsAnswer, "succession/sightings", body).observed_at

    def take_over(
        self, former: SeenBefore, model: str, vector: Sequence[float], store_id: str, at: datetime
    ) -> bool:
        """Offer both models' features of a face in a recorded picture; whether somebody waited."""
        body = {
            "model": model, "vector": list(map(float, vector)), "former": _former(former),
            "store_id": store_id, "observed_at": at.isoformat(),
        }  # fmt: skip
        return bool(self._one(bodies.CountAnswer, "succession/take", body).count)

    def get(self, features: Sequence[int]) -> list[bodies.FeatureAnswer]:
        """Those of these features that are alive."""
        return self._many(bodies.FeatureAnswer, "features/get", {"features": list(features)})

    def delete(self, features: Sequence[int]) -> int:
        """Let features die. Returns how many were alive."""
        body = {"features": list(features)}
        return self._one(bodies.CountAnswer, "features/delete", body).count

    def held(self, person: str) -> bodies.HeldAnswer:
        """What is held of one person."""
        return self._one(bodies.HeldAnswer, "persons/held", {"person": person})

    def erase(self, person: str) -> bodies.ErasedAnswer:
        """Forget a person."""
        return self._one(bodies.ErasedAnswer, "persons/erase", {"person": person})

    def merge(self, a: str, b: str) -> int:
        """Note that two are one person. Returns the link's number."""
        return self._one(bodies.LinkAnswer, "persons/merge", {"a": a, "b": b}).link

    def split(self, link: int) -> None:
        """Take a link away again."""
        self._one(bodies.DoneAnswer, "persons/split", {"link": link})

    def part(self, a: str, b: str) -> None:
        """Note that two are different people."""
        self._one(bodies.DoneAnswer, "persons/part", {"a": a, "b": b})

    def rejoin(self, a: str, b: str) -> None:
        """Take back that two are different people."""
        self._one(bodies.DoneAnswer, "persons/rejoin", {"a": a, "b": b})

    def links(self, person: str) -> list[bodies.TwoLinkedAnswer]:
        """The links that hold a person together, to split them."""
        return self._many(bodies.TwoLinkedAnswer, "persons/links", {"person": person})

    def moved(self, limit: int = bodies.MAX_MOVED) -> dict[str, str] | None:
        """The current person of each raw id that has another one; None before the first person.

        Raises:
            ServiceError: also where persons changed each time while they were read.
        """
        for _ in range(_TRIES):
            found = self._moved(limit)
            if found is not None:
                version, pairs = found
                return None if version == 1 else pairs
        raise ServiceError(
            "the persons changed while they were read", where="persons/moved", remedy="Try again."
        )

    def _moved(self, limit: int) -> tuple[int, dict[str, str]] | None:
        """All pages; None if they are not of one version."""
        pairs: dict[str, str] = {}
        after: str | None = None
        versions: set[int] = set()
        while True:
            body = {"after": after, "limit": limit}
            page = self._one(bodies.MovedAnswer, "persons/moved", body)
            pairs |= page.moved
            versions.add(page.version)
            last = max(page.moved, default=None)
            if len(versions) > 1 or (last is not None and last <= (after or "")):
                return None
            if last is None or len(page.moved) < limit:
                return page.version, pairs
            after = last

    def stats(self) -> bodies.StatsAnswer:
        """The tenant's features in numbers."""
        return self._one(bodies.StatsAnswer, "stats")

    def proposals(self) -> bodies.ProposalsAnswer:
        """The newest proposals of people who may be one."""
        return self._one(bodies.ProposalsAnswer, "proposals")

    def propose(self, model: str, threshold: float) -> int:
        """Look for people who may be one. Returns how many pairs there are."""
        body = {"model": model, "threshold": threshold}
        return self._one(bodies.CountAnswer, "propose", body).count

    def expire(self) -> int:
        """Delete the features whose time is over. Returns how many."""
        return self._one(bodies.CountAnswer, "expire", {}).count

    def _one(self, kind: type[A], call: str, body: dict[str, Any] | None = None) -> A:
        return _read(TypeAdapter(kind), call, self._call(call, body))

    def _many(self, kind: type[A], call: str, body: dict[str, Any]) -> list[A]:
        return _read(TypeAdapter(list[kind]), call, self._call(call, body))  # type: ignore[valid-type]

    def _call(self, call: str, body: dict[str, Any] | None) -> bytes:
        method = "GET" if body is None else "POST"
        try:
            answer = self._http.request(method, f"/v1/{call}", json=body, headers=self._headers)
        except httpx.HTTPError as error:
            raise ServiceError(
                f"the feature service does not answer: {type(error).__name__}",
                where=call,
                remedy="See whether it runs: tenpo features serve",
            ) from error
        if answer.is_error:
            raise _refused(answer, call)
        return answer.content


def _former(seen: SeenBefore | None) -> dict[str, Any] | None:
    if seen is None:
        return None
    model, vector = seen
    return {"model": model, "vector": list(map(float, vector))}


def _read(kind: TypeAdapter[F], call: str, answer: bytes) -> F:
    """An answer; something else between us and the service may have given it."""
    try:
        return kind.validate_json(answer)
    except ValidationError:
        raise ServiceError(
            "the answer is not the feature service's", where=call,
            remedy="See what TENPO_FEATURES_URL leads to.",
        ) from None  # fmt: skip


def _refused(answer: httpx.Response, call: str) -> AuthError | InputError | ServiceError:
    """The error that the service meant."""
    told = _told(answer)
    said = str(told.get("what") or f"the feature service answers {answer.status_code}")
    where, remedy = str(told.get("where") or call), str(told.get("remedy") or "")
    status = answer.status_code
    if status in (401, 403):
        return AuthError(said, where=where, remedy=remedy, forbidden=status == 403)
    if status == 429:
        wait_s = answer.headers.get("Retry-After", "")
        is_number = wait_s.isdecimal() and len(wait_s) <= _MAX_DIGITS  # else a date, or nonsense
        seconds = int(wait_s) if is_number else 1
        return RateLimited(said, where=where, remedy=remedy, retry_after_s=seconds)
    if status >= 500:
        return ServiceError(said, where=where, remedy=remedy)
    kind = UnknownReference if status == 404 else InputError
    return kind(said, where=where, remedy=remedy)


def _told(answer: httpx.Response) -> dict[str, Any]:
    """What the service said; nothing where a proxy answered in its place."""
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
