"""`tenpo features`: look at, check, search, erase and export the features of people."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from tenpo.errors import InputError, IntegrityError
from video_analyzer.feature_db.location import book, database, service, who_moved

features = typer.Typer(no_args_is_help=True, help=__doc__)

Tenant = Annotated[str, typer.Argument(help="The tenant.")]
Person = Annotated[str, typer.Argument(help="Any raw id of the person: p_ and 16 hex digits.")]
Model = Annotated[str, typer.Option(help="Version of the model.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@features.command()
def stats(tenant: Tenant, as_json: AsJson = False) -> None:
    """Show how many persons and features a tenant has, and how they are kept.

    Example: tenpo features stats acme
    """
    found = database().read_store(tenant).stats()
    if as_json:
        _print_json(asdict(found))
        return
    typer.echo(f"{found.persons:,} persons, {found.bytes_on_disk / 1e6:,.1f} MB on disk")
    for space in found.spaces:
        parts = ", ".join(f"{kind} {length:,}" for kind, length in space.parts) or "none"
        typer.echo(
            f"{space.model}: {space.living:,} features of {space.dimension} dimensions, "
            f"{space.in_delta:,} since the last checkpoint, {space.dead:,} dead; parts: {parts}"
        )


@features.command()
def verify(tenant: Tenant, as_json: AsJson = False) -> None:
    """Check log, snapshot, index and identity log against each other; exit 6 on a problem.

    Example: tenpo features verify acme
    """
    from video_analyzer.feature_db.verify import verify as check

    folder, key = database().sealed_folder(tenant)
    report = check(folder, key)
    if as_json:
        _print_json(asdict(report))
    else:
        typer.echo(
            f"{report.features:,} features, {report.events:,} identity events, "
            f"{report.batches:,} batches of the log"
        )
        for note in report.notes:
            typer.echo(f"note: {note}")
    if report.problems:
        raise IntegrityError(
            "; ".join(report.problems),
            where=tenant,
            remedy="Restore the tenant's folder from a backup.",
        )


@features.command()
def search(
    tenant: Tenant,
    model: Model,
    like: Annotated[
        int | None, typer.Option(help="Number of a feature; else a JSON list on stdin.")
    ] = None,
    k: Annotated[int, typer.Option("-k", help="How many at most.")] = 10,
    threshold: Annotated[float, typer.Option(help="Least cosine.")] = -1.0,
    as_json: AsJson = False,
) -> None:
    """Find the features most like one.

    Example: tenpo features search acme --model sface-1 --like 17
    """
    store = database().read_store(tenant)
    vector = _vector_on_stdin() if like is None else _vector_of(store.get([like]))
    [matches] = store.search(model, [vector], k=k, threshold=threshold)
    lines = [
        {
            "score": round(match.score, 6),
            "feature": match.feature.feature,
            "person": match.feature.person,
            "raw_id": match.feature.raw_id,
            "store_id": match.feature.seen.store_id,
            "observed_at": match.feature.seen.observed_at,
        }
        for match in matches
    ]
    if as_json:
        _print_json({"matches": lines})
        return
    for line in lines:
        typer.echo("  ".join(str(value) for value in line.values()))


@features.command()
def erase(tenant: Tenant, person: Person, as_json: AsJson = False) -> None:
    """Forget a person, with a proof; exit 6 while some file still holds the person.

    The next ingest unlinks the visits: `tenpo features proofs` says when that is done. The
    service is asked where TENPO_FEATURES_TOKENS has a token of the tenant.

    Example: tenpo features erase acme p_0123456789abcdef
    """
    told, is_complete = _erased(tenant, person)
    if as_json:
        _print_json(told)
    else:
        typer.echo(
            f"{len(told['digests'])} ids and {told['features']} features erased; {told['note']}; "
            "the next ingest unlinks the visits"
        )
    if not is_complete:
        raise IntegrityError(
            "the person is still in files", where=tenant, remedy=f"{told['note'].capitalize()}."
        )


def _erased(tenant: str, person: str) -> tuple[dict[str, Any], bool]:
    """What came of an erasure, and whether nothing is left."""
    from tenpo.erasure import Erasures
    from tenpo.settings import get_settings
    from video_analyzer.feature_db.erasure import erase as forget

    client = service(tenant)
    if client is not None:
        with client:
            answer = client.erase(person)
        return answer.model_dump(), answer.is_complete
    with database().open_store(tenant) as store:
        proof = forget(store, person, unlink=Erasures.of(get_settings(), tenant).ask)
    return asdict(proof), proof.completed_at is not None


@features.command()
def proofs(tenant: Tenant, as_json: AsJson = False) -> None:
    """Show the proofs of erasures: of the features, and of the visits that were unlinked.

    Example: tenpo features proofs acme
    """
    from tenpo.erasure import Erasures
    from tenpo.settings import get_settings
    from video_analyzer.feature_db.erasure import read_proofs

    erasures = Erasures.of(get_settings(), tenant)
    found = read_proofs(database().sealed_folder(tenant)[0])
    for proof in found:
        asked = proof.get("request")
        proof["visits"] = erasures.state(asked) if asked else {"state": "unknown"}
        proof["still_in"] = still_in(tenant, proof["visits"])
    if as_json:
        _print_json({"proofs": found})
        return
    for proof in found:
        visits = proof["visits"]
        told = f", {visits['events']:,} events" if "events" in visits else ""
        told += "".join(
            f"\n    still in {name} {until}" for name, until in proof["still_in"].items()
        )
        typer.echo(
            f"{proof['begun_at']}  features: {proof['completed_at'] or proof['note']}, "
            f"{proof['features']:,} of {len(proof['digests'])} ids; visits: {visits['state']}{told}"
        )


@features.command()
def export(
    tenant: Tenant,
    person: Annotated[str | None, typer.Option(help="Print what is held of this one.")] = None,
) -> None:
    """Write a sealed copy of all features, or print what is held of one person as JSON.

    Example: tenpo features export acme --person p_0123456789abcdef
    """
    from video_analyzer.feature_db.export import export_store, held_of

    if person is not None:
        _print_json(held_of(database().read_store(tenant), person))
        return
    with database().open_store(tenant) as store:
        typer.echo(str(export_store(store)))


@features.command()
def backup(
    tenant: Tenant, folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")]
) -> None:
    """Copy a tenant's sealed files, also while the service writes them; the key stays out.

    Example: tenpo features backup acme /backup/acme-2026-11-01
    """
    from video_analyzer.feature_db.backup import back_up

    report = back_up(*database().sealed_folder(tenant), folder)
    typer.echo(f"{report.features:,} features and {report.events:,} identity events copied")


@features.command()
def rewrap(
    old_secret_file: Annotated[Path, typer.Argument(help="The former root secret, in hex.")],
) -> None:
    """Seal all tenants' keys under the new root secret (TENPO_SECRET_KEY); the data stay.

    Run it while nothing writes, as often as you like. Example: tenpo features rewrap old-secret
    """
    try:
        old = bytes.fromhex(old_secret_file.read_text("ascii").strip())
    except (OSError, ValueError):
        raise InputError(
            "the former secret cannot be read", where=str(old_secret_file), remedy="Give its hex."
        ) from None
    base = database()
    tenants = base.tenants()
    done = sum(base.rewrap(tenant, old) for tenant in tenants)
    typer.echo(f"{done} of {len(tenants)} keys sealed anew")


@features.command("import")
def import_copy(
    tenant: Tenant, file: Annotated[Path, typer.Argument(help="What `export` wrote.")]
) -> None:
    """Take a sealed copy into a tenant that has nothing but its key.

    Example: tenpo features import acme backup/20261101T030000000000Z.sealed
    """
    from video_analyzer.feature_db.export import import_store

    base = database()
    base.sealed_folder(tenant)  # a new key would not open the copy: there must be one
    with base.open_store(tenant) as store:
        count = import_store(store, file)
        store.checkpoint()
    typer.echo(f"{count:,} features imported")


@features.command()
def expire(tenant: Tenant) -> None:
    """Delete the features whose time is over, from all files. Run it every night.

    Each store's `retention_days` counts as they are now: shorter ones act on old features, too.

    Example: tenpo features expire acme
    """
    from video_analyzer.feature_db.retention import retention_of

    client = service(tenant)
    if client is not None:
        with client:
            count = client.expire()
    else:
        with database().open_store(tenant) as store:
            count = store.expire(datetime.now(UTC), retention_of(book(), tenant))
            store.checkpoint(purge=True)
    typer.echo(f"{count:,} features expired")


@features.command()
def thresholds(
    tenant: Tenant,
    model: Model,
    false_matches: Annotated[
        float, typer.Option(min=1e-7, max=0.5, help="Wanted share of strangers taken for one.")
    ] = 1e-4,
    threshold: Annotated[
        float | None, typer.Option(help="Look at this cosine in place of finding one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the cosine from which on two features are one person, and how each store fares.

    Example: tenpo features thresholds acme --model sface-1 --false-matches 0.001
    """
    from video_analyzer.feature_db.calibration import calibrate

    store = database().read_store(tenant)
    found = calibrate(store, model, false_match_ratio=false_matches, threshold=threshold)
    if as_json:
        _print_json(asdict(found))
        return
    typer.echo(f"threshold {found.threshold:.4f}, on {found.features:,} features of {found.model}")
    for group in found.groups:
        missed = group.false_non_match_ratio
        typer.echo(
            f"{group.store_id or 'all'}: {group.strangers:,} pairs of strangers, "
            f"{group.false_match_ratio:.2g} taken for one (at most {group.false_match_at_most:.2g})"
            + (f"; {missed:.2g} of {group.pairs_of_one:,} pairs of one missed"
               if missed is not None else "")
        )  # fmt: skip


