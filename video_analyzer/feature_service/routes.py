"""The calls. What a device may: `identify`. Everything else is for people."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from video_analyzer.feature_db import FeatureStore, Former, People
from video_analyzer.feature_db.declared import declare, read_declared, threshold_for
from video_analyzer.feature_db.erasure import erase
from video_analyzer.feature_db.export import held_of
from video_analyzer.feature_db.proposals import propose, read_proposals
from video_analyzer.feature_db.succession import (
    Sighting,
    progress,
    search_both,
    sightings,
    take_over,
)
from video_analyzer.feature_service import bodies
from video_analyzer.feature_service.access import Caller
from video_analyzer.feature_service.backend import Backend

router = APIRouter(prefix="/v1")


def _backend(request: Request) -> Backend:
    found: Backend = request.app.state.backend
    return found


Running = Annotated[Backend, Depends(_backend)]


async def _caller(request: Request) -> Caller:
    found: Caller = request.state.caller  # by `bounds`, before the body was read
    return found


Anybody = Annotated[Caller, Depends(_caller)]


async def _person(caller: Anybody) -> Caller:
    caller.require_person()
    return caller


Person = Annotated[Caller, Depends(_person)]


@router.post("/identify")
async def identify(
    body: bodies.IdentifyBody, caller: Anybody, backend: Running
) -> bodies.IdentifiedAnswer:
    """Say who someone is, or make them a new person, in one atomic step."""
    seen = body.seen(caller.store_with_faces(body.store_id).retention_days)

    def work(store: FeatureStore) -> bodies.IdentifiedAnswer:
        threshold = threshold_for(
            store, body.model, len(body.vector), body.threshold,
            is_device=caller.store_id is not None,
        )  # fmt: skip
        former = None if body.former is None else _former(store, body.former, caller)
        found = store.identify_or_create(
            body.model, body.vector, seen, threshold=threshold, former=former,
            admit=lambda: backend.admit(caller.tenant_id, body.store_id),
        )  # fmt: skip
        return bodies.IdentifiedAnswer(
            raw_id=found.raw_id, person=found.person, score=found.score, is_new=found.is_new
        )

    return await backend.run(caller, "identify", work)


@router.get("/models")
async def models(caller: Person, backend: Running) -> bodies.ModelsAnswer:
    """The models that devices may use."""

    def work(store: FeatureStore) -> bodies.ModelsAnswer:
        return bodies.ModelsAnswer(models=list(read_declared(store.folder, store.key).values()))

    return await backend.run(caller, "models", work)


@router.post("/models/declare")
async def declare_models(
    body: bodies.ModelsBody, caller: Person, backend: Running
) -> bodies.ModelsAnswer:
    """Say which models devices may use, in place of those before."""
    return await backend.run(
        caller, "declare",
        lambda store: bodies.ModelsAnswer(models=list(declare(store, body.models))),
    )  # fmt: skip


@router.post("/search")
async def search(
    body: bodies.SearchBody, caller: Person, backend: Running
) -> list[bodies.MatchAnswer]:
    """Find the features most like one, best first."""

    def work(store: FeatureStore) -> list[bodies.MatchAnswer]:
        if body.former is None:
            [found] = store.search(body.model, [body.vector], k=body.k, threshold=body.threshold)
        else:
            former = _former(store, body.former, caller)
            found = search_both(
                store, body.model, body.vector, former, k=body.k, threshold=body.threshold
            )
        return [
            bodies.MatchAnswer(score=match.score, **dict(bodies.FeatureAnswer.of(match.feature)))
            for match in found
        ]

    return await backend.run(caller, "search", work)


@router.post("/features/get")
async def get(
    body: bodies.FeaturesBody, caller: Person, backend: Running
) -> list[bodies.FeatureAnswer]:
    """Those of these features that are alive."""
    return await backend.run(
        caller, "get",
        lambda store: [bodies.FeatureAnswer.of(one) for one in store.get(body.features)],
    )  # fmt: skip


@router.post("/features/delete")
async def delete(body: bodies.FeaturesBody, caller: Person, backend: Running) -> bodies.CountAnswer:
    """Let features die. Says how many were alive."""
    return await backend.run(
        caller, "delete", lambda store: bodies.CountAnswer(count=store.delete(body.features))
    )


@router.post("/persons/held")
async def held(body: bodies.PersonBody, caller: Person, backend: Running) -> bodies.HeldAnswer:
    """What is held of one person."""
    return await backend.run(
        caller, "held",
        lambda store: bodies.HeldAnswer.model_validate(held_of(store, body.person)),
    )  # fmt: skip


@router.post("/persons/erase")
async def erase_person(
    body: bodies.PersonBody, caller: Person, backend: Running
) -> bodies.ErasedAnswer:
    """Forget who this person is now, with a proof; visits are unlinked by the next ingest."""

    def work(store: FeatureStore) -> bodies.ErasedAnswer:
        proof = erase(store, body.person, unlink=backend.erasures(caller.tenant_id).ask)
        return bodies.ErasedAnswer(
            is_complete=proof.completed_at is not None, features=proof.features,
            digests=list(proof.digests), note=proof.note, request=proof.request,
        )  # fmt: skip

    return await backend.run(caller, "erase", work, is_long=True)


@router.post("/persons/merge")
async def merge(body: bodies.TwoBody, caller: Person, backend: Running) -> bodies.LinkAnswer:
    """Note that two are one person."""
    return await backend.run(
        caller, "merge",
        lambda store: bodies.LinkAnswer(link=People(store).merge(body.a, body.b, _now())),
    )  # fmt: skip


@router.post("/persons/split")
async def split(body: bodies.LinkBody, caller: Person, backend: Running) -> bodies.DoneAnswer:
    """Take a link away again."""

    def work(store: FeatureStore) -> bodies.DoneAnswer:
        People(store).split(body.link, _now())
        return bodies.DoneAnswer()

    return await backend.run(caller, "split", work)


@router.post("/persons/part")
async def part(body: bodies.TwoBody, caller: Person, backend: Running) -> bodies.DoneAnswer:
    """Note that two are different people: no merge may join them, and none is proposed."""

    def work(store: FeatureStore) -> bodies.DoneAnswer:
        People(store).part(body.a, body.b, _now())
        return bodies.DoneAnswer()

    return await backend.run(caller, "part", work)


@router.post("/persons/rejoin")
async def rejoin(body: bodies.TwoBody, caller: Person, backend: Running) -> bodies.DoneAnswer:
    """Take back that two are different people."""

    def work(store: FeatureStore) -> bodies.DoneAnswer:
        People(store).rejoin(body.a, body.b, _now())
        return bodies.DoneAnswer()

    return await backend.run(caller, "rejoin", work)


@router.post("/persons/links")
async def links(
    body: bodies.PersonBody, caller: Person, backend: Running
) -> list[bodies.TwoLinkedAnswer]:
    """The links that hold a person together, to split them."""
    return await backend.run(
        caller, "links",
        lambda store: [
            bodies.TwoLinkedAnswer(link=link, a=a, b=b)
            for link, (a, b) in sorted(People(store).links(body.person).items())
        ],
    )  # fmt: skip


@router.post("/persons/moved")
async def persons_moved(
    body: bodies.MovedBody, caller: Person, backend: Running
) -> bodies.MovedAnswer:
    """The current person of each raw id that has another one, in order, a page at a time."""

    def work(store: FeatureStore) -> bodies.MovedAnswer:
        version, found = store.commit(
            lambda draft: (draft.next_seq, People(store).moved()), alone=True
        )
        page = sorted(raw for raw in found if raw > (body.after or ""))[: body.limit]
        return bodies.MovedAnswer(version=version, moved={raw: found[raw] for raw in page})

    return await backend.run(caller, "moved", work, is_long=True)


@router.get("/stats")
async def stats(caller: Person, backend: Running) -> bodies.StatsAnswer:
    """The tenant's features in numbers."""
    return await backend.run(
        caller, "stats",
        lambda store: bodies.StatsAnswer.model_validate(
            asdict(store.stats()) | {"newcomers": backend.newcomers(caller.tenant_id)}
        ),
    )  # fmt: skip


@router.get("/proposals")
async def proposals(caller: Person, backend: Running) -> bodies.ProposalsAnswer:
    """The newest proposals of people who may be one."""

    def work(store: FeatureStore) -> bodies.ProposalsAnswer:
        with store.copying:
            found = read_proposals(store.folder, store.key)
        return bodies.ProposalsAnswer.model_validate(asdict(found) if found else {})

    return await backend.run(caller, "proposals", work)


@router.post("/propose")
async def make_proposals(
    body: bodies.ProposeBody, caller: Person, backend: Running
) -> bodies.CountAnswer:
    """Look for people who may be one; for every night."""

    def work(store: FeatureStore) -> bodies.CountAnswer:
        return bodies.CountAnswer(count=len(propose(store, body.model, body.threshold).proposals))

    return await backend.run(caller, "propose", work, is_long=True)


@router.post("/expire")
async def expire(caller: Person, backend: Running) -> bodies.CountAnswer:
    """Delete the features whose time is over, from all files; the service does so every day."""
    work = backend.expire_work(caller.tenant_id)
    return bodies.CountAnswer(count=await backend.run(caller, "expire", work, is_long=True))


@router.post("/succession/progress")
async def succession_progress(
    body: bodies.SuccessionBody, caller: Person, backend: Running
) -> bodies.ProgressAnswer:
    """How many persons of the former model the new one knows already."""
    return await backend.run(
        caller, "progress",
        lambda store: bodies.ProgressAnswer.model_validate(
            asdict(progress(store, body.former, body.model))
        ),
        is_long=True,
    )  # fmt: skip


@router.post("/succession/sightings")
async def succession_sightings(
    body: bodies.SightingsBody, caller: Person, backend: Running
) -> bodies.SightingsAnswer:
    """Where those were seen whom the new model does not know: to look into recordings."""
    store_id = caller.store_with_faces(body.store_id).store_id

    def work(store: FeatureStore) -> bodies.SightingsAnswer:
        found = sightings(
            store, body.former, body.model, store_id, after=body.after, limit=body.limit
        )
        return bodies.SightingsAnswer(observed_at=[one.observed_at for one in found])

    return await backend.run(caller, "sightings", work, is_long=True)


@router.post("/succession/take")
async def succession_take(
    body: bodies.TakeOverBody, caller: Person, backend: Running
) -> bodies.CountAnswer:
    """Give a feature of the new model to whom the former one's of the same picture belongs."""
    at = Sighting(caller.store_with_faces(body.store_id).store_id, body.observed_at)

    def work(store: FeatureStore) -> bodies.CountAnswer:
        former = _former(store, body.former, caller)
        is_taken = take_over(store, former, body.model, body.vector, at)
        return bodies.CountAnswer(count=int(is_taken))

    return await backend.run(caller, "take", work)


def _former(store: FeatureStore, body: bodies.FormerBody, caller: Caller) -> Former:
    threshold = threshold_for(
        store, body.model, len(body.vector), body.threshold, is_device=caller.store_id is not None
    )
    return Former(body.model, body.vector, threshold)


def _now() -> datetime:
    return datetime.now(UTC)