@features.command()
def propose(
    tenant: Tenant,
    model: Model,
    threshold: Annotated[float, typer.Option(help="From `tenpo features thresholds`.")],
    as_json: AsJson = False,
) -> None:
    """Look for people who may be one, for somebody to decide. Run it every night.

    Example: tenpo features propose acme --model sface-1 --threshold 0.62
    """
    from video_analyzer.feature_db.proposals import propose as look

    client = service(tenant)
    if client is not None:
        with client:
            client.propose(model, threshold)
            found = client.proposals().model_dump()
    else:
        with database().open_store(tenant) as store:
            found = asdict(look(store, model, threshold))
    if as_json:
        _print_json(found)
        return
    for each in found["proposals"]:
        typer.echo(f"{each['score']:.4f}  {each['a']}  {each['b']}  {each['pairs']} pairs")
    typer.echo(f"{len(found['proposals']):,} proposals")


@features.command()
def succession(
    tenant: Tenant,
    former: Annotated[str, typer.Option("--from", help="Version of the model that goes.")],
    model: Annotated[str, typer.Option("--to", help="Of the one that comes.")],
    as_json: AsJson = False,
) -> None:
    """Show how far it is with one model replacing another.

    Example: tenpo features succession acme --from dlib_resnet-1 --to dlib_resnet-2
    """
    from video_analyzer.feature_db.succession import progress

    found = progress(database().read_store(tenant), former, model)
    if as_json:
        _print_json(asdict(found))
        return
    over = f"; the last of them is over on {found.over_at:%Y-%m-%d}" if found.over_at else ""
    typer.echo(f"{found.waiting:,} of {found.persons:,} persons wait for {model}{over}")


@features.command()
def publish(tenant: Tenant, as_json: AsJson = False) -> None:
    """Tell the warehouse who is whom by now, so that past visits follow merges and splits.

    It reads beside the service, or asks it where TENPO_FEATURES_TOKENS has a token of the tenant.
    Run it as often as you like. Example: tenpo features publish acme
    """
    from tenpo.settings import get_settings
    from video_analyzer.feature_db.publish import publish as tell

    found = tell(get_settings(), tenant, who_moved(tenant))
    if as_json:
        told = {"raw_ids": found.raw_ids, "changed": found.changed}
        _print_json(told | {"dirty_store_days": len(found.dirty)})
        return
    typer.echo(
        f"{found.raw_ids:,} raw ids are of another person, {found.changed:,} of them otherwise "
        f"than before; {len(found.dirty):,} store-days to be computed again"
    )


@features.command()
def serve() -> None:
    """Answer the analyzer and people over HTTP, on the address of TENPO_FEATURES_URL.

    While it runs, ask it to erase or expire: it alone may write. Example: tenpo features serve
    """
    from video_analyzer.feature_service.serve import main

    main()


def still_in(tenant: str, visits: dict[str, Any]) -> dict[str, str]:
    """What holds an erased person still, and until when."""
    from video_analyzer.feature_db.answers import moment
    from video_analyzer.feature_db.retention import retention_of
    from video_analyzer.record.names import chunk_start

    kept = retention_of(book(), tenant) if visits.get("recordings") else {}
    still = dict.fromkeys(visits.get("payloads_left", ()), "until it is deleted")
    for name in visits.get("recordings", ()):
        _, _, store_id, _, _, chunk = name.split("/")
        begun = moment(chunk_start(chunk.removesuffix(".sealed")))
        over = begun + kept[store_id] if store_id in kept else None
        still[name] = f"until {over:%Y-%m-%d}" if over else "until it is deleted"
    return still


def _vector_of(found: list[Any]) -> list[float]:
    if not found:
        raise InputError("there is no such feature", where="--like")
    vector: list[float] = found[0].vector.tolist()
    return vector


def _vector_on_stdin() -> list[float]:
    import orjson

    try:
        found = orjson.loads(sys.stdin.buffer.read(1024**2))
    except ValueError as error:
        raise InputError(
            "stdin is no JSON list of numbers", remedy="Give one vector, or --like."
        ) from error
    if not isinstance(found, list):
        raise InputError("stdin is no JSON list of numbers", remedy="Give one vector, or --like.")
    return found


def _print_json(found: dict[str, Any]) -> None:
    import orjson

    typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
